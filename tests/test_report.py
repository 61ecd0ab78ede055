"""The page of checks: plain words, an index and a filter, and nothing from elsewhere."""

import re

import pytest

from ote import catalog
from ote.quality import checks, promises, report
from ote.warehouse import connect, replace_table
from tests.conftest import Build, fill
from tests.test_checks import GOOD, opened

NAME = "raw.grid_intensity"


def page(rows: list[dict[str, object]]) -> str:
    """The page after a check of one table with these rows."""
    with connect() as connection:
        fill(connection, NAME, rows)
        replace_table(connection, NAME, f"from {NAME}")
        checks.validate(opened(connection), catalog.tables()[NAME])
        return report.render(connection)


def test_every_table_of_a_build_is_in_the_index_and_its_link_leads_to_its_checks(build: Build) -> None:
    text = (build.directory / "report.html").read_text(encoding="utf-8")
    links, ids = re.findall(r'href="#([^"]+)"', text), re.findall(r'<table id="([^"]+)"', text)
    assert sorted(links) == sorted(ids) == sorted(catalog.tables())
    assert "Nothing failed" in text


def test_a_build_has_no_jargon_of_the_library_that_checks(build: Build) -> None:
    text = (build.directory / "report.html").read_text(encoding="utf-8")
    for words in ("column values to be", "unexpected rows", "ordered list", "expectation", " null<"):
        assert words not in text, words


def test_the_page_stands_alone(build: Build) -> None:
    text = (build.release / "checks.html").read_text(encoding="utf-8")
    assert not re.findall(r"<script|<link|<img|@import|url\(|src=", text)


def test_a_header_never_breaks_and_each_filter_has_its_rule() -> None:
    text = page([GOOD])
    assert re.search(r"\bth \{[^}]*white-space: nowrap", text)
    filters = set(re.findall(r'id="(show-[a-z]+)"', text))
    assert filters == {"show-all", "show-failed", "show-raw", "show-core", "show-support", "show-out"}
    assert all(f"#{name}:checked" in text for name in filters - {"show-all"})


def test_one_and_many_are_counted_in_words() -> None:
    text = page([GOOD])
    assert "1 row," in text
    assert "1 rows" not in text
    assert "on 1 table." in text


@pytest.mark.parametrize(("rows", "says"), [(1, "1 row breaks the rule"), (2, "2 rows break the rule")])
def test_a_failed_table_is_open_and_linked_from_the_top(rows: int, says: str) -> None:
    text = page([GOOD | {"region": f"r{n}", "cfe_fraction": 40} for n in range(rows)])
    assert "cfe_fraction is 0 to 1<" in text
    assert "year is 1900 to 2030<" in text
    assert says in text
    assert "1 check failed." in text
    assert f'See <a href="#{NAME}">{NAME}</a>.' in text
    assert re.search(r'<details class="layer raw" open>\s*<summary><code>raw.grid_intensity', text)


def test_what_a_source_says_is_text_and_no_markup() -> None:
    text = page([GOOD | {"region": "<script>alert(1)</script>", "cfe_fraction": 40}])
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_every_expectation_in_use_has_words() -> None:
    tables = catalog.tables().values()
    used = {promise.expectation for table in tables for promise in promises.promises(table)}
    assert used == {*report.RULES, "unexpected_rows_expectation"}
