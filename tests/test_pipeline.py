"""The whole pipeline as Dagster runs it: what it publishes, and what it refuses to."""

import csv
import math
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ote import catalog, models
from ote.definitions import defs
from ote.ingestion import baseline, curated
from ote.quality import checks
from ote.quality.promises import Result
from ote.warehouse import Warehouse, connect, replace_table
from tests.conftest import ADDED, Build, Edited, execute, published, replaced

# Patterson et al. 2021, Table 4 as printed: MWh, gross t, net t.
TABLE_4 = {
    "evolved-transformer-nas": (7.5, 3.2, 3.2),
    "t5-11b": (85.7, 46.7, 46.7),
    "meena": (232, 96.4, 96.4),
    "gshard-600b": (24.1, 4.8, 4.3),
    "switch-transformer": (179, 72.2, 59.1),
    "gpt-3-175b": (1287, 552.1, 552.1),
}
# Table 1 as printed: kWh, gross t, net t; two of its results have one or two digits.
TABLE_1 = {
    "transformer-big-p100": (316, 0.1357, 0.1357),
    "transformer-big-p100-iowa": (221, 0.1055, 0.0177),
    "evolved-transformer-medium-p100": (185, 0.0883, 0.0148),
    "transformer-big-tpuv2": (40, 0.0189, 0.0032),
    "evolved-transformer-medium-tpuv2": (30, 0.0143, 0.0024),
}


def results(build: Build, run_id: str) -> tuple[float, float, float]:
    """MWh, gross t and net t of a run."""
    ((mwh, gross, net),) = build.query(
        f"select energy_mwh, co2e_gross_t, co2e_net_t from emissions where run_id = '{run_id}'"
    )
    return mwh, gross, net


@pytest.mark.parametrize("run_id", TABLE_4)
def test_table_4_of_the_2021_paper(build: Build, run_id: str) -> None:
    energy, gross, net = TABLE_4[run_id]
    assert results(build, run_id)[0] == pytest.approx(energy, rel=0.01)
    assert results(build, run_id)[1] == pytest.approx(gross, rel=0.02)
    assert results(build, run_id)[2] == pytest.approx(net, rel=0.02)


@pytest.mark.parametrize("run_id", TABLE_1)
def test_table_1_of_the_2021_paper(build: Build, run_id: str) -> None:
    kwh, gross, net = TABLE_1[run_id]
    assert results(build, run_id)[0] * 1000 == pytest.approx(kwh, rel=0.015)
    assert results(build, run_id)[1] == pytest.approx(gross, rel=0.02)
    assert results(build, run_id)[2] == pytest.approx(net, rel=0.02)


def test_the_reproduction_table_shows_rounding_for_all_eleven_systems(build: Build) -> None:
    rows = build.query(
        "select run_id, is_within_rounding from paper_reproduction "
        "where quantity is not null and paper_table in ('Table 1', 'Table 4')"
    )
    assert {run_id for run_id, _ in rows} == set(TABLE_4) | set(TABLE_1)
    assert all(within for _, within in rows)


def test_every_check_ran_on_every_table_and_passed(build: Build) -> None:
    evaluations = build.stated("ASSET_CHECK_EVALUATION")
    assert {".".join(e.asset_key.path) for e in evaluations} == set(catalog.tables())
    assert [(e.asset_key.path[-1], e.check_name) for e in evaluations if not e.passed] == []
    assert all(spec.blocking for checks in defs.asset_checks or [] for spec in checks.check_specs)


def test_every_run_has_an_estimate_or_a_reason(build: Build) -> None:
    ((runs,),) = build.query("select count(*) from training_runs")
    ((estimated,),) = build.query("select count(*) from emissions where energy_mwh > 0")
    assert (runs, estimated) >= (3336, 1485)
    without = "select reason from models_without_estimate inner join training_runs using (run_id)"
    assert len(build.query(without)) == runs - estimated
    assert build.query("select count(*) from models_without_estimate where reason = ''") == [(0,)]


def test_what_only_reported_its_energy_says_so(build: Build) -> None:
    # The three DenseNets of Dodge et al. left this list when their printed hours were entered.
    rows = build.query("select run_id, chip_hours from emissions where energy_basis = 'reported'")
    assert {run_id for run_id, _ in rows} >= {
        *("olmo-1b-3t", "olmo-2-7b", "olmo-2-13b", "olmo-7b-a100", "olmo-7b-mi250x"),
        *("openclip-vit-g", "openclip-vit-l", "jurassic-2-jumbo"),
    }
    assert all(chip_hours is None for _, chip_hours in rows)


def test_every_factor_and_run_leads_to_a_source(build: Build) -> None:
    lost = build.query(
        "select count(*) from (select source_id from emission_factors union all "
        "select source_id from emissions union all select source_id from models_without_estimate) "
        "where source_id not in (select source_id from sources)"
    )
    assert lost == [(0,)]


def test_a_run_s_energy_can_be_walked_back_to_its_factors(build: Build) -> None:
    factors: dict[str, dict[str, float]] = {}
    for run_id, factor, value in build.query(
        "select run_id, factor, value from emission_factors "
        "where factor in ('chip_hours', 'watts_per_chip', 'pue')"
    ):
        factors.setdefault(run_id, {})[factor] = value
    for run_id, energy in build.query(
        "select run_id, energy_mwh from emissions where energy_basis = 'computed'"
    ):
        assert energy == pytest.approx(math.prod(factors[run_id].values()) / 1e6)  # Wh to MWh


def test_rated_power_of_a_model_card_is_not_the_power(build: Build) -> None:
    """Llama 3.1's card states 700 W, the rating; MLPerf systems with that chip draw more."""
    ((watts, basis),) = build.query(
        "select watts_per_chip, watts_basis from emissions where run_id = 'llama-3.1-405b'"
    )
    assert basis == "measured_same_chip_elsewhere"
    assert 850 < watts < 1050  # the least of its one-node means; the highest instant of any


def test_direct_and_lifecycle_are_named_wherever_there_are_tonnes(build: Build) -> None:
    unnamed = build.query(
        "select count(*) from emissions where co2e_gross_t is not null and intensity_basis is null"
    )
    assert unnamed == [(0,)]


def test_every_table_and_column_of_the_database_is_commented(build: Build) -> None:
    tables = dict(
        build.query(
            "select schema_name || '.' || table_name, comment from duckdb_tables() where not internal "
            "union all select schema_name || '.' || view_name, comment from duckdb_views() where not internal"
        )
    )
    old = {f"main.{name}" for name in catalog.old_tables()}
    assert set(tables) == {table.published_as for table in catalog.published_tables()} | old | {
        "main.release"
    }
    assert all(tables.values())
    columns = build.query(
        "select column_name, comment from duckdb_columns() where not internal "
        "and (table_oid in (select table_oid from duckdb_tables()) or table_name = 'what_if')"
    )
    assert all(comment for _, comment in columns)
    (energy,) = {comment for name, comment in columns if name == "energy_mwh"}
    assert energy.startswith("Electricity that the data center used for the run.")
    assert energy.endswith("Unit: megawatt_hour.")


def test_assets_carry_what_the_interface_shows(build: Build) -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    groups = {"upstream", "reference", "core", "support", "out", "release", "site"}
    assert {spec.group_name for spec in specs.values()} == groups
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.metadata, name
    schema = specs["out/emissions"].metadata["dagster/column_schema"]
    energy = next(column for column in schema.columns if column.name == "energy_mwh")
    assert energy.description.endswith("Unit: megawatt_hour.")
    made = [stated.materialization for stated in build.stated("ASSET_MATERIALIZATION")]
    (event,) = [event for event in made if event.asset_key == dg.AssetKey(["out", "emissions"])]
    assert event.metadata["dagster/row_count"].value == build.query("select count(*) from emissions")[0][0]
    assert "\n| run_id | " in str(event.metadata["preview"].value)
    assert event.metadata["runs with disclosed chip-hours"].value > 100
    lineage = event.metadata["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    assert lineage.deps_by_column["energy_mwh"]


def test_there_is_one_job_for_all_and_one_that_is_started_alone() -> None:
    """Nothing runs unasked, and nothing that builds may fetch."""
    assert not defs.schedules
    assert not defs.sensors
    selected = defs.resolve_job_def("build").asset_layer.selected_asset_keys
    assert len(selected) == len(catalog.tables()) + len(("dataset", "database", "site"))
    update = {node.name for node in defs.resolve_job_def("update").nodes}
    expected = {f"{step}_{name}" for name in catalog.sources() for step in ("fetch", "check")}
    assert update == expected | {"compare_results", "rewrite_baseline"}


def test_the_accepted_rows_are_external_and_say_where_they_are_from() -> None:
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    runnable = defs.resolve_job_def("build").asset_layer.executable_asset_keys
    for source in catalog.sources().values():
        spec = specs[dg.AssetKey(["upstream", source.name])]
        assert spec.key not in runnable
        assert spec.metadata["license"] == source.license
        assert spec.metadata["dagster/row_count"] > 0
        assert spec.metadata["retrieved"]


def test_a_single_asset_can_be_built_alone(copy: Path) -> None:
    result = execute(copy, ["out.hardware"])
    assert result.success
    assert [
        e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key
    ] == ["out/hardware"]


def test_a_run_added_as_a_row_is_estimated_by_what_it_discloses(edited: Edited) -> None:
    found = {
        run_id: rest
        for run_id, *rest in edited.query(
            "select run_id, chip_hours_basis, watts_basis, gross_basis, provider, energy_mwh > 0 "
            f"from emissions where run_id in {tuple(ADDED)}"
        )
    }
    assert found == {
        "full": ["chips_x_hours", "measured_ratio_elsewhere", "world_year", None, True],
        "dated-by-start": ["disclosed", "measured_same_chip_elsewhere", "world_year", None, True],
        "flop-only": ["flop_by_era", "hardware_mix", "developer_country_year", None, True],
        "flop-and-chip": ["flop_over_throughput", "measured_same_chip", "provider_locations", "Google", True],
    }
    reasons = edited.query("select reason from models_without_estimate where run_id = 'nothing'")
    assert reasons == [("no accelerator, chip-hours, FLOP or energy disclosed",)]


GOOD = ",1.12,0.545,0.545,"
BREAK = "update out.emissions set co2e_net_t = 2 * co2e_gross_t where run_id = 't5-11b'"


def test_release_and_database_refuse_when_launched_alone_after_a_failed_check(copy: Path) -> None:
    before = published(copy)
    with duckdb.connect(str(copy / "build.duckdb")) as connection:
        connection.execute(BREAK)
        connection.execute("update state.tables set version = 'broken' where name = 'out.emissions'")
        connection.execute(
            "update state.validations set version = 'broken', passed = false where name = 'out.emissions'"
        )
    for asset in ("release.dataset", "release.emissions_duckdb"):
        result = execute(copy, [asset])
        assert not result.success
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        assert "out.emissions" in str(failure.step_failure_data.error)
        assert "nothing is published" in str(failure.step_failure_data.error)
    assert published(copy) == before


def test_release_and_database_refuse_when_launched_alone_after_a_fact_was_refused(
    copy: Path, facts: Path
) -> None:
    before = published(copy)
    replaced(facts / "training_runs.csv", (GOOD, GOOD.replace(",1.12,", ",112,")))
    assert not execute(copy, ["raw.training_runs"], facts).success
    for asset in ("release.dataset", "release.emissions_duckdb"):
        (failure,) = [e for e in execute(copy, [asset], facts).all_events if e.is_step_failure]
        assert "raw.training_runs failed its checks" in str(failure.step_failure_data.error)
    assert published(copy) == before
    assert "112 lies outside" in (copy / "report.html").read_text()


def test_release_refuses_when_launched_alone_after_a_query_failed(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published(copy)
    query = "select 1 / 0 as region, error('broken') as provider from raw.regions"
    monkeypatch.setitem(models.queries(), "out.regions", query)
    assert not execute(copy, ["out.regions"]).success
    (failure,) = [e for e in execute(copy, ["release.dataset"]).all_events if e.is_step_failure]
    assert "out.regions failed its checks" in str(failure.step_failure_data.error)
    assert published(copy) == before


def test_a_table_built_before_its_inputs_is_not_published(copy: Path, facts: Path) -> None:
    before = published(copy)
    replaced(facts / "training_runs.csv", (",T5-11B,", ",T5 11B,"))
    assert execute(copy, ["raw.training_runs"], facts).success
    result = execute(copy, ["release.dataset"], facts)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "core.disclosed_runs was built before the present raw.training_runs" in str(
        failure.step_failure_data.error
    )
    assert published(copy) == before


CHAIN = ["core.training_runs", "core.watts_candidates", "out.training_runs", "release.dataset"]


def test_a_failed_check_blocks_all_that_reads_the_table(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published(copy)
    honest = checks.validate

    def failing(warehouse: Warehouse, table: catalog.Table) -> list[Result]:
        found = honest(warehouse, table)
        if table.name != "core.training_runs":
            return found
        return [Result(**{**vars(r), "success": False}) for r in found]

    monkeypatch.setattr(checks, "validate", failing)
    result = execute(copy, CHAIN, checked=True)
    assert not result.success
    built = [e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key]
    assert built == ["core/training_runs"]
    assert published(copy) == before


def test_dagster_loads_the_project_as_its_tools_do() -> None:
    assert dg.Definitions.validate_loadable(defs) is None


def test_the_order_of_facts_and_accepted_rows_changes_no_table(
    build: Build, facts: Path, accepted: Path
) -> None:
    """The raw tables come out alike, and all others follow from these."""
    for path in [*facts.glob("*.csv"), *(accepted / f"{name}.csv" for name in catalog.sources())]:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *reversed(rows)])
    with duckdb.connect(str(build.directory / "build.duckdb"), read_only=True) as working:
        known = dict(working.execute("select name, version from state.tables").fetchall())
    read = {table.name: curated.read(facts, table) for table in curated.file_tables()}
    read |= {source.table: baseline.rows_of(accepted, source.table) for source in catalog.sources().values()}
    with connect() as connection:
        for name, frame in read.items():
            replace_table(connection, name, frame)
        versions = dict(connection.execute("select name, version from state.tables").fetchall())
    assert len(versions) >= 30
    assert versions == {name: known[name] for name in versions}


def test_a_place_has_one_ratio_of_net_to_gross_wherever_it_is_asked_for(build: Build) -> None:
    apart = build.query(
        """
        select locations.region, locations.factor_year
        from locations
        inner join support.location_factors as factors
            on factors.factor = 'net_to_gross_ratio'
            and factors.location_id = locations.region
            and factors.period = locations.factor_year::varchar
        where abs(locations.net_kg_per_kwh / locations.gross_kg_per_kwh - factors.value) > 1e-9
        """
    )
    assert apart == []
