"""catalog.yaml is complete, agrees with SQL and files, and keeps the contract with readers."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pint
import polars as pl
import pytest
import yaml

from ote import catalog, catalog_file, kept_catalog, models, sql_files
from ote.ingestion import curated
from ote.quality import promises
from ote.warehouse import replace_table
from tests.conftest import REFERENCE, checked_out, process

DOCUMENT = catalog.document()
TABLES = catalog.tables()
COLUMNS = {column.name: column for table in TABLES.values() for column in table.columns}
TEXT = (catalog.ROOT / "catalog.yaml").read_text(encoding="utf-8")
UNITS: pint.UnitRegistry[float] = pint.UnitRegistry()

# The public contract, as promised to the people who query: table -> key, columns.
CONTRACT = {
    "emissions": (
        "run_id",
        "run_id model developer developer_country published_date domain parameters active_parameters "
        "training_flop hardware_id chips training_hours chip_hours watts_per_chip pue gross_kg_per_kwh "
        "net_kg_per_kwh energy_mwh energy_mwh_p05 energy_mwh_p95 co2e_gross_t co2e_gross_t_p05 "
        "co2e_gross_t_p95 co2e_net_t co2e_net_t_p05 co2e_net_t_p95 chip_hours_basis watts_basis pue_basis "
        "gross_basis net_basis energy_basis site_country cloud_region provider run_year "
        "reported_energy_mwh reported_co2e_t source_id source_url",
    ),
    "emission_factors": (
        "run_id factor",
        "run_id factor value gsd basis factor_year source_id source_url source_locator",
    ),
    "training_runs": ("run_id", "run_id source_title source_url source_locator verified"),
    "models_without_estimate": ("run_id", "run_id model reason"),
    "hardware": (
        "hardware_id",
        "hardware_id name manufacturer kind released_date tdp_w peak_fp32_tflops peak_fp16_tflops "
        "peak_fp8_tflops memory_gb process_nm die_mm2 source_url",
    ),
    "hardware_aliases": ("alias", "alias hardware_id"),
    "system_power": (None, "hardware_id watts_per_chip power_basis workload source_url"),
    "datacenter_pue": (
        "provider site period",
        "provider site period pue pue_basis wue_l_per_kwh source_url",
    ),
    "grid_intensity": (
        "scheme region year intensity_basis",
        "cfe_fraction cfe_basis carbon_intensity_g_per_kwh intensity_basis source_url",
    ),
    "published_footprints": (None, "run_id quantity basis value scope published_by source_url"),
    "agreement": (
        None,
        "run_id quantity basis computed_value p05 p95 published_value ratio inside_interval held_out",
    ),
    "paper_claims": (
        "claim_id",
        "claim_id claim paper_low paper_high computed_low computed_high holds",
    ),
    "what_if": (
        "run_id region hardware_id",
        "run_id energy_mwh co2e_gross_t co2e_net_t ratio_to_actual",
    ),
    "mlperf_energy": (
        None,
        "round submitter benchmark hardware_id chips time_to_train_s energy_kwh watts_per_chip",
    ),
    "method": ("factor basis", "factor basis gsd n_observations fitted_on"),
    "sources": ("source_id", "source_id producer title url license sha256 retrieved_at rows status"),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contract_with_readers_is_kept(name: str) -> None:
    key, columns = CONTRACT[name]
    table = TABLES.get(f"out.{name}") or TABLES[f"support.{name}"]
    assert set(columns.split()) <= {column.name for column in table.columns}
    if key is not None:
        assert table.key == tuple(key.split())


def test_every_sql_file_is_catalogued_and_the_reverse() -> None:
    made = {*models.queries(), *models.SUMS}
    assert made == {name for name in TABLES if not name.startswith("raw.")}


def test_every_curated_file_is_catalogued_and_the_reverse() -> None:
    files = {f"raw.{path.stem}" for path in REFERENCE.glob("*.csv")}
    assert files == {table.name for table in curated.file_tables()}


def test_every_defined_column_is_used() -> None:
    assert set(DOCUMENT.columns) == set(COLUMNS)


def test_every_unit_is_used() -> None:
    used = {DOCUMENT.unit(name) for name in COLUMNS}
    assert {str(unit) for unit in DOCUMENT.units.values()} <= used | {""}


@pytest.mark.parametrize("unit", sorted({str(unit) for unit in DOCUMENT.units.values()}))
def test_units_parse(unit: str) -> None:
    UNITS.parse_expression(unit)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_bounds_have_a_reason_and_columns_a_meaning(column: catalog.Column) -> None:
    assert column.max is None or column.why
    assert column.description.endswith(".") or column.description.endswith("-ttm).")


def test_an_imagined_run_has_limits_of_its_own_and_a_real_one_those_of_the_column() -> None:
    real, imagined = (
        {column.name: column for column in TABLES[name].columns} for name in ("out.emissions", "out.what_if")
    )
    assert (real["energy_mwh"].max, imagined["energy_mwh"].max) == (1e7, 1e9)
    assert imagined["energy_mwh"].why != real["energy_mwh"].why
    assert imagined["energy_mwh"].description == real["energy_mwh"].description


@pytest.mark.parametrize("name", TABLES)
def test_checks_have_a_reason_and_read_their_table(name: str) -> None:
    for relation in promises.relations(name):
        assert len(relation.why.split()) > 8
        assert name in models.upstream_tables(relation.query)


def test_checks_stand_below_tables_that_exist() -> None:
    folders = {f"{p.parent.name}.{p.name}" for p in (sql_files.SQL / "checks").glob("*/*")}
    assert folders <= set(TABLES)


def test_a_renamed_column_lives_on_under_its_old_name(
    database: duckdb.DuckDBPyConnection, renamed: None
) -> None:
    old, *now = catalog.tables()["out.hardware_power"].columns
    assert (old.type, old.unit, old.min) == ("double", "watt", 5)
    assert old.description == "Deprecated since 0.5.0: use watts_per_chip, which has the same values."
    values = ", ".join(f"{5 if c.type == 'double' else chr(39) * 2} as {c.name}" for c in now)
    replace_table(database, "out.hardware_power", f"select {values}")
    rows = database.sql("select watts_per_chip, draw_w from out.hardware_power").fetchall()
    assert rows == [(5.0, 5.0)]
    lineage = models.column_lineage("out.hardware_power").deps_by_column
    assert lineage["draw_w"] == lineage["watts_per_chip"]


def test_a_column_that_is_not_catalogued_is_refused(database: duckdb.DuckDBPyConnection) -> None:
    frame = pl.DataFrame({"url_prefix": ["a"], "producer": ["b"], "license": ["c"], "foo": [1]})
    with pytest.raises(ValueError, match=r"not in catalog\.yaml: \['foo'\]"):
        replace_table(database, "raw.publishers", frame)


@pytest.fixture
def renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalog in which a column has a new name, and lives on under its old one."""
    text = TEXT.replace(
        "\ncolumns:\n", '\ncolumns:\n  draw_w: {deprecated_for: watts_per_chip, since: "0.5.0"}\n'
    )
    head, tail = text.split("\n  out.hardware_power:\n")
    tail = tail.replace("columns: [", "columns: [draw_w, ", 1)
    (tmp_path / "catalog.yaml").write_text(f"{head}\n  out.hardware_power:\n{tail}", encoding="utf-8")
    document = catalog_file.read(tmp_path / "catalog.yaml")
    monkeypatch.setattr(catalog, "document", lambda: document)
    catalog.tables.cache_clear()
    yield
    catalog.tables.cache_clear()


EDITS = yaml.safe_load((Path(__file__).parent / "cases" / "catalog_edits.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_fault_is_named_by_line_entry_and_key(edit: list[str], tmp_path: Path) -> None:
    old, new, *says = edit
    file, edited = tmp_path / "catalog.yaml", TEXT.replace(old, new, 1)
    file.write_text(edited, encoding="utf-8")
    pairs = zip(TEXT.splitlines(), edited.splitlines(), strict=False)
    number = next(place for place, (before, after) in enumerate(pairs, 1) if before != after)
    with pytest.raises(catalog.CatalogError) as refused:
        catalog_file.read(file)
    said = [line for line in str(refused.value).split("\n") if all(part in line for part in says)]
    assert len(said) == 1, str(refused.value)
    assert said[0].startswith(f"{file}, line {number}") or said[0].endswith(
        f"first in line {number}. Remove one of them."
    )


def test_a_kept_catalog_is_the_one_that_was_judged_and_no_other(tmp_path: Path) -> None:
    file, kept = tmp_path / "catalog.yaml", tmp_path / kept_catalog.NAME
    file.write_text(TEXT, encoding="utf-8")
    assert kept_catalog.read(file, kept) is None
    kept_catalog.write(catalog.judged(), file, kept)
    assert kept_catalog.read(file, kept) == catalog.judged()
    file.write_text(f"{TEXT}# one more line\n", encoding="utf-8")
    assert kept_catalog.read(file, kept) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1: nothing; expected keys with values."),
        (b"- a\n", "line 1: a list; expected keys with values."),
        (b"dataset: \xff", "not text in UTF-8"),
        (b"dataset: \x00", "not text in UTF-8"),
        (None, "missing. Restore it with: git checkout catalog.yaml"),
    ],
)
def test_what_is_no_catalog_is_named(content: bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(catalog.CatalogError) as refused:
        catalog_file.read(file)
    assert str(refused.value).startswith(str(file))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "commands", "says"),
    [
        (
            "catalog.yaml",
            " pue: {type: double",
            " pue: {type: doubel",
            ["build", "explain pue"],
            "columns > pue > type",
        ),
        ("sql/core/hardware.sql", "select", "selec", ["build"], "hardware.sql, line "),
    ],
)
def test_commands_end_with_one_line_and_code_2(
    file: str, old: str, new: str, commands: list[str], says: str, tmp_path: Path
) -> None:
    root = checked_out(tmp_path / "checkout")
    text = (root / file).read_text(encoding="utf-8")
    (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    for command in commands:
        done = process(*command.split(), cwd=root)
        assert done.returncode == 2, done.stderr
        assert says in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
