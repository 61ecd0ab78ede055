"""What an update does to the published results: the dataset is built before and after, in memory.

Belongs here: building the tables that matter without Dagster, and comparing two such builds. Does not belong
here: the comparison of rows (revisions.py), or the checks themselves (quality/).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from ote import catalog, models
from ote.checkout import RELEASED
from ote.ingestion import baseline, curated, reference, upstream
from ote.quality.plain_sql import counts, failing_rows
from ote.warehouse import connect, replace_table

Connection = duckdb.DuckDBPyConnection

# The tables that results are compared in; all that they rest on is built as well.
COMPARED = ("out.emissions", "out.grid_intensity")
MODELS = {
    "upstream_name": pl.String, "run_id": pl.String, "energy_mwh": pl.Float64, "energy_mwh_now": pl.Float64
}  # fmt: skip
OVERRIDDEN = {"source": pl.String, "source_locator": pl.String}
APART = {
    "scheme": pl.String, "region": pl.String, "year": pl.Int64, "carbon_intensity_g_per_kwh": pl.Float64,
    "year_before": pl.Int64, "before_g_per_kwh": pl.Float64, "country": pl.String,
    "country_g_per_kwh": pl.Float64, "country_before_g_per_kwh": pl.Float64, "ratio": pl.Float64,
}  # fmt: skip
MOVED = 1.2  # a central estimate that moves by more than this factor is named in the report
# A new year of a region that moved by more than this factor against its country, which another source gives:
# 6 of 178 years of Google's regions, none of 166 of eGRID's, of grids with much hydropower or edited values.
APART_RATIO = 1.6
BUILT_G_PER_KWH = 25  # of a life-cycle intensity: what building the plants of a clean grid emits
CLEANEST_G_PER_KWH = 10  # of the fuels of a country; below, a ratio says nothing


@dataclass(frozen=True, kw_only=True)
class Results:
    """What two builds differ in.

    runs, energy_mwh: before and after. years, intensities: frames with a row per year, or per scheme, basis
    and year. moved: runs whose estimate moved by more than MOVED, the most first. moved_intervals: other
    runs of which an end of the interval did, or solidity changed. added, gone: runs. regions: intensities of
    new cloud regions, and changed ones, with that of their country (life-cycle). models: upstream names with
    their run and its energy before and now. overridden: source and locator of the grids whose published
    figure is a curated one. apart: new years of known regions that left their country behind.
    """

    runs: tuple[int, int]
    energy_mwh: tuple[float, float]
    years: pl.DataFrame
    intensities: pl.DataFrame
    largest: pl.DataFrame
    moved: pl.DataFrame
    moved_intervals: pl.DataFrame
    added: pl.DataFrame
    gone: pl.DataFrame
    regions: pl.DataFrame
    models: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MODELS))
    overridden: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OVERRIDDEN))
    apart: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=APART))


def build(folder: Path, facts: Path, wanted: Iterable[str]) -> Connection:
    """Tables and all that they rest on, in memory.

    Args:
        folder: the baseline.
        facts: the folder of the curated facts.
        wanted: names of the tables.
    """
    connection, in_order = connect(), _in_order(wanted)
    raw = {above for name in [*wanted, *in_order] for above in models.raw_sources(name)}
    for name in sorted(raw):
        replace_table(connection, name, _raw(name, folder, facts))
    for name in in_order:
        query = models.queries()[name]
        replace_table(connection, name, query, inputs=models.above(name))
    return connection


def _raw(name: str, folder: Path, facts: Path) -> pl.DataFrame:
    """The rows of one raw table."""
    if sources := catalog.sources_of(name):
        return pl.concat([baseline.accepted(folder, source) for source in sources])
    if name in upstream.RECORDS:
        return upstream.RECORDS[name](folder)
    if name in reference.RECORDS:
        return reference.RECORDS[name](facts)
    is_forecast = name == reference.FORECASTS.name  # which releases leave, beside the facts
    return curated.read(catalog.ROOT / RELEASED if is_forecast else facts, catalog.tables()[name])


def _in_order(wanted: Iterable[str]) -> list[str]:
    """The models behind some tables, each after those that it reads."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        if name in models.queries() and name not in ordered:
            for above in sorted(models.above(name)):
                add(above)
            ordered[name] = None

    for name in wanted:
        add(name)
    return list(ordered)


def compare(before: Connection, after: Connection) -> Results:
    """What two builds differ in."""
    was, now = _emissions(before), _emissions(after)
    pairs = was.join(now, on="run_id", suffix="_now")
    moved = _far(pairs, ("energy_mwh", "co2e_gross_t", "co2e_net_t"))
    moved_intervals = pairs.join(moved, on="run_id", how="anti")
    moved_intervals = _far(
        moved_intervals,
        ("energy_mwh_p05", "energy_mwh_p95"),
        pl.col("solidity").ne_missing(pl.col("solidity_now")),
    )
    return Results(
        runs=(was.height, now.height),
        energy_mwh=(float(was["energy_mwh"].sum()), float(now["energy_mwh"].sum())),
        years=_beside(_by_year(was), _by_year(now), ["run_year"]),
        intensities=_beside(_intensities(before), _intensities(after), ["scheme", "intensity_basis", "year"]),
        largest=now.sort("energy_mwh", "run_id", descending=[True, False]).head(10),
        moved=moved,
        moved_intervals=moved_intervals,
        added=now.join(was, on="run_id", how="anti").sort("energy_mwh", descending=True),
        gone=was.join(now, on="run_id", how="anti").sort("energy_mwh", descending=True),
        regions=_changed_regions(_regions(before), _regions(after)),
    )


def traced(compared: Results, before: Connection, after: Connection) -> Results:
    """Results with what leads from changed rows of the upstreams to them: `models`, `overridden`, `apart`."""
    was, now = _emissions(before), _emissions(after)
    names = _rows(after, "select upstream_name, run_id from core.model_ids order by all")
    energies = was.join(now, on="run_id", how="full", suffix="_now", coalesce=True)
    models = names.join(energies, on="run_id", how="left").select(*MODELS)
    return replace(
        compared, models=models, overridden=_overridden(after), apart=apart(_regions(before), _regions(after))
    )


def _overridden(connection: Connection) -> pl.DataFrame:
    return _rows(
        connection,
        "select distinct upstream.source, upstream.source_locator from core.upstream_grids as upstream "
        "semi join raw.grid_intensity as curated on upstream.scheme = curated.scheme "
        "and upstream.region = curated.region and upstream.year = curated.year "
        "and upstream.intensity_basis = curated.intensity_basis order by all",
    )


def _far(pairs: pl.DataFrame, names: Iterable[str], otherwise: pl.Expr | None = None) -> pl.DataFrame:
    """The pairs of rows of which one of some quantities moved far, or something else did, the most first."""
    ratios = [
        pl.max_horizontal(pl.col(f"{name}_now") / pl.col(name), pl.col(name) / pl.col(f"{name}_now"))
        for name in names
    ]
    far = pl.col("ratio") > MOVED
    rows = pairs.with_columns(ratio=pl.max_horizontal(ratios))
    rows = rows.filter(far if otherwise is None else far | otherwise)
    return rows.sort("ratio", "run_id", descending=[True, False])


def _emissions(connection: Connection) -> pl.DataFrame:
    return _rows(
        connection,
        "select run_id, model, run_year, energy_mwh, energy_mwh_p05, energy_mwh_p95, co2e_gross_t, "
        "co2e_net_t, solidity, chip_hours_basis from out.emissions order by run_id",
    )


def _by_year(runs: pl.DataFrame) -> pl.DataFrame:
    return runs.group_by("run_year").agg(pl.len().alias("runs"), pl.col("energy_mwh").sum())


def _intensities(connection: Connection) -> pl.DataFrame:
    return _rows(
        connection,
        "select scheme, intensity_basis, year, median(carbon_intensity_g_per_kwh) as median_g_per_kwh, "
        "count(*) as rows from out.grid_intensity where carbon_intensity_g_per_kwh is not null group by all",
    )


def _regions(connection: Connection) -> pl.DataFrame:
    return _rows(
        connection,
        "select grids.scheme, grids.region, grids.year, grids.country, grids.intensity_basis, "
        "grids.carbon_intensity_g_per_kwh, countries.carbon_intensity_g_per_kwh as country_g_per_kwh "
        "from out.grid_intensity as grids asof left join (from out.grid_intensity where scheme = 'country' "
        "and intensity_basis = 'lifecycle') as countries on grids.country = countries.region "
        "and grids.year >= countries.year where grids.scheme <> 'country' "
        "and grids.carbon_intensity_g_per_kwh is not null order by all",
    )


def _changed_regions(was: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The rows of new regions, and those of others with another intensity, which stands in was_g_per_kwh."""
    intensity, key = "carbon_intensity_g_per_kwh", ["scheme", "region", "year", "intensity_basis"]
    before = was.select(*key, was_g_per_kwh=intensity)
    new = now.join(was, on=["scheme", "region"], how="anti")
    pairs = now.join(before, on=key).filter(pl.col(intensity) != pl.col("was_g_per_kwh"))
    return pl.concat([new, pairs], how="diagonal")


def apart(was: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The new years of known regions whose intensity moved far against that of their country.

    Args:
        was: the regions with their countries before, as `_regions` gives them.
        now: the regions now.
    """
    series, value, country = (
        ["scheme", "region", "intensity_basis"],
        "carbon_intensity_g_per_kwh",
        "country_g_per_kwh",
    )
    built = pl.when(pl.col("intensity_basis") == "direct").then(BUILT_G_PER_KWH).otherwise(0)
    fuels = (pl.col(country) - built).clip(CLEANEST_G_PER_KWH)
    change = pl.col("of country") / pl.col("of country").shift().over(series)
    pairs = now.sort("year").with_columns((pl.col(value) / fuels).alias("of country"))
    pairs = pairs.with_columns(
        year_before=pl.col("year").shift().over(series),
        before_g_per_kwh=pl.col(value).shift().over(series),
        country_before_g_per_kwh=pl.col(country).shift().over(series),
        ratio=pl.max_horizontal(change, 1 / change),
    )
    new = pairs.join(was, on=[*series, "year"], how="anti").filter(pl.col("ratio") > APART_RATIO)
    return new.select(*APART).sort("ratio", "region", descending=[True, False])


def _rows(connection: Connection, query: str) -> pl.DataFrame:
    rows: pl.DataFrame = connection.sql(query).pl()
    return rows


def _beside(was: pl.DataFrame, now: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Two summaries side by side; what only one of them has is null in the other's columns."""
    return was.join(now, on=key, how="full", suffix="_now", coalesce=True, nulls_equal=True).sort(key)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A check that would not hold after an update, with the rows that break it."""

    table: str
    check: str
    why: str
    rows: list[dict[str, Any]]


def failures(connection: Connection) -> list[Failure]:
    """The checks that do not hold in a build of all tables but the sums, which follow from the others."""
    return [
        Failure(
            table=name, check=promise.check, why=promise.why, rows=failing_rows(connection, table, promise)
        )
        for name, table in catalog.tables().items()
        if name not in models.SUMS
        for promise, count in counts(connection, table)
        if count
    ]
