"""The accepted rows in git: whole, canonical, licensed, and refused by name where a file is damaged."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ote import catalog
from ote.catalog import Source
from ote.ingestion import baseline
from tests.conftest import BASELINE, ote, replaced

SOURCES = list(catalog.sources().values())
EPOCH = catalog.sources()["epoch_models"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_accepted_rows_are_as_an_update_would_write_them(source: Source) -> None:
    rows, quarantined = baseline.load(BASELINE, source)
    content = baseline.path_of(BASELINE, source).read_bytes()
    assert quarantined.is_empty()
    assert baseline.csv_bytes(rows, catalog.tables()[source.table].key) == content
    origin = baseline.origins(BASELINE)[source.name]
    assert (origin.rows, origin.sha256) == (rows.height, hashlib.sha256(content).hexdigest())
    stated = (origin.producer, origin.license, origin.url)
    assert stated == (source.producer, source.license, source.page)
    files = baseline.files(BASELINE)[source.name]
    assert set(files) <= {*source.files, *source.fallback}
    assert all(len(facts.sha256) == 64 and facts.size_bytes and facts.url for facts in files.values())
    assert max(facts.retrieved_at for facts in files.values()) == origin.retrieved_at


def test_the_accepted_rows_are_few_megabytes_of_facts_and_no_prose() -> None:
    names = {file.name for file in BASELINE.iterdir()}
    assert names == {*(f"{source.name}.csv" for source in SOURCES), "manifest.csv", "files.csv",
                     "quarantine.csv", "update.md"}  # fmt: skip
    assert sum(file.stat().st_size for file in BASELINE.iterdir()) < 5_000_000
    sites, _ = baseline.load(BASELINE, catalog.sources()["epoch_data_centers"])
    assert sites["construction_status"].null_count() == sites.height


def test_what_was_turned_away_is_listed_with_the_reason() -> None:
    lost = baseline.listed_quarantine(BASELINE)
    assert lost.height > 10
    assert lost["message"].str.len_chars().min()
    for name, origin in baseline.origins(BASELINE).items():
        assert lost.filter(source=name)["row_key"].n_unique() == origin.quarantined_rows


FIRST = "\nGPT-3 175B (davinci),OpenAI,United States of America,2020-05-28,"


def test_a_row_that_was_accepted_and_breaks_a_rule_costs_this_row_alone(accepted: Path) -> None:
    replaced(accepted / "epoch_models.csv", (FIRST, FIRST.replace("2020", "2099")))
    kept, lost = baseline.load(accepted, EPOCH)
    assert kept.height == baseline.load(BASELINE, EPOCH)[0].height - 1
    assert {(row["row_key"], row["column_name"], row["cell"]) for row in lost.to_dicts()} == {
        ("GPT-3 175B (davinci)", "published_date", "2099-05-28")
    }
    assert lost["message"].str.len_chars().min()
    assert "GPT-3 175B (davinci)" in baseline.quarantine(accepted)["row_key"]
    assert baseline.edited(accepted) == ["epoch_models"]
    rows = baseline.origins(accepted)["epoch_models"].rows
    assert baseline.edits(accepted) == [
        f"{accepted / 'epoch_models.csv'} was edited since `ote update` wrote it: {rows:,} rows, {rows:,} "
        "then, and 1 of them break a rule and are left out: GPT-3 175B (davinci), published_date = 2099-05-28"
    ]


def delete(file: Path) -> None:
    file.unlink()


def merge(file: Path) -> None:
    """What git leaves of a merge that failed."""
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("\n", "\n<<<<<<< HEAD\n", 1), encoding="utf-8")


def drop(file: Path) -> None:
    frame = pl.read_csv(file, infer_schema=False)
    frame.drop(frame.columns[1]).write_csv(file)


def other_bytes(file: Path) -> None:
    file.write_bytes(b"\xff\xfe" + file.read_bytes())


def empty(file: Path) -> None:
    file.write_text("")


DAMAGE: list[Callable[[Path], None]] = [delete, merge, drop, other_bytes, empty]


@pytest.mark.parametrize("name", ["owid_electricity.csv", "manifest.csv", "files.csv", "quarantine.csv"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_with_what_to_do(
    accepted: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(accepted / name)
    (stated,) = baseline.problems(accepted)
    assert stated.startswith(f"{accepted / name}")
    assert "git" in stated


def test_a_source_that_the_manifest_lacks_is_named(accepted: Path) -> None:
    assert baseline.problems(accepted) == []
    manifest = accepted / "manifest.csv"
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if not line.startswith("epa_egrid,")))
    assert baseline.problems(accepted) == [f"{manifest}: no row of epa_egrid. Restore it with git."]


def test_all_that_is_damaged_is_named_before_anything_is_built(accepted: Path, tmp_path: Path) -> None:
    merge(accepted / "owid_electricity.csv")
    delete(accepted / "files.csv")
    done = ote("build", "--baseline", accepted, "--warehouse", tmp_path / "warehouse")
    assert done.returncode == 2
    assert f"{accepted / 'owid_electricity.csv'}: " in done.stderr
    assert f"{accepted / 'files.csv'}: missing. Restore it with git." in done.stderr
    assert done.stderr.endswith("Nothing was built: 2 files to correct first.\n")
    assert not (tmp_path / "warehouse").exists()
