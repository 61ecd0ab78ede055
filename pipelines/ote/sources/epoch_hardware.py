"""Epoch AI's list of accelerators, as raw.epoch_hardware.

Belongs here: the headers that the file had. Does not belong here: which accelerator is which of ours, or
whether a peak is dense (sql/core).
"""

from collections.abc import Mapping

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError, read_csv, rename

FILE = "epoch_hardware/ml_hardware.csv"
SPELLINGS = {
    "name": ("Hardware name",),
    "manufacturer": ("Manufacturer",),
    "hardware_type": ("Type",),
    "released_date": ("Release date",),
    "tdp_w": ("TDP (W)",),
    "peak_fp64_flop_per_s": ("FP64 (double precision) performance (FLOP/s)",),
    "peak_fp32_flop_per_s": ("FP32 (single precision) performance (FLOP/s)",),
    "peak_tf32_flop_per_s": ("TF32 (TensorFloat-32) performance (FLOP/s)",),
    "peak_fp16_flop_per_s": ("FP16 (half precision) performance (FLOP/s)",),
    "peak_tensor_fp16_flop_per_s": ("Tensor-FP16/BF16 performance (FLOP/s)",),
    "peak_fp8_flop_per_s": ("FP8 performance (FLOP/s)",),
    "peak_fp4_flop_per_s": ("FP4 performance (FLOP/s)",),
    "peak_int8_op_per_s": ("INT8 performance (OP/s)",),
    "memory_bytes": ("Memory (bytes)", "Memory size per board (Byte)"),
    "memory_bandwidth_bytes_per_s": ("Memory bandwidth (byte/s)",),
    "process_nm": ("Process size (nm)",),
    "die_mm2": ("Die Size (mm^2)",),
    "datasheet_url": ("Link to datasheet",),
}


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """One row per accelerator, as text; peaks in operations per second, memory in bytes, as upstream has.

    Raises:
        UpstreamChangedError: the file is not there, or lacks a column that it is known for.
    """
    if FILE not in files:
        raise UpstreamChangedError(f"{FILE}: not there")
    table = rename(read_csv(files[FILE], FILE), FILE, SPELLINGS)
    return table.with_columns(pl.col("name", "datasheet_url").str.strip_chars())
