"""Epoch AI's accelerators: both headers mean the same columns, and every cell is taken as it is."""

import csv
import io
from collections.abc import Mapping

import polars as pl
import pytest

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.epoch_hardware import FILE, SPELLINGS, parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "epoch_hardware"
HEADER = [spellings[0] for spellings in SPELLINGS.values()]
H100 = {
    "Hardware name": "NVIDIA H100 SXM5 80GB ",
    "Manufacturer": "NVIDIA",
    "TDP (W)": "700.0",
    "Memory (bytes)": "80000000000.0",
    "Tensor-FP16/BF16 performance (FLOP/s)": "989400000000000.0",
}


def table(*rows: Mapping[str, str], header: list[str] = HEADER) -> dict[str, bytes]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return {FILE: text.getvalue().encode()}


def real(path: str) -> pl.DataFrame:
    return parse({FILE: (FOLDER / path).read_bytes()})


def cells(frame: pl.DataFrame, name: str, *columns: str) -> tuple[str | None, ...]:
    return tuple(frame.filter(name=name).select(columns).row(0))


def test_cells_are_taken_under_our_names() -> None:
    row = parse(table(H100)).row(0, named=True)
    assert list(row) == list(SPELLINGS)
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "name": "NVIDIA H100 SXM5 80GB",
        "manufacturer": "NVIDIA",
        "tdp_w": "700.0",
        "memory_bytes": "80000000000.0",
        "peak_tensor_fp16_flop_per_s": "989400000000000.0",
    }


def test_order_of_columns_and_new_columns_do_not_matter() -> None:
    other = table(H100 | {"Brand new": "x"}, header=["Brand new", *reversed(HEADER)])
    assert parse(other).equals(parse(table(H100)))


@pytest.mark.parametrize("name", HEADER)
def test_a_renamed_column_is_named_with_its_file(name: str) -> None:
    header = [f"{cell} v2" if cell == name else cell for cell in HEADER]
    with pytest.raises(UpstreamChangedError) as error:
        parse(table(header=header))
    assert FILE in str(error.value)
    assert name in str(error.value)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(UpstreamChangedError, match=r"ml_hardware.csv: not there"):
        parse({})


@needs_upstream
def test_the_file_of_july_2026() -> None:
    frame = real("ml_hardware.csv")
    assert frame.height == 176
    assert not frame["name"].is_duplicated().any()
    filled = {name: frame.height - frame[name].null_count() for name in ("tdp_w", "memory_bytes", "die_mm2")}
    assert filled == {"tdp_w": 153, "memory_bytes": 140, "die_mm2": 99}
    h100 = cells(frame, "NVIDIA H100 SXM5 80GB", "tdp_w", "peak_tensor_fp16_flop_per_s", "released_date")
    assert h100 == ("700.0", "989400000000000.0", "2022-09-20")
    a100 = cells(frame, "NVIDIA A100 SXM4 80 GB", "memory_bytes", "memory_bandwidth_bytes_per_s", "die_mm2")
    assert a100 == ("80000000000.0", "2039000000000.0", "826.0")


@needs_upstream
@pytest.mark.parametrize(
    ("vintage", "rows"), [("ml_hardware.csv", 176), ("vintages/2025-12/ml_hardware.csv", 170)]
)
def test_every_vintage_has_the_same_columns(vintage: str, rows: int) -> None:
    frame = real(vintage)
    assert frame.columns == list(SPELLINGS)
    assert set(frame.dtypes) == {pl.String}
    assert frame.height == rows
    for column in SPELLINGS:
        if column.endswith(("_w", "_per_s", "_bytes", "_nm", "_mm2")):
            assert frame[column].drop_nulls().cast(pl.Float64).is_between(1, 1e18).all(), column


@needs_upstream
def test_memory_means_the_same_under_both_headers() -> None:
    old, new = real("vintages/2025-12/ml_hardware.csv"), real("ml_hardware.csv")
    both = old.join(new, on="name", suffix="_new").filter(
        pl.col("memory_bytes").is_not_null(), pl.col("memory_bytes_new").is_not_null()
    )
    assert both.height >= 130
    assert (both["memory_bytes"] == both["memory_bytes_new"]).sum() >= 130
