"""What a release says of itself is valid by the tools of those who read it, and agrees with the tables."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import duckdb
import jsonschema
import pyshacl
import pytest
import rdflib
import yaml
from rdflib.namespace import DCAT, RDF

from ote import catalog
from ote.documentation import pages
from ote.releases import metadata, release, release_files
from tests.conftest import Build

SCHEMAS = Path(__file__).parent / "schemas"
WITHOUT_CSV = sum(not table.csv_file for table in catalog.public_tables())


def test_the_data_package_is_valid_and_every_row_is_as_it_says(build: Build) -> None:
    """Types, ranges, values, keys and checksums of every CSV, by frictionless."""
    code = """
import json, sys
from frictionless import Package, system
with system.use_context(trusted=True):
    report = Package(sys.argv[1]).validate(parallel=False)
print(json.dumps([report.stats, report.flatten(["name", "type", "note"])[:10]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(build.release / "datapackage.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    stats, errors = json.loads(done.stdout.splitlines()[-1])
    assert errors == []
    assert stats["tasks"] == len(catalog.public_tables()) - WITHOUT_CSV


def test_the_data_package_is_valid_by_the_schema_of_version_2(build: Build) -> None:
    package = json.loads((build.release / "datapackage.json").read_text())
    with gzip.open(SCHEMAS / "datapackage-2.0.json.gz") as file:
        validator = jsonschema.Draft7Validator(json.load(file))
    assert [error.message for error in validator.iter_errors(package)] == []
    assert list(validator.iter_errors(package | {"resources": [{"name": "no path"}]}))


def linked(texts: Mapping[str, str]) -> rdflib.Graph:
    """What dataset.jsonld says, as read from a folder."""
    return rdflib.Graph().parse(data=texts["dataset.jsonld"], format="json-ld", publicID="file:///r/d.jsonld")


def violations(graph: rdflib.Graph) -> str:
    """What breaks a mandatory constraint of DCAT-AP, or has a value of another class than it asks for."""
    shapes = rdflib.Graph()
    for name in ("dcat-ap-shapes.ttl", "dcat-ap-range.ttl"):
        shapes.parse(SCHEMAS / name)
    valid, _, says = pyshacl.validate(graph, shacl_graph=shapes)
    return "" if valid else str(says)


@pytest.mark.parametrize("public_url", ["", "https://data.example.org/ote"])
def test_data_portals_find_no_violation_of_dcat_ap(
    build: Build, public_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = linked(texts(build, public_url, monkeypatch))
    assert (
        len(list(graph.subjects(RDF.type, DCAT.Distribution)))
        == 2 * len(catalog.public_tables()) + 1 - WITHOUT_CSV
    )
    assert violations(graph) == ""


def test_a_dataset_without_what_dcat_ap_asks_for_is_found(build: Build) -> None:
    """The shapes can fail: without the address of a file, its title, or the class of its license."""
    text = (build.release / "dataset.jsonld").read_text()
    for found, other in (
        ("dcat:accessURL", "other"),
        ("dct:title", "other"),
        ("dct:LicenseDocument", "dct:Other"),
    ):
        assert "Results (" in violations(linked({"dataset.jsonld": text.replace(found, other)})), found


def test_croissant_is_valid_without_a_warning_and_its_records_are_read(build: Build) -> None:
    code = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(sys.argv[1])
issues = dataset.metadata.ctx.issues
rows = [record for _, record in zip(range(3), dataset.records("method"))]
print(json.dumps([sorted(issues.errors), sorted(issues.warnings), len(rows)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(build.release / "croissant.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], [], 3]
    said = json.loads((build.release / "croissant.json").read_text())
    assert said["conformsTo"] == "http://mlcommons.org/croissant/1.1"


def test_each_file_names_the_version_and_the_licence(build: Build) -> None:
    folder, version = build.release, build.release.name
    package = json.loads((folder / "datapackage.json").read_text())
    described = json.loads((folder / "dataset.jsonld").read_text())
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert {package["version"], described["version"], cited["version"]} == {version}
    assert package["licenses"][0]["name"] == cited["license"] == "CC-BY-4.0"
    for name in ("README.md", "LICENSE"):
        assert version in (folder / name).read_text()


def test_every_upstream_is_named_with_its_licence(build: Build) -> None:
    package = json.loads((build.release / "datapackage.json").read_text())
    based_on = json.loads((build.release / "dataset.jsonld").read_text())["isBasedOn"]
    licence = (build.release / "LICENSE").read_text().splitlines()
    sources = catalog.sources().values()
    named = sorted((source.title, source.page) for source in sources)
    assert sorted((source["title"], source["path"]) for source in package["sources"]) == named
    assert sorted((source["name"], source["url"]) for source in based_on) == named
    for source in sources:
        assert f"- {source.title} ({source.page}): {source.license}" in licence


def test_the_card_says_what_each_file_is_for(build: Build) -> None:
    card = (build.release / "README.md").read_text()
    assert "`csv/`: every table except `emission_draws` and `what_if`\n" in card
    assert "duckdb`: every table except `emission_draws`\n" in card
    named = ("manifest.json", "record.json", "CHANGES.md", "data_dictionary.md", "SHA256SUMS", "LICENSE")
    assert all(f"`{name}`" in card and (build.release / name).exists() for name in named)


def test_the_deposit_names_the_version_of_the_dataset() -> None:
    deposit = json.loads((catalog.ROOT / ".zenodo.json").read_text())
    assert deposit["version"] == metadata.deposit()["version"] == catalog.dataset().version


def test_the_citation_is_valid_by_the_schema_of_the_format(build: Build) -> None:
    """Of the repository and of a release, by the schema in cffconvert, which asks for an older jsonschema."""
    (schema,) = (Path(sys.prefix) / "apart" / "cffconvert" / "schemas" / "1.2.0").glob("schema.json")
    validator = jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))
    for folder in (catalog.ROOT, build.release):
        text = (folder / "CITATION.cff").read_text(encoding="utf-8")
        citation = yaml.load(text, yaml.BaseLoader)  # dates stay text
        assert [error.message for error in validator.iter_errors(citation)] == []
        assert list(validator.iter_errors(citation | {"date-released": "yesterday"}))


def test_the_card_has_a_header_that_a_hub_reads_and_names_files_that_are_there(build: Build) -> None:
    _, header, _ = (build.release / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(header)
    assert card["license"] == "cc-by-4.0"
    assert {config["config_name"] for config in card["configs"]} == {t.stem for t in catalog.public_tables()}
    assert all((build.release / config["data_files"]).exists() for config in card["configs"])


def test_every_distribution_is_a_file_with_that_checksum(build: Build) -> None:
    sums = release.checksums(build.release)
    files = json.loads((build.release / "dataset.jsonld").read_text())["distribution"]
    assert len(files) == 2 * len(catalog.public_tables()) + 1 - WITHOUT_CSV
    named = {file["contentUrl"]: file.get("sha256") for file in files}
    assert named.pop(release_files.DATABASE) is None  # whose bytes differ from build to build
    assert all(sums[name] == sha256 for name, sha256 in named.items())


def texts(build: Build, public_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every text that names the address, as with this public address."""
    manifest = json.loads((build.release / "manifest.json").read_text())
    about = replace(catalog.dataset(), public_url=public_url)
    monkeypatch.setattr(catalog, "dataset", lambda: about)
    names = {file.relative_to(build.release).as_posix() for file in release_files.files(build.release)}
    released = metadata.files(manifest, dict.fromkeys(names, "0" * 64), dict.fromkeys(names, 1))
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
        tracked = pages.pages(catalog.ROOT, connection)
    return released | {f"repository/{path.name}": text for path, text in tracked.items()}


@pytest.mark.parametrize("public_url", ["", "https://data.example.org/ote"])
def test_an_address_is_named_once_there_is_one(
    build: Build, public_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a host is chosen, the files point to the folder that they are in, and to nothing made up."""
    said = texts(build, public_url, monkeypatch)
    here = f"{public_url}/{quote(build.release.name)}/" if public_url else ""
    linked, croissant = json.loads(said["dataset.jsonld"]), json.loads(said["croissant.json"])
    assert linked["url"] == linked["@id"] == croissant["url"] == (here or "./")
    file = "csv/emissions.csv"
    assert f"{here}{file}" in {download["contentUrl"] for download in linked["distribution"]}
    parquet = "parquet/emissions.parquet"
    assert f"{here}{parquet}" in {download["contentUrl"] for download in croissant["distribution"]}
    assert json.loads(said["datapackage.json"]).get("homepage", "") == public_url
    assert yaml.safe_load(said["CITATION.cff"]).get("url", "") == here
    assert yaml.safe_load(said["repository/CITATION.cff"]).get("url", "") == public_url
    deposit = json.loads(said["repository/.zenodo.json"])
    assert (public_url in {related["identifier"] for related in deposit["related_identifiers"]}) == bool(here)
    readme = said["repository/README.md"]
    assert ("There is no public download address yet" in readme) == (not public_url)
    assert (f"<{public_url}/latest/{file}>" in readme) == bool(public_url)
    del said["repository/commands.md"]  # whose examples have an address that is reserved for examples
    made_up = re.compile(r"//(host|data\.|example|localhost)", re.IGNORECASE)
    assert public_url or not [name for name, text in said.items() if made_up.search(text)]


def test_the_slash_at_the_end_of_the_public_address_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    about = replace(catalog.dataset(), public_url="https://data.example.org/ote/")
    monkeypatch.setattr(catalog, "dataset", lambda: about)
    assert catalog.public_url() == "https://data.example.org/ote"


def test_the_project_is_the_author_everywhere(build: Build) -> None:
    creator = catalog.dataset().creator
    said = {name: (build.release / name).read_text() for name in ("croissant.json", "dataset.jsonld")}
    assert {json.loads(text)["creator"]["name"] for text in said.values()} == {creator}
    for folder in (catalog.ROOT, build.release):
        cited = yaml.safe_load((folder / "CITATION.cff").read_text())
        assert cited["authors"] == [{"name": creator}]
        assert cited["references"][0]["authors"][0] == {"family-names": "Patterson", "given-names": "David"}


def test_what_describes_a_release_is_small(build: Build) -> None:
    """A manifest that listed each of 1,600 files had 1.1 MB; the table source_files has them."""
    manifest = json.loads((build.release / "manifest.json").read_text())
    files = build.query("select source, count(*) from support.source_files group by source order by source")
    assert [(source["source"], source["files"]) for source in manifest["source_files"]] == files
    of_a_table = {"manifest.json": 1_500, "checks.html": 9_500, "croissant.json": 5_500}
    for name, limit in (of_a_table | {"dataset.jsonld": 1_600}).items():
        assert (build.release / name).stat().st_size < limit * len(catalog.public_tables()), name
    columns = sum(len(table.columns) for table in catalog.public_tables())
    assert (build.release / "datapackage.json").stat().st_size < 240 * columns


@pytest.mark.parametrize("name", ["datapackage.json", "croissant.json", "dataset.jsonld", "CITATION.cff"])
def test_two_releases_of_one_content_say_the_same(build: Build, name: str) -> None:
    """No file of these depends on when or where it was written."""
    text = (build.release / name).read_text()
    assert str(build.directory) not in text
