"""`ote verify`: a whole release passes, and whatever is broken in one is named."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from ote.releases import verification
from tests.conftest import Build, ote, resum


@pytest.fixture
def folder(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / small.name))


def test_a_release_as_written_passes(build: Build) -> None:
    done = ote("verify", build.release)
    assert (done.returncode, done.stderr) == (0, "")


def test_one_changed_byte_of_any_file_is_named(folder: Path) -> None:
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS"):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        (finding,) = verification.findings(folder)
        assert f"{file.relative_to(folder).as_posix()} changed" in finding
        file.write_bytes(content)


def test_one_changed_byte_of_the_sums_is_named(folder: Path) -> None:
    """Whatever becomes of it: another checksum, name or end of line, or what is no text."""
    file = folder / "SHA256SUMS"
    content = file.read_bytes()
    for place in (*range(90), content.index(b"parquet/"), len(content) - 1):
        for bit in (1, 0x20, 0x80):
            file.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            (finding,) = verification.findings(folder)
            assert "SHA256SUMS" in finding, (place, bit)


def test_a_row_too_few_is_named_though_the_sums_agree(folder: Path) -> None:
    file = folder / "csv" / "method.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    resum(folder)
    (finding,) = verification.findings(folder)
    assert "csv/method.csv" in finding
    assert "manifest.json says" in finding


def test_a_column_that_the_dictionary_lacks_is_named(folder: Path) -> None:
    file = folder / "data_dictionary.csv"
    file.write_text(
        "".join(line for line in file.read_text().splitlines(keepends=True) if "method,gsd," not in line)
    )
    resum(folder)
    assert all("['gsd']" in finding for finding in verification.findings(folder))
    assert len(verification.findings(folder)) == 3  # CSV, Parquet and the database


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ("energy_mwh = energy_mwh * 1.001, energy_mwh_p95 = energy_mwh_p95 * 2", "chip-hours x watts x PUE"),
        ("co2e_net_t = co2e_gross_t * 1.01, co2e_net_t_p95 = co2e_gross_t * 2", "net never exceeds gross"),
        ("energy_mwh_p05 = energy_mwh * 1.01", "each interval holds its value"),
    ],
)
def test_what_physics_forbids_is_named_with_its_run(folder: Path, change: str, law: str) -> None:
    file = folder / "parquet" / "emissions.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table emissions as from read_parquet('{file}')")
        connection.execute(f"update emissions set {change} where run_id = 't5-11b'")
        connection.execute(f"copy emissions to '{file}' (format parquet)")
    resum(folder)
    findings = verification.findings(folder)
    assert any(law in finding and "t5-11b" in finding for finding in findings)
    done = ote("verify", folder)
    assert done.returncode == 1
    assert law in done.stderr


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("datacenter_pue", "update t set pue = 0.9", "pue < 1, in "),
        (
            "method",
            "alter table t alter fallback_rank type varchar",
            "fallback_rank is varchar; data_dictionary.csv says bigint",
        ),
        ("emissions", "update t set model = null", "model is missing, in "),
        (
            "emissions",
            "update t set energy_basis = 'guessed' where run_id = 't5-11b'",
            "energy_basis has a value that is not allowed, in 1 row;",
        ),
        (
            "accuracy",
            "insert into t from t limit 1; delete from t where rowid = 1",
            "keys are repeated, in 1 row",
        ),
    ],
)
def test_what_the_dictionary_forbids_is_named_though_the_sums_agree(
    folder: Path, table: str, change: str, words: str
) -> None:
    file = folder / "parquet" / f"{table}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table t as from read_parquet('{file}')")
        connection.execute(change)
        connection.execute(f"copy t to '{file}' (format parquet)")
    resum(folder)
    (finding,) = verification.findings(folder)
    assert finding.startswith(f"parquet/{table}.parquet: {words}")


@pytest.mark.parametrize("name", ["parquet", "csv"])
def test_a_table_that_the_dictionary_does_not_know_is_named(folder: Path, name: str) -> None:
    shutil.copy(folder / name / f"method.{name}", folder / name / f"strange.{name}")
    resum(folder)
    stated = verification.findings(folder)
    assert f"strange is not in data_dictionary.csv, but in {name}/" in stated


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "data_dictionary.csv", "open-training-emissions.duckdb", "parquet/emissions.parquet"],
)
def test_a_file_that_cannot_be_read_is_named_though_the_sums_agree(folder: Path, name: str) -> None:
    for content in (b"{", None):
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        resum(folder)
        assert any(name in finding for finding in verification.findings(folder))


NAME_THE_VERSION = {
    "CHANGES.md",
    "CITATION.cff",
    "LICENSE",
    "README.md",
    "croissant.json",
    "datapackage.json",
    "dataset.jsonld",
    "open-training-emissions.duckdb",
    "record.json",
}


def test_another_version_in_the_manifest_contradicts_every_other_file(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": "9.9.9"}))
    resum(folder)
    said = verification.findings(folder)
    assert {finding.split(": ")[0] for finding in said} == NAME_THE_VERSION
    assert all("version" in finding and "9.9.9" in finding for finding in said)


@pytest.mark.parametrize(
    ("name", "words", "other", "what"),
    [
        ("CITATION.cff", "license: CC-BY-4.0", "license: CC0-1.0", "licence"),
        ("CITATION.cff", "license: CC-BY-4.0", "'license': 'CC0-1.0'", "licence"),
        ("LICENSE", "under CC-BY-4.0", "under CC0-1.0", "licence"),
        ("README.md", "license: cc-by-4.0", "license: cc0-1.0", "licence in small letters"),
        ("README.md", "| method | ", "| method | 1", "rows"),
        ("README.md", "config_name: method", "config_name: other", "tables"),
        ("croissant.json", '"license": "http', '"license": "x', "address of the licence"),
        ("croissant.json", '"name":"method","description"', '"name":"other","description"', "tables"),
        ("data_dictionary.md", "## method\n", "## other\n", "tables"),
        ("datapackage.json", '"name":"CC-BY-4.0"', '"name":"CC0-1.0"', "licence"),
        ("dataset.jsonld", '"license": "http', '"license": "x', "address of the licence"),
        ("record.json", '"rows":', '"rows":1', "rows"),
    ],
)
def test_a_description_that_contradicts_the_manifest_is_named(
    folder: Path, name: str, words: str, other: str, what: str
) -> None:
    text = (folder / name).read_text()
    assert words in text
    (folder / name).write_text(text.replace(words, other))
    resum(folder)
    (finding,) = verification.findings(folder)
    assert finding.startswith(f"{name}: {what}: "), finding
    done = ote("verify", folder)
    assert done.returncode == 1, done.stdout


def test_a_folder_of_any_name_is_verified(folder: Path) -> None:
    odd = folder.rename(folder.with_name("o'brien's [copy]*"))
    assert verification.findings(odd) == []


def test_a_folder_that_is_no_release_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({}))
    done = ote("verify", tmp_path)
    assert done.returncode == 1
    assert "no SHA256SUMS" in done.stderr
