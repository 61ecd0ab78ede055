"""What a release says of itself is valid by the tools of those who read it, and agrees with the tables."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import jsonschema
import pytest
import yaml

from pipelines import catalog
from pipelines.releases import metadata, release, release_files
from tests.conftest import Build


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
    assert stats["tasks"] == len(catalog.public_tables())


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


def test_each_file_names_the_version_and_the_licence(build: Build) -> None:
    folder, version = build.release, build.release.name
    package = json.loads((folder / "datapackage.json").read_text())
    linked = json.loads((folder / "dataset.jsonld").read_text())
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert {package["version"], linked["version"], cited["version"]} == {version}
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
    named = ("manifest.json", "record.json", "CHANGES.md", "data_dictionary.md", "SHA256SUMS", "LICENSE")
    assert all(f"`{name}`" in card and (build.release / name).exists() for name in named)


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
    assert len(files) == 2 * len(catalog.public_tables()) + 1
    named = {file["contentUrl"]: file.get("sha256") for file in files}
    assert named.pop(release_files.DATABASE) is None  # whose bytes differ from build to build
    assert all(sums[name] == sha256 for name, sha256 in named.items())


@pytest.mark.parametrize("public_url", ["", "https://data.example.org/ote"])
def test_an_address_is_named_once_there_is_one(
    build: Build, public_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a host is chosen, the files point to the folder that they are in, and to nothing made up."""
    manifest = json.loads((build.release / "manifest.json").read_text())
    monkeypatch.setitem(catalog.document()["dataset"], "public_url", public_url)
    names = {file.relative_to(build.release).as_posix() for file in release_files.files(build.release)}
    texts = metadata.files(manifest, dict.fromkeys(names, "0" * 64), dict.fromkeys(names, 1))
    here = f"{public_url}/{quote(manifest['version'])}/"
    assert json.loads(texts["dataset.jsonld"])["url"] == (here if public_url else "./")
    assert json.loads(texts["croissant.json"])["url"] == (here if public_url else "./")
    assert json.loads(texts["datapackage.json"]).get("homepage", "") == public_url
    assert yaml.safe_load(texts["CITATION.cff"]).get("url", "") == (here if public_url else "")


@pytest.mark.parametrize("name", ["datapackage.json", "croissant.json", "dataset.jsonld", "CITATION.cff"])
def test_two_releases_of_one_content_say_the_same(build: Build, name: str) -> None:
    """No file of these depends on when or where it was written."""
    text = (build.release / name).read_text()
    assert str(build.directory) not in text
