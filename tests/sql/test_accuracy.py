"""What is held out is held out: no truth informs its own estimate, and the board adds up as by hand."""

import math
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.conftest import REFERENCE, Build, Model, Rows, by

# Student's t, 95th percentile, by degrees of freedom, from a printed table
STUDENT = {3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 10: 1.812, 15: 1.753, 20: 1.725, 30: 1.697}

POWER: list[dict[str, Any]] = [
    {
        "hardware_id": chip,
        "system": system,
        "workload": f"job {i}",
        "run_id": f"run-{i}",
        "measured_watts_per_chip": watts,
        "watts_per_chip": watts,
        "tdp_w": 400.0,
        "rated_fraction": watts / 400,
        "kind": "gpu",
        "provider": f"laboratory of {source}",
        "source_title": source,
    }
    for i, (chip, system, source, watts) in enumerate(
        [
            ("nvidia-a100-sxm4-40gb", "s", "Paper A", 300.0),
            ("nvidia-a100-sxm4-40gb", "s", "Paper A", 360.0),
            ("nvidia-a100-sxm4-40gb", "t", "Paper B", 420.0),
            ("nvidia-h100-sxm5-80gb", "u", "Paper C", 200.0),
            ("nvidia-v100-sxm2-16gb", "v", "Paper A", 500.0),
        ]
    )
]


def estimates(model: Model, rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], float]:
    tables = {"core.power_observations": rows}
    tables |= {"core.kept_power": model("core.kept_power", tables).to_dicts()}
    frame = model("core.held_out_power", tables)
    columns = ("observation_id", "held_out_scope", "basis", "estimated_watts_per_chip")
    return {(name, out, basis): watts for name, out, basis, watts in frame.select(columns).iter_rows()}


def changed(rows: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    """The same rows, but for one that draws half as much."""
    row = rows[index]
    parts = ("measured_watts_per_chip", "watts_per_chip", "rated_fraction")
    half = {name: row[name] / 2 for name in parts}
    return [*rows[:index], row | half, *rows[index + 1 :]]


@pytest.mark.parametrize("index", range(len(POWER)))
def test_no_measured_power_informs_its_own_estimate(model: Model, index: int) -> None:
    before, after = estimates(model, POWER), estimates(model, changed(POWER, index))
    row = POWER[index]
    own = f"{row['hardware_id']}, {row['system']}, {row['workload']}"
    assert {key: watts for key, watts in before.items() if key[0] == own} == {
        key: watts for key, watts in after.items() if key[0] == own
    }
    assert before != after


def test_no_measurement_of_the_same_source_informs_an_estimate_without_its_developer(model: Model) -> None:
    before, after = estimates(model, POWER), estimates(model, changed(POWER, 0))
    same_source = [
        key for key in before if key[1] == "developer" and ("job 1" in key[0] or "job 4" in key[0])
    ]
    assert same_source
    assert all(before[key] == after[key] for key in same_source)


def test_a_chip_counts_each_source_once_and_a_rating_takes_the_other_chips_of_its_kind(model: Model) -> None:
    found = estimates(model, POWER)
    third = "nvidia-a100-sxm4-40gb, t, job 2"
    assert found[third, "run", "measured_same_chip_elsewhere"] == pytest.approx(math.sqrt(300 * 360))
    ratio = found[third, "run", "measured_ratio_elsewhere"]
    assert ratio == pytest.approx(math.sqrt(200 * 500))  # H100 and V100
    first = "nvidia-a100-sxm4-40gb, s, job 0"
    assert found[first, "run", "measured_same_chip"] == pytest.approx(math.sqrt(360 * 420))  # a source each


def test_a_held_out_power_stands_on_the_basis_that_the_dataset_would_give_it(model: Model) -> None:
    """Two chips of a kind by X, one by Y, and a TPU by Z: who else measured what is left decides."""
    rows: list[dict[str, Any]] = [
        {"hardware_id": chip, "kind": kind, "system": system, "workload": "job", "tdp_w": 400.0}
        | {"measured_watts_per_chip": watts, "watts_per_chip": watts, "rated_fraction": watts / 400}
        | {"provider": by, "source_title": system}
        for chip, kind, system, by, watts in [
            ("nvidia-v100-sxm", "gpu", "v100", "X", 300.0),
            ("nvidia-a100-sxm", "gpu", "a100", "X", 400.0),
            ("nvidia-h100-sxm", "gpu", "h100", "Y", 500.0),
            ("google-tpu-v9", "tpu", "tpu", "Z", 200.0),
        ]
    ]
    found = {
        (name.split(", ")[1], basis): watts
        for (name, out, basis), watts in estimates(model, rows).items()
        if out == "developer"
    }
    assert found == {
        ("v100", "measured_ratio"): pytest.approx(math.sqrt(400 * 500)),
        ("a100", "measured_ratio"): pytest.approx(math.sqrt(300 * 500)),
        ("h100", "measured_ratio_elsewhere"): pytest.approx(math.sqrt(300 * 400)),
        ("v100", "measured_ratio_other_class"): 200.0,
        ("a100", "measured_ratio_other_class"): 200.0,
        ("h100", "measured_ratio_other_class"): 200.0,
        ("tpu", "measured_ratio_other_class"): pytest.approx((300 * 400 * 500) ** (1 / 3)),
    }


ERRORS: list[dict[str, Any]] = [
    {
        "observation_id": name,
        "held_out_scope": out,
        "basis": basis,
        "hardware_id": chip,
        "source_title": source,
    }
    | {"log_ratio": error, "measured_watts_per_chip": 1.0, "estimated_watts_per_chip": math.exp(error)}
    for name, chip, source, same_chip, ratio, error in [
        ("p", "a", "A", "measured_same_chip", "measured_ratio", 0.1),
        ("q", "a", "A", "measured_same_chip", "measured_ratio", 0.3),
        ("r", "b", "A", "measured_same_chip_elsewhere", "measured_ratio_elsewhere", 0.2),
        ("s", "b", "B", "measured_same_chip_elsewhere", "measured_ratio_elsewhere", 0.4),
        ("t", "c", "C", "measured_same_chip_elsewhere", "measured_ratio_elsewhere", 0.5),
        ("u", "d", "D", "measured_same_chip_elsewhere", "measured_ratio_elsewhere", 0.6),
    ]
    for basis in (same_chip, ratio, "measured_ratio_other_class")
    for out in ("run", "developer")
]
MEAN_SQUARES = {  # of what errs together
    "measured_same_chip": [0.1**2, 0.3**2],
    "measured_same_chip_elsewhere": [(0.1**2 + 0.3**2 + 0.2**2) / 3, 0.4**2, 0.5**2, 0.6**2],  # A, B, C, D
    "measured_ratio": [(0.1**2 + 0.3**2) / 2, (0.2**2 + 0.4**2) / 2, 0.5**2, 0.6**2],  # a, b, c, d
    "measured_ratio_elsewhere": [0.2**2, 0.4**2, 0.5**2, 0.6**2],  # of A only r: by its operator no other
    "measured_ratio_other_class": [(0.1**2 + 0.3**2 + 0.2**2) / 3, 0.4**2, 0.5**2, 0.6**2],
}


def ln_gsd(mean_squares: list[float]) -> float:
    return math.sqrt(sum(mean_squares) / len(mean_squares)) * STUDENT[len(mean_squares)] / 1.645


def test_the_uncertainty_of_a_power_counts_what_errs_together_once(model: Model) -> None:
    errors = model("core.power_errors", {"core.held_out_power": ERRORS}).to_dicts()
    floor = {"factor": "watts_per_chip", "gsd_floor": 1.0, "gsd_unfitted": 1.5}
    bases = [floor | {"basis": basis, "fallback_rank": i} for i, basis in enumerate(MEAN_SQUARES)]
    method = model("core.method", {"core.power_errors": errors, "raw.method_bases": bases})
    expected = {
        basis: pytest.approx(math.exp(ln_gsd(squares)) if len(squares) > 2 else 1.5, rel=3e-3)
        for basis, squares in MEAN_SQUARES.items()
    }
    assert dict(method.select("basis", "gsd").iter_rows()) == expected


def test_the_variants_of_a_bare_name_count_as_often_as_runs_name_them(model: Model) -> None:
    """A100: three runs on the usual SXM, one on PCIe at half its rating. V100: one, on the usual."""
    chips = {"nvidia-a100-sxm": 400.0, "nvidia-a100-pcie": 200.0, "nvidia-v100-sxm": 300.0}
    named = ["nvidia-a100-sxm"] * 3 + ["nvidia-a100-pcie", "nvidia-v100-sxm"]
    runs = [
        {"run_id": f"r{i}", "hardware_id": chip, "is_ambiguous_hardware": False}
        for i, chip in enumerate(named)
    ]
    bare = {"run_id": "bare", "hardware_id": "nvidia-a100-pcie", "is_ambiguous_hardware": True}
    fit = model(
        "core.method",
        {
            "core.hardware": [{"hardware_id": chip, "tdp_w": rating} for chip, rating in chips.items()],
            "core.hardware_aliases": [
                {"alias": chip.split("-")[1], "hardware_id": chip, "is_ambiguous": True}
                for chip in ("nvidia-a100-sxm", "nvidia-v100-sxm")
            ],
            "core.training_runs": [*runs, bare],
            "raw.method_bases": [
                {"factor": "watts_per_chip", "basis": "ambiguous_variant"}
                | {"gsd_floor": 1.05, "gsd_unfitted": 1.15}
            ],
        },
    )
    ((gsd, n),) = fit.select("gsd", "n_observations").rows()
    assert n == 5
    assert gsd == pytest.approx(math.exp(math.sqrt((math.log(2) ** 2 / 4 + 0) / 2)))


def test_a_chip_of_a_mix_has_the_error_of_what_others_measured_and_that_of_its_variants(model: Model) -> None:
    """One run of four is on a variant at half the rating: a variance of ln(2)^2 / 4."""
    chips = {"nvidia-a100-sxm": 400.0, "nvidia-a100-pcie": 200.0}
    named = ["nvidia-a100-sxm"] * 3 + ["nvidia-a100-pcie"]
    frame = model(
        "core.power_fits",
        {
            "core.power_errors": model("core.power_errors", {"core.held_out_power": ERRORS}).to_dicts(),
            "core.hardware": [{"hardware_id": chip, "tdp_w": rating} for chip, rating in chips.items()],
            "core.hardware_aliases": [{"hardware_id": "nvidia-a100-sxm", "is_ambiguous": True}],
            "core.training_runs": [
                {"run_id": f"r{i}", "hardware_id": chip, "is_ambiguous_hardware": False}
                for i, chip in enumerate(named)
            ],
        },
    )
    ((gsd,),) = frame.filter(basis="hardware_mix").select("fitted_gsd").rows()
    elsewhere = [ln_gsd(MEAN_SQUARES[f"measured_{basis}_elsewhere"]) for basis in ("same_chip", "ratio")]
    assert math.log(gsd) ** 2 == pytest.approx(max(elsewhere) ** 2 + math.log(2) ** 2 / 4, rel=5e-3)


def test_cards_of_one_line_are_no_variants_of_each_other(model: Model) -> None:
    """GTX 1060 and GTX 1080 Ti share a line, and a name without a number shares nothing."""
    chips = {
        "nvidia-gtx-1060-6gb": 120, "nvidia-gtx-1080-ti": 250, "nvidia-mx450": 25,
        "nvidia-jetson-xavier-nx": 15, "nvidia-h100-sxm5-80gb": 700,
    }  # fmt: skip
    bare = ("nvidia-gtx-1060-6gb", "nvidia-mx450", "nvidia-jetson-xavier-nx")
    named = ("nvidia-gtx-1080-ti", "nvidia-h100-sxm5-80gb")
    fit = model(
        "core.method",
        {
            "core.hardware": [{"hardware_id": chip, "tdp_w": rating} for chip, rating in chips.items()],
            "core.hardware_aliases": [
                {"alias": chip, "hardware_id": chip, "is_ambiguous": True} for chip in bare
            ],
            "core.training_runs": [
                {"run_id": chip, "hardware_id": chip, "is_ambiguous_hardware": False} for chip in named
            ],
            "raw.method_bases": [
                {"factor": "watts_per_chip", "basis": "ambiguous_variant"}
                | {"gsd_floor": 1.05, "gsd_unfitted": 1.15}
            ],
        },
    )
    assert fit.select("gsd", "n_observations").rows() == [(1.15, 0)]


def test_the_board_takes_no_uncertainty_from_what_errs_together_with_the_power(model: Model) -> None:
    """Of t (chip c, source C) what is left are the other chips, and the other sources."""
    errors = model("core.power_errors", {"core.held_out_power": ERRORS}).to_dicts()
    bases = [
        {"factor": "watts_per_chip", "basis": basis, "fallback_rank": i, "gsd": 9.0}
        for i, basis in enumerate(MEAN_SQUARES)
    ]
    tables = {"core.held_out_power": ERRORS, "core.power_errors": errors, "core.method": bases}
    board = model("out.accuracy_runs", tables).filter(pl.col("truth_id") == "t")
    found = {
        (held_out, out): math.log(p95 / p05) / 2 / 1.645
        for held_out, out, p05, p95 in board.select("held_out", "held_out_scope", "p05", "p95").iter_rows()
    }
    levels = {
        "power": MEAN_SQUARES["measured_same_chip_elsewhere"],
        "hardware_power": MEAN_SQUARES["measured_ratio_elsewhere"],
        "class_power": MEAN_SQUARES["measured_ratio_other_class"],
    }
    assert found == {
        (level, out): pytest.approx(ln_gsd([*squares[:2], squares[3]]), rel=3e-3)
        for level, squares in levels.items()
        for out in ("run", "developer")
    }


def test_a_benchmark_on_many_nodes_is_taken_back_to_one(model: Model) -> None:
    """One node: 8 chips, 400 W, 100 s. 64 chips, 300 W, 25 s: efficiency 8 x 100 / (64 x 25) = 0.5, loss 0.5.

    16 chips, 350 W, 62.5 s: efficiency 0.8, loss 0.125 / 0.2. Of what is lost in speed, by least squares
    through no loss at 1, (0.5 x 0.25 + 0.2 x 0.125) / (0.5^2 + 0.2^2) = 0.15 / 0.29 is lost in power.
    """
    base = {"hardware_id": "chip", "workload": "job", "provider": "Lab", "source_title": "Lab"}
    base |= {"power_basis": "measured_system", "observation": "independent", "source_url": "u"}
    many: dict[str, Any] = {"single_node_chips": 8, "single_node_time_to_train_s": 100.0}
    measured: list[dict[str, Any]] = [
        base | {"system": "one", "chips": 8, "watts_per_chip": 400.0},
        base | many | {"system": "eight", "chips": 64, "time_to_train_s": 25.0, "watts_per_chip": 300.0},
        base | many | {"system": "two", "chips": 16, "time_to_train_s": 62.5, "watts_per_chip": 350.0},
        base | {"system": "other", "chips": 8, "watts_per_chip": 420.0, "source_title": "B", "provider": "B"},
    ]
    pairs = model("core.scaling_pairs", {"raw.system_power": measured})
    assert sorted(pairs.select("scaling_efficiency_fraction", "relative_power_ratio").rows()) == [
        (pytest.approx(0.5), pytest.approx(0.75)),
        (pytest.approx(0.8), pytest.approx(0.875)),
    ]
    tables: dict[str, list[dict[str, Any]]] = {
        "raw.system_power": measured,
        "core.hardware": [{"hardware_id": "chip", "kind": "gpu", "tdp_w": 400.0}],
        "core.scaling_pairs": pairs.to_dicts(),
    }
    observations = model("core.power_observations", tables)
    loss = 0.15 / 0.29
    assert dict(observations.select("system", "watts_per_chip").rows()) == {
        "one": 400.0,
        "eight": pytest.approx(300 / (1 - 0.5 * loss)),
        "two": pytest.approx(350 / (1 - 0.2 * loss)),
        "other": 420.0,
    }
    tables |= {"core.power_observations": observations.to_dicts()}
    tables |= {"core.kept_power": model("core.kept_power", tables).to_dicts()}
    held_out = model("core.held_out_power", tables).filter(pl.col("basis").str.starts_with("measured_same"))
    found = {
        (name.split(", ")[1], out): watts
        for name, out, watts in held_out.select(
            "observation_id", "held_out_scope", "estimated_watts_per_chip"
        ).rows()
    }
    # Without the eight nodes the loss is 0.625; their own efficiency is known.
    others = math.sqrt(math.sqrt(400 * 350 / (1 - 0.2 * 0.625)) * 420)
    assert found["eight", "run"] == pytest.approx(others * (1 - 0.5 * 0.625))
    # Without the one node no pair is left, and nothing is known of a loss.
    assert found["one", "run"] == pytest.approx(math.sqrt(math.sqrt(300 * 350) * 420))
    # Without all that the laboratory measured: the other's 420 W, whatever the nodes.
    assert found["eight", "developer"] == pytest.approx(420)
    assert found["other", "developer"] == pytest.approx(
        (400 * 300 / (1 - 0.5 * loss) * 350 / (1 - 0.2 * loss)) ** (1 / 3)
    )


FLOP: list[dict[str, Any]] = [
    {
        "observation_id": f"o{i}",
        "run_id": f"o{i}",
        "organisations": organisation,
        "hardware_id": chip,
        "kind": "gpu",
    }
    | {"mfu": mfu}
    for i, (organisation, chip, mfu) in enumerate(
        [("X", "a", 0.2), ("X", "a", 0.3), ("Y", "a", 0.5), ("Z", "b", 0.4)]
    )
]
CHIPS = [{"hardware_id": chip, "kind": "gpu", "peak_fp16_tflops": 100.0} for chip in "ab"]


def speeds(model: Model, rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], float]:
    frame = model("core.held_out_throughput", {"core.flop_observations": rows, "core.hardware": CHIPS})
    columns = ("observation_id", "held_out_scope", "hardware_id", "held_out_ln_mfu")
    return {(name, out, chip): value for name, out, chip, value in frame.select(columns).iter_rows()}


@pytest.mark.parametrize("index", range(len(FLOP)))
def test_no_observed_utilisation_informs_its_own_estimate(model: Model, index: int) -> None:
    own = FLOP[index]
    doubled = [*FLOP[:index], own | {"mfu": own["mfu"] * 1.9}, *FLOP[index + 1 :]]
    before, after = speeds(model, FLOP), speeds(model, doubled)
    same = {row["observation_id"] for row in FLOP if row["organisations"] == own["organisations"]}
    for key, value in before.items():
        if key[0] == own["observation_id"] or (key[1] == "developer" and key[0] in same):
            assert after[key] == value


def test_the_estimator_of_the_board_is_that_of_the_estimates(model: Model) -> None:
    """Without an observation, the held out utilisation is what core.throughput makes of the others."""
    found = speeds(model, FLOP)
    others = model("core.throughput", {"core.flop_observations": FLOP[1:], "core.hardware": CHIPS})
    usual = dict(others.select("hardware_id", "mfu").iter_rows())
    for chip in "ab":
        assert found["o0", "run", chip] == pytest.approx(math.log(usual[chip]))


def test_every_training_is_observed_once_and_its_developer_is_known(build: Build) -> None:
    """Under an id that no list has, a training would stay in the fit when its developer is left out."""
    strangers = build.query(
        "select distinct run_id from mfu where run_id not in (select run_id from support.model_aliases "
        "union all select run_id from training_runs)"
    )
    assert strangers == []
    twice = build.query(
        "select run_id, count(*) from mfu where mfu_set = 'training_run' and mfu_basis = 'model_flops' "
        "and run_id is not null and precision is distinct from 'fp8' group by run_id having count(*) > 1"
    )
    assert twice == []


def test_a_utilisation_of_hours_that_are_not_the_run_s_is_in_no_fit(build: Build) -> None:
    """Epoch's of Falcon-180B is of six months on 4,096 chips, 17.7 million hours; the run took 7: 0.478."""
    ((published, own),) = build.query(
        "select mfu.mfu, runs.training_flop / (runs.chip_hours * 3600 * 312e12) from mfu "
        "inner join training_runs as runs on mfu.run_id = runs.run_id "
        "where mfu.run_id = 'falcon-180b' and mfu.mfu_set = 'suspect'"
    )
    assert own == pytest.approx(0.478, abs=0.001)
    assert published == pytest.approx(own * 7.0 / 17.69472, rel=0.001)


# What the run `me` of developer X may have used: X's other runs are on b, those of others on a, a and b.
ON: list[tuple[str, str | None, str]] = [
    ("me", "X", "a"), ("x1", "X", "b"), ("x2", "X", "b"), ("y1", "Y", "a"), ("z1", "Z", "a"),
    ("z2", None, "b"),
]  # fmt: skip
PEAKS = {"a": 100.0, "b": 300.0}
WATTS = {"a": 400.0, "b": 600.0}


def mix_of(model: Model, on: list[tuple[str, str | None, str]]) -> dict[tuple[str, str], Any]:
    """Shares of each run's accelerators: as they are estimated, and without all of its developer."""
    rows: dict[str, list[dict[str, Any]]] = {
        "core.training_runs": [
            {"run_id": run, "hardware_id": chip, "run_year": 2020, "training_flop": 1e21} | by(developer)
            for run, developer, chip in on
        ],
        "core.throughput": [{"hardware_id": chip} for chip in PEAKS],
        "core.chip_power": [{"hardware_id": chip} for chip in PEAKS],
        "core.flop_observations": [{"run_id": run} for run, _, _ in on],
    }  # fmt: skip
    columns = ("run_id", "hardware_id", "share_fraction", "stranger_share_fraction")
    frame = model("core.hardware_mix", rows).select(columns)
    return {(run, chip): (share, stranger) for run, chip, share, stranger in frame.iter_rows()}


def moved(run: str) -> list[tuple[str, str | None, str]]:
    """The same runs, but for one that was on the other accelerator."""
    return [(name, by, "ab"[chip == "a"] if name == run else chip) for name, by, chip in ON]


def test_a_mix_without_the_developer_is_that_of_the_others(model: Model) -> None:
    found = mix_of(model, ON)
    # of the five others two are X's, both on b: (2 + 2 x 3/5) / (2 + 2) and (0 + 2 x 2/5) / (2 + 2)
    # of the three that are not X's, two are on a
    assert found["me", "b"] == (pytest.approx(0.8), pytest.approx(1 / 3))
    assert found["me", "a"] == (pytest.approx(0.2), pytest.approx(2 / 3))
    # Y has one run only: its mix is that of strangers already
    assert found["y1", "a"] == (pytest.approx(2 / 5), pytest.approx(2 / 5))


@pytest.mark.parametrize("run", ["me", "x1", "y1"])
def test_no_run_informs_its_own_mix_nor_its_developer_one_without_it(model: Model, run: str) -> None:
    before, after = mix_of(model, ON), mix_of(model, moved(run))
    developers = {name: by for name, by, _ in ON}
    shared = {key for key in before if key in after}
    assert {key: before[key] for key in shared if key[0] == run} == {
        key: after[key] for key in shared if key[0] == run
    }
    for key in shared:
        if developers[key[0]] == developers[run]:
            assert before[key][1] == after[key][1], key
    assert before != after


# Two makers beside M: N trained on its n twice and on a once, P on its p once. So (2/3 + 1) / 2 of what M
# trains, had it no other run, is on its c, d and e, of which d came out long before and e after.
MAKERS: list[tuple[str, str, str, int]] = [
    ("me", "M", "c", 2020), ("n1", "N", "n", 2020), ("n2", "N", "n", 2020), ("n3", "N", "a", 2020),
    ("p1", "P", "p", 2021), ("n0", "N", "n", 2012),
]  # fmt: skip
OWN = [("M", "c", 2019), ("M", "d", 2016), ("M", "e", 2021), ("N", "n", 2018), ("P", "p", 2021)]


def mix_of_makers(model: Model, runs: list[tuple[str, str, str, int]]) -> dict[str, Any]:
    """Shares of the accelerators of `me`: as they are estimated, and without all of its developer."""
    chips = [{"hardware_id": chip} for chip in "acdenp"]
    rows: dict[str, list[dict[str, Any]]] = {
        "core.training_runs": [
            {"run_id": run, "hardware_id": chip, "run_year": year, "training_flop": 1e21} | by(developer)
            for run, developer, chip, year in runs
        ],
        "core.throughput": chips,
        "core.chip_power": chips,
        "core.flop_observations": [{"run_id": "me"}],
        "core.own_accelerators": [
            {"organisation": maker, "hardware_id": chip, "released_year": year} for maker, chip, year in OWN
        ],
    }
    rows["core.maker_mixes"] = model("core.maker_mixes", rows).to_dicts()
    frame = model("core.hardware_mix", rows).filter(run_id="me")
    columns = ("hardware_id", "share_fraction", "stranger_share_fraction")
    return {chip: (share, stranger) for chip, share, stranger in frame.select(columns).iter_rows()}


def test_a_maker_of_accelerators_trains_on_its_own_as_often_as_other_makers_do(model: Model) -> None:
    found = mix_of_makers(model, MAKERS)
    assert found["c"] == (pytest.approx(5 / 6), pytest.approx(5 / 6))  # nobody else used it in these years
    assert found["n"] == (pytest.approx(1 / 6 * 2 / 4), pytest.approx(1 / 6 * 2 / 4))
    assert set(found) == {"a", "c", "n", "p"}
    assert sum(share for share, _ in found.values()) == pytest.approx(1)
    assert sum(stranger for _, stranger in found.values()) == pytest.approx(1)


def test_of_a_makers_accelerators_those_count_that_others_used_in_these_years(model: Model) -> None:
    found = mix_of_makers(model, [*MAKERS, ("y1", "Y", "d", 2020)])
    assert found["d"][1] == pytest.approx(5 / 6 + 1 / 6 * 1 / 5)
    assert "c" not in found


def test_a_makers_own_runs_come_before_those_of_other_makers(model: Model) -> None:
    """Two of M's on a: (2 + 2 x share of a) / (2 + 2), of which the share of a is 1/6 x 3/6."""
    found = mix_of_makers(model, [*MAKERS, ("m1", "M", "a", 2020), ("m2", "M", "a", 2020)])
    assert found["a"] == (pytest.approx((2 + 2 * 1 / 6 * 3 / 6) / 4), pytest.approx(1 / 6 * 1 / 4))


def test_own_accelerators_are_those_that_others_have_trained_on_too(model: Model) -> None:
    """A maker is known by its organisation: Works, whose accelerators are sold as Maker."""
    runs = [("m1", "Works;Other", "trained"), ("m2", "Maker Lab", "trained"), ("m3", "Works", "alone")]
    runs += [("y1", "Y", "trained"), ("y2", "Z", "undated"), ("y3", "Other;Works", "alone")]
    released = {"trained": "2019-05-01", "alone": "2019-05-01", "undated": None}
    frame = model(
        "core.own_accelerators",
        {
            "core.training_runs": [
                {"run_id": run, "hardware_id": chip} | by(developer) for run, developer, chip in runs
            ],
            "core.hardware": [
                {"hardware_id": chip, "manufacturer": "Maker", "released_date": day}
                for chip, day in released.items()
            ],
            "raw.organisations": [{"developer_name": "Maker", "organisation": "Works"}],
            "core.throughput": [{"hardware_id": chip} for chip in released],
            "core.chip_power": [{"hardware_id": chip} for chip in released],
        },
    )
    assert frame.rows() == [("Works", "trained", 2019)]


def test_hours_without_the_developer_take_the_mix_of_the_others(model: Model) -> None:
    """FLOP on b need 600/300 J where a needs 400/100: the truth, on a, is 4, the mix 2^s x 4^(1-s)."""
    rows: dict[str, list[dict[str, Any]]] = {
        "core.flop_observations": [
            {"observation_id": "me", "run_id": "me", "organisations": "X", "hardware_id": "a", "mfu": 1.0}
        ],
        "core.hardware": [{"hardware_id": chip, "peak_fp16_tflops": peak} for chip, peak in PEAKS.items()],
        "core.chip_power": [{"hardware_id": chip, "watts_per_chip": watts} for chip, watts in WATTS.items()],
        "core.held_out_throughput": [
            {"observation_id": "me", "held_out_scope": held_out_scope, "hardware_id": chip}
            | {"held_out_ln_flop_per_s": math.log(peak * 1e12)}
            for held_out_scope in ("run", "developer")
            for chip, peak in PEAKS.items()
        ],
        "core.hardware_mix": [
            {"run_id": "me", "hardware_id": "a", "share_fraction": 0.2, "stranger_share_fraction": 0.75},
            {"run_id": "me", "hardware_id": "b", "share_fraction": 0.8, "stranger_share_fraction": 0.25},
        ],
    }

    def errors(developer_run_count: int) -> dict[tuple[str, str], float]:
        for row in rows["core.hardware_mix"]:
            row["developer_run_count"] = developer_run_count
        frame = model("core.held_out_hours", rows).filter(pl.col("basis") != "flop_over_throughput")
        return {
            (out, basis): error
            for out, basis, error in frame.select("held_out_scope", "basis", "log_ratio").rows()
        }

    own, stranger = pytest.approx(-0.8 * math.log(2)), pytest.approx(-0.25 * math.log(2))
    assert errors(3) == {("run", "flop_by_developer"): own, ("developer", "flop_by_era"): stranger}
    assert set(errors(0)) == {("run", "flop_by_era"), ("developer", "flop_by_era")}
    for row in rows["core.hardware_mix"]:
        row["stranger_share_fraction"] = (
            None  # nobody else trained in these years: nothing to estimate it from
        )
    assert errors(3) == {("run", "flop_by_developer"): own}


def test_the_uncertainty_of_hours_knows_nothing_of_the_developer_that_is_left_out(model: Model) -> None:
    """Two of X, three of others: without X the errors of the three, without the run of the other four."""
    developers = {"x1": "X", "x2": "X", "y": "Y", "z": "Z", "w": None}
    errors = {"x1": 0.1, "x2": 2.0, "y": 0.2, "z": -0.3, "w": 0.1}
    frame = model(
        "out.accuracy_runs",
        {
            "core.method": [{"factor": "chip_hours", "basis": "disclosed", "fallback_rank": 1, "gsd": 1.01}],
            "core.chip_hours_candidates": [{"run_id": "x1", "basis": "disclosed", "value": 1000.0}],
            "core.flop_observations": [
                {"observation_id": name, "run_id": name, "organisations": developer}
                for name, developer in developers.items()
            ],
            "core.held_out_hours": [
                {
                    "observation_id": name,
                    "run_id": name,
                    "held_out_scope": held_out_scope,
                    "basis": "flop_by_era",
                }
                | {"log_ratio": error}
                for name, error in errors.items()
                for held_out_scope in ("run", "developer")
            ],
        },
    )

    def gsd(seen: list[float]) -> float:
        return math.sqrt(sum(error**2 for error in seen) / len(seen)) * STUDENT[len(seen)] / 1.645

    widths = {
        out: math.log(p95 / p05) / 2 for out, p05, p95 in frame.select("held_out_scope", "p05", "p95").rows()
    }
    assert widths == {
        "run": pytest.approx(1.645 * gsd([2.0, 0.2, -0.3, 0.1]), rel=3e-3),
        "developer": pytest.approx(1.645 * gsd([0.2, -0.3, 0.1]), rel=3e-3),
    }
    assert set(frame["held_out"]) == {"hardware"}


def test_the_energy_without_the_accelerator_rests_on_its_power_by_its_share_in_the_mix(model: Model) -> None:
    """1,000 h of a chip that draws 400 W as a rule and 500 W without its own measurement, PUE 1.1.

    A mix with a quarter of that chip has it at 500 W and the rest as they are: hours come out twice as many
    at 400 W, so 0.8 MWh x (500 / 400)^(1/4) below the meters. With the chip known it is 0.8 x 500 / 400.
    """
    row: dict[str, Any] = {"observation_id": "r", "run_id": "r", "held_out_scope": "run", "hardware_id": "a"}
    others = [
        row | {"observation_id": f"o{i}", "run_id": f"o{i}", "basis": basis, "log_ratio": 0.1 * i}
        for i in range(3)
        for basis in ("flop_by_developer", "flop_over_throughput")
    ]
    error = {"log_ratio": math.log(2)}
    gsds = {"chip_hours": "disclosed", "watts_per_chip": "measured_same_chip", "pue": "industry_year"}
    figure: dict[str, Any] = {
        "run_id": "r",
        "derivation": "measured_power",
        "scope": "servers_x_pue",
        "status": "published",
    }
    rows: dict[str, list[dict[str, Any]]] = {
        "core.method": [
            {"factor": factor, "basis": basis, "fallback_rank": 1, "gsd": 1.1}
            for factor, basis in gsds.items()
        ],
        "core.chip_hours_candidates": [{"run_id": "r", "basis": "disclosed", "value": 1000.0}],
        "core.chip_power": [{"hardware_id": "a", "watts_per_chip": 400.0}],
        "core.held_out_power": [
            row
            | {"basis": "measured_same_chip", "measured_watts_per_chip": 300.0}
            | {"estimated_watts_per_chip": 500.0}
        ],
        "core.training_runs": [{"run_id": "r"}],
        "core.pue_candidates": [{"run_id": "r", "basis": "industry_year", "value": 1.1}],
        "core.flop_observations": [{"observation_id": name} for name in ("r", "o0", "o1", "o2")],
        "core.held_out_hours": [
            row | error | {"basis": "flop_by_developer", "own_share_fraction": 0.25},
            row | error | {"basis": "flop_over_throughput", "own_share_fraction": 1.0},
            *others,
            *(other | {"held_out_scope": "developer"} for other in others),
        ],
        "raw.published_footprints": [
            figure | {"quantity": "energy_mwh", "value": 0.4, "covers": "one_run", "basis": "gross_location"}
        ],
    }
    frame = model("out.accuracy_runs", rows).filter(
        (pl.col("quantity") == "energy_mwh") & (pl.col("estimator") == "ote") & (pl.col("truth_id") == "r")
    )
    assert dict(frame.select("held_out", "estimate").iter_rows()) == {
        "power": pytest.approx(1000 * 500 * 1.1 / 1e6),
        "pue": pytest.approx(1000 * 500 * 1.1 / 1e6),
        "chip_hours": pytest.approx(2000 * 500 * 1.1 / 1e6),
        "hardware": pytest.approx(2000 * 400 * (500 / 400) ** 0.25 * 1.1 / 1e6),
        "location": pytest.approx(2000 * 400 * (500 / 400) ** 0.25 * 1.1 / 1e6),
    }


def test_the_power_of_the_board_is_that_of_the_estimates(model: Model) -> None:
    found = estimates(model, POWER)
    chips = [
        {"hardware_id": row["hardware_id"], "kind": "gpu", "tdp_w": 400.0} for row in (POWER[0], POWER[3])
    ]
    others = model("core.chip_power", {"core.power_observations": POWER[1:], "core.hardware": chips})
    usual = dict(others.select("hardware_id", "watts_per_chip").iter_rows())
    first = "nvidia-a100-sxm4-40gb, s, job 0"
    assert found[first, "run", "measured_same_chip"] == pytest.approx(usual["nvidia-a100-sxm4-40gb"])


def test_few_errors_widen_a_uncertainty_as_the_table_of_student_s_t_has_it(
    database: duckdb.DuckDBPyConnection,
) -> None:
    for n, quantile in STUDENT.items():
        ((found,),) = database.execute("select 1.645 * student_widening(?)", [n]).fetchall()
        assert found == pytest.approx(quantile, rel=3e-3), n


@pytest.mark.parametrize(
    ("errors", "gsd"),
    [
        ([0.1, -0.2], None),
        ([0.1, -0.1, 0.1, -0.1], math.exp(0.1 * STUDENT[4] / 1.645)),
        # the 19th of 20, since 0.9 x 21 = 18.9
        ([0.01 * i * (-1) ** i for i in range(1, 21)], math.exp(0.19 / 1.645)),
    ],
)
def test_a_uncertainty_is_the_one_whose_interval_covers_nine_of_ten(
    database: duckdb.DuckDBPyConnection, errors: list[float], gsd: float | None
) -> None:
    ((found,),) = database.execute("select calibrated_gsd(?::double[])", [errors]).fetchall()
    assert found == (None if gsd is None else pytest.approx(gsd, rel=3e-3))


def test_a_uncertainty_covers_what_it_was_not_fitted_on(database: duckdb.DuckDBPyConnection) -> None:
    """Of a thousand errors that were not seen, 85 to 95 % lie inside, whatever their distribution."""
    rows = database.execute(
        """
        with drawn as (
            select i, (hash(i) % 100000) / 100000.0 as u, hash(i + 7) % 2 = 0 as up from range(2000) as t (i)
        ),
        errors as (select i, if(up, 1, -1) * (-ln(1 - u)) as e from drawn), -- Laplace: heavier than normal
        fit as (select ln(calibrated_gsd(list(e))) as s from errors where i < 1000)
        select avg((abs(e) <= 1.645 * s)::int) from errors cross join fit where i >= 1000
        """
    ).fetchall()
    assert 0.85 <= rows[0][0] <= 0.95


def reported(model: Model, figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures of runs of 1,000 chip-hours at 500 W and a PUE of 1.2; "guessed" has hours from FLOP."""
    candidates = {"source_title": "T", "source_url": "u", "source_locator": "l", "verified": "primary"}
    runs = [str(figure["run_id"]) for figure in figures]
    figure = {"quantity": "energy_mwh", "scope": "accelerators_only", "is_eligible": True, "preference": 1}
    return model(
        "core.held_out_reported",
        {
            "core.reported_figures": [figure | given for given in figures],
            "core.chip_hours_candidates": [
                candidates
                | {
                    "run_id": run,
                    "basis": "flop_over_throughput" if run == "guessed" else "disclosed",
                    "value": 1_000.0,
                }
                for run in runs
            ],
            "core.watts_candidates": [
                candidates | {"run_id": run, "basis": basis, "value": watts}
                for run in runs
                for basis, watts in (("measured_same_chip", 500.0), ("measured_ratio", 700.0))
            ],
            "core.pue_candidates": [
                candidates | {"run_id": run, "basis": "disclosed", "value": 1.2} for run in runs
            ],
            "raw.method_bases": [
                {"factor": factor, "basis": basis, "fallback_rank": fallback_rank}
                for factor, basis, fallback_rank in (
                    ("chip_hours", "disclosed", 1),
                    ("watts_per_chip", "measured_same_chip", 2),
                    ("watts_per_chip", "measured_ratio", 4),
                    ("pue", "disclosed", 1),
                )
            ],
        },
    ).to_dicts()


def test_an_energy_of_the_accelerators_alone_is_held_against_that_of_the_data_centre(model: Model) -> None:
    found = reported(
        model,
        [
            {"run_id": "with-pue", "value": 0.4, "includes_pue": True, "source_url": "a"},
            {"run_id": "without", "value": 0.4, "includes_pue": False, "source_url": "a"},
            {"run_id": "their-own", "value": 0.4, "includes_pue": False, "pue": 1.1, "source_url": "b"},
            {"run_id": "unknown", "value": 0.4, "source_url": "c"},
            {"run_id": "guessed", "value": 0.4, "source_url": "c"},
            {"run_id": "tonnes", "value": 0.4, "quantity": "co2e_t", "source_url": "c"},
            {"run_id": "servers", "value": 0.4, "scope": "servers_x_pue", "source_url": "c"},
            {"run_id": "withdrawn", "value": 0.4, "is_eligible": False, "source_url": "c"},
        ],
    )
    assert all(row["energy_mwh"] == pytest.approx(0.6) for row in found)  # 1,000 h x 500 W x 1.2
    assert {row["run_id"]: row["reported_at_datacenter_mwh"] for row in found} == {
        "with-pue": pytest.approx(0.4),
        "without": pytest.approx(0.48),  # x the PUE of the site
        "their-own": pytest.approx(0.44),  # x that of its authors
        "unknown": pytest.approx(0.4),
    }
    ratios = {row["run_id"]: row["log_ratio"] for row in found}
    assert ratios["with-pue"] == pytest.approx(math.log(0.4 / 0.6))


def gsd_of_reported(model: Model, errors: list[tuple[str, float]]) -> Any:
    rows = [
        {"run_id": f"run-{i}", "source_url": source, "reported_energy_mwh": 1.0, "log_ratio": error}
        for i, (source, error) in enumerate(errors)
    ]
    fallback_rank = {"factor": "energy_mwh", "basis": "reported", "gsd_floor": 1.05, "gsd_unfitted": 1.5}
    frame = model("core.method", {"core.held_out_reported": rows, "raw.method_bases": [fallback_rank]})
    return frame.row(0, named=True)


def test_the_uncertainty_of_reported_energies_counts_each_source_once(model: Model) -> None:
    """Mean squares 0.04, 0.09 and (0.01 + 0.25) / 2 = 0.13: their mean is 0.26 / 3, of three sources."""
    row = gsd_of_reported(model, [("a", -0.2), ("b", -0.3), ("c", -0.1), ("c", -0.5)])
    assert row["gsd"] == pytest.approx(math.exp(math.sqrt(0.26 / 3) * STUDENT[3] / 1.645), rel=2e-3)
    assert row["n_observations"] == 4


def test_a_uncertainty_of_fewer_than_three_sources_is_the_stated_one_and_not_the_floor(model: Model) -> None:
    row = gsd_of_reported(model, [("a", -0.2), ("b", -0.3), ("b", -0.1), ("b", -0.5)])
    assert (row["gsd"], row["fitted_gsd"]) == (1.5, None)


def test_the_board_adds_up_as_by_hand(model: Model) -> None:
    row = {"quantity": "energy_mwh", "held_out": "power", "held_out_scope": "run", "estimator": "ote"}
    runs: list[dict[str, Any]] = [
        row | {"truth_id": "a", "truth_value": 100.0, "estimate": 110.0, "p05": 80.0, "p95": 160.0},
        row | {"truth_id": "b", "truth_value": 100.0, "estimate": 50.0, "p05": 40.0, "p95": 80.0},
    ]
    for each in runs:
        each["source_title"] = "Paper"  # two truths of one paper
        each["estimate_to_truth_ratio"] = each["estimate"] / each["truth_value"]
        each["inside_interval"] = each["p05"] <= each["truth_value"] <= each["p95"]
    board: pl.DataFrame = model("out.accuracy", {"out.accuracy_runs": runs})
    found = board.row(0, named=True)
    assert (found["n_observations"], found["source_count"]) == (2, 1)
    assert found["mean_error_fraction"] == pytest.approx((0.1 + 0.5) / 2)
    assert found["max_error_fraction"] == pytest.approx(0.5)
    assert found["bias_fraction"] == pytest.approx(math.sqrt(1.1 * 0.5) - 1)
    assert found["coverage_fraction"] == 0.5
    assert found["mean_interval_ratio"] == pytest.approx(2.0)
    # width ln 2 each; b lies ln(100/80) above its interval, at 2 / 0.1
    assert found["mean_interval_score"] == pytest.approx(math.log(2) + 20 * math.log(100 / 80) / 2)


# One run of 1,000 chip-hours at a site, and the same where only the country is known.
# Measured 400 W and a PUE of 1.1: 1000 x 400 / 1e6 = 0.4 MWh below the meters, 0.44 MWh in all.
# At 0.5 kg/kWh that is 0.22 t.
PLACES = {"at-site": "site:Douglas County, Georgia", "in-country": None}
RIVALS: list[tuple[str, str, str, float]] = [
    ("green_algorithms", "pue", "Google", 1.2),
    ("codecarbon", "pue", "default", 1.0),
    ("carbontracker", "pue", "default", 1.5),
    ("experiment_impact_tracker", "pue", "default", 1.5),
    ("green_algorithms", "gross_kg_per_kwh", "site:Douglas County, Georgia", 0.35),
    ("codecarbon", "gross_kg_per_kwh", "site:Douglas County, Georgia", 0.25),
    ("carbontracker", "gross_kg_per_kwh", "site:Douglas County, Georgia", 0.4),
    ("carbontracker", "gross_kg_per_kwh", "US", 0.45),
    # neither the grid of elsewhere nor of the world, nor that of the country, is that of the site
    ("experiment_impact_tracker", "gross_kg_per_kwh", "site:Council Bluffs, Iowa", 0.5),
    ("experiment_impact_tracker", "gross_kg_per_kwh", "US", 0.3),
    ("green_algorithms", "world_kg_per_kwh", "default", 0.475),
    ("codecarbon", "world_kg_per_kwh", "default", 0.475),
]


def board(model: Model, rivals: list[tuple[str, str, str, float]]) -> dict[tuple[str, str, str], float]:
    """What each rival makes of the two runs: quantity, run and estimator, to the estimate."""
    factors = {"chip_hours": "disclosed", "watts_per_chip": "measured_same_chip", "pue": "disclosed"}
    rows: dict[str, list[dict[str, Any]]] = {
        "core.method": [
            {"factor": factor, "basis": basis, "fallback_rank": 1, "gsd": 1.1}
            for factor, basis in factors.items()
        ],
        "core.held_out_power": [
            {"observation_id": run, "held_out_scope": "run", "basis": "measured_same_chip", "run_id": run}
            | {"hardware_id": "a", "measured_watts_per_chip": 400.0, "estimated_watts_per_chip": 380.0}
            for run in PLACES
        ],
        "core.chip_hours_candidates": [
            {"run_id": run, "basis": "disclosed", "value": 1000.0} for run in PLACES
        ],
        "core.pue_candidates": [{"run_id": run, "basis": "disclosed", "value": 1.1} for run in PLACES],
        "core.training_runs": [
            {"run_id": run, "region": region, "site_country": "US", "provider": "Google"}
            for run, region in PLACES.items()
        ],
        "raw.published_footprints": [
            {"run_id": run, "quantity": quantity, "value": value, "derivation": "measured_power"}
            | {
                "scope": "servers_x_pue",
                "status": "published",
                "covers": "one_run",
                "basis": "gross_location",
            }
            for run in PLACES
            for quantity, value in (("energy_mwh", 0.44), ("co2e_t", 0.22))
        ],
        "core.rival_power": [
            {"rival": rival, "hardware_id": "a", "rival_watts_per_chip": watts}
            for rival, watts in (
                ("green_algorithms", 300.0),
                ("carbontracker_simulated", 200.0),
                ("tdp_x_pue", 500.0),
            )
        ],
        "raw.rival_factors": [
            {"rival": rival, "quantity": quantity, "applies_to": applies_to, "value": value}
            for rival, quantity, applies_to, value in rivals
        ],
    }
    frame = model("out.accuracy_runs", rows).filter(pl.col("estimator") != "ote")
    columns = ("quantity", "truth_id", "estimator", "estimate")
    return {(quantity, run, name): value for quantity, run, name, value in frame.select(columns).iter_rows()}


def test_a_rival_is_scored_in_power_at_every_measured_power_of_its_accelerator(model: Model) -> None:
    found = board(model, RIVALS)
    watts = {
        (run, name): value for (quantity, run, name), value in found.items() if quantity == "watts_per_chip"
    }
    draws = {"green_algorithms": 300.0, "carbontracker_simulated": 200.0, "tdp_x_pue": 500.0}
    assert watts == {(run, name): draw for run in PLACES for name, draw in draws.items()}


def test_a_rival_is_scored_in_tonnes_with_its_own_grid_of_the_place(model: Model) -> None:
    found = board(model, RIVALS)
    tonnes = {
        (run, name): value for (quantity, run, name), value in found.items() if quantity == "co2e_gross_t"
    }
    assert tonnes == {
        # 1000 h x 300 W x 1.2 = 0.36 MWh; x 0.35 kg/kWh
        ("at-site", "green_algorithms"): pytest.approx(0.126),
        # 1000 h x 200 W x 1.5 = 0.3 MWh; x 0.4 and 0.45
        ("at-site", "carbontracker_simulated"): pytest.approx(0.12),
        ("in-country", "carbontracker_simulated"): pytest.approx(0.135),
        # 0.4 MWh below the meters x its PUE of 1; x 0.25
        ("at-site", "codecarbon_metered"): pytest.approx(0.1),
        # 0.4 MWh x 1.5 = 0.6 MWh; x 0.4 and 0.45; the other tool x 0.3
        ("at-site", "carbontracker_metered"): pytest.approx(0.24),
        ("in-country", "carbontracker_metered"): pytest.approx(0.27),
        ("in-country", "experiment_impact_tracker_metered"): pytest.approx(0.18),
    }


def test_a_rival_without_a_grid_for_the_place_has_energy_and_no_tonnes(model: Model) -> None:
    found = board(model, RIVALS)
    for run, name in (
        ("at-site", "tdp_x_pue"),  # has no grid at all
        ("at-site", "experiment_impact_tracker_metered"),  # has one for the country, not for the site
        ("in-country", "green_algorithms"),  # has one for a site and for the world
        ("in-country", "codecarbon_metered"),
    ):
        assert ("energy_mwh", run, name) in found
        assert ("co2e_gross_t", run, name) not in found


def test_the_tonnes_of_a_rival_follow_its_grid_and_leave_its_energy_alone(model: Model) -> None:
    doubled = [
        (rival, quantity, place, value * (2 if quantity == "gross_kg_per_kwh" else 1))
        for rival, quantity, place, value in RIVALS
    ]
    before, after = board(model, RIVALS), board(model, doubled)
    assert before.keys() == after.keys()
    assert {key[0] for key in before} >= {"energy_mwh", "co2e_gross_t"}
    for key, value in before.items():
        assert after[key] == pytest.approx(value * (2 if key[0] == "co2e_gross_t" else 1))


def test_the_grids_of_rivals_are_of_locations_that_runs_have() -> None:
    grids = pl.read_csv(REFERENCE / "rival_factors.csv").filter(pl.col("quantity") == "gross_kg_per_kwh")
    places = set(pl.read_csv(REFERENCE / "regions.csv")["region"]) | set(
        pl.read_csv(REFERENCE / "countries.csv", infer_schema_length=None)["country"]
    )
    assert grids.height > 0
    assert set(grids["applies_to"]) <= places
    assert not grids.select("rival", "applies_to").is_duplicated().any()
    assert grids["value"].is_between(0.001, 1.3).all()  # kg, not g, per kWh


def test_every_rival_with_grids_is_scored_in_tonnes_wherever_it_has_one(build: Build) -> None:
    found = dict(
        build.query(
            "select estimator, n_observations from accuracy "
            "where quantity = 'co2e_gross_t' and held_out = 'power' and held_out_scope = 'run'"
        )
    )
    everywhere = [
        "ote",
        "ml_co2_impact",
        "green_algorithms",
        "carbontracker_simulated",
        "carbontracker_metered",
        "codecarbon_metered",
        "eco2ai_metered",
    ]
    # it has no intensity of Georgia, North Carolina and the United States
    assert found.pop("experiment_impact_tracker_metered") < found["ote"]
    assert found == dict.fromkeys(everywhere, found["ote"])


PAPER, OTHER = "https://example.org/paper", "https://example.org/grid"
SITE = "site:Lenoir, North Carolina"


def test_no_fact_of_a_runs_own_paper_scores_its_place(model: Model) -> None:
    """The paper has PUE 1.09 and 201 g; without it the operator's year and the subregion's grid stand in."""
    run = {"run_id": "gshard", "provider": "Google", "region": SITE, "run_year": 2020, "source_url": PAPER}
    pue = {"provider": "Google", "site": "Lenoir, North Carolina", "pue": 1.09, "source_url": PAPER}
    grid = {"year": 2020, "carbon_intensity_g_per_kwh": 201.0, "source_url": PAPER}
    source = {"run_id": "gshard", "source_url": PAPER}
    rows: dict[str, list[dict[str, Any]]] = {
        "core.training_runs": [run],
        "raw.regions": [{"region": SITE, "egrid_subregion": "SRVC"}],
        "core.datacenter_pue": [
            pue | {"period": "2020-Q2", "pue_basis": "quarterly"},
            pue | {"period": "2019", "pue_basis": "annual", "pue": 1.12, "source_url": OTHER},
            pue | {"period": "2019", "pue_basis": "design", "pue": 1.05, "source_url": OTHER},
            pue | {"period": "2016", "pue_basis": "annual", "pue": 1.2, "source_url": OTHER},
        ],
        "core.grid_intensity": [
            grid | {"scheme": "google_cloud", "region": SITE},
            grid | {"scheme": "us_egrid_subregion", "region": "SRVC", "source_url": OTHER}
            | {"carbon_intensity_g_per_kwh": 290.0},
            grid | {"scheme": "us_egrid_subregion", "region": "NWPP", "source_url": OTHER},
        ],
        "core.pue_candidates": [source | {"basis": "site_quarter"}, source | {"basis": "site_year"}],
        "core.gross_candidates": [source | {"basis": "region_year"}],
    }  # fmt: skip
    found = model("core.held_out_locations", rows).select("factor", "basis", "value", "factor_year").rows()
    assert sorted(found) == [
        ("gross_kg_per_kwh", "region_year", pytest.approx(0.29), 2020),
        ("pue", "site_year", pytest.approx(1.12), 2019),
    ]
    rows["core.gross_candidates"][0]["source_url"] = (
        OTHER  # the fallback order stands on another source: nothing to replace
    )
    assert model("core.held_out_locations", rows)["factor"].to_list() == ["pue"]


def test_the_grids_of_the_2021_paper_do_not_score_its_tonnes(build: Build) -> None:
    """Without Table 4, GShard's grid is eGRID's of its state, and T5's that of Taiwan."""
    grids = dict(
        build.query(
            "select t.truth_id, t.estimate / e.estimate from accuracy_runs as t "
            "inner join accuracy_runs as e using (truth_id, held_out, held_out_scope, estimator) "
            "where t.quantity = 'co2e_gross_t' and e.quantity = 'energy_mwh' and t.held_out = 'power' "
            "and t.held_out_scope = 'run' and t.estimator = 'ote'"
        )
    )
    ((taiwan,),) = build.query(
        "select carbon_intensity_g_per_kwh / 1000 from grid_intensity where region = 'TW' and year = 2019 "
        "and scheme = 'country' and intensity_basis = 'lifecycle'"
    )
    assert grids["t5-11b"] == pytest.approx(taiwan)
    assert grids["gshard-600b"] != pytest.approx(0.201, rel=0.01)
    assert grids["gshard-600b"] < 0.35


@pytest.mark.parametrize(
    ("organisations", "other", "related"),
    [
        ("Google", "Google", True),
        ("Peking University;ByteDance", "ByteDance", True),
        ("Metaphor", "Meta", False),
        ("NVIDIA", "Google", False),
        (None, None, False),
        ("NVIDIA", None, False),
    ],
)
def test_runs_with_an_organisation_in_common_are_left_out_together(
    database: duckdb.DuckDBPyConnection, organisations: str | None, other: str | None, related: bool
) -> None:
    query = "select are_related(?::varchar, ?::varchar), are_related(?::varchar, ?::varchar)"
    assert database.execute(query, [organisations, other, other, organisations]).fetchall() == [
        (related, related)
    ]


def test_no_joint_work_of_an_organisation_informs_an_estimate_without_it(model: Model) -> None:
    rows = [FLOP[0] | {"organisations": "Google"}, FLOP[1] | {"organisations": "Meta;Google"}, *FLOP[2:]]
    doubled = [rows[0], rows[1] | {"mfu": rows[1]["mfu"] * 1.9}, *rows[2:]]
    before, after = speeds(model, rows), speeds(model, doubled)
    own = FLOP[0]["observation_id"]
    assert all(after[own, "developer", chip] == before[own, "developer", chip] for chip in "ab")
    assert any(after[own, "run", chip] != before[own, "run", chip] for chip in "ab")


COMPANIES = {"G": [0.1] * 9, "H": [0.2], "I": [-0.4]}
THREE = math.sqrt((0.01 + 0.04 + 0.16) / 3) * STUDENT[3] / 1.645


def errors_of_locations(
    factor: str, basis: str, more: dict[str, list[float]] | None = None
) -> list[dict[str, Any]]:
    """Errors of 10 % for nine runs of one company, 20 and 40 % for two others: three groups, not eleven."""
    return [
        {"run_id": f"{who}{i}", "factor": factor, "basis": basis, "organisation": who, "log_ratio": error}
        for who, found in (COMPANIES | (more or {})).items()
        for i, error in enumerate(found)
    ]


def test_a_pue_changes_with_the_years_and_each_operator_counts_once(model: Model) -> None:
    """A doubles in one year, twice; B quadruples in two years. Variances a year: ln(2)^2 and ln(4)^2 / 2."""
    figures = {
        ("A", "a"): {2020: 1.1, 2021: 1.2},
        ("A", "b"): {2021: 1.2, 2022: 1.4},
        ("B", "b"): {2018: 1.1, 2020: 1.4},
    }
    years = [
        {"provider": provider, "region": region, "is_average": False, "factor_year": year, "pue": pue}
        for (provider, region), series in figures.items()
        for year, pue in series.items()
    ]
    bases = [{"factor": "pue", "basis": "other_year", "gsd_floor": 1.05, "gsd_unfitted": 1.1}]
    frame = model("core.method", {"core.pue_years": years, "raw.method_bases": bases})
    ((gsd, n),) = frame.select("gsd", "n_observations").rows()
    assert n == 3
    assert math.log(gsd) ** 2 == pytest.approx((math.log(2) ** 2 + math.log(4) ** 2 / 2) / 2)


@pytest.mark.parametrize(
    ("factor", "basis"), [("pue", "training_locations"), ("gross_kg_per_kwh", "country_year")]
)
def test_a_company_counts_once_in_the_uncertainty_of_an_inferred_place(
    model: Model, factor: str, basis: str
) -> None:
    fallback_rank = {
        "factor": factor,
        "basis": basis,
        "fallback_rank": 6,
        "gsd_floor": 1.02,
        "gsd_unfitted": 1.15,
    }
    rows = {"core.location_errors": errors_of_locations(factor, basis), "raw.method_bases": [fallback_rank]}
    ((gsd, n),) = model("core.method", rows).select("gsd", "n_observations").rows()
    assert n == 11
    assert gsd == pytest.approx(math.exp(THREE), rel=2e-3)


def test_a_truth_of_a_place_is_of_a_place_and_on_its_own_basis(model: Model) -> None:
    """Lifecycle 440 against a direct 400: the direct 380 of the country is 0.95 of it, as for the developer.

    Stated without a basis, 400 is held against the 440. The USA alone is no location, nor is one of no run.
    """
    base = {"run_year": 2020, "site_country": "US", "developer_country": "US"} | by("X")
    runs = [
        base | {"run_id": "direct", "region": "r1", "covers": "one_run"},
        base | {"run_id": "stated", "region": "r1", "covers": "one_run"},
        base | {"run_id": "country", "region": None, "covers": "one_run"},
        base | {"run_id": "if", "region": "r1", "covers": "hypothetical"},
    ]
    candidates = [
        {"run_id": run, "basis": fallback_rank, "value": value, "intensity_basis": basis}
        for run, truth, own in (
            ("direct", "region_year", "direct"),
            ("stated", "disclosed", "unspecified"),
            ("country", "disclosed", "unspecified"),
            ("if", "disclosed", "unspecified"),
        )
        for fallback_rank, value, basis in (
            (truth, 0.4, own),
            ("country_year", 0.44, "lifecycle"),
            ("developer_country_year", 0.44, "lifecycle"),
        )
    ]
    grid = {"scheme": "country", "region": "US", "year": 2020, "intensity_basis": "direct"}
    rows: dict[str, list[dict[str, Any]]] = {
        "core.training_runs": runs,
        "core.gross_candidates": candidates,
        "core.grid_intensity": [grid | {"carbon_intensity_g_per_kwh": 380.0}],
        "raw.regions": [{"region": "r1", "country": "US", "egrid_subregion": "SUB"}],
    }
    found = model("core.location_errors", rows).select("run_id", "basis", "log_ratio").rows()
    assert sorted(found) == [
        (run, basis, pytest.approx(math.log(ratio)))
        for run, ratio in (("direct", 0.95), ("stated", 1.1))
        for basis in ("country_year", "developer_country_year")
    ]


def test_a_stated_pue_is_the_truth_of_the_bases_that_infer_one(model: Model) -> None:
    """Inferred as 1.5 and 1.35 where 1.2 is stated: what is above 1 counts. Some runs have no truth."""
    runs: list[dict[str, Any]] = [
        {"run_id": "stated", "covers": "one_run", "pue": 1.2},
        {"run_id": "unstated", "covers": "one_run"},
        {"run_id": "if", "covers": "hypothetical", "pue": 1.2},
    ]
    inferred = {"disclosed": 1.2, "site_year": 1.1, "training_locations": 1.5, "industry_year": 1.35}
    candidates = [
        {"run_id": run["run_id"], "basis": basis, "value": value}
        for run in runs
        for basis, value in inferred.items()
    ]
    frame = model("core.location_errors", {"core.training_runs": runs, "core.pue_candidates": candidates})
    assert sorted(frame.select("run_id", "factor", "basis", "log_ratio").rows()) == [
        ("stated", "pue", "industry_year", pytest.approx(math.log(0.35 / 0.2))),
        ("stated", "pue", "training_locations", pytest.approx(math.log(0.5 / 0.2))),
    ]


def scored_at_a_site(
    model: Model, run: dict[str, Any], more: dict[str, list[float]] | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of one run of company G at 1,000 h x 400 W whose PUE is stated and inferred as 1.2."""
    figure = {"derivation": "measured_power", "scope": "servers_x_pue", "status": "published", "run_id": "r"}
    fallback_rank = {"factor": "pue", "basis": "training_locations", "fallback_rank": 2, "gsd_floor": 1.02}
    gsds = {"chip_hours": "disclosed", "watts_per_chip": "measured_same_chip", "pue": "disclosed"}
    rows: dict[str, list[dict[str, Any]]] = {
        "core.method": [
            *(
                {"factor": f, "basis": b, "fallback_rank": 1, "gsd": 1.1}
                for f, b in (gsds | {"gross_kg_per_kwh": "region_year"}).items()
            ),
            {"factor": "pue", "basis": "training_locations", "fallback_rank": 2, "gsd": 1.5},
        ],
        "raw.method_bases": [fallback_rank],
        "core.held_out_power": [
            {"observation_id": "r", "held_out_scope": "run", "basis": "measured_same_chip", "run_id": "r"}
            | {"hardware_id": "a", "measured_watts_per_chip": 400.0, "estimated_watts_per_chip": 400.0}
        ],
        "core.chip_hours_candidates": [{"run_id": "r", "basis": "disclosed", "value": 1000.0}],
        "core.pue_candidates": [
            {"run_id": "r", "basis": basis, "value": 1.2} for basis in ("disclosed", "training_locations")
        ],
        "core.gross_candidates": [{"run_id": "r", "basis": "region_year", "value": 0.5, "source_url": OTHER}],
        "core.training_runs": [
            {"run_id": "r", "source_url": PAPER, "region": "r1", "site_country": "US"} | by("G") | run
        ],
        "core.location_errors": errors_of_locations("pue", "training_locations", more),
        "raw.regions": [{"region": "r1", "country": "US", "egrid_subregion": "SUB"}],
        "raw.published_footprints": [
            figure | {"quantity": quantity, "value": 0.4, "covers": "one_run", "basis": "gross_location"}
            for quantity in ("energy_mwh", "co2e_t")
        ],
    }
    frame = model("out.accuracy_runs", rows).filter(pl.col("quantity") != "watts_per_chip")
    return {(row["quantity"], row["held_out"]): row for row in frame.to_dicts()}


def test_a_place_where_nothing_was_made_is_no_truth(model: Model) -> None:
    everywhere = {
        (quantity, level) for quantity in ("energy_mwh", "co2e_gross_t") for level in ("power", "pue")
    }
    assert set(scored_at_a_site(model, {"covers": "one_run"})) == everywhere
    assert set(scored_at_a_site(model, {"covers": "hypothetical"})) == {("energy_mwh", "power")}


def test_the_tonnes_of_a_countrys_average_are_no_truth_of_a_place(model: Model) -> None:
    found = scored_at_a_site(model, {"covers": "one_run", "region": None})
    assert set(found) == {("energy_mwh", "power"), ("energy_mwh", "pue")}


@pytest.mark.parametrize(
    ("more", "ln_gsd"),
    [
        # without G: 0.2, 0.4 and 0.3
        ({"J": [0.3]}, math.sqrt((0.04 + 0.16 + 0.09) / 3) * STUDENT[3] / 1.645),
        # without G two are left, too few: that of the method stands
        ({}, math.log(1.5)),
    ],
)
def test_the_uncertainty_of_a_place_knows_nothing_of_the_company_that_is_estimated(
    model: Model, more: dict[str, list[float]], ln_gsd: float
) -> None:
    row = scored_at_a_site(model, {"covers": "one_run"}, more)["energy_mwh", "pue"]
    assert ends_of(row) == pytest.approx(halves(2, ln_gsd), rel=3e-3)


def ends_of(row: dict[str, Any]) -> tuple[float, float]:
    """How far the ends of an interval are from its value, as logarithms."""
    return math.log(row["estimate"] / row["p05"]), math.log(row["p95"] / row["estimate"])


def halves(factors: int, pue_ln_gsd: float) -> tuple[float, float]:
    """The same of a product of factors of a gsd of 1.1 with a PUE of 1.2, of which 0.2 is uncertain."""
    squares, ratio = factors * (1.645 * math.log(1.1)) ** 2, math.exp(1.645 * pue_ln_gsd)
    ends = math.log(1.2 / (1 + 0.2 / ratio)), math.log((1 + 0.2 * ratio) / 1.2)
    return math.sqrt(squares + ends[0] ** 2), math.sqrt(squares + ends[1] ** 2)


def test_the_uncertainty_of_tonnes_is_wider_than_that_of_energy_by_the_grid(model: Model) -> None:
    """Squared logarithms add up: of two factors and the PUE for energy, of one more for tonnes."""
    rows = scored_at_a_site(model, {"covers": "one_run"})
    for quantity, factors in (("energy_mwh", 2), ("co2e_gross_t", 3)):
        row = rows[quantity, "power"]
        assert ends_of(row) == pytest.approx(halves(factors, math.log(1.1)), rel=3e-3)


def test_hours_of_a_third_party_are_as_sure_as_its_confident_records_were_where_the_truth_is_known(
    model: Model,
) -> None:
    """Off by 1, 2 and 1/4: root mean square of ln, widened as Student's t for three. Others do not count."""
    record = {"confidence": "Confident", "chip_hours": 100.0}
    upstream = [record | {"run_id": run_id} for run_id in "abcd"]
    upstream += [record | {"run_id": "e", "confidence": "Likely"}]
    stated = {"a": 100.0, "b": 50.0, "c": 400.0, "d": 1e6, "e": 1e6}
    curated = [
        {"run_id": run_id, "chip_hours": hours, "verified": "epoch" if run_id == "d" else "primary"}
        for run_id, hours in stated.items()
    ]
    fallback_rank = {
        "factor": "chip_hours",
        "basis": "third_party_confident",
        "gsd_floor": 1.05,
        "gsd_unfitted": 1.95,
    }
    tables: Rows = {
        "core.upstream_runs": upstream,
        "raw.training_runs": curated,
        "raw.method_bases": [fallback_rank],
    }
    ((gsd, n),) = model("core.method", tables).select("gsd", "n_observations").rows()
    ln_gsd = math.sqrt((math.log(2) ** 2 + math.log(4) ** 2) / 3)
    assert (gsd, n) == (pytest.approx(math.exp(ln_gsd * (1 + 0.9265 / 3 + 0.8636 / 9 + 0.5979 / 27))), 3)
    ((gsd, n),) = (
        model("core.method", {"raw.method_bases": [fallback_rank]}).select("gsd", "n_observations").rows()
    )
    assert (gsd, n) == (1.95, 0)


def test_each_gsd_of_power_is_fitted_to_the_errors_of_its_own_kind(model: Model) -> None:
    """Of each held-out scope and basis one error, named after both."""
    bases = (
        "measured_same_chip", "measured_same_chip_elsewhere", "measured_ratio", "measured_ratio_elsewhere",
        "measured_ratio_other_class",
    )  # fmt: skip
    errors = [
        {"held_out_scope": scope, "basis": basis, "observation_id": f"{scope} {basis}",
         "hardware_id": "a100-80gb", "source_title": "S", "log_ratio": 0.1}
        for scope in ("run", "developer") for basis in bases
    ]  # fmt: skip
    found = model("core.power_errors", {"core.held_out_power": errors})
    assert set(found.select("basis", "observation_id", "error_group").iter_rows()) == {
        ("measured_same_chip", "run measured_same_chip", "run measured_same_chip"),
        ("measured_same_chip_elsewhere", "developer measured_same_chip", "S"),
        ("measured_same_chip_elsewhere", "developer measured_same_chip_elsewhere", "S"),
        ("measured_ratio", "run measured_ratio", "a100"),
        ("measured_ratio", "run measured_ratio_elsewhere", "a100"),
        ("measured_ratio_elsewhere", "developer measured_ratio_elsewhere", "S"),
        ("measured_ratio_other_class", "developer measured_ratio_other_class", "S"),
    }


def interval_rows(bound_mwh: float) -> Rows:
    """One held-out energy of 100 MWh, estimated as 200 (20 to 2,000), and a published one of the same run."""
    test: dict[str, Any] = {"quantity": "energy_mwh", "truth_id": "r"}
    test |= {"estimator": "ote", "held_out_scope": "run"}
    test |= {"truth_value": 100.0, "estimate": 200.0, "p05": 20.0, "p95": 2000.0}
    hours: dict[str, Any] = {"run_id": "r", "factor": "chip_hours", "gsd": 10.0 ** (1 / 1.645)}
    return {
        "out.accuracy_runs": [test | {"held_out": level} for level in ("power", "hardware")],
        "out.emissions": [{"run_id": "r", "gross_kg_per_kwh": 0.4, "watts_per_chip": 500.0, "pue": 1.2}],
        "core.capacity_bounds": [{"run_id": "r", "bound_mwh": bound_mwh}],
        "out.agreement": [
            {"run_id": "r", "quantity": "energy_mwh"}
            | {"published_value": 100.0, "computed_value": 150.0, "p05": 20.0, "p95": 400.0}
        ],
        "out.emission_factors": [
            hours | {"upper_bound": 5.0, "unbounded_value": 2.0, "value": 1.5, "p05": 0.2, "p95": 4.0}
        ],
    }


def test_a_bound_changes_the_intervals_that_it_reaches_and_no_others(model: Model) -> None:
    """At the estimate itself, half is left: its p95 is at z(0.475). Published hours (power) have no bound."""
    frame = model("support.interval_scores", interval_rows(200.0)).filter(interval_rule="upper_bound")
    row = frame.row(by_predicate=pl.col("scored") == "accuracy", named=True)
    assert (row["n_observations"], row["changed_count"]) == (2, 1)
    wide = math.log(100)
    narrow = math.log(10) / 1.645 * (1.959964 - 0.062707)  # z(0.025) and z(0.475)
    assert row["mean_interval_score_before"] == pytest.approx(wide)
    assert row["mean_interval_score_after"] == pytest.approx((wide + narrow) / 2, rel=1e-5)
    published = frame.row(by_predicate=pl.col("scored") == "agreement", named=True)
    assert (published["n_observations"], published["changed_count"]) == (1, 1)
    assert published["mean_interval_score_before"] == pytest.approx(wide)  # 200 MWh (20 to 2,000)
    assert published["mean_interval_score_after"] == pytest.approx(math.log(20))
    far = model("support.interval_scores", interval_rows(1e9)).filter(
        interval_rule="upper_bound", scored="accuracy"
    )
    assert far["changed_count"].item() == 0
    assert far["mean_interval_score_after"].item() == far["mean_interval_score_before"].item()


def test_both_forms_of_a_pue_are_fitted_without_its_organisation(model: Model) -> None:
    """Three others are 1.1 where 1.2 was estimated: ln 2 for PUE - 1, ln(1.2 / 1.1) for the PUE."""
    runs: list[dict[str, Any]] = [{"run_id": name, "pue": 1.1} for name in "abcd"]
    errors: list[dict[str, Any]] = [
        {"run_id": name, "factor": "pue", "basis": "training_locations"}
        | {"organisation": name, "log_ratio": math.log(2)}
        for name in "abcd"
    ]
    rows: Rows = {"core.training_runs": runs, "core.location_errors": errors}
    row = model("support.interval_scores", rows).row(0, named=True)
    student = STUDENT[3]
    assert row["n_observations"] == row["changed_count"] == 4
    assert row["mean_interval_score_before"] == pytest.approx(2 * student * math.log(1.2 / 1.1), rel=5e-3)
    ends = [1 + 0.2 * 2**-student, 1 + 0.2 * 2**student]
    assert row["mean_interval_score_after"] == pytest.approx(math.log(ends[1] / ends[0]), rel=5e-3)


def test_rules_of_the_intervals_do_what_the_page_says(build: Build) -> None:
    """The bound reaches nothing that is known; the form of the PUE improves PUEs, and leaves energies."""
    rows = build.query(
        "select interval_rule, scored, changed_count, coverage_before_fraction, coverage_after_fraction, "
        "mean_interval_score_before, mean_interval_score_after from support.interval_scores"
    )
    assert len(rows) == 11
    for rule, scored, changed, inside, inside_after, score, score_after in rows:
        if rule == "upper_bound":
            assert (changed, inside_after, score_after) == (0, inside, score)
        elif scored == "pue":
            assert inside_after >= inside
            assert score_after < 0.95 * score
        else:
            assert inside_after == inside
            assert score_after == pytest.approx(score, rel=0.01)


def test_bases_of_operators_move_energy_from_the_basis_that_a_run_would_have(model: Model) -> None:
    """Of 3 MWh, one run of 2 has its operator's regions instead of its country; parts do not count."""
    method = [
        {"factor": "gross_kg_per_kwh", "basis": basis, "fallback_rank": rank}
        for rank, basis in enumerate(("provider_regions", "developer_country_year"))
    ]
    runs = [("known", "one_run", 2.0), ("other", "one_run", 1.0), ("part", "part", 9.0)]
    rows: Rows = {
        "core.method": method,
        "out.emissions": [{"run_id": name, "covers": c, "energy_mwh_mean": mwh} for name, c, mwh in runs],
        "core.gross_candidates": [
            *({"run_id": name, "basis": "developer_country_year"} for name, *_ in runs),
            {"run_id": "known", "basis": "provider_regions"},
        ],
    }
    assert sorted(model("support.location_shares", rows).rows()) == [
        ("developer_country_year", 2, 1, 1.0, pytest.approx(1 / 3)),
        ("provider_regions", 0, 1, 0.0, pytest.approx(2 / 3)),
    ]


def test_every_whole_run_is_on_one_basis_of_its_location(build: Build) -> None:
    (found,) = build.query(
        "select sum(before_run_count), sum(after_run_count), sum(before_share_fraction), "
        "sum(after_share_fraction), (select count(*) from emissions where covers = 'one_run' "
        "and energy_shared_with is null and gross_basis is not null) from support.location_shares"
    )
    assert found[0] == found[1] == found[4]
    assert found[2:4] == (pytest.approx(1), pytest.approx(1))
