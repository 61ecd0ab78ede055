"""What an update says and decides of the results, and in which order its report names things."""

from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import polars as pl
import pytest

from ote import catalog
from ote.ingestion.row_checks import QUARANTINE_SCHEMA
from ote.update import files, report
from ote.update.report import Report
from ote.update.results import Results, apart, compare
from ote.update.rows import Candidate

LIMITS = catalog.document().result_limits
TOTAL = 1_000_000.0  # MWh of all runs
LEAST = LIMITS.large_fraction * TOTAL  # a run with more is large
RUN: dict[str, type[pl.DataType]] = {
    "run_id": pl.String,
    "energy_mwh": pl.Float64,
    "co2e_gross_t": pl.Float64,
}
NOW: dict[str, type[pl.DataType]] = {f"{name}_now": pl.Float64 for name in ("energy_mwh", "co2e_gross_t")}
YEARS = {"run_year": pl.Int64, "energy_mwh": pl.Float64, "runs": pl.Int64}
PLACES: dict[str, type[pl.DataType]] = {
    "scheme": pl.String, "region": pl.String, "country": pl.String, "year": pl.Int64,
    "intensity_basis": pl.String, "carbon_intensity_g_per_kwh": pl.Float64, "country_g_per_kwh": pl.Float64,
    "was_g_per_kwh": pl.Float64,
}  # fmt: skip
MEDIANS = {"scheme": pl.String, "median_g_per_kwh": pl.Float64, "median_g_per_kwh_now": pl.Float64}


def results(**frames: list[tuple[Any, ...]]) -> Results:
    """The results of an update: moved (run, MWh, t, MWh now, t now), added and gone (run, MWh, t)."""
    moved = pl.DataFrame(frames.get("moved", []), schema=RUN | NOW, orient="row")
    ratio = pl.max_horizontal("energy_mwh_now", "energy_mwh") / pl.min_horizontal(
        "energy_mwh_now", "energy_mwh"
    )
    return Results(
        runs=(1000, 1000),
        energy_mwh=(TOTAL, TOTAL),
        years=pl.DataFrame(schema=YEARS),
        intensities=pl.DataFrame(schema=MEDIANS),
        largest=pl.DataFrame([("known", 2 * LEAST, 1.0)], schema=RUN, orient="row"),
        moved=moved.with_columns(ratio=ratio),
        moved_intervals=pl.DataFrame(frames.get("moved_intervals", []), schema=RUN, orient="row"),
        added=pl.DataFrame(frames.get("added", []), schema=RUN, orient="row"),
        gone=pl.DataFrame(frames.get("gone", []), schema=RUN, orient="row"),
        regions=pl.DataFrame(frames.get("regions", []), schema=PLACES, orient="row"),
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"moved": [("a", LEAST * 1.01, 5.0, LEAST * 2.03, 10.0)]}, "a moved from 10.1 GWh to 20.3 GWh and "),
        ({"moved": [("a", LEAST * 0.3, 5.0, LEAST * 1.01, 17.0)]}, "a moved from 3.00 GWh to 10.1 GWh and "),
        ({"moved": [("a", LEAST * 1.01, 5.0, LEAST * 2.01, 10.0)]}, ""),  # by less than a factor of two
        ({"moved": [("a", LEAST * 0.3, 5.0, LEAST * 0.99, 17.0)]}, ""),  # not large, neither before nor now
        (
            {"gone": [("a", LEAST * 1.01, 5.0)]},
            "a of 10.1 GWh is gone (limit: a factor of 2 for a run above ",
        ),
        ({"gone": [("a", LEAST * 0.99, 5.0)]}, ""),
        (
            {"added": [("a", LEAST * 4.1, 5.0)]},
            "a of 41.0 GWh is new (limit: 2 times the largest run known, ",
        ),
        ({"added": [("a", LEAST * 3, 5.0)]}, ""),  # a new run is listed, and held to the checks
    ],
)
def test_a_large_run_that_moves_twofold_or_is_gone_needs_a_person(
    change: dict[str, list[tuple[Any, ...]]], says: str
) -> None:
    assert (LIMITS.large_fraction, LIMITS.large_ratio) == (0.01, 2)
    found = report.beyond_limits(results(**change))
    assert len(found) == (1 if says else 0)
    assert all(text.startswith(f"results: {says}") and "0.0 GWh)" in text for text in found)


def test_the_terminal_names_the_largest_estimates_that_moved_are_new_or_gone_and_the_limits() -> None:
    moved = [(f"m{i}", float(i), 1.0, 1.5 * i, 2.0) for i in range(1, 8)]
    compared = results(moved=moved, added=[("n", 2.0, 1.0)], gone=[("g", 30_000.0, 1.0)])
    made = report.decide([], compared, [], "")
    assert report.of_results(made) == [
        "results: 7 estimates moved, the largest: m7 (7.00 MWh), m6 (6.00 MWh), m5 (5.00 MWh), "
        "m4 (4.00 MWh), m3 (3.00 MWh)",
        "results: 1 estimate is new: n (2.00 MWh)",
        "results: 1 estimate is gone: g (30.0 GWh)",
        "results: g of 30.0 GWh is gone (limit: a factor of 2 for a run above 10.0 GWh)",
    ]
    nothing = Report(candidates=[], results=None, failures=[], exceeded=[], is_accepted=False)
    assert report.of_results(nothing) == []


def finding(key: str) -> dict[str, str]:
    return dict.fromkeys(QUARANTINE_SCHEMA, "x") | {"source": "epoch_models", "row_key": key}


def test_the_report_names_new_rows_of_the_quarantine_before_those_of_earlier_updates() -> None:
    old = [finding(f"old {i}") for i in range(50)]
    change = {"rows_added": 0, "rows_gone": 0, "cells_changed": {}}
    found = Candidate(
        source="epoch_models",
        quarantined=pl.DataFrame([*old, finding("new")], schema=QUARANTINE_SCHEMA),
        known=pl.DataFrame(old, schema=QUARANTINE_SCHEMA),
        change=change,
        is_new=True,
    )
    made = Report(candidates=[found], results=None, failures=[], exceeded=[], is_accepted=True)
    page = report.page(made, "", date(2026, 11, 29))
    lines = [line for line in page.splitlines() if line.startswith("- quarantined")]
    assert lines[0] == "- quarantined: new: x = x. x"
    assert lines[1] == "- quarantined as before: old 0: x = x. x"
    assert lines[-1] == "- quarantined as before: 45 more findings in quarantine.csv"


def test_a_file_that_is_not_asked_for_is_not_said_to_be_unchanged() -> None:
    pinned = Candidate(source="epa_egrid", unasked=files.PINNED)
    assert report.lines(pinned)[0].startswith(
        "epa_egrid: pinned, not fetched: each address names one version"
    )
    assert report.lines(Candidate(source="epa_egrid")) == ["epa_egrid: unchanged"]


@pytest.mark.parametrize(
    ("country", "value", "stops", "says"),
    [
        ("NO", 46.0, True, "new region north9, 2026: 46 g/kWh direct (NO: 30 life-cycle)"),
        ("NO", 44.0, False, "new region north9, 2026: 44 g/kWh direct (NO: 30 life-cycle)"),
        ("NO", 2.1, False, "new region north9, 2026: 2.1 g/kWh direct (NO: 30 life-cycle)"),
        ("NO", 1.9, True, "new region north9, 2026: 1.9 g/kWh direct (NO: 30 life-cycle)"),  # 0.4 x 5
        (None, 400.0, False, "(no country; add the region to warehouse/reference/regions.csv)"),
    ],
)
def test_a_new_region_is_held_against_its_country(
    country: str | None, value: float, stops: bool, says: str
) -> None:
    row = ("google_cloud", "north9", country, 2026, "direct", value, 30.0 if country else None, None)
    made = report.decide([], results(regions=[row]), [], "")
    assert bool(made.exceeded) == stops
    assert any(says in text for text in report.of_results(made))


@pytest.mark.parametrize(
    ("basis", "value", "stops"),
    [
        ("direct", 64.0, True),
        ("direct", 160.0, True),
        ("direct", 249.0, True),
        ("direct", 251.0, False),
        ("lifecycle", 259.0, True),
        ("lifecycle", 261.0, False),
    ],
)
def test_a_new_region_divided_by_four_or_ten_emits_far_less_than_its_country(
    basis: str, value: float, stops: bool
) -> None:
    """Warsaw's 640 g/kWh divided by ten and by four, and both sides of 0.4 x 650 and of 0.4 x (650 - 25)."""
    row = ("google_cloud", "europe-east1", "PL", 2026, basis, value, 650.0, None)
    assert bool(report.beyond_limits(results(regions=[row]))) == stops


@pytest.mark.parametrize(
    ("was", "now", "stops"), [(430.0, 601.0, True), (430.0, 599.0, False), (610.0, 640.0, False)]
)
def test_a_changed_region_may_not_come_to_emit_far_more_than_its_country(
    was: float, now: float, stops: bool
) -> None:
    """Small steps that add up end there; a region that was accepted above it may stay."""
    row = ("google_cloud", "us-central1", "US", 2025, "direct", now, 400.0, was)
    found = report.beyond_limits(results(regions=[row]))
    assert bool(found) == stops
    assert all("us-central1, 2025: 430 before, now 601 g/kWh direct (US: 400 life-cycle)" in x for x in found)


def test_an_interval_that_moves_alone_is_found_and_reported() -> None:
    """A run whose upstream is called surer than before: the same energy, a tenth of the interval."""
    names = ("run_id", "model", "run_year", "energy_mwh", "energy_mwh_p05", "energy_mwh_p95")
    more = ", null::double as co2e_gross_t, null::double as co2e_net_t, '' as chip_hours_basis"
    pair = []
    for span, solidity in ((10, "guessed"), (3, "inferred")):
        connection = duckdb.connect()
        connection.execute("create schema out")
        connection.execute(
            f"create table out.emissions as select *{more} from (values "
            f"('surer', 'S', 2024, 50e0, 50e0 / {span}, 50e0 * {span}, '{solidity}'), "
            f"('as before', 'B', 2024, 50e0, 40e0, 60e0, 'disclosed')) as runs ({', '.join(names)}, solidity)"
        )
        connection.execute(
            "create table out.grid_intensity (scheme text, region text, country text, year int, "
            "intensity_basis text, carbon_intensity_g_per_kwh double)"
        )
        pair.append(connection)
    compared = compare(*pair)
    assert compared.moved.is_empty()
    assert compared.moved_intervals["run_id"].to_list() == ["surer"]
    made = report.decide([], compared, [], "")
    assert "results: 1 estimate has another interval: surer (50.0 MWh)" in report.of_results(made)
    assert "| surer | 5 | 16.67 | 500 | 150 | guessed | inferred |" in report.page(
        made, "", date(2026, 11, 29)
    )


def years_of(region: str, basis: str, *values: tuple[int, float, float]) -> pl.DataFrame:
    """The intensities of a region of Finland, and of Finland (life-cycle), by year."""
    rows = [("google_cloud", region, "FI", year, basis, value, land, None) for year, value, land in values]
    return pl.DataFrame(rows, schema=PLACES, orient="row")


@pytest.mark.parametrize(
    ("basis", "value", "land", "is_told"),
    [
        ("direct", 40.0, 75.0, False),  # as the year before: 40 of 75 - 25
        ("direct", 65.1, 75.0, True),  # 1.63 times
        ("direct", 63.0, 75.0, False),  # 1.58 times
        ("direct", 24.6, 75.0, True),  # 1 / 1.63
        ("direct", 80.0, 125.0, False),  # twice as much, as the fuels of the country
        ("direct", 40.0, 110.0, True),  # stayed, while the fuels of the country emitted 1.7 times as much
        ("direct", 8.0, 20.0, False),  # fuels of less than 10 g/kWh count as 10
        ("direct", 4.0, 20.0, True),
        ("lifecycle", 65.1, 75.0, True),
        ("lifecycle", 80.0, 125.0, False),  # 2 / (125 / 75) = 1.2 times
    ],
)
def test_a_new_year_that_leaves_its_country_behind_is_told(
    basis: str, value: float, land: float, is_told: bool
) -> None:
    before = years_of("europe-north1", basis, (2024, 40.0, 75.0))
    now = years_of("europe-north1", basis, (2024, 40.0, 75.0), (2025, value, land))
    found = apart(before, now)
    assert found.height == is_told
    made = report.decide([], replace(results(), apart=found), [], "")
    told = (
        f"results: to look at: europe-north1, 2025: {value:.4g} g/kWh, 40 in 2024, while FI went from 75 to "
        f"{land:.4g} life-cycle"
    )
    assert report.of_results(made) == ([told] if is_told else [])
    assert apart(now, now).is_empty()
