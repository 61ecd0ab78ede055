"""The whole pipeline on the curated facts: what it publishes, and what it refuses to."""

import csv
import hashlib
import math
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from pipelines import catalog
from pipelines.definitions import defs
from pipelines.quality import checks
from pipelines.quality.promises import Result
from pipelines.warehouse import Warehouse
from tests.conftest import Build, execute, releases

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
    rows = build.query("select run_id, is_within_rounding from paper_reproduction")
    assert {run_id for run_id, _ in rows} == set(TABLE_4) | set(TABLE_1)
    assert all(within for _, within in rows)


def test_every_claim_of_the_abstract_holds(build: Build) -> None:
    claims = {
        claim: (low, high, holds)
        for claim, low, high, holds in build.query(
            "select claim_id, computed_low, computed_high, holds from paper_claims"
        )
    }
    assert len(claims) == 6
    assert all(holds for _, _, holds in claims.values())
    assert claims["sparse-against-dense-energy"][0] == pytest.approx(24.1 / 1287, rel=0.02)
    assert claims["datacenter-efficiency"][0] == pytest.approx(1.55 / 1.10, rel=0.01)
    assert claims["carbon-by-place"][1] == pytest.approx(0.89 / 0.13, rel=1e-6)  # Oregon, Las Vegas 2019
    assert claims["architecture-search-overestimate"][0] == pytest.approx(284.019 / 3.2, rel=0.01)


def test_every_check_ran_on_every_table_and_passed(build: Build) -> None:
    evaluations = build.told("ASSET_CHECK_EVALUATION")
    assert {".".join(e.asset_key.path) for e in evaluations} == set(catalog.tables())
    failed = {(e.asset_key.path[-1], e.check_name) for e in evaluations if not e.passed}
    absent = {source.table.split(".")[1] for source in catalog.sources().values()}
    assert failed == {(table, "is_fresh") for table in absent}  # offline: a warning each
    assert all(spec.blocking for checks in defs.asset_checks or [] for spec in checks.check_specs)


def test_every_run_of_the_facts_has_an_estimate_or_a_reason(build: Build) -> None:
    ((runs,),) = build.query("select count(*) from training_runs")
    ((estimated,),) = build.query("select count(*) from emissions where energy_mwh > 0")
    assert (runs, estimated) == (365, 358)
    without = "select reason from models_without_estimate inner join training_runs using (run_id)"
    assert len(build.query(without)) == runs - estimated
    assert build.query("select count(*) from models_without_estimate where reason = ''") == [(0,)]


def test_what_only_reported_its_energy_says_so(build: Build) -> None:
    rows = build.query("select run_id, chip_hours from emissions where energy_basis = 'reported'")
    assert len(rows) == 10
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


def test_rated_power_of_a_model_card_is_not_the_draw(build: Build) -> None:
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
    tables = dict(build.query("select table_name, comment from duckdb_tables() where not internal"))
    assert set(tables) == {table.stem for table in catalog.public_tables()}
    assert all(tables.values())
    columns = build.query("select column_name, comment from duckdb_columns() where not internal")
    assert all(comment for _, comment in columns)
    assert ("energy_mwh", "Energy of the datacenter for the run. Unit: megawatt_hour.") in columns


def test_assets_carry_what_the_interface_shows(build: Build) -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert {spec.group_name for spec in specs.values()} == {"raw", "core", "out", "release", "hourly"}
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.metadata["sources"], name
    schema = specs["out/emissions"].metadata["dagster/column_schema"]
    energy = next(column for column in schema.columns if column.name == "energy_mwh")
    assert energy.description.endswith("Unit: megawatt_hour.")
    made = [told.materialization for told in build.told("ASSET_MATERIALIZATION")]
    (event,) = [event for event in made if event.asset_key == dg.AssetKey(["out", "emissions"])]
    assert event.metadata["dagster/row_count"].value == 358
    assert "| run_id | model |" in str(event.metadata["preview"].value)
    lineage = event.metadata["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    assert lineage.deps_by_column["energy_mwh"]


def test_there_is_one_job_for_all_and_a_weekly_schedule() -> None:
    schedules = [s for s in defs.schedules or [] if isinstance(s, dg.ScheduleDefinition)]
    assert [s.cron_schedule for s in schedules if s.job_name == "build"] == ["0 4 * * 1"]
    assert len(defs.resolve_job_def("build").asset_layer.selected_asset_keys) == len(catalog.tables()) + 2


def test_a_single_asset_can_be_built_alone(copy: Path) -> None:
    result = execute(copy, assets=["out.hardware"])
    assert result.success
    assert [
        e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key
    ] == ["out/hardware"]


ADDED = {
    "full": {
        "hardware": "NVIDIA A40",
        "chips": "64",
        "training_hours": "100",
        "published_date": "2024-05-01",
    },
    "dated-by-start": {"hardware": "H100 SXM", "chip_hours": "5000", "started_month": "2023-11"},
    "flop-only": {"training_flop": "1e22", "published_date": "2024-05-01", "developer_country": "FR"},
    "flop-and-chip": {"hardware": "Google TPU v4", "training_flop": "1e22", "published_date": "2022-05-01"},
    "nothing": {"published_date": "2024-05-01"},
}


def test_a_run_added_as_a_row_is_estimated_by_what_it_discloses(copy: Path, facts: Path) -> None:
    path = facts / "training_runs.csv"
    columns = [column.name for column in catalog.tables()["raw.training_runs"].columns]
    source = {"source_title": "P", "source_url": "https://example.org/p", "verified": "primary"}
    with path.open("a", newline="", encoding="utf-8") as file:
        for name, cells in ADDED.items():
            row = {"run_id": name, "model": name, "source_locator": name, **source, **cells}
            csv.DictWriter(file, columns, lineterminator="\n").writerow(row)
    assert execute(copy, facts).success
    with duckdb.connect(str(copy / "emissions.duckdb"), read_only=True) as connection:
        found = {
            run_id: rest
            for run_id, *rest in connection.execute(
                "select run_id, chip_hours_basis, watts_basis, gross_basis, provider, energy_mwh > 0 "
                f"from emissions where run_id in {tuple(ADDED)}"
            ).fetchall()
        }
        reasons = connection.execute(
            "select run_id, reason from models_without_estimate where run_id = 'nothing'"
        ).fetchall()
    assert found == {
        "full": ["chips_x_hours", "measured_ratio_elsewhere", "world_year", None, True],
        "dated-by-start": ["disclosed", "measured_same_chip_elsewhere", "world_year", None, True],
        "flop-only": ["flop_by_era", "hardware_mix", "developer_country_year", None, True],
        "flop-and-chip": ["flop_over_throughput", "measured_same_chip", "world_year", "Google", True],
    }
    assert reasons == [("nothing", "no accelerator, chip-hours, FLOP or energy disclosed")]


def published(directory: Path) -> dict[str, str]:
    """Checksum of the database and of every file of every release."""
    files = [directory / "emissions.duckdb", *(directory / "releases").rglob("*")]
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


def test_a_bad_fact_stops_the_build_and_publishes_nothing(copy: Path, facts: Path) -> None:
    before = published(copy)
    runs = facts / "training_runs.csv"
    runs.write_text(runs.read_text().replace(",1.12,0.545,0.545,", ",112,0.545,0.545,"))
    result = execute(copy, facts)
    assert not result.success
    steps = {event.step_key for event in result.all_events if event.is_step_success}
    assert not any(step and step.startswith(("out__emissions", "release")) for step in steps)
    assert published(copy) == before


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
        result = execute(copy, assets=[asset])
        assert not result.success
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        assert "out.emissions" in str(failure.step_failure_data.error)
        assert "nothing is published" in str(failure.step_failure_data.error)
    assert published(copy) == before


def test_release_and_database_refuse_when_launched_alone_after_a_fact_was_refused(
    copy: Path, facts: Path
) -> None:
    before = published(copy)
    runs = facts / "training_runs.csv"
    good = runs.read_text()
    runs.write_text(good.replace(",1.12,0.545,0.545,", ",112,0.545,0.545,"))
    assert not execute(copy, facts).success
    for asset in ("release.dataset", "release.emissions_duckdb"):
        (failure,) = [e for e in execute(copy, facts, assets=[asset]).all_events if e.is_step_failure]
        assert "raw.training_runs failed its checks" in str(failure.step_failure_data.error)
    assert published(copy) == before
    assert "112 lies outside" in (copy / "report.html").read_text()
    runs.write_text(good)
    assert execute(copy, facts).success
    assert published(copy) == before


def test_release_refuses_when_launched_alone_after_a_query_failed(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import models

    before = published(copy)
    query = "select 1 / 0 as region, error('broken') as provider from raw.region_map"
    monkeypatch.setitem(models.queries(), "out.region_map", query)
    result = execute(copy, assets=["out.region_map"])
    assert not result.success
    (failure,) = [e for e in execute(copy, assets=["release.dataset"]).all_events if e.is_step_failure]
    assert "out.region_map failed its checks" in str(failure.step_failure_data.error)
    assert published(copy) == before


def test_two_runs_in_one_process_each_check_their_own_database(copy: Path, facts: Path) -> None:
    runs = facts / "training_runs.csv"
    for name in ("T5 once", "T5 twice"):
        runs.write_text(runs.read_text().replace("t5-11b,T5", f"t5-11b,{name} T5", 1))
        assert execute(copy, facts).success
        assert execute(copy, facts, assets=["release.dataset"]).success


def test_a_table_built_before_its_inputs_is_not_published(copy: Path, facts: Path) -> None:
    before = published(copy)
    runs = facts / "training_runs.csv"
    runs.write_text(runs.read_text().replace(",T5-11B,", ",T5 11B,"))
    assert execute(copy, facts, assets=["raw.training_runs"]).success
    result = execute(copy, facts, assets=["release.dataset"])
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "core.disclosed_runs was built before the present raw.training_runs" in str(
        failure.step_failure_data.error
    )
    assert published(copy) == before


def test_a_failed_check_blocks_all_that_reads_the_table(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published(copy)
    honest = checks.validate

    def failing(warehouse: Warehouse, table: catalog.Table) -> list[Result]:
        found = honest(warehouse, table)
        if table.name != "core.training_runs":
            return found
        return [Result(**{**vars(r), "success": False}) for r in found]

    monkeypatch.setattr(checks, "validate", failing)
    result = execute(copy)
    assert not result.success
    built = {
        event.asset_key.to_user_string()
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert "core/training_runs" in built
    assert not built & {"core/watts_ladder", "out/emission_factors", "out/emissions", "release/dataset"}
    assert published(copy) == before


def test_dagster_loads_the_project_as_its_tools_do() -> None:
    assert dg.Definitions.validate_loadable(defs) is None


def test_the_order_of_facts_changes_no_byte_of_a_release(build: Build, copy: Path, facts: Path) -> None:
    for path in facts.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *reversed(rows)])
    result = execute(copy, facts)
    assert result.success
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert made >= {dg.AssetKey(name.split(".")) for name in catalog.tables()}
    (other,) = {
        folder.name: folder for folder in releases(copy) if folder.name != build.release.name
    }.values()
    for path in sorted((build.release / "csv").iterdir()):
        if path.name != "sources.csv":  # which holds the checksums of the files
            assert path.read_bytes() == (other / "csv" / path.name).read_bytes(), path.name


def test_a_place_has_one_ratio_of_net_to_gross_wherever_it_is_asked_for(build: Build) -> None:
    apart = build.query(
        """
        select places.region, places.factor_year
        from places
        inner join place_factors as factors
            on factors.factor = 'net_to_gross_ratio'
            and factors.place = places.region
            and factors.period = places.factor_year::varchar
        where abs(places.net_kg_per_kwh / places.gross_kg_per_kwh - factors.value) > 1e-9
        """
    )
    assert apart == []
