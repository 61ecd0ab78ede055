"""The checks catch what they exist to catch, and so do they catch slips in the queries themselves."""

import math
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from ote import catalog, models, quality, sql_files
from ote.quality import checks, plain_sql, promises, report
from ote.warehouse import Warehouse, connect, replace_table
from tests.conftest import Build, fill

RELATIONS = {
    f"{name}:{relation.name}": relation for name in catalog.tables() for relation in promises.relations(name)
}

# For each relation, a change of a sound build that breaks it.
BROKEN = {
    "core.model_ids:two_present_models_share_no_id": (
        "insert into core.model_ids (upstream_name, run_id, identity_rule) "
        "values ('T5', 't5-11b', 'new'), ('T5 11B', 't5-11b', 'new')"
    ),
    "out.datacenter_pue:nothing_that_may_only_be_read": (
        "update out.datacenter_pue set source_url = "
        "'https://github.com/Green-Software-Foundation/real-time-cloud/x'"
    ),
    "out.emission_factors:nothing_that_may_only_be_read": (
        "update out.emission_factors set source_url = "
        "'https://github.com/Green-Software-Foundation/real-time-cloud/x'"
    ),
    "out.models_without_estimate:every_upstream_model_is_in_one_place": (
        "insert into core.model_ids (upstream_name, run_id, identity_rule) "
        "values ('a model that nothing else knows', 'lost', 'new')"
    ),
    "raw.mfu:every_observation_names_a_run": "update raw.mfu set run_id = 'ul2' where run_id = 'ul2-20b'",
    "raw.system_power:pue_counts_once": (
        "update raw.system_power set includes_pue = true where observation = 'independent'"
    ),
    "raw.system_power:a_run_s_own_draw_names_it": (
        "update raw.system_power set run_id = null where run_id = 'glam'"
    ),
    "core.hardware_aliases:one_spelling_names_one_accelerator": (
        "update core.hardware_aliases set hardware_count = 2 where alias = 'A100'"
    ),
    "core.training_runs:every_named_accelerator_resolves": (
        "update core.training_runs set hardware_id = null where run_id = 't5-11b'"
    ),
    "core.training_runs:every_run_stays_one_row": (
        "insert into core.training_runs from core.training_runs where run_id = 't5-11b'"
    ),
    "out.agreement:annual_matching_is_not_compared": "update out.agreement set basis = 'net_annual'",
    "out.agreement:every_figure_outside_has_a_cause": (
        "update out.agreement set cause = null where run_id = 'opt-175b'"
    ),
    "out.agreement:chance_is_no_more_frequent_than_the_intervals_allow": (
        "update out.agreement set cause = 'chance'"
    ),
    "out.emission_factors:another_year_is_flagged": (
        "update out.emission_factors set factor_year = factor_year + 3, is_other_year = false"
    ),
    "out.emission_factors:hours_of_a_third_party_are_not_disclosed": (
        "update core.training_runs set hours_confidence = 'likely' where run_id = 't5-11b'"
    ),
    "out.emission_factors:uncertain_flop_widen_the_hours": (
        "update core.training_runs set flop_confidence = 'likely' where run_id = 'code-llama-70b'"
    ),
    "out.emission_factors:only_grid_factors_have_an_intensity_basis": (
        "update out.emission_factors set intensity_basis = 'direct' where factor = 'pue'"
    ),
    "out.emissions:draw_is_within_the_rating": (
        "update out.emissions set watts_per_chip = 923 where run_id = 't5-11b'"  # what a tracker published
    ),
    "out.emissions:energy_is_the_product_of_its_factors": (
        "update out.emissions set energy_mwh = energy_mwh * 1000 where run_id = 't5-11b'"
    ),
    "out.emissions:every_computable_run_is_there": "delete from out.emissions where run_id = 't5-11b'",
    "out.emissions:every_computed_run_has_its_factors": (
        "delete from out.emission_factors where run_id = 't5-11b' and factor = 'pue'"
    ),
    "out.emissions:flop_fit_into_the_chip_hours": (
        "update out.emissions set chip_hours = chip_hours / chips where run_id = 't5-11b'"
    ),
    "out.emissions:intervals_enclose_their_values": (
        "update out.emissions set energy_mwh_p05 = energy_mwh_p95, energy_mwh_p95 = energy_mwh_p05"
    ),
    "out.emissions:net_never_exceeds_gross": (
        "update out.emissions set gross_kg_per_kwh = net_kg_per_kwh, net_kg_per_kwh = gross_kg_per_kwh"
    ),
    "out.emissions:rated_power_is_never_taken_for_a_measurement": (
        "update out.emissions set watts_basis = 'disclosed_measured' where run_id = 'llama-2-7b'"
    ),
    "out.emissions:reported_energy_replaces_nothing": (
        "update out.emissions set energy_mwh = reported_energy_mwh, energy_basis = 'reported' "
        "where run_id = 't5-11b'"
    ),
    "out.grid_intensity:direct_emissions_stay_below_lignite": (
        "update out.grid_intensity set carbon_intensity_g_per_kwh = 1350 where intensity_basis = 'direct'"
    ),
    "out.grid_intensity:no_grid_is_cleaner_than_hydropower": (
        "update out.grid_intensity set carbon_intensity_g_per_kwh = 3 where intensity_basis = 'lifecycle'"
    ),
    "out.error_loads:loads_add_up_to_the_gsd": "update out.error_loads set ln_gsd = ln_gsd * 1.01",
    "out.error_loads:draws_have_room_for_every_error": (
        "insert into out.error_loads select run_id, factor, 'x' || unnest(range(3)), error_source, ln_gsd "
        "from out.error_loads where run_id = 'gpt-3-175b' and factor = 'pue'"
    ),
    "out.error_shares:shares_of_a_basis_add_up_to_1": (
        "update out.error_shares set share_fraction = 0.9 where error_source = 'own'"
    ),
    "out.error_shares:evidence_does_not_contradict_a_share": (
        "update out.error_shares set share_fraction = 0 "
        "where basis = 'country_year' and error_source = 'organisation'"
    ),
    "out.emissions:no_run_outdraws_the_largest_site": (
        "update out.emissions set energy_mwh_p95 = 1e7 where run_id = 'gpt-3-175b'"
    ),
    "out.hardware:narrower_formats_are_not_slower": (
        "update out.hardware set peak_fp8_tflops = peak_fp16_tflops / 2"
    ),
    "out.mlperf_energy:energy_is_power_times_time": (
        "update out.mlperf_energy set energy_kwh = energy_kwh * 3.6"
    ),
    "out.models_without_estimate:no_model_is_both": (
        "update out.models_without_estimate set run_id = 't5-11b' where run_id like 'olmo-20m%'"
    ),
    "out.paper_claims:every_claim_has_a_number": (
        "update out.paper_claims set computed_low = null where claim_id = 'carbon-by-location'"
    ),
    "out.paper_claims:every_later_value_has_its_cases": (
        "update out.paper_claims set later_groups_count = 9 where claim_id = 'carbon-by-location'"
    ),
    "out.paper_reproduction:every_difference_has_a_reason": (
        "update out.paper_reproduction set difference_reason = null where run_id = 'covid-research-explorer'"
    ),
    "out.paper_reproduction:all_its_systems_are_there": (
        "delete from out.paper_reproduction where run_id = 'meena'"
    ),
    "out.paper_reproduction:the_2021_paper_is_reproduced": (
        "update out.paper_reproduction set relative_difference = 0.011 where quantity = 'energy_mwh'"
    ),
    "out.locations:net_never_exceeds_gross": (
        "update out.locations set net_kg_per_kwh = gross_kg_per_kwh + 0.1"
    ),
    "out.run_relations:the_other_run_is_there": (
        "update out.run_relations set run_id = 't5-11b' where relation = 'merged'"
    ),
    "out.training_runs:all_curated_runs_are_there": "delete from out.training_runs where run_id = 't5-11b'",
    "out.what_if:a_better_place_changes_no_chip_hours": (
        "update out.what_if set energy_mwh = energy_mwh * 3 where region <> 'actual'"
    ),
}


@pytest.fixture(scope="module")
def working(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working database of a sound build, for these tests alone."""
    return Path(shutil.copy(build.directory / "build.duckdb", tmp_path_factory.mktemp("checks")))


@pytest.fixture
def sound(working: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database of a sound build; every change in it is undone."""
    with duckdb.connect(str(working)) as connection:
        connection.execute("begin")
        yield connection
        connection.execute("rollback")


def test_every_check_has_a_change_that_breaks_it() -> None:
    assert set(BROKEN) == set(RELATIONS)


@pytest.mark.parametrize("name", BROKEN)
def test_each_check_holds_and_can_fail(sound: duckdb.DuckDBPyConnection, name: str) -> None:
    query = RELATIONS[name].query
    assert sound.execute(query).fetchall() == []
    sound.execute(BROKEN[name])
    assert sound.execute(query).fetchall() != []


GOOD = {
    "scheme": "country",
    "location": "Aland",
    "region": "AA",
    "year": 2020,
    "cfe_fraction": 0.4,
    "carbon_intensity_g_per_kwh": 400.0,
    "intensity_basis": "lifecycle",
    "gas": "co2e",
    "source_title": "t",
    "source_url": "https://example.org",
    "source_locator": "l",
    "verified": "primary",
}
SMALL = {
    "percent for a fraction": ([GOOD | {"cfe_fraction": 40.0}], "column_values_to_be_between", "40.0"),
    "a missing basis": ([GOOD | {"intensity_basis": None}], "unexpected_rows", "null"),
    "a value that is no choice": ([GOOD | {"gas": "CO2"}], "column_values_to_be_in_set", "CO2"),
    "a duplicate key": ([GOOD, GOOD], "compound_columns_to_be_unique", ""),
    "no rows": ([], "table_row_count_to_be_between", ""),
}


def opened(connection: duckdb.DuckDBPyConnection) -> Warehouse:
    """The warehouse resource over a database that is open already."""
    resource = Warehouse(directory="", reference="", baseline="")
    resource._connection = connection
    return resource


def outcome(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, object]]) -> list[promises.Result]:
    """Check raw.grid_intensity with these rows."""
    fill(connection, "raw.grid_intensity", rows)
    replace_table(connection, "raw.grid_intensity", "from raw.grid_intensity")
    return checks.validate(opened(connection), catalog.tables()["raw.grid_intensity"])


def test_a_good_table_passes_and_says_what_was_seen() -> None:
    with connect() as connection:
        results = outcome(connection, [GOOD])
        assert all(result.success for result in results)
        seen = {result.column_name: result.observed for result in results}
        assert seen["carbon_intensity_g_per_kwh"] == "400.0 to 400.0, 0 of 1 null"
        assert "Nothing failed" in report.render(connection)


@pytest.mark.parametrize(("rows", "expectation", "example"), SMALL.values(), ids=SMALL)
def test_a_broken_table_is_named_with_its_rows(
    rows: list[dict[str, object]], expectation: str, example: str
) -> None:
    with connect() as connection:
        failed = [result for result in outcome(connection, rows) if not result.success]
        assert any(expectation in result.expectation for result in failed)
        assert any(example in result.examples for result in failed)
        page = report.render(connection)
        assert f"{len(failed)} failed" in page


@pytest.mark.parametrize(
    ("name", "begins", "ends"),
    [
        ("percent for a fraction", "cfe_fraction, expected 0 to 1: A share. ", "cfe_fraction = 40.0"),
        ("a value that is no choice", "gas, expected one of co2, co2e: ", "gas = CO2"),
        ("a missing basis", "Every row needs ", "intensity_basis = None"),
        ("no rows", "An empty table is a lost source, not a fact.", "Seen: 0"),
    ],
)
def test_a_failed_expectation_is_reported_in_one_sentence(name: str, begins: str, ends: str) -> None:
    with connect() as connection:
        failed = [result for result in outcome(connection, SMALL[name][0]) if not result.success]
    table = catalog.tables()["raw.grid_intensity"]
    assert any(
        stated.startswith(begins) and ends in stated for stated in (checks.sentence(table, r) for r in failed)
    ), [checks.sentence(table, result) for result in failed]


def test_a_passed_check_is_not_run_again_and_a_changed_table_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with connect() as connection:
        first = outcome(connection, [GOOD])
        monkeypatch.setattr(checks, "_run", lambda *_: pytest.fail("was run again"))
        assert outcome(connection, [GOOD]) == first
        monkeypatch.undo()
        assert not all(r.success for r in outcome(connection, [GOOD | {"cfe_fraction": 40.0}]))


@dataclass(frozen=True)
class Broken:
    """A change of a sound build, what must see it, and what it must show of the first row."""

    table: str
    change: str
    expectation: str
    column: str | None
    row: dict[str, object]
    check: str = promises.CATALOG_CHECK


PUE_SITE: dict[str, object] = {
    "provider": "Amazon Web Services",
    "region": "site:Americas average",
    "period": "2023",
}
FIRST_PUE = "where provider = 'Amazon Web Services' and region = 'site:Americas average' and period = '2023'"
BROKEN_ROWS = {
    "columns in another order": Broken(
        "core.pue_years",
        "create or replace table core.pue_years as select * exclude (pue), pue from core.pue_years",
        "expect_table_columns_to_match_ordered_list",
        None,
        {"promised": "pue", "column_name": "source_title"},
    ),
    "another type": Broken(
        "support.hardware_lifetimes",
        "alter table support.hardware_lifetimes alter applies_to type blob",
        promises.ROWS,
        None,
        {"column_name": "applies_to", "column_type": "BLOB"},
    ),
    "another type in a table without rows": Broken(
        "support.hourly_comparison",
        "create or replace table support.hourly_comparison as "
        "select * replace (encode(explanation) as explanation) from support.hourly_comparison limit 0",
        promises.ROWS,
        None,
        {"column_name": "explanation", "column_type": "BLOB"},
    ),
    "no rows": Broken(
        "core.pue_years",
        "delete from core.pue_years",
        "expect_table_row_count_to_be_between",
        None,
        {"row_count": 0},
    ),
    "a repeated key": Broken(
        "out.hardware",
        "insert into out.hardware from out.hardware where hardware_id = 'nvidia-t4'",
        "expect_column_values_to_be_unique",
        "hardware_id",
        {"hardware_id": "nvidia-t4", "times": 2},
    ),
    "a repeated compound key": Broken(
        "core.pue_years",
        f"insert into core.pue_years from core.pue_years {FIRST_PUE}",
        "expect_compound_columns_to_be_unique",
        None,
        PUE_SITE | {"times": 2},
    ),
    "a required cell that is null": Broken(
        "core.pue_years",
        f"update core.pue_years set source_title = null {FIRST_PUE}",
        promises.ROWS,
        None,
        PUE_SITE | {"source_title": None},
    ),
    "below the range": Broken(
        "core.pue_years",
        f"update core.pue_years set pue = 0.9 {FIRST_PUE}",
        "expect_column_values_to_be_between",
        "pue",
        PUE_SITE | {"pue": 0.9},
    ),
    "above the range": Broken(
        "out.hardware",
        "update out.hardware set tdp_w = 1e6 where hardware_id = 'nvidia-t4'",
        "expect_column_values_to_be_between",
        "tdp_w",
        {"hardware_id": "nvidia-t4", "tdp_w": 1e6},
    ),
    "no number": Broken(
        "core.pue_years",
        f"update core.pue_years set pue = 'nan' {FIRST_PUE}",
        "expect_column_values_to_be_between",
        "pue",
        PUE_SITE,
    ),
    "infinite where there is no greatest value": Broken(
        "out.hardware",
        "update out.hardware set memory_bandwidth_gb_per_s = 'inf' where hardware_id = 'nvidia-t4'",
        "expect_column_values_to_be_between",
        "memory_bandwidth_gb_per_s",
        {"memory_bandwidth_gb_per_s": math.inf},
    ),
    "a value that is not in the set": Broken(
        "out.emissions",
        "update out.emissions set pue_basis = 'guess' where run_id = 't5-11b'",
        "expect_column_values_to_be_in_set",
        "pue_basis",
        {"run_id": "t5-11b", "pue_basis": "guess"},
    ),
    "a reference to nothing": Broken(
        "out.emissions",
        "update out.emissions set source_id = 'no-such' where run_id = 't5-11b'",
        promises.ROWS,
        None,
        {"run_id": "t5-11b", "source_id": "no-such"},
    ),
    "a relation of a published table": Broken(
        "out.emissions",
        "update out.emissions set net_kg_per_kwh = 2 * gross_kg_per_kwh, co2e_net_t = 2 * co2e_gross_t "
        "where run_id = 't5-11b'",
        promises.ROWS,
        None,
        {"run_id": "t5-11b"},
        "net_never_exceeds_gross",
    ),
    "a relation of a raw table": Broken(
        "raw.mfu",
        "update raw.mfu set run_id = 'ul2' where run_id = 'ul2-20b'",
        promises.ROWS,
        None,
        {"run_id": "ul2"},
        "every_observation_names_a_run",
    ),
}


@pytest.mark.parametrize("broken", BROKEN_ROWS.values(), ids=BROKEN_ROWS)
def test_plain_sql_and_great_expectations_see_the_same(working: Path, tmp_path: Path, broken: Broken) -> None:
    table = catalog.tables()[broken.table]
    shutil.copy(working, tmp_path / "build.duckdb")
    with connect(tmp_path / "build.duckdb") as connection:
        assert {count for _, count in plain_sql.counts(connection, table)} == {0}
        connection.execute(broken.change)
        connection.execute("delete from state.validations")  # which knew the table before
        plain = [promise for promise, count in plain_sql.counts(connection, table) if count]
        rows = [plain_sql.failing_rows(connection, table, promise) for promise in plain]
        failed = [r for r in checks.validate(opened(connection), table) if not r.success]
    assert [(p.expectation, p.column, p.check, p.why) for p in plain] == [
        (r.expectation, r.column_name, r.check_name, r.why) for r in failed
    ]
    seen = [(p.expectation, p.column, p.check) for p in plain]
    first = rows[seen.index((broken.expectation, broken.column, broken.check))][0]
    assert first | broken.row == first


def test_a_table_without_a_promised_column_fails(database: duckdb.DuckDBPyConnection) -> None:
    fill(database, "raw.grid_intensity", [GOOD])
    database.execute("alter table raw.grid_intensity drop region")
    table = catalog.tables()["raw.grid_intensity"]
    assert [promise.arguments for promise, count in plain_sql.counts(database, table) if count] == [
        {"column_list": [column.name for column in table.columns]}
    ]
    failed = [r for r in checks.validate(opened(database), table) if not r.success]
    assert failed[0].expectation == "expect_table_columns_to_match_ordered_list"


def test_only_the_tables_of_this_database_count(database: duckdb.DuckDBPyConnection) -> None:
    fill(database, "raw.grid_intensity", [GOOD])
    database.execute("attach ':memory:' as before; create schema before.raw")
    database.execute("create table before.raw.grid_intensity (other integer)")
    counted = plain_sql.counts(database, catalog.tables()["raw.grid_intensity"])
    assert {count for _, count in counted} == {0}


def test_a_table_that_is_not_there_is_an_error(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.CatalogException, match="grid_intensity"):
        plain_sql.counts(database, catalog.tables()["raw.grid_intensity"])


@pytest.fixture
def without_great_expectations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing it fails: it takes seconds."""
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    monkeypatch.delitem(sys.modules, "ote.quality.gx_checks")
    monkeypatch.delattr(quality, "gx_checks")


@pytest.mark.usefixtures("without_great_expectations")
def test_a_sound_table_of_the_build_needs_no_great_expectations(database: duckdb.DuckDBPyConnection) -> None:
    assert all(result.success for result in outcome(database, [GOOD]))


@pytest.mark.usefixtures("without_great_expectations")
def test_a_published_table_needs_it_only_when_it_changed(working: Path, tmp_path: Path) -> None:
    shutil.copy(working, tmp_path / "build.duckdb")
    table = catalog.tables()["out.hardware"]
    with connect(tmp_path / "build.duckdb") as connection:
        results = checks.validate(opened(connection), table)
        assert results
        assert all(result.success for result in results)
        query = "select * replace (name || '!' as name) from out.hardware"
        replace_table(connection, "out.hardware", query)
        with pytest.raises(ImportError, match="great_expectations"):
            checks.validate(opened(connection), table)


MUTANTS = {
    "energy in kWh": ("out.emissions", "/ 1e6", "/ 1e3"),
    "PUE twice": ("out.emissions", "factors.pue / 1e6", "factors.pue * factors.pue / 1e6"),
    "PUE left out": ("out.emissions", "* factors.pue / 1e6", "/ 1e6"),
    "gross taken for net and the reverse": (
        "out.emissions",
        "filter (where factor = 'gross_kg_per_kwh') as gross_kg_per_kwh",
        "filter (where factor = 'net_kg_per_kwh') as gross_kg_per_kwh",
    ),
    "rated power for a measured one": (
        "core.watts_candidates",
        "where power_basis = 'measured_system'",
        "where power_basis in ('measured_system', 'stated_tdp')",
    ),
    "grams for kilograms": (
        "core.gross_candidates",
        "grids.carbon_intensity_g_per_kwh / 1000 as value",
        "grids.carbon_intensity_g_per_kwh as value",
    ),
    "chip-hours times chips": (
        "core.chip_hours_candidates",
        "chips * training_hours as value",
        "chips * chips * training_hours as value",
    ),
    "a third party's hours for the developer's": (
        "core.chip_hours_candidates",
        "where chip_hours is not null and hours_confidence is null",
        "where chip_hours is not null",
    ),
    "net above gross": (
        "out.locations",
        "grids.gross_kg_per_kwh * supplies.value as",
        "grids.gross_kg_per_kwh / supplies.value as",
    ),
    "the interval upside down": ("out.emissions", "exp(-formula.energy_ln_below)", "exp(1.645)"),
    "a lost join": (
        "core.training_runs",
        "left join named",
        "inner join named",
    ),
}


@pytest.mark.parametrize(("table", "old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_a_slip_in_a_query_fails_a_check(
    sound: duckdb.DuckDBPyConnection, table: str, old: str, new: str
) -> None:
    sql_files.run(sound, "macros")
    queries = dict(models.queries())
    assert old in queries[table]
    queries[table] = queries[table].replace(old, new)
    below = _below(table, queries)
    for name in below:
        sound.execute(f"create or replace table {name} as {queries[name]}")
    broken = [
        name
        for name, relation in RELATIONS.items()
        if {name.split(":")[0], *relation.reads} & set(below) and sound.execute(relation.query).fetchall()
    ]
    assert broken or _out_of_range(sound, below)


def _below(table: str, queries: dict[str, str]) -> list[str]:
    """A table and all that follow from it, in the order in which they are built."""
    below = [table]
    for name in _in_order(queries):
        if models.upstream_tables(queries[name]) & set(below) and name != table:
            below.append(name)
    return below


def _in_order(queries: dict[str, str]) -> list[str]:
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for upstream in sorted(models.upstream_tables(queries[name])):
            if upstream in queries:
                visit(upstream)
        order.append(name)

    for name in queries:
        visit(name)
    return order


def _out_of_range(connection: duckdb.DuckDBPyConnection, names: list[str]) -> list[str]:
    """Columns of these tables whose values leave the range of the catalog."""
    return [
        f"{table.name}.{column.name}"
        for table in map(catalog.tables().__getitem__, names)
        for column in table.columns
        if column.max is not None
        and connection.execute(
            f'select count(*) from {table.name} where "{column.name}" > {column.max}'
        ).fetchall()
        != [(0,)]
    ]
