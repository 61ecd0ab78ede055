"""What holds for any run: energy is linear in each factor, and intervals grow with doubt."""

import math
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ote import models
from ote.warehouse import connect
from tests.conftest import fill
from tests.sql.test_emissions import FACTORS, rows

Emissions = Callable[[float, dict[str, float]], dict[str, float]]
RESULTS = ("energy_mwh", "co2e_gross_t", "co2e_net_t", "co2e_lifecycle_t", "co2e_market_t")
factors = st.fixed_dictionaries(
    {
        "chip_hours": st.floats(0.01, 1e9),
        "watts_per_chip": st.floats(5, 30_000),
        "pue": st.floats(1, 2.5),
        "gross_kg_per_kwh": st.floats(0.001, 1.3),
        "net_kg_per_kwh": st.floats(0.001, 1.3),
    }
)


@pytest.fixture(scope="module")
def emissions() -> Iterator[Emissions]:
    """The row of out.emissions for one run with these factors, all with one uncertainty."""
    with connect() as connection:

        def row(gsd: float, values: dict[str, float]) -> dict[str, float]:
            given_rows = rows(gsd, **values)
            assert models.upstream_tables(models.queries()["out.emissions"]) == set(given_rows)
            for name in given_rows:
                fill(connection, name, given_rows[name])
            found: dict[str, float] = (
                connection.sql(models.queries()["out.emissions"]).pl().row(0, named=True)
            )
            return found

        yield row


@settings(max_examples=40, deadline=None)
@given(values=factors, name=st.sampled_from(sorted(FACTORS)), times=st.floats(1.01, 100))
def test_results_are_linear_in_every_factor_they_depend_on(
    emissions: Emissions, values: dict[str, float], name: str, times: float
) -> None:
    depends = {
        "energy_mwh": name in ("chip_hours", "watts_per_chip", "pue"),
        "co2e_gross_t": name != "net_kg_per_kwh",
        "co2e_net_t": name != "gross_kg_per_kwh",
        "co2e_lifecycle_t": name in ("chip_hours", "watts_per_chip", "pue"),
        "co2e_market_t": name in ("chip_hours", "watts_per_chip", "pue"),
    }
    before = emissions(1.2, values)
    after = emissions(1.2, values | {name: values[name] * times})
    for result in RESULTS:
        assert after[result] == pytest.approx(before[result] * (times if depends[result] else 1), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(values=factors, gsd=st.floats(1.001, 5), more=st.floats(1.01, 2))
def test_intervals_grow_with_doubt_and_lean_upwards_by_the_pue(
    emissions: Emissions, values: dict[str, float], gsd: float, more: float
) -> None:
    row, wider = emissions(gsd, values), emissions(gsd * more, values)
    for result in RESULTS:
        low, middle, high = row[f"{result}_p05"], row[result], row[f"{result}_p95"]
        assert math.sqrt(low * high) >= middle * (1 - 1e-9)
        assert wider[f"{result}_p05"] < low < middle < high < wider[f"{result}_p95"]
    assert row["co2e_gross_t_p95"] / row["co2e_gross_t"] > row["energy_mwh_p95"] / row["energy_mwh"]
