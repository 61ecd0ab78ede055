"""Epoch AI's lists of models: every vintage is read, no model is lost, none is taken from two files."""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources import epoch_models
from ote.sources.epoch_models import MEMBERS, ZIP, parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "epoch_models"
COLUMNS = [*epoch_models.SPELLINGS, "file"]
HEADER = [spellings[0] for spellings in epoch_models.SPELLINGS.values()]
ROW = {
    "Model": "GPT-3 175B (davinci)",
    "Organization": "OpenAI",
    "Country (of organization)": "United States of America",
    "Publication date": "2020-05-28",
    "Parameters": "174600000000.0",
    "Training compute (FLOP)": "3.14e+23",
    "Hardware quantity": "10000.0",
    "Hardware utilization (MFU)": "0.1989",
    "Link": "https://arxiv.org/abs/2005.14165\n\nhttps://openai.com",
}


def table(*rows: Mapping[str, str], header: list[str] = HEADER) -> bytes:
    """A CSV file of rows."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def plain(name: str, content: bytes) -> dict[str, bytes]:
    return {f"epoch_models/{name}": content}


def zipped(members: Mapping[str, bytes]) -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return {ZIP: packed.getvalue()}


def test_cells_are_taken_under_our_names() -> None:
    row = parse(plain("all_ai_models.csv", table(ROW))).row(0, named=True)
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "model": "GPT-3 175B (davinci)",
        "organizations": "OpenAI",
        "countries": "United States of America",
        "published_date": "2020-05-28",
        "upstream_parameters": "174600000000.0",
        "upstream_training_flop": "3.14e+23",
        "chips": "10000",
        "mfu": "0.1989",
        "source_link": "https://arxiv.org/abs/2005.14165",
        "file": "all_ai_models.csv",
    }


@pytest.mark.parametrize(
    ("upstream", "ours"),
    [("512.0", "512"), ("2e5", "200000"), ("64", "64"), ("1.5", "1.5"), ("many", "many"), ("1e300", "1e300")],
)
def test_only_whole_numbers_of_chips_are_written_without_a_point(upstream: str, ours: str) -> None:
    frame = parse(plain("all_ai_models.csv", table(ROW | {"Hardware quantity": upstream})))
    assert frame["chips"].to_list() == [ours]


def test_a_model_is_taken_from_the_widest_file_that_names_it() -> None:
    files = {
        "all_ai_models.csv": table({"Model": "A", "Domain": "all"}, {"Model": "B "}),
        "notable_ai_models.csv": table({"Model": "A", "Domain": "notable"}, {"Model": "C"}),
        "large_scale_ai_models.csv": table({"Model": "B"}, {"Model": "C"}, {"Model": "D"}),
        "frontier_ai_models.csv": table({"Model": "D"}),
    }
    frame = parse(zipped(files))
    assert frame.select("model", "file").rows() == [
        ("A", "all_ai_models.csv"),
        ("B", "all_ai_models.csv"),
        ("C", "notable_ai_models.csv"),
        ("D", "large_scale_ai_models.csv"),
    ]
    assert frame["domain"].to_list() == ["all", None, None, None]
    separate = {f"epoch_models/{name}": content for name, content in files.items()}
    assert parse(separate).equals(frame)


def test_of_two_rows_of_one_name_the_fuller_stands_first_and_none_is_lost() -> None:
    rows = [
        {"Model": "Oryx 7B"},
        {"Model": "Other"},
        {"Model": "Oryx 7B ", "Organization": "Tencent"},
        {"Model": "Oryx 7B", "Organization": "Tencent", "Domain": "Vision"},
    ]
    frame = parse(plain("all_ai_models.csv", table(*rows)))
    assert frame.select("model", "organizations", "domain").rows() == [
        ("Oryx 7B", "Tencent", "Vision"),
        ("Oryx 7B", "Tencent", None),
        ("Oryx 7B", None, None),
        ("Other", None, None),
    ]


def test_order_of_columns_and_new_columns_do_not_matter() -> None:
    expected = parse(plain("all_ai_models.csv", table(ROW)))
    header = ["Brand new", *reversed(HEADER)]
    assert parse(plain("all_ai_models.csv", table(ROW | {"Brand new": "x"}, header=header))).equals(expected)


@pytest.mark.parametrize("name", HEADER)
def test_a_renamed_column_is_named_with_its_file(name: str) -> None:
    header = [f"{cell} v2" if cell == name else cell for cell in HEADER]
    with pytest.raises(UpstreamChangedError) as error:
        parse(plain("all_ai_models.csv", table(header=header)))
    assert "epoch_models/all_ai_models.csv" in str(error.value)
    assert name in str(error.value)


def test_a_zip_that_cannot_be_read_is_refused() -> None:
    whole = zipped(dict.fromkeys(MEMBERS, table(ROW)))[ZIP]
    for content in (b"", b"<!DOCTYPE html><html></html>", whole[:-40], whole.replace(b"GPT-3", b"GPT-4")):
        with pytest.raises(UpstreamChangedError, match=r"ai_models.zip: not a zip"):
            parse({ZIP: content})


def test_a_zip_without_a_member_is_refused() -> None:
    with pytest.raises(UpstreamChangedError, match=r"ai_models.zip: no notable_ai_models.csv, large"):
        parse(zipped({"all_ai_models.csv": table(ROW)}))


def test_a_member_that_unpacks_beyond_reason_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_models, "LARGEST_MEMBER", 10)
    with pytest.raises(UpstreamChangedError, match=r"unpacks to over 10 bytes"):
        parse(zipped(dict.fromkeys(MEMBERS, table(ROW))))


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(UpstreamChangedError, match=r"ai_models.zip: not there"):
        parse({})


@needs_upstream
def test_the_zip_of_march_2026() -> None:
    frame = parse({ZIP: (FOLDER / "ai_models.zip").read_bytes()})
    assert frame["file"].value_counts(sort=True).rows() == [
        ("all_ai_models.csv", 3237),
        ("notable_ai_models.csv", 75),
        ("large_scale_ai_models.csv", 8),
    ]
    assert frame["model"].n_unique() == 3305
    assert frame["published_date"].null_count() == 18
    tulu = frame.filter(pl.col("model") == "Tulu 3 (Tülu 3) 70B")["organizations"].to_list()
    assert tulu == ["Allen Institute for AI,University of Washington", None]
    theseus = frame.filter(pl.col("model") == "Theseus").row(0, named=True)
    assert (theseus["upstream_parameters"], theseus["upstream_training_flop"]) == ("40.0", "40.0")
    assert theseus["published_date"] == "1950-07-02"
    oryx = frame.filter(pl.col("model") == "Oryx 7B")["chips"].to_list()
    assert oryx == ["64", None]


VINTAGES = {
    "2024-10/notable_ai_models.csv": (867, 156, 32, 0),
    "2025-03/all_ai_models.csv": (2228, 390, 54, 0),
    "2025-12/notable_ai_models.csv": (952, 241, 31, 0),
    "2026-07/notable_ai_models.csv": (1036, 249, 34, 0),
}


@needs_upstream
@pytest.mark.parametrize("vintage", VINTAGES)
def test_every_vintage_has_the_same_columns(vintage: str) -> None:
    path = FOLDER / "vintages" / vintage
    frame = parse(plain(Path(vintage).name, path.read_bytes()))
    assert frame.columns == COLUMNS
    assert set(frame.dtypes) == {pl.String}
    chips, mfu = (frame[name].drop_nulls() for name in ("chips", "mfu"))
    odd = chips.filter(~chips.str.contains(r"^\d+$")).len()
    assert (frame.height, chips.len(), mfu.len(), odd) == VINTAGES[vintage]


@needs_upstream
def test_reordering_the_real_file_changes_nothing() -> None:
    path = FOLDER / "vintages" / "2025-12" / "notable_ai_models.csv"
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    shuffled = table(*rows, header=sorted(rows[0]))
    expected = parse(plain(path.name, path.read_bytes()))
    assert parse(plain(path.name, shuffled)).equals(expected)
