"""The blind check: its scores are those of its page, and its estimates are those of no later build."""

import math

import polars as pl
import pytest

from ote import catalog
from ote.ingestion import curated
from tests.conftest import REFERENCE, Model

RECORD = curated.read(REFERENCE, catalog.tables()["raw.blind_hours"])
RUN = {"compared": "independent", "chip_hours_basis": "flop_by_era", "gsd": 2.0, "stated_chip_hours": 100.0}


def scores(model: Model, rows: list[dict[str, object]]) -> dict[tuple[str, str], dict[str, float]]:
    """Scores by comparison and group."""
    frame = model("core.blind_scores", {"raw.blind_hours": rows})
    return {(row["compared"], row["scored_group"]): row for row in frame.iter_rows(named=True)}


def test_a_blind_score_by_hand(model: Model) -> None:
    """Width 2 x 1.645 ln 2: an estimate 8 times too high lies outside, one 1.5 times too high inside."""
    rows = [RUN | {"run_id": "a", "estimated_chip_hours": 800.0}]
    rows += [RUN | {"run_id": "b", "estimated_chip_hours": 150.0, "flop_confidence": "likely"}]
    found = scores(model, rows)
    both = found["independent", "all"]
    assert (both["n_observations"], both["coverage_fraction"]) == (2, 0.5)
    assert both["bias_fraction"] == pytest.approx(math.sqrt(12) - 1)
    width = 2 * 1.645 * math.log(2)
    outside = math.log(8) - 1.645 * math.log(2)
    assert both["mean_interval_score"] == pytest.approx(width + 20 * outside / 2)
    assert found["independent", "flop_likely"]["median_error_ratio"] == pytest.approx(1.5)
    assert found["independent", "flop_counted"]["median_error_ratio"] == pytest.approx(8)
    assert found["independent", "flop_by_era"]["n_observations"] == 2


def test_the_scores_on_the_page_are_those_of_the_record(model: Model) -> None:
    found = scores(model, RECORD.to_dicts())
    page = (catalog.ROOT / "docs" / "method" / "facts.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()]
    stated = [row for row in rows if row[0] in {f"`{kind}`" for kind, _ in found}]
    assert len(stated) == 10
    for compared, group, *cells in stated:
        score = found[compared.strip("`"), group.strip("`")]
        assert cells == [
            str(score["n_observations"]),
            f"{score['coverage_fraction']:.0%}".replace("%", " %"),
            f"{score['median_error_ratio']:.2f}",
            f"{score['bias_fraction']:+.0%}".replace("%", " %"),
            f"{score['mean_interval_score']:.2f}",
        ], group


def test_every_estimate_of_the_record_was_made_by_one_release() -> None:
    assert RECORD["estimated_in"].unique().to_list() == ["0.1.0+7c062871"]
    assert (
        RECORD.filter(pl.col("compared") == "independent")["chip_hours_basis"].str.starts_with("flop_").all()
    )
