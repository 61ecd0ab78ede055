"""The tables totals, trends and emission_draws: figures worked out by hand, and what they promise."""

import math
import shutil
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from ote import isolated, models, sql_files, sums, warehouse
from ote.answers import totals
from tests.conftest import Build

YEARS = list(range(2016, 2026))


def test_sums_that_double_each_year_grow_by_2() -> None:
    """Whatever their level: errors that all years share leave growth as it is."""
    drawn = np.outer(2.0 ** np.arange(10), [0.5, 1.0, 7.0])
    assert [math.exp(each) for each in sums.growth(YEARS, drawn)] == pytest.approx([2, 2, 2])


def test_growth_has_the_scatter_of_the_years() -> None:
    """Logarithms 0, 1, 0: slope 0; squares of 2/3 are left, one degree of freedom: an error of sqrt(1/3).

    Student's t is wider by 1 + 0.9265 + 0.8636 + 0.5979 (student_widening of 1).
    """
    low, middle, high = sums.growth([2020, 2021, 2022], np.exp([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    assert middle == pytest.approx(0)
    assert (-low, high) == pytest.approx((1.645 * math.sqrt(1 / 3) * 3.388,) * 2)


def test_growth_has_the_errors_of_the_estimates() -> None:
    """Lines without scatter, whose slopes are 0.00 to 1.00: the ends are their quantiles."""
    slopes = np.linspace(0, 1, 101)
    found = sums.growth(YEARS, np.exp(np.outer(np.arange(10), slopes)))
    assert found == pytest.approx((0.05, 0.5, 0.95))


def test_quantiles_of_draws_are_between_them() -> None:
    assert totals.quantiles([float(each) for each in range(100, -1, -1)]) == pytest.approx((5, 50, 95))
    assert totals.quantiles([7.0]) == (7, 7, 7)


def test_years_are_compared_from_the_first_after_which_all_sets_have_five_runs() -> None:
    runs = {(each, str(year)): 5 for each in sums.GROWING for year in (2015, 2017, 2018, 2019)}
    runs |= {("all_runs", "2020"): 90, ("inferred_runs", "2020"): 90, ("disclosed_runs", "2020"): 4}
    assert sums.compared_years(runs) == [2017, 2018, 2019]


def test_a_sum_that_may_not_grow_has_no_longest_doubling_time() -> None:
    names = (*sums.GROWING, *sums.SOLIDITIES)
    level = {"2020": 1.0, "2021": 3.0, "2022": 1.5}
    drawn = {
        (name, year): {quantity: np.full((4, 10), value) for quantity in sums.QUANTITIES}
        for name in names
        for year, value in level.items()
    }
    found = sums.trends(drawn, dict.fromkeys(drawn, 5))
    row = found.filter(measure="doubling_time", run_set="all_runs", quantity="energy_mwh").row(0, named=True)
    assert row["p50"] == pytest.approx(math.log(2) / (math.log(1.5) / 2), rel=1e-3)
    assert row["p95"] is None
    shares = found.filter(measure="share", quantity="energy_mwh")
    assert shares["p50"].to_list() == [1.0] * 12  # of four solidities, each of which is all runs here


@pytest.fixture(scope="module")
def tables(build: Build) -> dict[str, pl.DataFrame]:
    return {
        name: pl.read_parquet(build.release / "parquet" / f"{name}.parquet")
        for name in ("emission_draws", "emissions", "totals", "trends")
    }


def test_nothing_is_drawn_again_where_no_factor_changed(build: Build, tmp_path: Path) -> None:
    shutil.copy(build.directory / "build.duckdb", tmp_path / "build.duckdb")
    with duckdb.connect(str(tmp_path / "build.duckdb")) as connection:
        connection.execute("set variable made_from = '{}'")

        def kept_after(changed: str) -> set[bool]:
            connection.execute("begin")
            connection.execute(f"update state.tables set version = 'changed' where name in ({changed})")
            kept = {
                warehouse.unchanged(connection, name, models.above(name)) is not None for name in models.SUMS
            }
            connection.execute("rollback")
            return kept

        assert kept_after("'out.accuracy_runs', 'out.locations', 'core.method'") == {True}
        for table in models.SUMMED:
            assert kept_after(f"'{table}'") == {False}, table


def test_no_run_is_drawn_above_its_bound_in_more_than_5_percent(build: Build) -> None:
    """Sums use these draws: the p95 of each run is below the most energy that it can have used."""
    with duckdb.connect(str(build.directory / "build.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select draws.run_id, "
            "quantile_cont(draws.energy_mwh, 0.95) / any_value(bounds.bound_mwh) as share "
            "from out.emission_draws as draws "
            "inner join core.capacity_bounds as bounds using (run_id) "
            "group by draws.run_id order by share desc"
        ).fetchall()
    assert len(rows) > 1000
    assert 0.5 < rows[0][1] < 1, rows[0]  # the bound reaches the largest


def test_what_dagster_plots_is_a_sum_of_means(build: Build) -> None:
    with duckdb.connect(str(build.directory / "build.duckdb"), read_only=True) as connection:
        ((_, runs, energy, gross),) = connection.execute(models.RESULTS["out.emissions"]).fetchall()
    found = totals.total_where(
        ["chip_hours_basis in ('disclosed', 'chips_x_hours')"], build.directory / "emissions.duckdb"
    )
    assert runs == found.runs
    assert (energy, gross) == pytest.approx(
        (found.sums["energy_mwh"].mean, found.sums["co2e_gross_t"].mean), abs=0.51
    )


def test_sums_are_equal_on_every_number_of_threads(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "DRAWS", 127)
    with duckdb.connect(str(build.directory / "build.duckdb"), read_only=True) as connection:
        one, *more = [sums.frames(connection, threads) for threads in (1, 2, 3)]
    for other in more:
        for name in models.SUMS:
            assert one[name].sort(by=pl.all()).equals(other[name].sort(by=pl.all()), null_equal=True)


def test_draws_of_the_build_are_those_of_ote_total(build: Build) -> None:
    """Run by run: the query is another implementation of the same draws."""
    with duckdb.connect(str(build.directory / "build.duckdb"), read_only=True) as published:
        connection = sums.copied(published, 1)
    totals.choose(connection)
    totals.prepare(connection, 127)
    found = [*sums.drawn_runs(connection, 127, totals.SEEDS[1])]
    rows = connection.sql(f"select * from ({sql_files.text('totals.draws')}) order by run_id, draw").pl()
    assert rows.height == 127 * len(found)
    for name, drawn in zip(sums.QUANTITIES, zip(*found, strict=True), strict=True):
        assert np.concatenate(drawn) == pytest.approx(rows[name].to_numpy(), rel=1e-11)


def test_ote_total_is_equal_on_every_number_of_threads(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setitem(isolated.ALONE, "threads", threads)
        found.append(totals.total_where(["organisation = 'xAI'"], build.directory / "emissions.duckdb"))
    assert found[0] == found[1] == found[2]


def test_groups_of_years_and_solidities_have_every_run_once(tables: dict[str, pl.DataFrame]) -> None:
    groups = tables["totals"]
    every = groups.filter(group_kind="all").row(0, named=True)
    assert groups.filter(group_kind="solidity")["run_count"].sum() == every["run_count"]
    assert groups.filter(group_kind="run_year")["run_count"].sum() == every["run_count"]
    left_out = [column for column in groups.columns if column.startswith("left_out")]
    rows = every["run_count"] + sum(every[column] for column in left_out)
    assert rows == tables["emissions"].height
    whole = tables["emissions"].filter(pl.col("covers") == "one_run", pl.col("energy_shared_with").is_null())
    assert every["run_count"] == whole.height
    assert every["energy_mwh_mean"] == pytest.approx(whole["energy_mwh_mean"].sum(), rel=1e-3)


def test_the_table_is_what_ote_total_says_of_the_same_runs(
    build: Build, tables: dict[str, pl.DataFrame]
) -> None:
    """Within 2 %: `ote total` takes fewer draws, and the tails of runs with published hours are short."""
    found = totals.total_where(["solidity = 'disclosed'"], build.directory / "emissions.duckdb")
    row = tables["totals"].filter(group_kind="solidity", group_value="disclosed").row(0, named=True)
    assert row["run_count"] == found.runs
    for name, each in found.sums.items():
        ends = [row[f"{name}_{end}"] for end in ("p05", "p50", "p95")]
        assert ends == pytest.approx([each.p05, each.p50, each.p95], rel=0.02)
        assert row[f"{name}_mean"] == pytest.approx(each.mean, rel=1e-3)


def test_sums_of_ones_own_are_as_close_as_the_draws_say(tables: dict[str, pl.DataFrame]) -> None:
    """About 5 % for p05 and p95 and 2 % for p50, over the years since 2017; at most half more here."""
    dated = tables["emissions"].select("run_id", pl.col("published_date").dt.year().alias("year"))
    draws = tables["emission_draws"].join(dated, on="run_id")
    drawn = draws.group_by("year", "draw").agg(pl.sum("energy_mwh"))
    for end, fraction, within in (("p05", 0.05, 0.075), ("p50", 0.5, 0.03), ("p95", 0.95, 0.075)):
        errors = []
        for year in range(2017, 2026):
            row = tables["totals"].filter(group_kind="published_year", group_value=str(year))
            found = drawn.filter(year=year)["energy_mwh"].quantile(fraction, "linear")
            errors.append(found / row[f"energy_mwh_{end}"].item() - 1)
        assert math.sqrt(np.mean(np.square(errors))) < within, end


def test_draws_are_one_small_parquet_file(build: Build, tables: dict[str, pl.DataFrame]) -> None:
    assert (build.release / "parquet" / "emission_draws.parquet").stat().st_size < 4e6
    assert not [*build.release.glob("csv/emission_draws*")]
    assert build.query("select count(*) from duckdb_tables() where table_name = 'emission_draws'") == [(0,)]
    draws = tables["emission_draws"].group_by("run_id").len()
    assert set(draws["len"]) == {509}
    assert draws.height == tables["totals"].filter(group_kind="all")["run_count"].item()
