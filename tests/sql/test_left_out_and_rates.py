"""What a run leaves out, and its rates: worked out by hand."""

import math
from typing import Any

import pytest

from tests.conftest import Model

SOURCE = {
    "source_title": "Paper",
    "source_url": "https://example.org/paper",
    "source_locator": "Table 1",
    "verified": "secondary",
}


def project(name: str, ratio: float, kind: str = "whole_project", runs: str | None = None) -> dict[str, Any]:
    """A published ratio of a whole project to its final run."""
    return {"overhead_id": name, "overhead_kind": kind, "overhead_ratio": ratio, "run_ids": runs} | SOURCE


PROJECTS = [
    project("a", 1.5, runs="own;other"),
    project("b", 2.0),
    project("c", 3.0),
    project("d", 11.0, kind="spending"),
]


def test_the_typical_ratio_is_the_mean_of_what_is_above_one(model: Model) -> None:
    """0.5, 1 and 2 have the geometric mean 1; each 1.5, 0 or 1.5 x ln(2) from the mean of the others."""
    row = model("core.typical_overhead", {"raw.project_overheads": PROJECTS}).row(0, named=True)
    assert (row["overhead_ratio"], row["n_observations"]) == (pytest.approx(2), 3)
    spread = 1.5 * math.log(2) * math.sqrt(2 / 3)
    student = 1 + 0.9265 / 3 + 0.8636 / 9 + 0.5979 / 27
    assert row["fitted_gsd"] == pytest.approx(math.exp(spread * student))


@pytest.mark.parametrize(
    ("run_id", "basis", "ratio", "gsd"),
    [("own", "published_project", 1.5, 1.2), ("stranger", "typical_project", 2.0, 3.0)],
)
def test_a_run_has_the_ratio_of_its_project_else_the_typical_one(
    model: Model, run_id: str, basis: str, ratio: float, gsd: float
) -> None:
    """10 MWh and 4 t, each known exactly: the interval is that of the ratio above 1."""
    run: dict[str, Any] = {"run_id": run_id, "energy_mwh": 10.0, "co2e_gross_t": 4.0}
    run |= {f"energy_mwh_{end}": 10.0 for end in ("p05", "p95")}
    run |= {f"co2e_gross_t_{end}": 4.0 for end in ("p05", "p95")}
    method = {"factor": "overhead_ratio", "fallback_rank": 1}
    frame = model(
        "out.left_out",
        {
            "out.emissions": [run],
            "raw.project_overheads": PROJECTS,
            "core.typical_overhead": [
                {"overhead_ratio": 2.0, "n_observations": 3, "source_locator": "three projects"}
            ],
            "core.method": [
                method | {"basis": "published_project", "gsd": 1.2},
                method | {"basis": "typical_project", "gsd": 3.0},
            ],
        },
    )
    row = frame.row(0, named=True)
    assert (row["overhead_basis"], row["overhead_ratio"]) == (basis, ratio)
    assert row["left_out_mwh"] == pytest.approx(10 * (ratio - 1))
    assert row["left_out_t"] == pytest.approx(4 * (ratio - 1))
    width = gsd**1.645
    assert row["left_out_t_p95"] == pytest.approx(4 * (ratio - 1) * width)
    assert row["overhead_ratio_p05"] == pytest.approx(1 + (ratio - 1) / width)


MAKING = {"run_id": "r", "embodied_t": 1.0, "embodied_t_p05": 0.1, "embodied_t_p95": 10.0}
HOURS = {"run_id": "r", "factor": "chip_hours", "value": 100.0, "p05": 25.0, "p95": 400.0}


def rates(
    model: Model,
    hours_basis: str,
    flop_confidence: str | None,
    tokens_basis: str = "stated",
    distribution: str = "lognormal",
) -> dict[str, Any]:
    """2 t (x/÷ 8), 1 t of making (x/÷ 10); 4e18 FLOP, 1e9 parameters (half of them active), 5e9 tokens."""
    run: dict[str, Any] = {"run_id": "r", "parameters": 10**9, "active_parameters": 5 * 10**8}
    run |= {"training_flop": 4e18, "chip_hours_basis": hours_basis, "co2e_gross_t": 2.0}
    run |= {"co2e_gross_t_p05": 0.25, "co2e_gross_t_p95": 16.0}
    sizes = {"run_id": "r", "training_tokens": 5 * 10**9, "training_tokens_basis": tokens_basis}
    frame = model(
        "out.rates",
        {
            "out.emissions": [run],
            "core.training_runs": [{"run_id": "r", "flop_confidence": flop_confidence}],
            "out.model_sizes": [sizes],
            "out.embodied_emissions": [MAKING],
            "out.emission_factors": [HOURS | {"distribution": distribution}],
            "core.method": [
                {"factor": "training_flop", "basis": "confident", "gsd": 3 ** (1 / 1.645)},
                {"factor": "training_flop", "basis": "speculative", "gsd": 31 ** (1 / 1.645)},
            ],
        },
    )
    return frame.row(0, named=True)


def test_rates_are_kilograms_over_what_was_done(model: Model) -> None:
    row = rates(model, "disclosed", None)
    assert row["kg_per_exaflop"] == pytest.approx(500)
    assert row["kg_per_billion_parameters"] == pytest.approx(2000)
    assert row["kg_per_billion_active_parameters"] == pytest.approx(4000)
    assert row["kg_per_billion_tokens"] == pytest.approx(400)
    assert row["sci_kg_per_exaflop"] == pytest.approx(750)  # (2 t + 1 t) / 4
    assert row["sci_kg_per_billion_parameters"] == pytest.approx(3000)
    assert row["sci_kg_per_billion_tokens"] == pytest.approx(600)
    assert row["kg_per_exaflop_p95"] == pytest.approx(4000)  # FLOP that were counted are exact


def test_the_hours_are_one_error_of_operation_and_making(model: Model) -> None:
    row = rates(model, "disclosed", None)
    hours = math.log(4)
    operation = math.sqrt(math.log(8) ** 2 - hours**2) * 2 / 3  # its share of the sum
    making = math.sqrt(math.log(10) ** 2 - hours**2) / 3
    width = math.sqrt(hours**2 + operation**2 + making**2)
    for unit, value in (("exaflop", 750), ("billion_parameters", 3000), ("billion_tokens", 600)):
        assert row[f"sci_kg_per_{unit}_p05"] == pytest.approx(value * math.exp(-width))
        assert row[f"sci_kg_per_{unit}_p95"] == pytest.approx(value * math.exp(width))


@pytest.mark.parametrize(("hours_basis", "sign"), [("flop_over_throughput", -1), ("disclosed", 1)])
def test_an_error_of_flop_cancels_where_the_hours_come_from_them(
    model: Model, hours_basis: str, sign: int
) -> None:
    row = rates(model, hours_basis, "confident")
    width = math.sqrt(math.log(8) ** 2 + sign * math.log(3) ** 2)
    assert row["kg_per_exaflop_p95"] == pytest.approx(500 * math.exp(width))
    assert row["kg_per_exaflop_p05"] == pytest.approx(500 * math.exp(-width))
    assert row["kg_per_billion_parameters_p95"] == pytest.approx(16000)
    hours = math.log(4) ** 2
    both = hours + (math.log(8) ** 2 - hours) * 4 / 9 + (math.log(10) ** 2 - hours) / 9
    width = math.sqrt(both + sign * math.log(3) ** 2)
    assert row["sci_kg_per_exaflop_p95"] == pytest.approx(750 * math.exp(width))


@pytest.mark.parametrize(
    ("hours_basis", "width"),
    [("flop_over_throughput", math.log(8)), ("disclosed", math.hypot(math.log(8), math.log(31)))],
)
def test_guessed_tokens_widen_the_rate_unless_energy_rests_on_them(
    model: Model, hours_basis: str, width: float
) -> None:
    row = rates(model, hours_basis, None, "assumed")
    assert row["kg_per_billion_tokens_p95"] == pytest.approx(400 * math.exp(width))


def test_an_error_of_flop_does_not_cancel_where_a_bound_cuts_the_hours_off(model: Model) -> None:
    row = rates(model, "flop_over_throughput", "speculative", distribution="bounded_lognormal")
    assert row["kg_per_exaflop_p95"] == pytest.approx(4000)
    assert row["sci_kg_per_exaflop_p95"] > row["sci_kg_per_exaflop"]
