"""The README is short, begins with what is there and how sure it is, and shows the pages of the release."""

import re

import pytest

from ote import catalog
from ote.documentation import pages
from tests.conftest import Build

README = (catalog.ROOT / "README.md").read_text(encoding="utf-8")


def test_it_has_at_most_900_words_and_a_number_in_its_first_12_lines() -> None:
    assert len(README.split()) <= 900
    assert re.search(r"\*\*[\d,]+ training runs\*\*", "\n".join(README.splitlines()[:12]))


def test_it_says_where_the_tonnes_of_its_result_come_from(build: Build) -> None:
    ((tonnes, url),) = build.query(
        "select co2e_gross_t, f.source_url from emission_factors as f inner join emissions using (run_id) "
        "where run_id = 'gpt-3-175b' and factor = 'gross_kg_per_kwh'"
    )
    assert f"**{tonnes:.0f} t of CO2e**" in README
    assert url in README


def test_no_example_sums_rows_that_overlap() -> None:
    for page in (README, (catalog.ROOT / "docs" / "use-the-data.md").read_text(encoding="utf-8")):
        for block in re.findall(r"```\w+\n(.*?)```", page, flags=re.S):
            assert "one_run" in block or not re.search(r"\bsum\b", block), block


def test_its_pictures_are_there_and_small() -> None:
    """Of the first page and of the page of a run."""
    pictures = re.findall(r"!\[[^\]]{20,}\]\((docs/[\w-]+\.png)\)", README)
    assert len(pictures) == 2
    assert all((catalog.ROOT / name).stat().st_size < 250_000 for name in pictures)


@pytest.mark.parametrize(
    "text", ["no marks", "<!-- begin size (x) -->\n", 2 * "<!-- begin size -->\n<!-- end size -->\n"]
)
def test_a_readme_without_its_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'size' once"):
        pages.filled(text, {"size": "new"})


def test_a_part_is_put_between_its_marks() -> None:
    text = "a\n<!-- begin size (by make) -->\nold\n<!-- end size -->\nb\n"
    assert pages.filled(text, {"size": "new\n"}) == text.replace("old", "new")
