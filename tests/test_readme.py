"""The README is short, begins with what is there and how sure it is, and has a picture of the release."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import duckdb
import pytest

from pipelines import catalog
from pipelines.documentation import chart, pages
from tests.conftest import Build

README = (catalog.ROOT / "README.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"


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


@pytest.fixture(scope="module")
def drawn(build: Build) -> str:
    """The chart of a build."""
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
        return chart.svg(connection)


def test_the_chart_draws_each_whole_run_and_no_number_of_a_guess(build: Build, drawn: str) -> None:
    ((runs, guesses),) = build.query(
        "select count(*), count(*) filter (energy_mwh_p95 > 100 * energy_mwh_p05) from emissions "
        "where covers = 'one_run' and published_date >= '2012-01-01'"
    )
    paths = {
        tuple(str(e.get("class")).split()): str(e.get("d")) for e in ET.fromstring(drawn).iter(f"{SVG}path")
    }
    spans = [d for kinds, d in paths.items() if "span" in kinds]
    dots = [d for kinds, d in paths.items() if "dot" in kinds]
    assert sum(d.count("V") for d in spans) == runs
    assert sum(d.count("h0") for d in dots) == runs - guesses
    assert f"{runs:,} runs" in drawn


def test_the_chart_is_small_and_readable_on_any_background(drawn: str) -> None:
    assert len(drawn.encode()) < 200_000
    assert "prefers-color-scheme:dark" in drawn
    assert 'class="paper"' in drawn
    sizes = [int(size) for size in re.findall(r"(\d+)px", drawn.split("</style>")[0]) if int(size) > 5]
    assert min(sizes) * 400 / chart.WIDTH > 10  # px at a width of 400 px
    assert not re.findall(r"<script|href=|url\(", drawn)


def test_the_legend_stands_line_by_line_under_its_title(drawn: str) -> None:
    texts = [(e.text or "", e.get("x"), int(e.get("y", ""))) for e in ET.fromstring(drawn).iter(f"{SVG}text")]
    (title,) = [y for text, _, y in texts if text.startswith("How the accelerator-hours")]
    lines = [y for _, x, y in texts if x == "44"]
    assert len(lines) == len(chart.KINDS)
    assert all(after - before >= 20 for before, after in pairwise([title, *lines]))


def test_a_point_stands_where_its_energy_is() -> None:
    """GPT-3: 1,289 MWh of May 2020 stands just above 1 GWh, a bit less than half-way from 2018 to 2023."""
    assert chart._y(1000) > chart._y(1289) > chart._y(10_000)
    assert chart._y(1e-6) == chart.BOTTOM
    assert chart._y(1e-9) == chart.BOTTOM


@pytest.mark.parametrize(
    "text", ["no marks", "<!-- begin size (x) -->\n", 2 * "<!-- begin size -->\n<!-- end size -->\n"]
)
def test_a_readme_without_its_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'size' once"):
        pages.filled(text, {"size": "new"})


def test_a_part_is_put_between_its_marks() -> None:
    text = "a\n<!-- begin size (by make) -->\nold\n<!-- end size -->\nb\n"
    assert pages.filled(text, {"size": "new\n"}) == text.replace("old", "new")
