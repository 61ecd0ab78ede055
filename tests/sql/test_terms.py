"""Terms that an estimator could have are tried as by hand, and on nothing that is left out."""

import math
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ote.cli import summary
from tests.conftest import Build, Model
from tests.sql.test_accuracy import CHIPS, FLOP

LN_2 = math.log(2)


def tried(
    model: Model, features: list[dict[str, Any]], left: dict[str, float], own: str
) -> dict[str, float | None]:
    """What a term does for one observation, from what the estimator leaves of each."""
    frame = model(
        "core.held_out_terms",
        {
            "core.term_features": [
                {"factor": "chip_hours", "term": "tried", "chip_generation": "g", "known_log_ratio": 0.0}
                | row
                for row in features
            ],
            "core.term_residuals": [
                {"factor": "chip_hours", "observation_id": own, "held_out_scope": "run", "other_id": other}
                | {"is_left_out": other == own, "observed_log_ratio": ratio}
                for other, ratio in left.items()
            ],
        },
    )
    return frame.row(0, named=True)


def test_a_slope_goes_by_the_distance_from_the_median_of_the_generation(model: Model) -> None:
    """Without `own`: 2018, 2020, 2022 on g leave 0.1, 0.2, 0.3: 0.05 a year; one run on h has no distance."""
    left = {"own": -0.1, "a": 0.1, "b": 0.2, "c": 0.3, "d": 0.2}
    features: list[dict[str, Any]] = [
        {"observation_id": name, "feature": year}
        for name, year in (("own", 2024), ("a", 2018), ("b", 2020), ("c", 2022))
    ]
    alone = {"observation_id": "d", "feature": 2021, "chip_generation": "h"}
    found = tried(model, [*features, alone], left, "own")
    assert found["effect_ln"] == pytest.approx(0.05)
    assert found["term_log_ratio"] == pytest.approx(0.2)  # four years from 2020
    assert found["log_ratio_without"] == pytest.approx(-0.1)
    assert found["log_ratio_with"] == pytest.approx(-0.3)
    on_another = [features[0] | {"chip_generation": "h"}, *features[1:]]
    assert tried(model, on_another, left, "own")["log_ratio_with"] == pytest.approx(-0.1)
    in_one_year = [row | {"feature": 2020} for row in features]
    assert tried(model, in_one_year, left, "own")["term_log_ratio"] == 0


def test_a_shift_is_drawn_to_none_by_two_observations(model: Model) -> None:
    """bf16 leaves 0.1, 0.4, 0.2: 3 x 0.2 / 5 = 0.12; one fp8 run leaves -0.3: 1 x -0.3 / 3 = -0.1."""
    left = {"own": 0.5, "a": 0.1, "b": 0.4, "c": 0.2, "d": -0.3}
    formats = {"own": "bf16", "a": "bf16", "b": "bf16", "c": "bf16", "d": "fp8"}
    features: list[dict[str, Any]] = [
        {"observation_id": name, "feature_level": level} for name, level in formats.items()
    ]
    found = tried(model, features, left, "own")
    assert found["term_log_ratio"] == pytest.approx(0.12)
    assert found["log_ratio_with"] == pytest.approx(0.38)
    assert found["effect_ln"] == pytest.approx(0.11)  # 0.12 and -0.1 lie 0.11 from their mean
    features[0]["feature_level"] = "fp32"  # the only one
    assert tried(model, features, left, "own")["log_ratio_with"] == 0.5


def test_a_format_has_its_own_peak_before_any_shift(model: Model) -> None:
    """Of a peak twice as high, 0.3 of `d` are 0.3 - ln 2; a third of that is the shift."""
    features = [
        {"observation_id": name, "feature_level": "fp8", "known_log_ratio": LN_2} for name in ("own", "d")
    ]
    found = tried(model, features, {"own": 0.1, "d": 0.3}, "own")
    assert found["term_log_ratio"] == pytest.approx(LN_2 + (0.3 - LN_2) / 3)
    assert found["log_ratio_without"] == pytest.approx(0.1)
    assert found["log_ratio_with"] == pytest.approx(0.1 - LN_2 - (0.3 - LN_2) / 3)


RUNS = [
    {"run_id": row["run_id"], "organisations": row["organisations"], "run_year": 2018 + i, "chips": 2**i}
    | {"domain": "vision" if i % 2 else "language"}
    for i, row in enumerate(FLOP)
]
KEYS = ("term", "held_out_scope", "observation_id")


def chain(model: Model, rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Every term on observations of utilisation, from the facts to the errors."""
    made: dict[str, list[dict[str, Any]]] = {
        "core.flop_observations": rows,
        "core.hardware": CHIPS,
        "core.training_runs": RUNS,
    }
    for name in (
        "core.held_out_throughput",
        "core.mfu_features",
        "core.term_features",
        "core.term_residuals",
        "core.held_out_terms",
    ):
        made[name] = model(name, made).to_dicts()
    return {tuple(row[key] for key in KEYS): row for row in made["core.held_out_terms"]}


@pytest.mark.parametrize("index", range(len(FLOP)))
def test_no_observation_informs_its_own_term_nor_its_developer_one_without_it(
    model: Model, index: int
) -> None:
    own = FLOP[index]
    doubled = [*FLOP[:index], own | {"mfu": own["mfu"] * 1.9}, *FLOP[index + 1 :]]
    before, after = chain(model, FLOP), chain(model, doubled)
    same = {row["observation_id"] for row in FLOP if row["organisations"] == own["organisations"]}
    assert {key[0] for key in before} == {"run_year", "chips", "domain"}
    assert len(before) == 3 * 2 * len(FLOP)
    for key, row in before.items():
        if key[2] == own["observation_id"]:
            assert after[key]["term_log_ratio"] == row["term_log_ratio"], key
            assert after[key]["log_ratio_without"] == pytest.approx(row["log_ratio_without"] + math.log(1.9))
        elif key[1] == "developer" and key[2] in same:
            assert after[key] == row, key
    assert any(after[key]["term_log_ratio"] != row["term_log_ratio"] for key, row in before.items())


def test_the_error_without_a_term_is_that_of_the_estimator(model: Model) -> None:
    rows = {"core.flop_observations": FLOP, "core.hardware": CHIPS}
    held_out = {
        (row["held_out_scope"], row["observation_id"], row["hardware_id"]): row["held_out_ln_mfu"]
        for row in model("core.held_out_throughput", rows).to_dicts()
    }
    found = chain(model, FLOP)
    for own in FLOP:
        for held_out_scope in ("run", "developer"):
            estimate = held_out[held_out_scope, own["observation_id"], own["hardware_id"]]
            row = found["run_year", held_out_scope, own["observation_id"]]
            assert row["log_ratio_without"] == pytest.approx(math.log(own["mfu"]) - estimate)


def test_formats_are_compared_at_one_peak(model: Model) -> None:
    """0.2 of an FP8 peak of 2,000 is 0.4 of the 16-bit peak of 1,000; such a run is not fitted."""
    row: dict[str, Any] = {"mfu": 0.2, "used_peak_tflops": 2000.0}
    row |= {"hardware_id": "chip", "mfu_set": "training_run", "mfu_basis": "model_flops", "precision": "fp8"}
    peaks = {"peak_fp32_tflops": 60.0, "peak_fp16_tflops": 1000.0, "peak_fp8_tflops": 2000.0}
    frame = model(
        "core.mfu_features",
        {
            "core.hardware": [{"hardware_id": "chip", **peaks}],
            "core.flop_observations": [
                {"observation_id": run, "run_id": run, "hardware_id": "chip", "mfu": 0.5, "precision": stated}
                for run, stated in (("stated", "bf16"), ("listed", None), ("unknown", None))
            ],
            "core.model_ids": [
                {"upstream_name": run, "run_id": run} for run in ("stated", "listed", "unknown")
            ],
            "raw.epoch_models": [
                {"model": "stated", "precision": "FP32"},
                {"model": "listed", "precision": "FP8"},
                {"model": "unknown", "precision": "Unknown"},
            ],
            "raw.mfu": [
                row | {"model": "A", "run_id": "a", "source_locator": "1"},
                row | {"model": "A", "run_id": "a", "source_locator": "2"},
                row | {"model": "B", "run_id": "listed", "source_locator": "1"},
                row | {"model": "C", "run_id": "c", "source_locator": "1", "mfu_set": "benchmark"},
                row | {"model": "D", "run_id": "d", "source_locator": "1", "used_peak_tflops": None},
                row | {"model": "E", "run_id": "e", "source_locator": "1", "precision": None},
            ],
        },
    )
    columns = ("observation_id", "is_fitted", "mfu", "precision", "format_peak_ratio")
    assert sorted(frame.select(columns).rows()) == [
        ("A, a, 1", False, pytest.approx(0.4), "fp8", 2.0),
        ("listed", True, 0.5, "fp8", 2.0),
        ("stated", True, 0.5, "bf16", 1.0),
        ("unknown", True, 0.5, None, 1.0),
    ]


def test_an_observation_that_is_not_fitted_informs_its_format_alone(model: Model) -> None:
    row = {"chip_generation": "g", "mfu": 0.4, "run_year": 2024, "chips": 8, "domain": "language"}
    row |= {"precision": "fp8", "format_peak_ratio": 2.0}
    observations = [row | {"observation_id": name, "is_fitted": name == "in"} for name in ("in", "beside")]
    features = model("core.term_features", {"core.mfu_features": observations})
    terms = features.group_by("observation_id").agg("term").rows()
    assert {name: set(found) for name, found in terms} == {
        "in": {"run_year", "chips", "domain", "number_format", "number_format_peak"},
        "beside": {"number_format", "number_format_peak"},
    }
    rows: dict[str, list[dict[str, Any]]] = {
        "core.flop_observations": FLOP,
        "core.hardware": CHIPS,
        "core.mfu_features": [
            {key: value for key, value in own.items() if key != "kind"}
            for own in [*FLOP, FLOP[0] | {"observation_id": "beside", "run_id": "beside", "mfu": 0.6}]
        ],
    }
    rows["core.held_out_throughput"] = model("core.held_out_throughput", rows).to_dicts()
    residuals = model("core.term_residuals", rows)
    assert "beside" not in residuals["observation_id"]
    known = residuals.filter(other_id="beside").select("observation_id", "held_out_scope").rows()
    assert len(known) == 2 * len(FLOP) - 2  # not where X is left out, whose two runs are o0 and o1
    assert not {("o0", "developer"), ("o1", "developer")} & set(known)


def board(
    model: Model, n: int, mean_with: dict[str, float], ln_gsd: float = 0.01, term: str = "run_year"
) -> list[dict[str, Any]]:
    """The summary of errors of 0.4 without the term, and a uncertainty above and below a mean with it."""
    return model(
        "support.model_terms",
        {
            "core.held_out_terms": [
                {
                    "factor": "chip_hours",
                    "term": term,
                    "held_out_scope": held_out_scope,
                    "observation_id": f"o{i}",
                }
                | {"effect_ln": 0.01 * i, "log_ratio_without": 0.4 if i % 3 else -0.4}
                | {"log_ratio_with": mean - ln_gsd if i % 2 else -mean - ln_gsd}
                | {"feature_level": None if term == "run_year" else f"level {i % 3}"}
                for held_out_scope, mean in mean_with.items()
                for i in range(n)
            ]
        },
    ).to_dicts()


def test_the_summary_adds_up_as_by_hand(model: Model) -> None:
    (row,) = board(model, 4, {"run": 0.2}, ln_gsd=0.1, term="domain")
    assert row == {
        "factor": "chip_hours",
        "term": "domain",
        "held_out_scope": "run",
        "n_observations": 4,
        "n_levels": 3,
        "effect_ln": pytest.approx(0.015),
        "median_error_ratio_without": pytest.approx(math.exp(0.4)),
        "median_error_ratio_with": pytest.approx(math.exp(0.2)),  # between 0.1 and 0.3
        "mean_abs_ln_error_without": pytest.approx(0.4),
        "mean_abs_ln_error_with": pytest.approx(0.2),
        "gain_se_ln_error": pytest.approx(math.sqrt(4 * 0.1**2 / 3) / 2),  # gains of 0.1 and 0.3
        "is_clearly_better": False,  # four observations
        "is_used": False,
    }


@pytest.mark.parametrize(
    ("n", "run", "developer", "ln_gsd", "better"),
    [
        (20, 0.37, 0.37, 0.01, True),
        (19, 0.37, 0.37, 0.01, False),
        (20, 0.385, 0.37, 0.01, False),  # 0.38 is 5 % below 0.4
        (20, 0.37, 0.385, 0.01, False),
        (
            20,
            0.37,
            0.37,
            0.06,
            True,
        ),  # a standard error of 0.06 / sqrt(19) = 0.0138: twice that is below 0.03
        (20, 0.37, 0.37, 0.07, False),  # 0.0161: twice that is not
    ],
)
def test_a_term_is_clearly_better_on_enough_observations_whatever_is_left_out(
    model: Model, n: int, run: float, developer: float, ln_gsd: float, better: bool
) -> None:
    rows = board(model, n, {"run": run, "developer": developer}, ln_gsd)
    assert [row["is_clearly_better"] for row in rows] == [better, better]
    assert {row["n_levels"] for row in rows} == {None}


def test_a_term_that_is_clearly_better_and_not_used_is_reported(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "emissions.duckdb")) as connection:
        connection.execute(
            "create schema support; create table support.model_terms as from (values "
            "('chip_hours', 'chips', true, false), ('chip_hours', 'domain', true, true), "
            "('chip_hours', 'run_year', false, false)) as t (factor, term, is_clearly_better, is_used)"
        )
        assert connection.execute(summary.BETTER).fetchall() == [("chips of chip_hours",)]


def test_no_term_that_is_clearly_better_is_left_out_of_the_estimator(build: Build) -> None:
    """From the curated facts; test_build_of_everything.py asks the same of all sources."""
    assert (
        build.query("select factor, term from support.model_terms where is_clearly_better and not is_used")
        == []
    )
    scored = build.query("select term, held_out_scope from support.model_terms where factor = 'chip_hours'")
    terms = ("run_year", "chips", "domain")  # the formats of the others are reported by an upstream
    assert {(term, held_out_scope) for term in terms for held_out_scope in ("run", "developer")} <= set(
        scored
    )
