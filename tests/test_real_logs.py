"""What people's real logs look like: counted exactly, estimated by the factors of the build, not silently."""

import csv
import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from ote.answers import delimited, disclosure, imports, locations, quantities
from ote.answers.estimate import estimate_rows, estimate_run
from ote.cli import app
from ote.ingestion.training_run_rules import location_key
from ote.places import REFERENCE
from tests.conftest import Build, ote

# One hour of a machine with a T4, as CodeCarbon 3.0.1 writes it.
CODECARBON: dict[str, Any] = {
    "timestamp": "2025-05-24T18:00:00", "project_name": "demo", "run_id": "r1", "duration": 3600,
    "emissions": 0.03,
    "cpu_power": 42.5, "gpu_power": 69, "ram_power": 10, "cpu_energy": 0.0425, "gpu_energy": 0.069,
    "ram_energy": 0.010, "energy_consumed": 0.1215, "country_name": "France", "country_iso_code": "FRA",
    "region": "", "cloud_provider": "", "cloud_region": "", "codecarbon_version": "3.0.1",
    "cpu_model": "Xeon",
    "gpu_count": 1, "gpu_model": "1 x Tesla T4", "tracking_mode": "machine", "on_cloud": "N", "pue": 1.0,
}  # fmt: skip
H20 = {
    "duration": 36000, "gpu_power": 300, "ram_power": 20, "cpu_energy": 0.425, "gpu_energy": 3.0,
    "ram_energy": 0.2, "energy_consumed": 3.625, "gpu_model": "1 x NVIDIA H20",
}  # fmt: skip


def codecarbon(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    """A log with a row for each change to the hour on a T4."""
    file = tmp_path / "emissions.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(CODECARBON), lineterminator="\n")
        writer.writeheader()
        writer.writerows(CODECARBON | row for row in rows)
    return file


def text(tmp_path: Path, name: str, content: str) -> Path:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    return file


def through(build: Build, log: Path, *options: str) -> tuple[pl.DataFrame, str]:
    """The estimates of a log, step by step, and what was said on the way."""
    runs, out = log.parent / "runs.csv", log.parent / "estimates.parquet"
    done = ote("import", log, "--out", runs, *options)
    assert done.returncode == 0, done.stderr
    database = build.directory / "emissions.duckdb"
    estimated = ote("estimate", "--batch", runs, "--out", out, "--database", database)
    assert estimated.returncode == 0, estimated.stderr
    return pl.read_parquet(out), done.stderr + estimated.stderr


def only(file: Path, **options: Any) -> imports.Run:
    (run,) = imports.read(file, **options).runs
    return {column: cell for column, cell in run.items() if cell}


@pytest.mark.parametrize(
    ("change", "kwh"),
    [
        ({}, 0.1215),  # 121.5 W with its host, a T4 is rated 70 W
        ({"country_name": "The Netherlands", "country_iso_code": "NLD"}, 0.1215),
        ({"gpu_model": "1 x NVIDIA GeForce RTX 3060 Laptop GPU"}, 0.1215),
        ({"gpu_model": "1 x A chip that nobody knows"}, 0.1215),
        (H20 | {"gpu_model": "8 x NVIDIA H20"}, 3.625),
        (
            {
                "gpu_count": "",
                "gpu_model": "",
                "gpu_energy": 0,
                "cpu_model": "Apple M2",
                "energy_consumed": 0.0525,
            },
            0.0525,
        ),
    ],
)
def test_a_measured_energy_is_taken_as_it_is(
    build: Build, tmp_path: Path, change: dict[str, Any], kwh: float
) -> None:
    frame, _ = through(build, codecarbon(tmp_path, change))
    (row,) = frame.to_dicts()
    assert row["energy_basis"] == "partly_measured"  # CodeCarbon meters no fans and power supplies
    ((gsd,),) = build.query("select gsd from method where factor = 'energy_mwh' and basis = 'reported'")
    assert row["energy_gsd"] == pytest.approx(gsd)
    assert row["energy_mwh"] * 1000 == pytest.approx(kwh * row["pue"])
    assert row["co2e_gross_t"] == pytest.approx(row["energy_mwh"] * row["gross_kg_per_kwh"])


def test_a_host_that_power_six_times_what_it_can_is_left_out(build: Build, tmp_path: Path) -> None:
    """891 W on a GTX 1080 Ti (250 W): 1.5 x 250 + 500 W at the most."""
    change = {"gpu_model": "1 x NVIDIA GeForce GTX 1080 Ti", "cpu_power": 812, "cpu_energy": 0.812}
    log = codecarbon(tmp_path, change | {"energy_consumed": 0.891}, {"run_id": "r2"})
    frame, said = through(build, log)
    assert frame.height == 1
    assert "line 2, row 1, energy_kwh: 0.891 kWh" in said
    rejects = pl.read_csv(tmp_path / "estimates.rejects.csv")
    assert rejects.select("line", "row", "column").rows() == [(2, 1, "energy_kwh")]


def test_the_number_of_tracked_gpus_wins_over_those_of_the_machine(tmp_path: Path) -> None:
    log = imports.read(codecarbon(tmp_path, H20 | {"gpu_model": "8 x NVIDIA H20"}))
    assert (log.runs[0]["hardware"], log.runs[0]["chips"]) == ("NVIDIA H20", "1")
    assert "gpu_count is 1, and gpu_model lists 8" in "".join(log.left_out)


def test_a_chip_without_a_number_before_its_name_is_one(build: Build, tmp_path: Path) -> None:
    apple = {"gpu_model": "Apple M2", "cpu_energy": 0.005, "gpu_energy": 0.003, "ram_energy": 0.003}
    log = codecarbon(tmp_path, apple | {"energy_consumed": 0.011, "cpu_power": 5, "ram_power": 3})
    (row,) = through(build, log)[0].to_dicts()
    assert (row["hardware_name"], row["chips"]) == ("Apple M2", 1)
    assert row["energy_mwh"] * 1000 == pytest.approx(0.011 * row["pue"])


def test_tasks_of_a_run_are_parts_of_it(tmp_path: Path) -> None:
    """CodeCarbon writes them at one moment; 1.107 Wh of memory at 6 W are 664 s, not 0.446 s."""
    file = tmp_path / "tasks.csv"
    header = (
        "task_name,timestamp,project_name,run_id,duration,cpu_power,ram_power,cpu_energy,gpu_energy,ram_energy,"
        "energy_consumed,cpu_model,gpu_count,gpu_model"
    )
    rows = [
        "load,2024-05-01T10:00:00,p,r,10,42.5,6,0.000118,0,0.0000167,0.000135,i7,,",
        "fit,2024-05-01T10:00:00,p,r,0.446,42.5,6,0.00784,0,0.001107,0.00895,i7,,",
    ]
    file.write_text("\n".join([header, *rows]), encoding="utf-8")
    log = imports.read(file)
    assert [run["model"] for run in log.runs] == ["p (load)", "p (fit)"]
    assert [float(run["energy_kwh"]) for run in log.runs] == [0.000135, 0.00895]
    assert float(log.runs[1]["training_hours"]) * 3600 == pytest.approx(664, rel=1e-3)
    assert "taken as 664 s" in "".join(log.left_out)


def test_a_gpu_with_an_energy_of_zero_was_not_measured(build: Build, tmp_path: Path) -> None:
    change = {
        "gpu_power": 0,
        "gpu_energy": 0,
        "energy_consumed": 0.625,
        "gpu_model": "1 x Tesla P100-PCIE-16GB",
    }
    frame, said = through(build, codecarbon(tmp_path, H20 | change))
    (row,) = frame.to_dicts()
    assert (row["energy_basis"], row["chip_hours"]) == ("computed", 10)
    assert row["energy_mwh"] == pytest.approx(10 * row["watts_per_chip"] * row["pue"] / 1e6)
    assert "the GPU was not read (gpu_energy is 0)" in said


def test_trackers_of_one_machine_at_one_time_count_once(build: Build, tmp_path: Path) -> None:
    node = {
        "duration": 36000, "cpu_power": 100, "gpu_power": 2400, "ram_power": 40, "cpu_energy": 1.0,
        "gpu_energy": 24, "ram_energy": 0.4, "energy_consumed": 25.4, "gpu_count": 8,
        "gpu_model": "8 x NVIDIA A100-SXM4-40GB",
    }  # fmt: skip
    ranks = [node | {"run_id": f"r{n}", "timestamp": f"2025-05-24T18:00:0{n}"} for n in range(8)]
    frame, said = through(build, codecarbon(tmp_path, *ranks))
    (row,) = frame.to_dicts()
    assert row["energy_mwh"] * 1000 == pytest.approx(25.4 * row["pue"])
    assert row["chips"] == 8
    assert "(3, 4, 5, 6, 7, 8, 9) are taken as the same machine" in said
    (run,) = imports.read(codecarbon(tmp_path, *ranks)).runs
    assert run["metering"].endswith("; 7 more trackers, taken as of the same machine, counted once")
    both, _ = through(build, codecarbon(tmp_path, *ranks), "--distinct-machines")
    assert both.height == 8


def test_trackers_that_read_other_gpus_count_each(build: Build, tmp_path: Path) -> None:
    """Eight nodes of two GPUs: 3.0 kWh to 3.7 kWh of these, and 1.4 kWh of processors and memory."""
    rank = H20 | {"duration": 36000, "cpu_power": 100, "ram_power": 40, "cpu_energy": 1.0, "ram_energy": 0.4}
    ranks = [
        rank
        | {"run_id": f"r{n}", "timestamp": f"2025-05-24T18:00:0{n}", "gpu_power": 300 + 10 * n}
        | {"gpu_energy": 3 + n / 10, "energy_consumed": 4.4 + n / 10}
        | {"gpu_count": 2, "gpu_model": "2 x NVIDIA H20"}
        for n in range(8)
    ]
    frame, said = through(build, codecarbon(tmp_path, *ranks))
    assert frame.height == 8
    assert frame["energy_mwh"].sum() * 1000 == pytest.approx((8 * 4.4 + 2.8) * frame["pue"][0])
    assert "Lines 2, 3, 4, 5, 6, 7, 8, 9 are of the same time" in said
    assert "the energies of their GPUs differ" in " ".join(said.split())
    assert "If those are of one host, leave them out of all lines but one; that takes off 9.8 kWh." in said


@pytest.mark.parametrize(
    ("gpus", "kwh", "chips", "total", "says"),
    [
        (1, (3.00, 3.01, 3.02, 3.03), 4, 15.14, "taken as GPUs of one machine"),
        (1, (2.9293, 2.9311, 3.0402), 3, 11.9806, "taken as GPUs of one machine"),  # two within 0.1 %
        (1, (3.0, 3.0, 3.02), 2, 9.1, "taken as the same machine"),  # two are equal in every reading
        (1, (3.0, 3.001), 1, 6.08, "taken as the same machine"),  # within what both ends make
        (8, (50.0, 50.2), 16, 106.36, "taken as different GPUs, each with processors"),
        (8, (50.0, 50.01), 8, 53.08, "taken as the same machine"),
    ],
)
def test_ranks_and_nodes_of_nearly_one_energy(
    tmp_path: Path, gpus: int, kwh: Sequence[float], chips: int, total: float, says: str
) -> None:
    """Ten hours of A100 or H100, at one time; 3.08 kWh of processors and memory on every line."""
    node = {
        "duration": 36000, "cpu_power": 120, "ram_power": 188, "cpu_energy": 1.2, "ram_energy": 1.88,
        "gpu_count": gpus, "gpu_model": f"{gpus} x NVIDIA H100 80GB HBM3", "gpu_power": 300 * gpus,
    }  # fmt: skip
    rows = [
        node | {"run_id": f"r{n}", "gpu_energy": energy, "energy_consumed": energy + 3.08}
        for n, energy in enumerate(kwh)
    ]
    log = imports.read(codecarbon(tmp_path, *rows))
    assert sum(int(run["chips"]) for run in log.runs) == chips
    assert sum(float(run["energy_kwh"]) for run in log.runs) == pytest.approx(total)
    assert says in "".join(log.left_out)
    assert "--distinct-machines" in "".join(log.left_out) or "keep one line" in "".join(log.left_out)


@pytest.mark.parametrize(("later_s", "gpus"), [(718, 2), (719, 1)])
def test_trackers_ran_together_up_to_a_fiftieth_of_their_time(
    tmp_path: Path, later_s: int, gpus: int
) -> None:
    """They share 98 % of 36,000 s, and 2 s by which clocks differ; if less, they read one GPU in turns."""
    rank = {
        "duration": 36000, "cpu_power": 120, "ram_power": 188, "cpu_energy": 1.2, "ram_energy": 1.88,
        "gpu_count": 1, "gpu_model": "1 x NVIDIA H100 80GB HBM3", "gpu_power": 300,
    }  # fmt: skip
    ends = (datetime(2024, 5, 1, 12), datetime(2024, 5, 1, 12) + timedelta(seconds=later_s))
    rows = [
        rank
        | {"run_id": str(end), "timestamp": end.isoformat(), "gpu_energy": kwh, "energy_consumed": kwh + 3.08}
        for end, kwh in zip(ends, (3.0, 3.5), strict=True)
    ]
    log = imports.read(codecarbon(tmp_path, *rows))
    assert sum(int(run["chips"]) for run in log.runs) == gpus


@pytest.mark.parametrize(
    ("change", "machines"),
    [
        ({"cpu_power": 130}, 1),  # at the end; 100 W on average: read, and the same for all
        ({"gpu_model": "8 x NVIDIA H20"}, 1),  # all GPUs of a machine, whose processors have one power
        ({}, 1),  # one power of any machine of this kind, but ranks that see one GPU each are likelier
        ({"gpu_model": "16 x NVIDIA H20"}, 1),
        ({"gpu_model": "4 x NVIDIA H20"}, 8),  # a machine of four has no eight GPUs
    ],
)
def test_ranks_with_a_gpu_each_share_the_processors_of_their_machine(
    tmp_path: Path, change: dict[str, Any], machines: int
) -> None:
    """Eight ranks: 3.0 kWh to 3.7 kWh of a GPU each, and 1.4 kWh of processors and memory on every line."""
    rank = H20 | {"cpu_power": 100, "ram_power": 40, "cpu_energy": 1.0, "ram_energy": 0.4} | change
    ranks = [
        rank
        | {"run_id": f"r{n}", "timestamp": f"2025-05-24T18:00:0{n}", "gpu_power": 300 + 10 * n}
        | {"gpu_energy": 3 + n / 10, "energy_consumed": 4.4 + n / 10}
        for n in range(8)
    ]
    log = imports.read(codecarbon(tmp_path, *ranks))
    energy = sum(float(run["energy_kwh"]) for run in log.runs)
    assert energy == pytest.approx(8 * 3.0 + 2.8 + machines * 1.4)
    assert ("taken as GPUs of one machine" in "".join(log.left_out)) == (machines == 1)
    distinct = imports.read(tmp_path / "emissions.csv", distinct_machines=True)
    assert sum(float(run["energy_kwh"]) for run in distinct.runs) == pytest.approx(8 * 4.4 + 2.8)


def test_other_processors_are_of_another_machine(tmp_path: Path) -> None:
    """Two GPUs at one time, and processors that used 1.0 kWh and 1.1 kWh."""
    rank = H20 | {"cpu_power": 130, "ram_power": 40, "cpu_energy": 1.0, "ram_energy": 0.4}
    other = {"run_id": "b", "cpu_energy": 1.1, "gpu_energy": 3.5, "energy_consumed": 5.0}
    log = imports.read(codecarbon(tmp_path, rank | {"run_id": "a", "energy_consumed": 4.4}, rank | other))
    assert sum(float(run["energy_kwh"]) for run in log.runs) == pytest.approx(9.4)


@pytest.mark.parametrize(
    ("until", "machines", "share"),
    [
        ("23:00:00", 1.5, "50% of its time"),
        ("18:30:00", 1.05, "95% of its time"),
        ("18:29:59", 1, "as they read alike: counted once"),  # less than a twentieth is the clocks
    ],
)
def test_of_machines_measured_twice_for_a_while_that_while_counts_once(
    tmp_path: Path, until: str, machines: float, share: str
) -> None:
    """10 h to 18:00 and 10 h to a later time: the hours between are in one of them alone."""
    rows = [H20 | {"run_id": "a"}, H20 | {"run_id": "b", "timestamp": f"2025-05-24T{until}"}]
    log = imports.read(codecarbon(tmp_path, *rows))
    assert sum(float(run["energy_kwh"]) for run in log.runs) == pytest.approx(3.625 * machines)
    assert share in "".join(log.left_out)


@pytest.mark.parametrize(
    "other",
    [
        {"timestamp": "2025-05-25T04:00:01"},  # right after it
        {"gpu_model": "1 x NVIDIA H200"},  # another machine
        {"gpu_count": 1, "gpu_model": "8 x NVIDIA H20"},  # one GPU of eight, nobody knows which
        {"energy_consumed": 9.0, "gpu_energy": 8.275, "cpu_energy": 0.525},  # other processors
    ],
)
def test_what_is_not_the_same_machine_at_once_counts_twice(tmp_path: Path, other: dict[str, Any]) -> None:
    log = imports.read(codecarbon(tmp_path, H20 | {"run_id": "a"}, H20 | {"run_id": "b"} | other))
    energy = 3.625 + float(other.get("energy_consumed", 3.625))
    assert sum(float(run["energy_kwh"]) for run in log.runs) == pytest.approx(energy)


def test_a_province_has_its_own_grid(build: Build, tmp_path: Path) -> None:
    place = {"country_name": "Canada", "country_iso_code": "CAN", "region": "quebec"}
    (row,) = through(build, codecarbon(tmp_path, H20 | place))[0].to_dicts()
    assert 0.002 <= row["gross_kg_per_kwh"] <= 0.030
    assert (row["site_state"], row["site_country"], row["provider"]) == ("CA-QC", "CA", None)


def test_a_state_without_a_known_grid_is_named(build: Build, tmp_path: Path) -> None:
    place = {"country_name": "Germany", "country_iso_code": "DEU", "region": "bavaria"}
    frame, said = through(build, codecarbon(tmp_path, H20 | place))
    assert frame["gross_basis"].to_list() == ["country_year"]
    assert "region 'bavaria' of Germany is not used" in said


def test_a_state_of_the_usa_is_not_the_country(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    given = {"energy_kwh": 10, "started": "2020"}
    for name in ("Texas", "US-TX", "TX"):
        run = estimate_run(given | {"site_country": "US", "site_state": name}, database)
        ((grams,),) = build.query(
            "select carbon_intensity_g_per_kwh from grid_intensity "
            "where scheme = 'us_state' and region = 'TX' and year = 2020"
        )
        assert run["gross_kg_per_kwh"] == pytest.approx(grams / 1000)
        assert run["factors"]["gross_kg_per_kwh"]["basis"] == "region_year"
    assert (
        "--state 'Bavaria' is not a state"
        in ote("estimate", "--energy", "1", "--state", "Bavaria", "--database", database).stderr
    )


def test_an_empty_run_costs_itself(build: Build, tmp_path: Path) -> None:
    crashed = dict.fromkeys(("cpu_energy", "gpu_energy", "ram_energy", "energy_consumed"), 0)
    log = codecarbon(tmp_path, H20, crashed | {"run_id": "r2", "duration": 0.001})
    frame, said = through(build, log)
    assert frame.height == 1
    assert "line 3, row 2, energy_consumed: 0 kWh in 0.001 s" in said
    refused = ote("import", log, "--strict")
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.parametrize(
    ("duration", "hours"),
    [
        (0.446, 10),  # memory: 0.2 kWh at 20 W
        (-3599, 10),
        (36000, 10),
    ],
)
def test_a_duration_that_cannot_be_is_replaced(tmp_path: Path, duration: float, hours: float) -> None:
    log = imports.read(codecarbon(tmp_path, H20 | {"duration": duration}))
    assert float(log.runs[0]["training_hours"]) == pytest.approx(hours)
    assert bool(log.left_out) == (duration != 36000)


@pytest.mark.parametrize(
    ("memory_kwh", "duration_h", "hours"),
    [
        (0.238, 4, 11.9),  # 0.238 kWh at 20 W: within 20 % of the processor's 10 h, so the clock was wrong
        (0.242, 4, 4),  # 12.1 h and 10 h do not agree, and 4 h are possible
        (0.238, 6, 6),  # within a factor of two of what is stated
    ],
)
def test_a_duration_gives_way_to_two_meters_that_agree(
    tmp_path: Path, memory_kwh: float, duration_h: float, hours: float
) -> None:
    row = H20 | {
        "ram_energy": memory_kwh,
        "energy_consumed": 3.425 + memory_kwh,
        "duration": duration_h * 3600,
    }
    (run,) = imports.read(codecarbon(tmp_path, row)).runs
    assert float(run["training_hours"]) == pytest.approx(hours)


def test_a_duration_that_cannot_be_replaced_is_left_out_and_named(build: Build, tmp_path: Path) -> None:
    columns = {
        "cpu_power": "",
        "ram_power": "",
        "duration": 0.446,
        "gpu_model": "",
        "gpu_count": "",
        "gpu_energy": 0,
        "energy_consumed": 0.0525,
    }
    frame, said = through(build, codecarbon(tmp_path, columns))
    assert frame["training_hours"].to_list() == [None]
    assert "which cannot be: the duration or the energy is wrong" in said
    assert "The energy is kept, and the hours are left out" in said


def test_remains_of_a_crash_cost_their_lines(tmp_path: Path) -> None:
    """Half a line and a quote that is never closed cost their line; NUL bytes, headers, empty lines none."""
    log = codecarbon(tmp_path, {"run_id": "a"})
    header, row = log.read_text(encoding="utf-8").splitlines()
    other = [
        row.replace(",a,", f",{name},").replace("T18", f"T{hour}") for name, hour in (("b", 20), ("c", 22))
    ]
    lines = [header, row, "\0" * 200_000, row[:40], header, other[0], '"' + row[:60], "", other[1], ""]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    read = imports.read(log)
    assert len(read.runs) == 3
    said = [str(reject) for reject in read.rejects]
    for begin, cause in (
        ("line 4, row 2", "half a line"),
        ("line 7, row 4", "never closed"),
    ):
        assert any(reject.startswith(begin) and cause in reject for reject in said), said
    assert len(said) == 2
    notes = [note for note in read.left_out if "no row is lost" in note]
    assert [note.split(":")[0] for note in notes] == ["Line 3", "Line 5", "Line 8"]
    for note, cause in zip(notes, ("NUL bytes alone", "the header again", "empty"), strict=True):
        assert cause in note


def test_lines_that_are_no_rows_are_not_counted_as_lost(build: Build, tmp_path: Path) -> None:
    """A header again, NUL bytes and an empty line, in a log and in a file of runs."""
    log, runs = codecarbon(tmp_path, {"run_id": "a"}), tmp_path / "runs.csv"
    header, row = log.read_text(encoding="utf-8").splitlines()
    log.write_text("\n".join([header, row, "\0\0", "", header, ""]), encoding="utf-8")
    database = ("--database", build.directory / "emissions.duckdb")
    assert ote("import", log, "--strict", "--out", runs).returncode == 0
    assert not (tmp_path / "runs.rejects.csv").exists()
    piped = ote("import", log)
    assert "Line 5: the header again; two files were joined there" in piped.stderr
    assert "left_out" not in piped.stdout
    header, row = runs.read_text(encoding="utf-8").splitlines()
    runs.write_text("\n".join([header, "", row, header, "\0", row, ""]), encoding="utf-8")
    report = ote("report", runs, *database)
    assert "left out" not in report.stdout
    out = tmp_path / "e.csv"
    batch = ote("estimate", "--batch", runs, "--out", out, *database)
    assert batch.stdout.startswith("2 runs estimated")
    assert pl.read_csv(out)["row"].to_list() == [1, 2]
    piped_runs = CliRunner().invoke(
        app, ["report", "-", *map(str, database)], input=runs.read_text(encoding="utf-8")
    )
    assert "stdin: Line 2: empty" in piped_runs.stderr
    for said in (report.stderr, batch.stderr, piped_runs.stderr):
        for lines in ("Line 2: empty", "Line 4: the header again", "Line 5: NUL bytes alone"):
            assert lines in said


def test_a_component_that_was_not_measured_leaves_the_others(tmp_path: Path) -> None:
    change = {"energy_consumed": "", "ram_energy": "None"}
    run = only(codecarbon(tmp_path, change))
    assert float(run["energy_kwh"]) == pytest.approx(0.0425 + 0.069)
    lines = [
        "2024-03-01 10:00:00 - carbontracker version 1.1.6",
        "2024-03-01 10:00:00 - The following components were found: GPU with device(s) GeForce GTX 1060.",
        "2024-03-01 10:00:00 - Epoch 1:",
        "2024-03-01 10:00:00 - Duration: 1:00:00.00",
        "2024-03-01 10:00:00 - Average power usage (W) for gpu: 100.0",
        "2024-03-01 10:00:00 - Average power usage (W) for cpu: None",
    ]
    log = imports.read(text(tmp_path, "a_carbontracker.log", "\n".join(lines)))
    assert float(log.runs[0]["energy_kwh"]) == pytest.approx(0.1)
    assert "Power of cpu: not measured (None)" in "".join(log.left_out)


SACCT = "1|train|{}|360000|2024-03-05T08:00:00"


@pytest.mark.parametrize(
    ("tres", "runs"),
    [
        ("cpu=56,gres/gpu:mi250=8,gres/gpu=8,node=1", [("MI250", "4", "")]),  # 8 GCDs
        ("cpu=56,gres/gpu:mi250x=1", [("MI250X", "", "50")]),  # half a module
        ("cpu=24,gres/gpu:k80=8,gres/gpu=8", [("K80", "4", "")]),
        ("gres/gpu:nvidia_a16=4", [("A16", "1", "")]),
        ("gres/gpu:a100-40g=4", [("a100 40GB", "4", "")]),
        ("gres/gpu:v100-32g=4", [("v100", "4", "")]),
        ("gres/gpu:6000ada=4", [("RTX 6000 Ada", "4", "")]),
        ("gres/gpu:volta-32g=4", [("volta-32g", "4", "")]),
        ("gres/gpu:gpu=4,gres/gpu=4", [("", "4", "")]),  # no kind
        ("gres/gpu:tesla_m60=2", [("M60", "1", "")]),
        ("gres/gpu=3,gres/gpu:a100=1,gres/gpu:a40=2", [("a100", "1", ""), ("a40", "2", "")]),
        ("gres/gpu=4,gres/gpu:a100=1", [("a100", "1", ""), ("", "3", "")]),
        ("gres/gpu:2080ti=2,gres/gpu=2", [("RTX 2080ti", "2", "")]),
        ("gpu:a100:8", [("a100", "8", "")]),
    ],
)
def test_what_a_scheduler_calls_a_gpu(tmp_path: Path, tres: str, runs: list[tuple[str, str, str]]) -> None:
    log = text(tmp_path, "s.txt", f"JobID|JobName|AllocTRES|ElapsedRaw|Start\n{SACCT.format(tres)}\n")
    found = imports.read(log).runs
    assert [(run["hardware"], run.get("chips", ""), run.get("chip_hours", "")) for run in found] == runs


def test_gcds_are_estimated_as_modules(build: Build, tmp_path: Path) -> None:
    tres = "cpu=56,gres/gpu:mi250=8,gres/gpu=8,node=1"
    log = text(tmp_path, "s.txt", f"JobID|JobName|AllocTRES|ElapsedRaw|Start\n{SACCT.format(tres)}\n")
    frame, said = through(build, log)
    (row,) = frame.to_dicts()
    assert (row["chips"], row["chip_hours"]) == (4, 400)
    assert row["energy_mwh"] == pytest.approx(400 * row["watts_per_chip"] * row["pue"] / 1e6)
    assert "counted 8 of mi250: 2 GCDs are 1 board, so 4" in said


@pytest.mark.parametrize(
    "content",
    [
        "Start|AllocTRES|JobIDRaw|ElapsedRaw\n2024-03-05T08:00:00|gres/gpu:a100=8|1|360000\n",
        "JobID|JobName|AllocTRES|Elapsed|Start|\n1|a|gres/gpu:a100=8|4-04:00:00|2024-03-05T08:00:00|\n",
        "JobID,AllocTRES,ElapsedRaw,Start\n1,cpu=8,gres/gpu:a100=8,360000,2024-03-05T08:00:00\n",
        "JobID;AllocTRES;ElapsedRaw;Start\n1;cpu=8,gres/gpu:a100=8;360000;1709625600\n",
        "JobID\tAllocTRES\tElapsedRaw\tStart\n1\tgres/gpu:a100=8\t360000\t05.03.2024 08:00:00\n",
        "# of the cluster\nJobID|AllocTRES|ElapsedRaw|Start\n1|gres/gpu:a100=8|360000|25/03/2024 08:00\n"
        "1.batch|gres/gpu:a100=8|360000|2024-03-05T08:00:00\n",
        "JobID                   AllocTRES    Elapsed               Start\n"
        "------------ -------------------- ---------- -------------------\n"
        "1            gres/gpu:a100=8      4-04:00:00 2024-03-05T08:00:00\n",
        "JobID|AllocTRES|ElapsedRaw|Start\n" + "1|gres/gpu:a100=8|360000|2024-03-05T08:00:00\n" * 2,
    ],
)
def test_sacct_in_any_form(tmp_path: Path, content: str) -> None:
    run = only(text(tmp_path, "s.txt", content))
    assert (run["hardware"], run["chips"], run["training_hours"]) == ("a100", "8", "100")
    assert run["started"].startswith("2024-03")


def test_a_cut_column_of_sacct_is_named(tmp_path: Path) -> None:
    content = "JobID  AllocTRES  Elapsed\n------ ---------- --------\n1      billing=6+ 01:00:00\n"
    with pytest.raises(imports.UnknownLogError, match=r"line 3, row 1, AllocTRES: 'billing=6\+' is cut"):
        imports.read(text(tmp_path, "s.txt", content))


SKU = "Nvidia Tesla A100 GPU running in Americas"


@pytest.mark.parametrize(
    "content",
    [
        "service_description,sku_description,usage_start_time,location_region,usage_amount,usage_unit,cost\n"
        f"Compute Engine,{SKU},2024-03-01 00:00:00 UTC,us-central1,360000,seconds,45\n",
        "Project name,Service description,SKU description,Cost type,Usage start date,Usage end date,"
        "Usage amount,Usage unit,Cost ($)\n"
        f"demo,Compute Engine,{SKU},Usage,2024-03-01,2024-03-31,100,hour,293\n",
        "Invoice number,123\nBilling account,x\n\nSKU description,Usage start date,Usage amount,Usage unit\n"
        f'{SKU},2024-03-01,"1,100",hours\n{SKU},2024-03-02,"-1,000",hours\n',
        json.dumps({"sku": {"description": SKU}, "usage": {"amount": 360000, "unit": "seconds"},
                    "credits": [], "usage_start_time": "2024-03-01",
                    "location": {"region": "us-central1"}}) + "\n",
    ],
)  # fmt: skip
def test_a_bill_in_any_form(tmp_path: Path, content: str) -> None:
    run = only(text(tmp_path, "bill", content))
    assert (run["hardware"], run["chip_hours"], run["started"]) == ("A100", "100", "2024-03")


def test_a_gpu_of_a_k80_is_billed_as_half_a_board(build: Build, tmp_path: Path) -> None:
    log = text(
        tmp_path,
        "bill.csv",
        "sku.description,usage_start_time,location.region,usage.amount,usage.unit\n"
        "Nvidia Tesla K80 GPU running in Americas,2022-03-01 00:00:00 UTC,us-central1,360000,seconds\n",
    )
    (row,) = through(build, log)[0].to_dicts()
    assert row["chip_hours"] == 50
    assert row["energy_mwh"] == pytest.approx(50 * row["watts_per_chip"] * row["pue"] / 1e6)


@pytest.mark.parametrize("column", ["project.id", "project_id", "Project ID", "Project name"])
def test_the_projects_of_a_bill_are_runs_of_their_own(tmp_path: Path, column: str) -> None:
    """Two projects with 10 h and 5 h of one GPU in a month; a bill of one project does not name it."""
    header = f"sku.description,usage.amount,usage.unit,{column}"
    lines = [header, f"{SKU},10,hour,vision", f"{SKU},4,hour,llm", f"{SKU},1,hour,llm"]
    runs = imports.read(text(tmp_path, "bill.csv", "\n".join(lines))).runs
    assert [(run["model"], run["chip_hours"]) for run in runs] == [
        ("A100 (llm)", "5"),
        ("A100 (vision)", "10"),
    ]
    (run,) = imports.read(text(tmp_path, "bill.csv", "\n".join(lines[:2]))).runs
    assert run["model"] == "A100"


def test_corrections_of_a_bill_may_leave_nothing(tmp_path: Path) -> None:
    lines = [
        "sku.description,usage.amount,usage.unit",
        f"{SKU},5,hour",
        f"{SKU},-5,hour",
        "Nvidia L4 GPU,2,hour",
    ]
    log = imports.read(text(tmp_path, "bill.csv", "\n".join(lines)))
    assert [(run["hardware"], run["chip_hours"]) for run in log.runs] == [("L4", "2")]
    assert "corrections take off all A100 hours" in "".join(log.left_out)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_nvidia_smi_is_integrated_over_time(tmp_path: Path, encoding: str) -> None:
    """Two GPUs at 100 W and 200 W for half an hour, and the first for 10 minutes at its mean: 1/6 kWh."""
    rows = ["timestamp, name, power.draw [W]"]
    for minute in range(0, 31, 10):
        for watts in (100, 200):
            rows.append(f"2024/05/01 10:{minute:02}:00.500, NVIDIA A100-SXM4-40GB, {watts}.00 W")
    rows.append("2024/05/01 10:40:00.500, NVIDIA A100-SXM4-40GB, [N/A]")
    file = tmp_path / "smi.csv"
    file.write_text("\r\n".join(rows), encoding=encoding)
    log = imports.read(file)
    (run,) = log.runs
    assert (run["hardware"], run["chips"]) == ("NVIDIA A100-SXM4-40GB", "2")
    assert float(run["training_hours"]) == pytest.approx(35 / 60)
    assert float(run["energy_kwh"]) == pytest.approx(1 / 6)
    assert "the host is not in the energy" in "".join(log.left_out)
    assert log.parts[0].column == "power.draw [W]"


def test_eco2ai_in_old_and_new_spellings(tmp_path: Path) -> None:
    header = "project_name,start_time,duration(s),power_consumption({}),GPU_name,region/country\n"
    for unit in ("kWTh", "kWh"):
        row = "p,2024-03-01 10:00:00,3600,0.05,Quadro T1000 1 device(s),IT/Lazio\n"
        run = only(text(tmp_path, "e.csv", header.format(unit) + row))
        assert (run["hardware"], run["chips"], run["energy_kwh"]) == ("Quadro T1000", "1", "0.05")
    counted = only(text(tmp_path, "e.csv", header.format("kWh") + "p,,3600,0.05, 2 device(s),IT\n"))
    assert (counted["chips"], counted.get("hardware")) == ("2", None)
    impossible = header.format("kWh") + "p,,3.6,0.822,A100 1 device(s),IT\n" + row
    log = imports.read(text(tmp_path, "e.csv", impossible))
    assert len(log.runs) == 1
    assert "is 822 kW" in str(log.rejects[0])


@pytest.mark.parametrize(
    "first",
    [
        "lineItem/UsageAmount,product/instanceType",
        "BilledCost,ConsumedQuantity,ConsumedUnit",
        "epoch,energy,time",
    ],
)
def test_a_format_that_is_not_read_says_what_to_do(tmp_path: Path, first: str) -> None:
    refused = ote("import", text(tmp_path, "x.csv", f"{first}\n1,2,3\n"))
    assert refused.returncode == 2
    assert "ote estimate --hardware A100 --chips 8 --hours 72" in refused.stderr
    assert "ote estimate --energy 40 --country DE" in refused.stderr


@pytest.mark.parametrize(
    ("hardware", "chips", "counted"),
    [
        ("TPU v3-8", 1, 4),
        ("v3-8", None, 4),
        ("tpu-v4-32", 2, 32),
        ("v5litepod-16", 1, 16),
        ("TPU v3 core", 8, 4),
        ("AMD Instinct MI250X GCD", 8, 4),
        ("K80 GPU", 8, 4),
    ],
)
def test_names_of_parts_and_slices_are_counted_in_chips(
    build: Build, hardware: str, chips: int | None, counted: int
) -> None:
    """By the table of units that imports use: 72 hours on so many chips."""
    given = {"hardware": hardware, "chips": chips, "training_hours": 72, "started": "2022-04"}
    run = estimate_run(given, build.directory / "emissions.duckdb")
    assert (run["chips"], run["chip_hours"]) == (counted, counted * 72)
    assert run["energy_mwh"] == pytest.approx(counted * 72 * run["watts_per_chip"] * run["pue"] / 1e6)
    assert run["counting"]


@pytest.mark.parametrize(
    ("hardware", "column", "number"),
    [
        ("TPU v3-256", "chips", 256),  # its cores: 256 slices would have 32,768 chips
        ("v3-8", "chips", 4),  # its chips
        ("tpu-v4-32", "chips", "32.0"),
        ("v5litepod-16", "chips", 16),
        ("v3-8", "chip_hours", 80),  # of slices, cores or chips?
    ],
)
def test_a_number_that_a_name_has_already_is_not_counted_twice(
    build: Build, tmp_path: Path, hardware: str, column: str, number: float | str
) -> None:
    runs, out = tmp_path / "runs.csv", tmp_path / "estimates.csv"
    given = {"hardware": hardware, "chips": "", "training_hours": 10, "chip_hours": ""} | {column: number}
    pl.DataFrame([given], strict=False).write_csv(runs)
    done = ote("estimate", "--batch", runs, "--out", out, "--database", build.directory / "emissions.duckdb")
    assert f"{column}: '{number}' with {hardware}, a name that has a number already: expected" in done.stderr


def test_the_answer_says_how_it_counted(build: Build) -> None:
    options = ("--hours", "72", "--start", "2022-04", "--database", build.directory / "emissions.duckdb")
    asked = ote("estimate", "--hardware", "TPU v3-8", "--chips", "1", *options)
    assert "Counted: TPU v3-8 is a slice of 8 cores = 4 chips" in asked.stdout
    bare = ote("estimate", "--hardware", "TPU v3", "--chips", "8", *options)
    assert 'If the number counts cores, name the hardware "TPU v3 core"' in " ".join(bare.stdout.split())


@pytest.mark.parametrize(
    "hardware", ["Intel Xeon Gold 6326", "Apple M2", "NVIDIA GeForce RTX 3060 Laptop GPU"]
)
def test_a_measured_energy_needs_no_accelerator(build: Build, hardware: str) -> None:
    given = {"hardware": hardware, "energy_kwh": 40, "site_country": "DE", "started": "2024-06"}
    run = estimate_run(given, build.directory / "emissions.duckdb")
    assert run["energy_mwh"] == pytest.approx(0.040 * run["pue"])
    assert hardware.split()[-1] in run["hardware_name"]


COMMON_FORMS = {
    "NL": ["The Netherlands", "NLD", "nl", "Netherlands (the)", "Kingdom of the Netherlands", "Holland"],
    "GB": ["UK", "Northern Ireland", "Scotland", "Wales", "England", "Great Britain"],
    "CN": ["PRC", "P.R. China", "PR China", "China, People's Republic of", "China (PRC)", "Mainland China"],
    "TW": ["ROC", "Taiwan, R.O.C.", "Republic of China (Taiwan)", "Taiwan, Province of China", "TWN"],
    "KR": ["Korea", "Korea, Rep.", "Republic of Korea", "ROK", "Korea (the Republic of)", "South Korea"],
    "KP": ["DPRK", "North Korea", "Korea (the Democratic People's Republic of)"],
    "RU": ["Russia", "Russian Federation", "Russian Fed."],
    "CZ": ["Czech Republic", "Czech Rep.", "Czechia", "The Czech Republic"],
    "AE": ["UAE", "U.A.E.", "Emirates", "United Arab Emirates (the)"],
    "US": ["U.S.A.", "usa", "America", "United States of America", "United States (the)"],
    "HK": ["Hong Kong, China", "Hong Kong SAR", "Hongkong", "China, Hong Kong SAR"],
    "CD": ["DRC", "DR Congo", "Congo, Dem. Rep."],
}


def test_a_country_is_known_by_its_common_forms(build: Build) -> None:
    names = [(code, name) for code, forms in COMMON_FORMS.items() for name in forms]
    runs = [{"energy_kwh": 1, "site_country": name, "carbon_intensity_g_per_kwh": 400} for _, name in names]
    found, _ = estimate_rows(runs, build.directory / "emissions.duckdb")
    assert [(run["site_country"], name) for run, (_, name) in zip(found, names, strict=True)] == names
    assert [(locations.country_code(name), name) for _, name in names] == names


def test_no_form_of_a_name_is_of_two_countries() -> None:
    meant: dict[str, set[str]] = {}
    for row in pl.read_csv(REFERENCE / "countries.csv", infer_schema=False).rows(named=True):
        for form in row.values():
            meant.setdefault(location_key(form), set()).add(row["country"])
    assert {key: countries for key, countries in meant.items() if len(countries) > 1} == {}
    usual = {code: locations.country_name(code) for code in ("CN", "CZ", "GB", "HK", "LA", "RU", "TW", "US")}
    assert usual == {
        "CN": "China", "CZ": "Czechia", "GB": "United Kingdom", "HK": "Hong Kong", "LA": "Laos",
        "RU": "Russia", "TW": "Taiwan", "US": "United States",
    }  # fmt: skip


def test_a_log_becomes_a_disclosure_in_one_line_or_step_by_step(build: Build, tmp_path: Path) -> None:
    a100 = {
        "run_id": "r2",
        "project_name": "b",
        "gpu_model": "1 x NVIDIA A100-SXM4-40GB",
        "gpu_power": 307.5,
        "gpu_energy": 0.3075,
        "energy_consumed": 0.36,
    }
    log = codecarbon(tmp_path, {"project_name": "a"}, a100 | {"timestamp": "2025-05-24T20:00:00"})
    database = build.directory / "emissions.duckdb"
    runs, estimates = tmp_path / "runs.csv", tmp_path / "estimates"
    runs.write_text(ote("import", log).stdout, encoding="utf-8")  # as a pipe takes it
    direct = ote("report", runs, "--as", "latex", "--database", database)
    assert direct.returncode == 0, direct.stderr
    assert "2 runs in France" in direct.stdout
    assert "@misc{open-training-emissions" in direct.stdout
    for ending in (".json", ".csv", ".parquet"):
        out = estimates.with_suffix(ending)
        assert ote("estimate", "--batch", runs, "--out", out, "--database", database).returncode == 0
        assert ote("report", out, "--as", "latex").stdout == direct.stdout
    frame = pl.read_parquet(estimates.with_suffix(".parquet"))
    report = ote("report", estimates.with_suffix(".json")).stdout
    for column in ("energy_mwh_p05", "energy_mwh", "energy_mwh_p95"):  # all errors shared: ends add up
        assert quantities.energy(float(frame[column].sum())) in report
    assert "all runs have the same errors" in report
    assert report.count("| a |") == report.count("| total |") == 1
    single = ote(
        "estimate", "--energy", "0.001", "--pue", "1", "--intensity", "433", "--json", "--database", database
    )
    file = text(tmp_path, "one.json", single.stdout)
    assert "emissions: 0.433\n" in ote("report", file, "--as", "model-card").stdout


PIPED_LOG = f"{','.join(CODECARBON)}\n{','.join(map(str, CODECARBON.values()))}\n"
# A log that is piped, and what is said of it; without a message it is read.
PIPED: dict[str, tuple[str | bytes, str]] = {
    "a log": (PIPED_LOG, ""),
    "UTF-16 and gzip": (gzip.compress(PIPED_LOG.encode("utf-16")), ""),
    "nothing": ("", "Nothing to import: the command before the pipe wrote nothing"),
    "no log": ("hello\n", "stdin: written by none of CodeCarbon, Carbontracker"),
    "runs": (
        "model,energy_kwh\na,1\n",
        "stdin: a file of runs already, not a log. Estimate it: pipe it to ote report",
    ),
}


@pytest.mark.parametrize("case", PIPED)
def test_a_log_may_be_piped(case: str) -> None:
    content, says = PIPED[case]
    done = CliRunner().invoke(app, ["import", "-"], input=content)
    assert (done.exit_code, says in done.stderr) == (2 if says else 0, True)
    assert not says or done.stdout == ""
    assert says or [row["energy_kwh"] for row in csv.DictReader(done.stdout.splitlines())] == ["0.1215"]


def test_a_run_of_a_piped_log_that_names_none_has_no_name() -> None:
    log = Path(__file__).parent / "logs" / "carbontracker_2.4.7.log"
    done = CliRunner().invoke(app, ["import", "-"], input=log.read_bytes())
    assert done.exit_code == 0
    assert "stdin" not in done.stdout


def test_a_report_names_the_rows_that_an_import_left_out(build: Build, tmp_path: Path) -> None:
    """Through a pipe, of a file of runs, and of a file of estimates: two of the four jobs."""
    rows = [f"{n}|job{n}|gres/gpu:a100=8|{s}|2024-03-05T08:00:00" for n, s in enumerate((36, "1h", 36, -1))]
    log = text(tmp_path, "s.txt", "\n".join(["JobID|JobName|AllocTRES|ElapsedRaw|Start", *rows]))
    runs, estimates = tmp_path / "runs.csv", tmp_path / "estimates.csv"
    database = ("--database", build.directory / "emissions.duckdb")
    piped = ote("import", log).stdout
    shown = CliRunner().invoke(app, ["report", "-", *map(str, database)], input=piped)
    ote("import", log, "--out", runs)
    ote("estimate", "--batch", runs, "--out", estimates, *database)
    reports = [shown.stdout, ote("report", runs, *database).stdout, ote("report", estimates).stdout]
    for report in reports:
        assert "2 of 4 rows of the input could not be used and are left out of these figures (" in report
        assert f"{log.name}, line 3, row 2" in report
        assert str(tmp_path) not in report
        assert "ElapsedRaw: '1h', expected a number" in report
    rejects = delimited.read_rejects(tmp_path / "estimates.rejects.csv")
    assert [reject.place.line for reject in rejects] == [3, 5]
    runs.write_text(piped, encoding="utf-8")
    again = ote("estimate", "--batch", runs, "--out", tmp_path / "again.csv", *database)
    assert (again.returncode, again.stdout.split(":")[0]) == (0, "2 runs estimated")
    assert "s.txt, line 3, row 2: ElapsedRaw: '1h', expected a number" in again.stderr


@pytest.mark.parametrize(
    ("country", "said"),
    [("Canada", "Parts of Canada may differ by more than the interval allows for: Quebec has"), ("FR", "")],
)
def test_a_country_of_several_grids_says_how_they_differ(build: Build, country: str, said: str) -> None:
    """Only where a state or province is outside the interval: Quebec's intensity is a tenth of Canada's."""
    database = build.directory / "emissions.duckdb"
    run = estimate_run({"energy_kwh": 10, "site_country": country, "started": "2024"}, database)
    assert run.get("within_country", "").startswith(said)
    assert bool(said) == ("within_country" in run)
    if said:
        for finer in ({"site_state": "Quebec"}, {"carbon_intensity_g_per_kwh": 20}):
            assert "within_country" not in estimate_run(
                {"energy_kwh": 10, "site_country": country, **finer}, database
            )
        quebec = estimate_run({"energy_kwh": 10, "site_state": "Quebec", "started": "2024"}, database)
        assert f"Quebec has {quebec['gross_kg_per_kwh']:.3g} kg/kWh" in run["within_country"]


def test_a_sum_says_once_how_parts_of_a_country_differ(build: Build) -> None:
    runs = [{"energy_kwh": 1, "site_country": "US", "started": year} for year in ("2018", "2021", "2021")]
    found, _ = estimate_rows(runs, build.directory / "emissions.duckdb")
    assert found[0]["within_country"].startswith("Parts of the United States may differ by more than")
    found[0]["within_country"] = "Parts of the United States may differ: Vermont has 0.03 kg/kWh (2018)."
    found[1]["within_country"] = found[2]["within_country"] = (
        "Parts of the United States may differ: so (2021)."
    )
    text = disclosure.markdown(disclosure.summed(found))
    assert "Parts of the United States may differ: Vermont has 0.03 kg/kWh (2018); so (2021). " in text
    assert text.count("Parts of the United States") == 1


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (1.01666666667, "1.01667"), (1.0625, "1.0625"), (1082880, "1,082,880"), (1.1, "1.1"),
        (153600.5, "153,600.5"), (3.14e23, "3.14e+23"), (0, "0"),
    ],
)  # fmt: skip
def test_what_was_given_is_shown_without_noise(given: float, shown: str) -> None:
    assert disclosure.exact(given) == shown


@pytest.mark.parametrize(
    ("name", "chips"), [("volta", "V100 or"), ("Ada Lovelace", "L4, "), ("hopper80", "H100, ")]
)
def test_a_generation_is_not_an_accelerator(build: Build, tmp_path: Path, name: str, chips: str) -> None:
    run = {"hardware": name, "chips": 8, "training_hours": 72}
    _, (reject,) = estimate_rows([run], build.directory / "emissions.duckdb")
    says = f"{name!r} is a generation of accelerators; give the accelerator, such as {chips}"
    assert says in reject.reason
    gres = name.lower().replace(" ", "_")
    log = text(tmp_path, "s.txt", f"JobID|AllocTRES|ElapsedRaw\n1|gres/gpu:{gres}=8|3600\n")
    assert "is a generation of accelerators" in imports.read(log).gaps()[-1]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_refusal_fits_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    refused = ote("import", text(tmp_path, "x.csv", "lineItem/UsageAmount,product/instanceType\n1,2\n"))
    lines = refused.stderr.splitlines()
    assert refused.returncode == 2
    assert len(lines) > 3
    assert all(len(line) <= int(columns) for line in lines[1:]), lines
    assert "ote estimate --energy 40 --country DE" in " ".join(refused.stderr.split())


@pytest.mark.parametrize("columns", ["80", "120"])
def test_an_estimate_fits_the_terminal(build: Build, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    options = ("--hardware", "H100", "--chips", "512", "--hours", "300", "--country", "FR")
    shown = ote("estimate", *options, "--database", build.directory / "emissions.duckdb").stdout
    for line in shown.splitlines():
        assert len(line) <= int(columns) or "https://" in line, line
    assert "MWh" in shown
    assert "system_power" not in shown
    assert not any(line.startswith("watts_per_chip") for line in shown.splitlines())  # words head the table
