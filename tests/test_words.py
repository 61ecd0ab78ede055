"""Every word that tables hold and commands print has a meaning that `ote explain` knows."""

import json
import re

import pytest

from ote import catalog
from ote.answers import words
from ote.answers.explain import explain
from ote.cli import derivation
from tests.conftest import REFERENCE, Build, ote

COLUMNS = {column.name: column for table in catalog.public_tables() for column in table.columns}
CODES = re.compile(r"(basis|confidence)$|^(basis|covers|status|factor|rule|scope|verified|check|derivation)$")
ASKED = (
    "net, gross, direct, lifecycle, life-cycle, location-based, market-based, basis, gsd, uncertainty, "
    "spread, upper_bound, one_run, part_of_run, hypothetical, whole_systems_first, net_kg, MWh, "
    "kWh, GWh, t CO2e, CO2e, PUE, WUE, CFE, TDP, MFU, FLOP, p05, p95, interval, 90 % interval, "
    "estimate, disclosed, reported, factor, fallback order, check, held out, rung, ladder, draw, power, "
    "n, sha256, locator, embodied, guess, chip-hours, x/÷, carbon intensity, release, location, inputs"
)


@pytest.mark.parametrize("name", sorted(name for name, column in COLUMNS.items() if CODES.search(name)))
def test_every_value_of_a_column_of_codes_is_explained(build: Build, name: str) -> None:
    tables = [t.stem for t in catalog.public_tables() if name in {c.name for c in t.columns}]
    union = " union ".join(f"select {name} from {table} where {name} is not null" for table in tables)
    for (value,) in build.query(union):
        if COLUMNS[name].type == "varchar":
            assert explain(str(value), REFERENCE), value


NAMES = re.compile(r"(_id|_ids|sha256|region|title|name|locator|model|month|benchmark|duplicate_of)$")


@pytest.mark.parametrize("table", catalog.public_tables(), ids=lambda table: table.stem)
def test_every_word_that_a_table_holds_is_explained(build: Build, table: catalog.Table) -> None:
    """Whatever looks like a code and is no name: solidity, bases, kinds, flags; and each column."""
    for column in table.columns:
        assert explain(column.name, REFERENCE), column.name
        if column.type != "varchar" or NAMES.search(column.name):
            continue
        rows = build.query(
            f'select distinct "{column.name}" from {table.stem} where "{column.name}" is not null'
        )
        values = [value for (value,) in rows]
        if len(values) <= 40 and all(re.fullmatch(r"[a-z0-9_-]+", value) for value in values):
            for value in values:
                assert explain(value, REFERENCE), (column.name, value)


@pytest.mark.parametrize("word", ASKED.split(", "))
def test_a_word_is_explained_in_a_sentence(word: str) -> None:
    first = explain(word, REFERENCE)[0]
    assert re.search(r": .{20,}\.", first), first


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_each_value_has_a_sentence_of_its_own(column: catalog.Column) -> None:
    meanings = [word.means for word in column.values.values()]
    assert len(set(meanings)) == len(meanings)
    for means in meanings:
        assert re.match(r"[A-Z].{8,}[.]$", means), means


def test_a_basis_of_a_factor_has_a_label_that_is_explained() -> None:
    for name in ("chip_hours_basis", "watts_basis", "pue_basis", "gross_basis", "net_basis", "energy_basis"):
        for value, word in COLUMNS[name].values.items():
            if word.label:
                assert len(word.label) <= 30
                assert value in " ".join(explain(word.label, REFERENCE))


def test_no_word_is_defined_twice() -> None:
    spellings = [name for name, word in catalog.words().items() for name in (name, *word.also)]
    assert len(spellings) == len(set(spellings))
    for word in catalog.words().values():
        assert re.match(r"[A-Z0-9].{20,}[.]$", word.means), word.means


def test_what_tables_of_answers_are_headed_with_is_explained(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # so that no header is broken into two lines
    database = ("--database", build.directory / "emissions.duckdb")
    hours = ("--hardware", "H100", "--hours", "3", "--month", "2022-07")
    answers = [
        ote(*command, *database).stdout
        for command in (["why", "gpt-3"], ["find"], ["where", "gpt-3"], ["where", *hours])
    ]
    for printed in answers:
        lines = printed.splitlines()
        ruled = [i for i, line in enumerate(lines) if line.startswith("───")]
        assert ruled
        for i in ruled:
            for header in re.split(r"\s{2,}", lines[i - 1].strip()):
                assert explain(header, REFERENCE), header


PRINTED = (
    "a guess, only guessed, null_because, unknown, bound, not comparable, equal, beats next, zone, source, "
    "best start, best, mean, worst, saves, net CO2e, gross CO2e, region, provider, runs, model, developer, "
    "published, how it is known, hours are known from, chip-hours are known as, value, x/÷, quantity, "
    "mix of chips, upper bound, lower bound, rank, measured energy"
)


@pytest.mark.parametrize("word", PRINTED.split(", "))
def test_a_word_that_tables_print_is_explained(word: str) -> None:
    assert explain(word, REFERENCE)


def test_each_label_and_each_part_of_one_is_explained() -> None:
    for column in COLUMNS.values():
        for value in column.values:
            for part in catalog.label(column.name, value).split(", "):
                assert explain(part, REFERENCE), (column.name, part)
            assert explain(catalog.label(column.name, value), REFERENCE)


def test_the_words_for_a_run_of_ones_own_are_explained() -> None:
    for said in (*words.BASES.values(), *(title for title, _ in words.FACTORS.values()), *words.FACTORS):
        assert explain(said, REFERENCE), said


def test_the_words_of_a_derivation_are_explained() -> None:
    for said in (*derivation.FACTORS.values(), *derivation.RESULTS.values()):
        assert explain(said, REFERENCE), said


def test_every_column_of_what_programs_get_is_explained(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    for command in (["find", "gpt-3"], ["where", "gpt-3"], ["why", "gpt-3"]):
        found = json.loads(ote(*command, "--json", *database).stdout)
        for name in found[0] if isinstance(found, list) else found:
            assert explain(name, REFERENCE), (command, name)


def test_a_basis_without_words_of_its_own_has_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(words.BASES, "hardware_mix")
    assert words.basis("hardware_mix") == words.bases()["hardware_mix"] == "chip unknown, mix"


def test_a_part_of_a_word_gives_the_word_or_the_nearest() -> None:
    assert "net_kg_per_kwh: a column" in ote("explain", "net_kg...").stdout
    several = ote("explain", "measured_s")
    assert several.returncode == 2
    assert "measured_same_chip" in several.stderr
    assert "Traceback" not in several.stderr


@pytest.mark.parametrize("word", ["claims", "paper claims", "paper_claims"])
def test_the_claims_of_the_paper_are_listed_with_their_verdicts(
    build: Build, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = ote("explain", *word.split(), "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    said = " ".join(done.stdout.split())
    claims = build.query("select claim, verdict, evidence from paper_claims")
    assert len(claims) >= 5
    for claim, verdict, evidence in claims:
        assert f"{claim}. Verdict: {catalog.label('verdict', verdict)}. {evidence}" in said
    missing = ote("explain", "claims", "--database", "none.duckdb")
    assert (missing.returncode, "none.duckdb: missing" in missing.stderr) == (2, True)
