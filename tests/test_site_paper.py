"""The pages on the 2021 paper and on quality, the page of functions, and llms.txt say what the tables say."""

import re
from html import unescape
from pathlib import Path

import pytest

import ote
from ote import catalog
from ote.documentation import functions
from ote.site import building, llms
from tests.conftest import Build


@pytest.fixture(scope="module")
def site(build: Build) -> Path:
    return build.directory / building.FOLDER


def words(site: Path, name: str) -> str:
    """What a reader sees of a page."""
    text = unescape(re.sub(r"<[^>]+>", " ", (site / name).read_text(encoding="utf-8")))
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_page_of_the_paper_has_each_claim_with_its_verdict_and_cases(build: Build, site: Path) -> None:
    page = words(site, "paper.html")
    for claim, verdict, evidence in build.query("select claim, verdict, evidence from paper_claims"):
        assert claim in page
        assert f"{verdict.replace('_', ' ')} {evidence}" in page
    for (case,) in build.query("select compared_with from paper_claim_evidence"):
        assert " ".join(case.split()) in page
    for (reason,) in build.query("select distinct difference_reason from paper_reproduction"):
        assert reason is None or reason in page


def test_the_page_of_the_paper_begins_with_a_count_of_verdicts(build: Build, site: Path) -> None:
    page = words(site, "paper.html").split("Each claim of the abstract")[0]
    for verdict, count in build.query("select verdict, count(*) from paper_claims group by verdict"):
        assert f"{catalog.label('verdict', verdict)} {count} claim" in page
    ((within, number),) = build.query(
        "select count(*) filter (is_within_rounding), count(*) from paper_reproduction"
    )
    assert f"printed numbers {within} of {number} within rounding" in page


def test_the_page_on_quality_draws_each_run_with_its_interval(build: Build, site: Path) -> None:
    text = (site / "quality.html").read_text(encoding="utf-8")
    shown = build.query(
        "select benchmark, count(*) from energy_by_quality group by benchmark having count(*) >= 10"
    )
    assert len(shown) >= 5
    for benchmark, _ in shown:
        assert f"{benchmark}: energy against score" in unescape(text)
    assert text.count('class="line span"') == sum(number for _, number in shown)
    assert "CC BY 4.0" in text


def test_llms_txt_names_pages_that_are_there(build: Build, site: Path) -> None:
    text = (site / llms.NAME).read_text(encoding="utf-8")
    links = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \S", text, re.MULTILINE)
    assert {"index.html", "paper.html", "quality.html", "docs/python.html"} <= set(links)
    assert all((site / link).is_file() for link in links)
    assert all(f"- `{table}`: " in text for table in ("emissions", "paper_claims", "capability_scores"))
    assert "90 % interval" in text


def test_the_page_of_functions_has_every_function_and_error() -> None:
    page = functions.page()
    assert all(f"`ote.{name}`" in page for name in ote.__all__)
    for of in ("(MWh, with PUE)", "tonnes of CO2e", "`ote.BadRunsError`"):
        assert of in page


def test_an_argument_without_a_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def undocumented(run: str, more: int = 0) -> None:  # noqa: D417
        """Do something.

        Args:
            run: name of a model.
        """

    monkeypatch.setattr(ote, "why", undocumented)
    with pytest.raises(functions.UndocumentedError, match=r"ote\.why: expected a text for each of run, more"):
        functions.page()
