"""Accepted rows that stay: upstream has a bad row, a far value, a renamed model, or drifts in small steps."""

from datetime import date

import polars as pl
import pytest

from ote import catalog
from ote.ingestion import baseline
from ote.update import drift, rows
from tests.conftest import BASELINE

EPOCH, CHIPS = (catalog.sources()[name] for name in ("epoch_models", "epoch_hardware"))
GOOGLE = catalog.sources()["google_region_carbon"]
RETRIEVED = date(2026, 11, 29)
FLOP = "upstream_training_flop"
CLAUDE, QWEN = "Claude 2", "Qwen2-72B"


def accepted(source: catalog.Source = EPOCH) -> pl.DataFrame:
    return baseline.load(BASELINE, source)[0]


def edited(frame: pl.DataFrame, row: str, **cells: object) -> pl.DataFrame:
    """The rows with other cells in one of them."""
    here = pl.col(frame.columns[0]) == row
    return frame.with_columns(
        pl.when(here).then(pl.lit(cell)).otherwise(column).alias(column) for column, cell in cells.items()
    )


def judged(frame: pl.DataFrame, *, reason: bool = False) -> rows.Candidate:
    return rows.judged(EPOCH, frame, accepted(), RETRIEVED, is_accepted=reason)


BAD: dict[str, dict[str, object]] = {
    "range": {"published_date": date(1923, 7, 11)},
    "future": {"published_date": date(2026, 12, 1)},
    "type": {"training_hours": "many"},
    "name": {"organizations": "Anthropic\u200b"},
    "frontier": {FLOP: 9e27},
}


@pytest.mark.parametrize("check_name", BAD)
def test_a_bad_cell_never_drops_the_accepted_row(check_name: str) -> None:
    before = accepted().with_columns(pl.col("training_hours").cast(pl.String))
    found = judged(edited(before, CLAUDE, **BAD[check_name]))
    assert found.exceeded == []
    assert found.rows.sort("model").equals(accepted().sort("model"))
    (row,) = found.quarantined.to_dicts()
    assert (row["row_key"], row["check_name"]) == (CLAUDE, check_name)
    assert row["message"].endswith("; the accepted row stays until then.")


def test_a_bad_new_row_is_left_out() -> None:
    new = accepted().filter(model=CLAUDE).with_columns(
        model=pl.lit("A new one"), source_link=pl.lit("https://example.org/new"),
        published_date=pl.lit(date(1923, 7, 11)),
    )  # fmt: skip
    found = judged(pl.concat([accepted(), new]))
    assert "A new one" not in found.rows["model"]
    assert found.quarantined["message"][0].endswith("; the row is left out until then.")


def test_rows_without_a_name_cost_themselves_and_the_quarantine_says_where_they_are() -> None:
    """Epoch's list of 2025-03 has three; a quarantine without their key would fail the build."""
    blank = accepted().filter(model=CLAUDE).with_columns(model=pl.lit(None, pl.String))
    found = judged(pl.concat([accepted(), blank, blank]))
    assert (found.exceeded, found.rows.height) == ([], accepted().height)
    last = accepted().height + 2
    assert set(found.quarantined["row_key"]) == {
        f"row {row} of the source, without a key" for row in (last - 1, last)
    }


def test_a_renamed_model_is_compared_with_its_accepted_row() -> None:
    flop = accepted().filter(model=QWEN)[FLOP].item()
    renamed = edited(accepted(), QWEN, model="Qwen 2 of 72B")
    found = judged(renamed)
    assert (found.exceeded, found.quarantined.height) == ([], 0)
    assert (found.change["rows_added"], found.change["rows_gone"]) == (0, 0)
    assert "Qwen 2 of 72B" in found.rows["model"]
    assert any(f"{QWEN} is now named Qwen 2 of 72B" in text for text in found.notices)

    far = edited(renamed, "Qwen 2 of 72B", **{FLOP: flop * 2.5})
    held = judged(far)
    assert held.exceeded == []
    assert held.rows.sort("model").equals(accepted().sort("model"))
    (row,) = held.quarantined.to_dicts()
    assert (row["row_key"], row["column_name"], row["check_name"]) == (QWEN, FLOP, "ratio")
    taken = judged(far, reason=True)
    assert taken.rows.filter(model="Qwen 2 of 72B")[FLOP].to_list() == [flop * 2.5]


@pytest.mark.parametrize(
    "more", [{}, {"source_link": "https://example.org/new"}, {"published_date": date(2024, 6, 8)}]
)
def test_a_model_of_which_a_hyphen_changed_is_renamed_wherever_its_page_is(more: dict[str, object]) -> None:
    """GLM 4.5, GLM 4.6, Grok-3 and Qwen1.5 72B of Epoch became GLM-4.5, GLM-4.6, Grok 3 and Qwen1.5-72B."""
    found = judged(edited(edited(accepted(), QWEN, **more), QWEN, model="Qwen2 72B"))
    assert (found.exceeded, found.quarantined.height, found.renames) == ([], 0, {"Qwen2 72B": QWEN})
    assert (found.change["rows_added"], found.change["rows_gone"]) == (0, 0)


def test_each_of_two_models_of_one_page_of_which_a_hyphen_changed_is_renamed() -> None:
    one, other = (edited(accepted().filter(model=QWEN), QWEN, model=name) for name in ("A-1", "A-2"))
    before = pl.concat([accepted(), one, other])
    after = pl.concat([accepted(), edited(one, "A-1", model="A 1"), edited(other, "A-2", model="A 2")])
    assert rows.judged(EPOCH, after, before, RETRIEVED).renames == {"A 1": "A-1", "A 2": "A-2"}


def test_a_name_that_hides_behind_another_neither_takes_its_row_nor_drops_it() -> None:
    """Greek rho in a word without Latin letters passes for p."""
    before = pl.concat([accepted(), edited(accepted().filter(model=QWEN), QWEN, model="p-1")])
    after = edited(before, "p-1", model="\u03c1-1", source_link="https://example.org/new")
    found = rows.judged(EPOCH, after, before, RETRIEVED)
    assert found.quarantined["row_key"].to_list() == ["\u03c1-1"]
    assert found.rows.sort("model").equals(before.sort("model"))


def test_of_several_models_of_one_page_and_day_none_counts_as_renamed() -> None:
    """Which of them is which cannot be known."""
    twins = [edited(accepted().filter(model=QWEN), QWEN, model=name) for name in ("Twin A", "Twin B")]
    others = accepted().filter(pl.col("model") != QWEN)
    found = judged(pl.concat([others, *twins]))
    assert (found.change["rows_added"], found.change["rows_gone"]) == (2, 1)


@pytest.mark.parametrize("step", [1.5, 1 / 1.5])
@pytest.mark.parametrize(
    ("source", "row", "column"),
    [(EPOCH, QWEN, FLOP), (CHIPS, "NVIDIA A40 PCIe", "tdp_w"), (GOOGLE, "us-west1", "cfe_fraction")],
)
def test_steps_below_a_limit_are_added_up(source: catalog.Source, row: str, column: str, step: float) -> None:
    before, moved = accepted(source), pl.DataFrame(schema=baseline.DRIFT_SCHEMA)
    first = before
    if source is GOOGLE:  # shares of 0 to 1
        step = 1.2 if step > 1 else 1 / 1.2
        before = first = before.with_columns(pl.col(column).clip(0.3, 0.4))
    for number in range(1, 6):
        here = pl.col(first.columns[0]) == row
        if source is GOOGLE:
            here &= pl.col("year") == 2023
        frame = first.with_columns(
            pl.when(here).then(pl.col(column) * step**number).otherwise(column).alias(column)
        )
        found = rows.judged(source, frame, before, RETRIEVED, drift=moved)
        if found.exceeded or found.quarantined.height:
            break
        moved = drift.after(moved, found, is_accepted=False)
        before = found.rows
    assert 1 < max(step, 1 / step) ** number < 2.3, "and the first step alone was taken"
    assert number > 1
    taken = rows.judged(source, frame, before, RETRIEVED, is_accepted=True, drift=moved)
    assert drift.after(moved, taken, is_accepted=True).is_empty(), (
        "what a person accepts is where drift begins"
    )


def test_a_cell_that_was_empty_between_is_compared_with_what_it_held() -> None:
    flop = accepted().filter(model=QWEN)[FLOP].item()
    empty = judged(edited(accepted(), QWEN, **{FLOP: None}))
    moved = drift.after(pl.DataFrame(schema=baseline.DRIFT_SCHEMA), empty, is_accepted=False)
    again = rows.judged(
        EPOCH, edited(accepted(), QWEN, **{FLOP: flop * 3}), empty.rows, RETRIEVED, drift=moved
    )
    assert again.quarantined["check_name"].to_list() == ["ratio"]
    back = rows.judged(EPOCH, accepted(), empty.rows, RETRIEVED, drift=moved)
    assert back.quarantined.is_empty()
    assert drift.after(moved, back, is_accepted=False).is_empty(), "as it first was"


def test_drift_follows_a_model_to_its_new_name() -> None:
    flop = accepted().filter(model=QWEN)[FLOP].item()
    moved, before = pl.DataFrame(schema=baseline.DRIFT_SCHEMA), accepted()
    for name, times in ((QWEN, 1.5), ("Qwen 2 of 72B", 1.5)):
        found = rows.judged(
            EPOCH,
            edited(accepted(), QWEN, **{FLOP: flop * times, "model": name}),
            before,
            RETRIEVED,
            drift=moved,
        )
        assert found.quarantined.is_empty()
        moved, before = drift.after(moved, found, is_accepted=False), found.rows
    assert moved["row_key"].to_list() == ["Qwen 2 of 72B"]
    far = edited(before, "Qwen 2 of 72B", **{FLOP: flop * 2})
    assert rows.judged(EPOCH, far, before, RETRIEVED, drift=moved).quarantined.height == 1
