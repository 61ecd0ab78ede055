"""What is withheld is withheld: no truth informs its own estimate, and the board adds up as by hand."""

import math
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.conftest import Model

POWER: list[dict[str, Any]] = [
    {
        "hardware_id": chip,
        "system": system,
        "workload": f"job {i}",
        "run_id": f"run-{i}",
        "watts_per_chip": watts,
        "tdp_w": 400.0,
        "rated_fraction": watts / 400,
        "kind": "gpu",
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
    frame = model("core.withheld_power", {"core.power_observations": rows})
    columns = ("observation_id", "left_out", "basis", "estimated_watts_per_chip")
    return {(name, out, basis): watts for name, out, basis, watts in frame.select(columns).iter_rows()}


def changed(rows: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    """The same rows, but for one that draws half as much."""
    row = rows[index]
    half = {"watts_per_chip": row["watts_per_chip"] / 2, "rated_fraction": row["rated_fraction"] / 2}
    return [*rows[:index], row | half, *rows[index + 1 :]]


@pytest.mark.parametrize("index", range(len(POWER)))
def test_no_measured_draw_informs_its_own_estimate(model: Model, index: int) -> None:
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
    assert found[third, "run", "measured_same_chip"] == pytest.approx(math.sqrt(300 * 360))
    assert found[third, "run", "measured_ratio"] == pytest.approx(math.sqrt(200 * 500))  # H100 and V100
    first = "nvidia-a100-sxm4-40gb, s, job 0"
    assert found[first, "run", "measured_same_chip"] == pytest.approx(math.sqrt(360 * 420))  # a source each


FLOP: list[dict[str, Any]] = [
    {"observation_id": f"o{i}", "run_id": f"o{i}", "developer": developer, "hardware_id": chip, "kind": "gpu"}
    | {"mfu": mfu}
    for i, (developer, chip, mfu) in enumerate(
        [("X", "a", 0.2), ("X", "a", 0.3), ("Y", "a", 0.5), ("Z", "b", 0.4)]
    )
]
CHIPS = [{"hardware_id": chip, "kind": "gpu", "peak_fp16_tflops": 100.0} for chip in "ab"]


def speeds(model: Model, rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], float]:
    frame = model("core.withheld_throughput", {"core.flop_observations": rows, "core.hardware": CHIPS})
    columns = ("observation_id", "left_out", "hardware_id", "withheld_ln_mfu")
    return {(name, out, chip): value for name, out, chip, value in frame.select(columns).iter_rows()}


@pytest.mark.parametrize("index", range(len(FLOP)))
def test_no_observed_utilisation_informs_its_own_estimate(model: Model, index: int) -> None:
    own = FLOP[index]
    doubled = [*FLOP[:index], own | {"mfu": own["mfu"] * 1.9}, *FLOP[index + 1 :]]
    before, after = speeds(model, FLOP), speeds(model, doubled)
    same = {row["observation_id"] for row in FLOP if row["developer"] == own["developer"]}
    for key, value in before.items():
        if key[0] == own["observation_id"] or (key[1] == "developer" and key[0] in same):
            assert after[key] == value


def test_the_estimator_of_the_board_is_that_of_the_estimates(model: Model) -> None:
    """Without an observation, the withheld utilisation is what core.throughput makes of the others."""
    found = speeds(model, FLOP)
    others = model("core.throughput", {"core.flop_observations": FLOP[1:], "core.hardware": CHIPS})
    usual = dict(others.select("hardware_id", "mfu").iter_rows())
    for chip in "ab":
        assert found["o0", "run", chip] == pytest.approx(math.log(usual[chip]))


def test_the_power_of_the_board_is_that_of_the_estimates(model: Model) -> None:
    found = estimates(model, POWER)
    chips = [
        {"hardware_id": row["hardware_id"], "kind": "gpu", "tdp_w": 400.0} for row in (POWER[0], POWER[3])
    ]
    others = model("core.chip_power", {"core.power_observations": POWER[1:], "core.hardware": chips})
    usual = dict(others.select("hardware_id", "watts_per_chip").iter_rows())
    first = "nvidia-a100-sxm4-40gb, s, job 0"
    assert found[first, "run", "measured_same_chip"] == pytest.approx(usual["nvidia-a100-sxm4-40gb"])


@pytest.mark.parametrize(
    ("errors", "gsd"),
    [
        ([0.1, -0.2], None),
        ([0.1, -0.1, 0.1, -0.1], math.exp(0.1 * (1 + 1.1 / 3))),
        # the 19th of 20, since 0.9 x 21 = 18.9
        ([0.01 * i * (-1) ** i for i in range(1, 21)], math.exp(0.19 / 1.645)),
    ],
)
def test_a_spread_is_the_one_whose_interval_covers_nine_of_ten(
    database: duckdb.DuckDBPyConnection, errors: list[float], gsd: float | None
) -> None:
    ((found,),) = database.execute("select calibrated_gsd(?::double[])", [errors]).fetchall()
    assert found == (None if gsd is None else pytest.approx(gsd))


def test_a_spread_covers_what_it_was_not_fitted_on(database: duckdb.DuckDBPyConnection) -> None:
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


def test_the_board_adds_up_as_by_hand(model: Model) -> None:
    row = {"quantity": "energy_mwh", "withheld": "power", "left_out": "run", "estimator": "ote"}
    runs: list[dict[str, Any]] = [
        row | {"truth_id": "a", "truth_value": 100.0, "estimate": 110.0, "p05": 80.0, "p95": 160.0},
        row | {"truth_id": "b", "truth_value": 100.0, "estimate": 50.0, "p05": 40.0, "p95": 80.0},
    ]
    for each in runs:
        each["estimate_to_truth_ratio"] = each["estimate"] / each["truth_value"]
        each["inside_interval"] = each["p05"] <= each["truth_value"] <= each["p95"]
    board: pl.DataFrame = model("out.accuracy", {"out.accuracy_runs": runs})
    found = board.row(0, named=True)
    assert found["n_observations"] == 2
    assert found["mean_error_fraction"] == pytest.approx((0.1 + 0.5) / 2)
    assert found["max_error_fraction"] == pytest.approx(0.5)
    assert found["bias_fraction"] == pytest.approx(math.sqrt(1.1 * 0.5) - 1)
    assert found["coverage_fraction"] == 0.5
    assert found["mean_interval_ratio"] == pytest.approx(2.0)
    # width ln 2 each; b lies ln(100/80) above its interval, at 2 / 0.1
    assert found["mean_interval_score"] == pytest.approx(math.log(2) + 20 * math.log(100 / 80) / 2)
