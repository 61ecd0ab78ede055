"""Forecasts: what a release estimated, beside what was published afterwards."""

from pathlib import Path

import pytest

from ote import catalog
from ote.ingestion import curated
from ote.releases import forecasts
from tests.conftest import Build, Model

SOURCE = {"source_title": "T", "source_url": "https://example.org", "source_locator": "p. 1"}
FORECASTS = catalog.tables()["raw.forecasts"]


def test_a_forecast_by_hand(model: Model) -> None:
    """100 h (50 to 200) against 150 and 300; 80 h with gsd 2 against 400, beyond 80 x 2^1.645 = 250."""
    estimate = {
        "quantity": "chip_hours",
        "estimate": 100.0,
        "p05": 50.0,
        "p95": 200.0,
        "estimated_in": "1.0.0",
    }
    blind = {"run_id": "c", "estimated_chip_hours": 80.0, "gsd": 2.0, "estimated_in": "0.1.0"}
    figures = {"a": 150.0, "b": 300.0, "c": 400.0, "d": 1.0}
    frame = model(
        "out.forecasts",
        {
            "raw.forecasts": [{"run_id": run_id, **estimate} for run_id in ("a", "b", "open")],
            "raw.blind_hours": [
                blind | {"compared": "independent"}, blind | {"run_id": "d", "compared": "hours_known"},
            ],
            "support.published_quantities": [
                {"run_id": run_id, "quantity": "chip_hours", "published_value": value, **SOURCE}
                for run_id, value in figures.items()
            ],
        },
    )  # fmt: skip
    found = {row["run_id"]: row for row in frame.iter_rows(named=True)}
    assert {run_id: row["inside_interval"] for run_id, row in found.items()} == {
        "a": True,
        "b": False,
        "c": False,
    }
    assert found["b"]["estimate_to_published_ratio"] == pytest.approx(1 / 3)
    assert found["c"]["p95"] == pytest.approx(80 * 2**1.645)
    assert {row["estimated_in"] for row in found.values()} == {"1.0.0", "0.1.0"}


def test_an_estimate_is_kept_until_the_figure_is_published(build: Build, tmp_path: Path) -> None:
    """What is open is written anew by each release; what was published since stays as it was forecast."""
    still_open = (
        "select run_id, p95 from support.open_forecasts where quantity = 'energy_mwh' order by 1 limit 1"
    )
    ((run_id, p95),) = build.query(still_open)
    (tmp_path / "forecasts.csv").write_text(
        "run_id,quantity,estimate,p05,p95,estimated_in\n"
        "gpt-3,energy_mwh,900,300,2700,0.9.0\n"
        f"{run_id},energy_mwh,1,1,1,0.9.0\n",
        encoding="utf-8",
    )
    forecasts.keep(build.release, tmp_path)
    kept = curated.read(tmp_path, FORECASTS)
    by = {(row["run_id"], row["quantity"]): row for row in kept.iter_rows(named=True)}
    assert by["gpt-3", "energy_mwh"]["estimated_in"] == "0.9.0"
    estimate = by[run_id, "energy_mwh"]
    assert (estimate["estimated_in"], estimate["p95"]) == (build.release.name, p95)
    published = build.query("select run_id, quantity from support.published_quantities")
    now = {key for key, row in by.items() if row["estimated_in"] == build.release.name}
    assert now
    assert not now & set(published)
