"""out.error_shares and out.error_loads against figures worked out by hand."""

import math
from typing import Any

import pytest

from tests.conftest import Model, Rows

SHARE = {"factor": "watts_per_chip", "basis": "b", "error_source": "chip", "share_fraction": 0.5}


def errors_of(*groups: list[float]) -> list[dict[str, Any]]:
    """Held-out errors, by what they may have in common."""
    return [
        {
            "factor": "watts_per_chip",
            "basis": "b",
            "error_source": "chip",
            "error_key": f"{number}",
            "observation_id": f"{number}-{place}",
            "log_ratio": error,
        }
        for number, group in enumerate(groups)
        for place, error in enumerate(group)
    ]


def correlation(model: Model, *groups: list[float]) -> tuple[float, float, float]:
    """The intraclass correlation of groups of errors, with its interval."""
    rows = model("out.error_shares", {"raw.error_shares": [SHARE], "core.error_groups": errors_of(*groups)})
    return rows.select("correlation", "correlation_p05", "correlation_p95").row(0)


def test_errors_that_groups_have_in_common_are_their_variance_over_all(model: Model) -> None:
    """Three pairs: mean squares between 2 and within 0.5, so (2 - 0.5) / (2 + 0.5) = 0.6."""
    found, low, high = correlation(model, [0.5, 1.5], [-0.5, 0.5], [-1.5, -0.5])
    assert found == pytest.approx(0.6)
    # without a group: between 1, 4 and 1; within 0.5
    without = [(b - 0.5) / (b + 0.5) for b in (1, 4, 1)]
    mean = sum(without) / 3
    error = math.sqrt(2 * sum((each - mean) ** 2 for each in without) / 3)
    assert low == pytest.approx(0.6 - 1.645 * error)
    assert high == pytest.approx(min(1, 0.6 + 1.645 * error))


def test_equal_groups_have_everything_in_common(model: Model) -> None:
    assert correlation(model, [1.0, 1.0], [-1.0, -1.0], [0.0, 0.0])[0] == pytest.approx(1)


STATED = [
    SHARE,
    SHARE | {"error_source": "basis", "share_fraction": 0.2},
    SHARE | {"error_source": "own", "share_fraction": 0.3},
]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        # three equal pairs: a correlation of 1, without an interval, of what is not common to all
        ([[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]], {"chip": (0.8, "measured"), "own": (0.0, "measured")}),
        # pairs that differ as the pairs do: an interval from -0.9 to 1
        ([[2.0, -2.0], [1.0, 1.0], [-1.0, -1.0]], {"chip": (0.5, "judgement"), "own": (0.3, "judgement")}),
    ],
)
def test_a_share_is_its_correlation_if_that_is_known_to_0_3(
    model: Model, groups: list[list[float]], expected: dict[str, tuple[float, str]]
) -> None:
    rows = model("out.error_shares", {"raw.error_shares": STATED, "core.error_groups": errors_of(*groups)})
    found = {row["error_source"]: (row["share_fraction"], row["share_basis"]) for row in rows.to_dicts()}
    for source, (share, basis) in {**expected, "basis": (0.2, "judgement")}.items():
        assert found[source] == (pytest.approx(share), basis)


def test_a_share_without_held_out_errors_is_stated(model: Model) -> None:
    row = model("out.error_shares", {"raw.error_shares": [SHARE]}).row(0, named=True)
    assert (row["share_fraction"], row["correlation"], row["correlation_p05"]) == (0.5, None, None)


def test_loads_of_a_factor_are_the_shares_of_its_variance(model: Model) -> None:
    """A ln gsd of 0.5 of hours, 0.4 of them by the basis and 0.3 by the FLOP: 0.16 and 0.09 of variance."""
    shares = [
        ("chip_hours", "by_flop", "own", 0.75),
        ("chip_hours", "by_flop", "year", 0.25),
        ("training_flop", "likely", "judgement", 1.0),
    ]
    run = {"run_id": "r", "organisation": "O", "energy_basis": "computed", "hardware_id": "nvidia-h100-sxm"}
    factor = {"run_id": "r", "factor": "chip_hours", "basis": "by_flop", "flop_confidence": "likely"}
    facts: Rows = {
        "out.emissions": [run],
        "out.emission_factors": [factor | {"gsd": math.exp(0.5)}],
        "core.method": [
            {"factor": "chip_hours", "basis": "by_flop", "gsd": math.exp(0.4)},
            {"factor": "training_flop", "basis": "likely", "gsd": math.exp(0.3)},
        ],
        "out.error_shares": [
            dict(zip(("factor", "basis", "error_source", "share_fraction"), share, strict=True))
            for share in shares
        ],
    }
    rows = model("out.error_loads", facts).select("error_id", "ln_gsd").rows()
    assert dict(rows) == pytest.approx(
        {
            "chip_hours:own:r": math.sqrt(0.75 * 0.16),
            "chip_hours:year:unknown": math.sqrt(0.25 * 0.16),
            "judgement": 0.3,
        }
    )
