"""The energy of MLPerf Training runs from their power logs."""

import gzip
import json
from collections.abc import Iterator, Mapping

import polars as pl
import pytest

from ote.catalog import ROOT
from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.mlperf_training import parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = "mlperf_training/v4.0/me/results/box/bert"
SYSTEM = {
    "submitter": "Me",
    "system_name": "box AC",
    "number_of_nodes": "1",
    "accelerators_per_node": "8",
    "accelerator_model_name": "NVIDIA H100",
    "cooling": "",
}


def log(*records: tuple[float, str, object]) -> bytes:
    lines = []
    for time_ms, key, value in records:
        record = {"time_ms": time_ms, "key": key, "value": value, "metadata": {"status": "success"}}
        lines.append(":::MLLOG " + json.dumps(record))
    return "\n".join(lines).encode()


STOP = (46_000, "power_measurement_stop", None)
RESULT = log((10_000, "run_start", None), (46_000, "run_stop", None))


def run(power: bytes, result: bytes = RESULT) -> dict[str, object]:
    files = {
        f"{FOLDER}/result_0.txt": result,
        f"{FOLDER}/power/result_0/node_0.txt": power,
        "mlperf_training/v4.0/me/systems/box.json": json.dumps(SYSTEM).encode(),
    }
    return parse(files).row(0, named=True)


def test_a_kilowatt_for_36_seconds_is_ten_watt_hours() -> None:
    row = run(log((10_000, "power_measurement_start", None), (46_000, "power_reading", 1000), STOP))
    assert row["energy_kwh"] == pytest.approx(0.01)
    assert row["official_run_energy_j"] == pytest.approx(36_000)
    assert row["watts_per_chip"] == pytest.approx(125)
    assert row["time_to_train_s"] == 36


def test_readings_that_straddle_the_window_count_in_part() -> None:
    power = log(
        (0, "power_measurement_start", None),
        (28_000, "power_reading", 1000),  # 18 s of the run
        (64_000, "power_reading", 3000),  # 18 s of the run
        (64_000, "power_measurement_stop", None),
    )
    assert run(power)["energy_kwh"] == pytest.approx((18 * 1000 + 18 * 3000) / 3.6e6)


def test_a_log_that_is_cut_off_gives_no_energy() -> None:
    power = log((10_000, "power_measurement_start", None), (46_000, "power_reading", 1000), STOP)
    assert run(power[:-5])["energy_kwh"] is None


def test_a_run_without_an_end_has_no_energy() -> None:
    power = log((10_000, "power_measurement_start", None), (46_000, "power_reading", 1000), STOP)
    assert run(power, log((10_000, "run_start", None)))["energy_kwh"] is None


def test_no_power_at_all_is_an_error() -> None:
    with pytest.raises(UpstreamChangedError, match="no run with power"):
        parse({f"{FOLDER}/result_0.txt": RESULT})


class Mirror(Mapping[str, bytes]):
    """The real files, read when asked for."""

    def __init__(self) -> None:
        """The names of the list beside the parser."""
        listed = (ROOT / "pipelines/ote/sources/mlperf_training.csv").read_text().split("\n")[1:]
        self.names = [f"mlperf_training/v4.0/{path}" for path in listed if path]

    def __getitem__(self, name: str) -> bytes:
        path = UPSTREAM / name
        return path.read_bytes() if path.exists() else gzip.decompress((UPSTREAM / f"{name}.gz").read_bytes())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@needs_upstream
def test_every_run_equals_the_curated_one() -> None:
    parsed = parse(Mirror())
    curated = pl.read_csv(ROOT / "warehouse/reference/mlperf_energy.csv")
    both = parsed.join(
        curated, on=["round", "submitter", "system", "benchmark", "run_index"], suffix="_curated"
    )
    assert both.height == parsed.height == 213
    half_a_digit = {
        "time_to_train_s": 0.0005,
        "watts_per_chip": 0.13,  # one decimal; gpt3 repeats time stamps, which shifts a mean of 512 chips
        "official_run_energy_j": 0.5,
        "window_coverage_fraction": 0.00005,
    }
    for column, allowed in half_a_digit.items():
        assert ((both[column] - both[f"{column}_curated"]).abs().drop_nulls() <= allowed).all(), column
    ratio = both["energy_kwh"] / both["energy_kwh_curated"]
    assert ((ratio - 1).abs().drop_nulls() < 2e-4).all()
    for column in ("run_name", "chips", "nodes", "node_logs", "distinct_node_series", "duplicate_of"):
        assert both[column].eq_missing(both[f"{column}_curated"]).all(), column
