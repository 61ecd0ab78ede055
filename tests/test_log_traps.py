"""Logs as the source code of their tools writes them, with faults: counted exactly, or refused in words."""

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ote.answers import delimited, imports
from ote.answers.estimate import estimate_rows, estimate_run
from tests.conftest import Build, ote

# CodeCarbon 2.3.5: two hours of one A100, 0.87 kWh with a PUE of 1.2 in it.
ROW: dict[str, Any] = {
    "timestamp": "2024-05-01T12:00:00", "project_name": "p", "run_id": "r1", "duration": 7200,
    "emissions": 0.1, "cpu_power": 42.5, "gpu_power": 300, "ram_power": 20, "cpu_energy": 0.102,
    "gpu_energy": 0.72, "ram_energy": 0.048, "energy_consumed": 0.87, "country_name": "France",
    "country_iso_code": "FRA", "region": "", "cloud_provider": "", "cloud_region": "",
    "codecarbon_version": "2.3.5", "cpu_model": "Xeon", "gpu_count": 1,
    "gpu_model": "1 x NVIDIA A100-SXM4-40GB", "tracking_mode": "machine", "pue": 1.2,
}  # fmt: skip
# 22 kWh of a node with eight A100, in Wh.
NODE_WH = {
    "duration": 36000, "pue": 1, "cpu_power": 100, "gpu_power": 2050, "ram_power": 50, "cpu_energy": 1000,
    "gpu_energy": 20500, "ram_energy": 500, "energy_consumed": 22000, "gpu_count": 8,
    "gpu_model": "8 x NVIDIA A100-SXM4-40GB",
}  # fmt: skip
HALF = {
    "duration": 3600,
    "cpu_energy": 0.051,
    "gpu_energy": 0.36,
    "ram_energy": 0.024,
    "energy_consumed": 0.435,
}
CARBONTRACKER = """\
2024-03-01 10:00:00 - carbontracker version 1.1.6
2024-03-01 10:00:00 - The following components were found: \
GPU with device(s) Tesla T4. CPU with device(s) cpu:0.
2024-03-01 11:00:00 - Epoch 1:
2024-03-01 11:00:00 - Duration: 1:00:00.00
2024-03-01 11:00:00 - Average power usage (W) for gpu: [70.0]
2024-03-01 11:00:00 - Average power usage (W) for cpu: [30.0]
"""
# Carbontracker 1.1.6, _output.log: 7.9 kWh of 9.5 hours with a PUE of 1.58; a prediction is no measurement.
OUTPUT = """\
2023-05-04 10:00:01 - CarbonTracker: The following components were found: \
GPU with device(s) Tesla T4, Tesla T4. CPU with device(s) cpu:0.
2023-05-04 11:00:03 - CarbonTracker:
Actual consumption for 1 epoch(s):
\tTime:\t1:00:00
\tEnergy:\t0.800000 kWh
\tCO2eq:\t235.000000 g
2023-05-04 11:00:03 - CarbonTracker:
Predicted consumption for 30 epoch(s):
\tTime:\t30:00:00
\tEnergy:\t24.000000 kWh
2023-05-04 19:30:03 - CarbonTracker:
Actual consumption for 10 epoch(s):
\tTime:\t9:30:00
\tEnergy:\t7.900000 kWh
2023-05-04 19:30:03 - CarbonTracker: Finished monitoring.
"""
EPOCH = CARBONTRACKER.split("\n", 2)[2]
CASE_FILES = Path(__file__).parent / "cases"
SKU = "Nvidia Tesla A100 GPU running in Americas"


def codecarbon(*changes: dict[str, Any], without: Sequence[str] = ()) -> str:
    """A log with a row for each change to the two hours."""
    buffer = io.StringIO()
    names = [name for name in {**ROW, **changes[0]} if name not in without]
    writer = csv.DictWriter(buffer, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(ROW | change for change in changes)
    return buffer.getvalue()


def smi(
    times: Sequence[str], gpus: int, watts: str = "300.00 W", apart_ms: int = 0, index: bool = False
) -> str:
    """A log of nvidia-smi with so many GPUs at each time; later GPUs are read some ms later."""
    lines = ["timestamp, index, name, power.draw [W]" if index else "timestamp, name, power.draw [W]"]
    for time in times:
        for gpu in range(gpus):
            number = f"{gpu}, " if index else ""
            stamp = f"2024/05/{time}.{100 + gpu * apart_ms:03}"
            lines.append(f"{stamp}, {number}NVIDIA A100-SXM4-40GB, {watts}")
    return "\n".join(lines) + "\n"


HOUR = [f"01 10:{minute:02}:00" for minute in range(60)] + ["01 11:00:00"]
FIRST_TODAY = datetime.now(timezone(timedelta(hours=14))).isoformat()[:19]  # where a day begins first
HALF_AND_HOUR = [
    *((2, minute) for minute in range(30, 60)),
    (3, 0),
    *((2, minute) for minute in range(60)),
    (3, 0),
]
DAYS = HOUR + [time.replace("01 ", "04 ") for time in HOUR]


def on_hosts(log: str, *hosts: str) -> str:
    """A log of nvidia-smi that each machine wrote, with a column for its name."""
    header, *lines = log.splitlines()
    return "\n".join([f"hostname, {header}", *(f"{host}, {line}" for line in lines for host in hosts)])


def clock_back_by_the_hour() -> str:
    """A log of one GPU from half past two to three o'clock, and then from two to three."""
    times = [f"27 {hour:02}:{minute:02}:00" for hour, minute in HALF_AND_HOUR]
    return smi(times, 1, index=True).replace("2024/05/", "2024/10/")


def clock_back() -> str:
    """A log of one GPU of four hours, in which the hour from two o'clock comes twice."""
    times = [f"27 {hour:02}:{minute:02}:00" for hour in (1, 2, 2, 3) for minute in range(60)]
    return smi([*times, "27 04:00:00"], 1, index=True).replace("2024/05/", "2024/10/")


def eco2ai(*rows: str) -> str:
    """A log of eco2AI of two V100: of each row its id, epoch and, if it had half an hour alone, a mark."""
    lines = ["id,project_name,epoch,start_time,duration(s),power_consumption(kWh),CPU_name,GPU_name,OS,"
             "region/country"]  # fmt: skip
    for row in rows:
        name, epoch, half = row.split(",")
        seconds, kwh = ("1800", "0.3") if half else ("3600", "0.6")
        day = 1 + "ab".index(name)
        lines.append(
            f'{name},p,"epoch: {epoch}, loss: 0.1",2023-04-{day:02} 1{epoch}:00:00,{seconds},{kwh},"Xeon/2 '
            'device(s), TDP:125.0",Tesla V100-SXM2-32GB 2 device(s),Linux,US/Iowa'
        )
    return "\n".join(lines) + "\n"


def in_turns(*watts: float, index: bool = False) -> str:
    """A log of nvidia-smi in which each minute has one sample, at one power after the other."""
    header, *lines = smi(HOUR, 1, index=index).splitlines()
    changed = [line.replace("300.00 W", f"{watts[n % len(watts)]} W") for n, line in enumerate(lines)]
    return "\n".join([header, *changed])


def read(tmp_path: Path, content: str | bytes, name: str = "log.csv") -> imports.Log:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return imports.read(file)


NODE_KWH = {
    "duration": 36000, "pue": 1, "cpu_power": 100, "gpu_power": 1500, "ram_power": 50, "cpu_energy": 1,
    "ram_energy": 0.5, "gpu_count": 4, "gpu_model": "4 x NVIDIA A100-SXM4-40GB",
}  # fmt: skip
ENERGIES = ("cpu_energy", "gpu_energy", "ram_energy", "energy_consumed")
UNMEASURED = {"duration": 36000, "pue": 1, "gpu_power": 1200, "gpu_count": 4,
              "gpu_model": "4 x NVIDIA A100-SXM4-80GB"}  # fmt: skip
MAC = {"pue": 1, "cpu_model": "Apple M1 Pro", "gpu_model": "", "gpu_count": "", "cpu_power": 10,
       "gpu_power": 5, "ram_power": 3, "cpu_energy": 0.02, "gpu_energy": 0.01, "ram_energy": 0.006,
       "energy_consumed": 0.036}  # fmt: skip
DMON_HEADER = "#Date Time gpu pwr gtemp\n#YYYYMMDD HH:MM:SS Idx W C\n"
DMON = DMON_HEADER + "".join(
    f" 202405{time[:2]}   {time[3:]}   {gpu}   300   -\n" for time in HOUR for gpu in range(2)
)
BILL = "SKU description,Usage start date,Usage amount,Usage unit\n"
BILLED = f"{SKU},2024-05-01,50,hour\n"
# Use, two ways in which money is given back, a correction of use, and a credit for something else.
PRICED = BILL.replace("\n", ",Cost ($)\n")
PRICED_LINES = "".join(
    f"{sku},2024-05-01,{amount},hour,{cost}\n"
    for sku, amount, cost in (
        (SKU, "100", "10"), (SKU, "100", "-10.00"), (SKU, "100", "($0.50)"), (SKU, "-40", "-4"),
        ("N1 Predefined Instance Core running in Americas", "100", "-10"),
    )
)  # fmt: skip
RECORD = {
    "sku": {"description": SKU}, "usage_start_time": "2024-05-01T07:00:00Z", "cost": 1,
    "usage_end_time": "2024-05-01T08:00:00Z", "usage": {"amount": 28800, "unit": "seconds"},
}  # fmt: skip
USE, USED = "ElapsedRaw|AllocTRES|State|Start", "3600|gres/gpu:a100=4|FAILED|2024-03-01T00:00:00"
# Content, and of each run: accelerators (or their hours), hours, kWh before PUE; by hand.
COUNTED: dict[str, tuple[str, list[tuple[float, float, float | None]]]] = {
    "pue taken out once": (codecarbon({}), [(1, 2, 0.725)]),
    "flushed twice": (
        codecarbon(HALF | {"timestamp": "2024-05-01T11:00:00"}, {}), [(1, 2, 0.725)],
    ),
    "started again, counts from zero": (
        codecarbon(
            {"timestamp": "2024-05-01T13:00:00"},
            HALF | {"timestamp": "2024-05-01T15:00:00"},
        ),
        [(1, 2, 0.725), (1, 1, 0.3625)],
    ),
    "a duration that cannot be, before 3.3.1: powers without PUE": (
        codecarbon({"duration": 0.5}), [(1, 2, 0.725)],
    ),
    "a duration that cannot be, from 3.3.1 on: powers with PUE": (
        codecarbon({"duration": 0.5, "codecarbon_version": "3.3.2", "cpu_power": 51, "ram_power": 24}),
        [(1, 2, 0.725)],
    ),
    "an earlier state that stands later": (
        codecarbon({}, HALF | {"timestamp": "2024-05-01T11:00:00"}),
        [(1, 2, 0.725)],
    ),
    "a duration below zero: the time of the memory, whose power is constant": (
        codecarbon({"duration": -7200, "cpu_power": 61.3}), [(1, 2, 0.725)],
    ),
    "two kinds of GPUs that were not read stay two": (
        codecarbon({
            "gpu_model": "1 x NVIDIA A1002 x Tesla T4", "gpu_count": 3, "gpu_energy": 0,
            "energy_consumed": 0.15,
        }),
        [(1, 2, None), (2, 2, None)],
    ),
    "two kinds of GPUs that were read": (
        codecarbon({"gpu_model": "1 x NVIDIA A1002 x Tesla T4", "gpu_count": 3}), [(0, 2, 0.725)],
    ),
    "no GPU, as a table of floats writes it": (
        codecarbon({"gpu_model": "nan", "gpu_count": "nan", "gpu_energy": 0, "energy_consumed": 0.15}),
        [(0, 2, 0.125)],
    ),
    "a duration that is a thousandth, by the emissions": (codecarbon({"duration": 7.2}), [(1, 2, 0.725)]),
    "a GPU without a name beside its energy": (codecarbon({"gpu_model": "None"}), [(1, 2, 0.725)]),
    "a time of a spreadsheet": (codecarbon({"timestamp": "24/05/2024 6:00 PM"}), [(1, 2, 0.725)]),
    "version 1: no components, no run_id": (
        "timestamp,experiment_id,project_name,duration,emissions,energy_consumed,country_name,country_iso_code,"
        "region,on_cloud,cloud_provider,cloud_region\n"
        "2020-12-01T10:00:00,8a1c,p,7200.0,0.2,0.5,United States,USA,texas,N,,\n",
        [(0, 2, 0.5)],
    ),
    "a task": (
        codecarbon({"task_name": "fit"}, without=["pue"]), [(1, 2, 0.87)],
    ),
    "semicolons and decimal commas": (
        codecarbon({"codecarbon_version": "2"}, without=["cpu_model"]).replace(",", ";").replace(".", ","),
        [(1, 2, 0.725)],
    ),
    "a decimal comma in quotes": (codecarbon({"energy_consumed": "0,87"}), [(1, 2, 0.725)]),
    "carbontracker: 70 W and 30 W": (CARBONTRACKER, [(1, 1, 0.1)]),
    "carbontracker: a GPU that reads 0 W": (CARBONTRACKER.replace("[70.0]", "0.0"), [(1, 1, None)]),
    "carbontracker: two GPUs": (
        CARBONTRACKER.replace("Tesla T4.", "Tesla T4, Tesla T4.").replace("[70.0]", "[70.0 40.0]"),
        [(2, 1, 0.14)],
    ),
    "carbontracker 2: the mean of two GPUs": (
        CARBONTRACKER.replace("1.1.6", "2.4.7").replace("Tesla T4.", "Tesla T4, Tesla T4.")
        .replace("[70.0]", "70.0").replace("[30.0]", "30.0"),
        [(2, 1, 0.17)],
    ),
    "carbontracker: an array with commas": (
        CARBONTRACKER.replace("Tesla T4.", "Tesla T4, Tesla T4.").replace("[70.0]", "[70.0, 40.0]"),
        [(2, 1, 0.14)],
    ),
    "carbontracker: an array as NumPy shows its parts": (
        CARBONTRACKER.replace("Tesla T4.", "Tesla T4, Tesla T4.")
        .replace("[70.0]", "[np.float64(70.0), np.float64(40.0)]")
        .replace("[30.0]", "array([30.], dtype=float32)"),
        [(2, 1, 0.14)],
    ),
    "carbontracker: two kinds of GPUs that were not read stay two": (
        CARBONTRACKER.replace("Tesla T4.", "Tesla T4, Tesla P4.").replace("[70.0]", "None"),
        [(1, 1, None), (1, 1, None)],
    ),
    "carbontracker: an array that breaks off swallows nothing": (
        CARBONTRACKER + EPOCH.replace("[70.0]", "[70.0 4") + EPOCH, [(1, 2, 0.2)],
    ),
    "carbontracker: a clock set back": (
        CARBONTRACKER + EPOCH.replace("Duration: ", "Duration: -"), [(1, 1, 0.1)],
    ),
    "eco2AI of May 2022: tabs, kWTh, country": (
        "project_name\texperiment_description(model type etc.)\tstart_time\tduration(s)\t"
        "power_consumption(kWTh)\tCO2_emissions(kg)\tCPU_name\tGPU_name\tOS\tcountry\n"
        "p\tx\t2022-05-31 10:00:00\t3600\t0.3\t0.1\ti7/1 device(s), TDP:95.0\t"
        "Tesla V100 2 device(s)\tLinux\tFR\n",
        [(2, 1, 0.3)],
    ),
    "eco2AI: two places at one time are two machines": (
        "project_name,start_time,duration(s),power_consumption(kWh),CPU_name,GPU_name,region/country\n"
        "p,2022-05-31 10:00:00,3600,0.3,i7,Tesla V100 2 device(s),FR\n"
        "p,31/05/2022 10:00,3600,0.3,i7,Tesla V100 2 device(s),DE\n",
        [(2, 1, 0.3), (2, 1, 0.3)],
    ),
    "eco2AI: the epochs of a training are one run": (
        eco2ai(*(f"a,{epoch}," for epoch in range(3)), "b,0,", "b,1,"), [(2, 3, 1.8), (2, 2, 1.2)],
    ),
    "eco2AI: a row that was written again is the state of a run": (
        eco2ai("a,0,", "a,0,2").replace(",1800,0.3,", ",7200,1.2,"), [(2, 2, 1.2)],
    ),
    "eco2AI: short epochs that share a second": (
        re.sub(r"1\d:00:00,3600,0.6", "10:00:00,0.9,0.0001", eco2ai(*(f"a,{epoch}," for epoch in range(4)))),
        [(2, 4 * 0.9 / 3600, 0.0004)],
    ),
    "eco2AI: a GPU that the process did not use": (
        eco2ai("a,0,").replace("device(s),Linux", "device(s) method:nvml_not_used,Linux"), [(0, 1, 0.6)],
    ),
    "nvidia-smi: 4 GPUs, told by index": (smi(HOUR, 4, index=True), [(4, 1, 1.2)]),
    "nvidia-smi: 4 GPUs at one moment": (smi(HOUR, 4), [(4, 1, 1.2)]),
    "nvidia-smi: 8 GPUs, 3 ms apart": (smi(HOUR, 8, apart_ms=3), [(8, 1, 2.4)]),
    "nvidia-smi: a laptop chip at the power that its maker set": (
        smi(HOUR, 1, watts="110.00 W").replace("A100-SXM4-40GB", "GeForce RTX 4050 Laptop GPU"),
        [(1, 1, 0.11)],
    ),
    "nvidia-smi: mW": (smi(HOUR, 1, watts="300000.00 mW"), [(1, 1, 0.3)]),
    "nvidia-smi: kW": (smi(HOUR, 1, watts="0.30 kW"), [(1, 1, 0.3)]),
    "nvidia-smi dmon -o DT, whose header comes again": (DMON + DMON_HEADER, [(2, 1, 0.6)]),
    "energies of 0 in ten hours were not measured": (
        codecarbon(UNMEASURED | dict.fromkeys(ENERGIES, 0)), [(4, 10, None)],
    ),
    "nvidia-smi: 1 GPU": (smi(HOUR, 1), [(1, 1, 0.3)]),
    "nvidia-smi: a sample of 35 kW is not one": (
        smi(HOUR, 1).replace("300.00 W", "35000.00 W", 5).replace("35000.00 W", "300.00 W", 4), [(1, 1, 0.3)],
    ),
    "a total that fits the power x duration, where parts do not": (
        codecarbon({"duration": 7200, "pue": 1, "gpu_power": 400_000, "gpu_energy": 800, "cpu_power": 100,
                    "ram_power": 50, "cpu_energy": 20, "ram_energy": 10, "energy_consumed": 830,
                    "gpu_count": 1000, "gpu_model": "1000 x NVIDIA A100-SXM4-40GB"}),
        [(1000, 2, 830)],
    ),
    "a sum that is not stated": (codecarbon({"energy_consumed": "nan"}), [(1, 2, 0.725)]),
    "a sum that holds a part that is not stated": (codecarbon({"ram_energy": "None"}), [(1, 2, 0.725)]),
    "nvidia-smi: two machines whose column names them": (
        on_hosts(smi(HOUR, 4, index=True), "gpu01", "gpu02"), [(8, 1, 2.4)],
    ),
    "nvidia-smi: two machines by name, GPUs by their order": (
        on_hosts(smi(HOUR, 4, apart_ms=3), "gpu01", "gpu02"), [(8, 1, 2.4)],
    ),
    "nvidia-smi: two machines by name, powers in turns": (
        on_hosts(in_turns(300, 340, index=True), "gpu01", "gpu02"), [(2, 1, 0.64)],
    ),
    "nvidia-smi: the end of summer time": (
        clock_back(), [(1, 4, 1.2)],
    ),
    "nvidia-smi: powers in turns of one index, at even steps": (
        in_turns(400, 100, index=True), [(1, 1, 0.25)],
    ),
    "nvidia-smi: powers in turns of one uuid": (
        in_turns(200, 400, index=True).replace("index", "uuid").replace(", 0, ", ", GPU-aa, "), [(1, 1, 0.3)],
    ),
    "nvidia-smi: most of the log was not read, so no energy is measured": (
        smi(HOUR[:11], 1) + smi(HOUR[11:], 1, watts="[N/A]").split("\n", 1)[1], [(1, 1, None)],
    ),
    "nvidia-smi: a third of the log was not read": (
        smi(HOUR[:41], 1) + smi(HOUR[41:], 1, watts="[N/A]").split("\n", 1)[1], [(1, 1, 0.3)],
    ),
    "nvidia-smi: 21 minutes within the log were not read, at another power": (
        smi(HOUR[:20], 1, index=True)
        + smi(HOUR[20:40], 1, watts="[N/A]", index=True).split("\n", 1)[1]
        + smi(HOUR[40:], 1, watts="150.00 W", index=True).split("\n", 1)[1],
        # means: 20 samples at 300 W and 21 at 150 W are 223.17 W; 19 + 0.5 and 20 + 0.5 minutes are read
        [(1, 1, (19.5 * 300 + 20.5 * 150 + 20 * 223.1707) / 60_000)],
    ),
    "nvidia-smi: decimal commas in quotes": (smi(HOUR, 1, watts='"300,00 W"'), [(1, 1, 0.3)]),
    "nvidia-smi: without units": (smi(HOUR, 1, watts="300.00"), [(1, 1, 0.3)]),
    "nvidia-smi: three days of pause": (smi(DAYS, 1, index=True), [(1, 2, 0.6)]),
    "nvidia-smi: two logs of one machine, the later first": (
        smi(DAYS[61:], 2, index=True) + smi(HOUR, 2, index=True).split("\n", 1)[1], [(2, 2, 1.2)],
    ),
    "nvidia-smi: started again into one file": (smi(HOUR, 8, apart_ms=3) * 2, [(8, 1, 2.4)]),
    "sacct: AllocTRES is of all nodes": (
        "JobID|AllocTRES|NNodes|ElapsedRaw\n1|cpu=512,gres/gpu:a100=32,gres/gpu=32,node=4|4|3600\n",
        [(32, 1, None)],
    ),
    "sacct: all slices of a chip are the chip": (
        "JobID|AllocTRES|ElapsedRaw\n1|gres/gpu:h100_7g.80gb=2,gres/gpu=2|3600\n"
        "2|gres/gpu:a30_4g.24gb=1,gres/gpu=1|3600\n3|gres/gpu:7g.40gb=1,gres/gpu=1|3600\n"
        "4|gres/gpu:a100=1,gres/gpu=1,gres/shard=0,gres/mps=0|3600\n"
        "5|gres/gpu:1g.10gb+me=1,gres/gpu=1|3600\n6|gres/gpu:a100_4g.40gb=1,gres/gpu=1|3600\n",
        [(2, 1, None), (1, 1, None), (1, 1, None), (1, 1, None)],
    ),
    "sacct: in quotes, as other programs write it again": (
        '"JobID";"AllocTRES";"Elapsed"\n"1";"cpu=8,gres/gpu:a100=8";"02:00:00"\n', [(8, 2, None)],
    ),
    "sacct: with a delimiter of one's own": (
        "JobID^AllocTRES^ElapsedRaw\n1^cpu=8,gres/gpu:a100=8^7200\n", [(8, 2, None)],
    ),
    "sacct: in quotes, with commas": (
        '"JobID","AllocTRES","Elapsed"\n"1","cpu=8,gres/gpu:a100=8","02:00:00"\n', [(8, 2, None)],
    ),
    "sacct: AllocGRES is of all nodes": (
        "JobID|AllocGRES|NNodes|ElapsedRaw\n1|gpu:32|4|3600\n", [(32, 1, None)],
    ),
    "sacct: ReqGRES is of all nodes, with its type from Slurm 18.08 on": (
        "JobID|ReqGRES|NNodes|ElapsedRaw\n1|gpu:8|2|36000\n2|gpu:a100:32|4|3600\n",
        [(8, 10, None), (32, 1, None)],
    ),
    "sacct: ReqGRES of Slurm 20.02 is of the job, of a node or of less": (
        "JobID|ReqGRES|NNodes|ElapsedRaw\n1|PER_JOB:gpu:8|2|3600\n2|PER_NODE:gpu:a100:4|1|3600\n"
        "3|PER_NODE:gpu:a100:4|2|3600\n4|PER_TASK:gpu:1|1|3600\n5|PER_JOB:gpu:8 PER_NODE:gpu:4|2|3600\n",
        [(8, 1, None), (4, 1, None)],
    ),
    "sacct: a job that still ran in an earlier export counts once, and a requeued one twice": (
        "JobID|AllocTRES|State|ElapsedRaw|Start\n"
        "1|gres/gpu:a100=4|COMPLETED|10800|2024-05-02T00:00:00\n"
        "1|gres/gpu:a100=4|RUNNING|3600|2024-05-02T00:00:00\n"
        "1|gres/gpu:a100=4|RUNNING|7200|2024-05-02T00:00:00\n"
        "1|gres/gpu:a100=4|PREEMPTED|3600|2024-05-01T00:00:00\n",
        [(4, 3, None), (4, 1, None)],
    ),
    "sacct: a job of an array by JobID, and again by JobIDRaw": (
        f"JobID|JobIDRaw|{USE}\n"
        f"200_1|201|{USED}\n"
        f"JobIDRaw|{USE}\n201|{USED}\n",
        [(4, 1, None)],
    ),
    "sacct: a job of an array in an export with JobID and in one with JobIDRaw": (
        f"JobID|{USE}\n200_1|{USED}\n200_2|{USED}\n7|{USED}\nJobIDRaw|{USE}\n7|{USED}\n"
        f"200|{USED}\n201|{USED}\n202|{USED}\n203|{USED.replace('3600', '7200')}\n",
        [*[(4, 1, None)] * 4, (4, 2, None)],
    ),
    "sacct: windows that cut a job overlap": (
        "JobID|AllocTRES|Elapsed|Start\n1|gres/gpu:a100=4|1-00:00:00|2024-03-01T12:00:00\n"
        "1|gres/gpu:a100=4|12:00:00|2024-03-02T00:00:00\n1|gres/gpu:a100=4|12:00:00|2024-03-02T06:00:00\n"
        "1|gres/gpu:a100=4|01:00:00|2024-03-02T18:00:00\n",
        [(4, 24, None), (4, 6, None), (4, 1, None)],
    ),
    "sacct: a job that ended, though its Start is not known": (
        "JobID|AllocTRES|State|Elapsed|Start\n1|gres/gpu:a100=4|COMPLETED|10:00:00|None\n"
        "2|gres/gpu:a100=4|TIMEOUT|10:00:00|Unknown\n3|gres/gpu:a100=4|CANCELLED by 7|10:00:00|None\n",
        [(4, 10, None), (4, 10, None)],
    ),
    "sacct: a job that was requeued, without Start": (
        "JobID|AllocTRES|State|Elapsed\n1|gres/gpu:a100=4|REQUEUED|10:00:00\n"
        "1|gres/gpu:a100=4|COMPLETED|10:00:00\n1|gres/gpu:a100=4|COMPLETED|10:00:00\n",
        [(4, 10, None), (4, 10, None)],
    ),
    "sacct: Elapsed and ElapsedRaw": (
        "JobID|AllocTRES|Elapsed|ElapsedRaw\n1|gres/gpu:a100=4|10:00:00|3600\n"
        "2|gres/gpu:a100=4|1-10:00:00|122400\n",
        [(4, 34, None)],
    ),
    "sacct: a job of two clusters is two": (
        "JobID|Cluster|AllocTRES|ElapsedRaw|Start\n1|a|gres/gpu:a100=4|3600|2024-05-02T00:00:00\n"
        "1|b|gres/gpu:a100=4|3600|2024-05-02T00:00:00\n",
        [(4, 1, None), (4, 1, None)],
    ),
    "sacct: a job that still ran, without Start": (
        "JobID|AllocTRES|State|ElapsedRaw\n7|gres/gpu:a100=4|RUNNING|3600\n7|gres/gpu:a100=4|FAILED|7200\n",
        [(4, 2, None)],
    ),
    "sacct: states of jobs that ran": (
        "JobID|AllocTRES|State|ElapsedRaw|Start\n" + "".join(
            f"{state}|gres/gpu:a100=4|{state}|{seconds}|2024-05-02T00:00:00\n"
            for state, seconds in (("DEADLINE", 3600), ("BOOT_FAIL", 1800), ("REVOKED", 0))
        ),
        [(4, 1, None), (4, 0.5, None)],
    ),
    "sacct: from Start to End": (
        "JobID|AllocTRES|Start|End\n1|gres/gpu:a100=2|2024-05-01T00:00:00|2024-05-01T06:00:00\n",
        [(2, 6, None)],
    ),
    "sacct: ReqGRES without NNodes": (
        "JobID|ReqGRES|ElapsedRaw\n1|gpu:a100:8|3600\n", [(8, 1, None)],
    ),
    "a bill with thousands in quotes": (
        f'SKU description,Usage amount,Usage unit\n{SKU},"1,100",hour\n', [(1100, 0, None)],
    ),
    "a bill of a German sheet": (
        f"SKU description;Usage amount;Usage unit\n{SKU};1,100;hour\n{SKU};0,5;hour\n", [(1.6, 0, None)],
    ),
    "a bill that was exported again": (
        f"{BILL}{BILLED}{BILLED}{BILL}{BILLED}{BILLED.replace('50', '3')}", [(103, 0, None)],
    ),
    "a bill of records that come again, of which one has another label": (
        "".join(f"{json.dumps(RECORD | {'labels': [label]})}\n" for label in ("a", "a", "b")),
        [(16, 0, None)],
    ),
    "carbontracker: joined with itself, and with its first part": (
        CARBONTRACKER + EPOCH.replace(" 11:", " 12:") + CARBONTRACKER
        + CARBONTRACKER + EPOCH.replace(" 11:", " 12:"),
        [(1, 2, 0.2)],
    ),
    "four GPUs of 0.0025 W were not read": (
        codecarbon(NODE_KWH | {"gpu_energy": 0.0001, "energy_consumed": 1.5001}), [(4, 10, None)],
    ),
    "four GPUs of 10 W were idle": (
        codecarbon(NODE_KWH | {"gpu_energy": 0.4, "energy_consumed": 1.9}), [(4, 10, 1.9)],
    ),
    "a chip that switches off": (
        codecarbon(NODE_KWH | {"gpu_energy": 0.0001, "energy_consumed": 1.5001, "gpu_count": 1,
                               "gpu_model": "1 x NVIDIA GeForce RTX 3060 Laptop GPU"}),
        [(1, 10, 1.5001)],
    ),
    "a run of today, where a day begins first": (codecarbon({"timestamp": FIRST_TODAY}), [(1, 2, 0.725)]),
    "a total without its parts, whose GPU has a power": (
        codecarbon({"cpu_energy": "", "gpu_energy": "", "ram_energy": ""}), [(1, 2, 0.725)],
    ),
    "a bill by seconds, JSON lines": (
        json.dumps({"sku": {"id": "x", "description": SKU}, "usage": {"amount": 360000, "unit": "seconds"}}),
        [(100, 0, None)],
    ),
}  # fmt: skip


# Content, kWh before PUE of each run if 1.58 is included, and what is said.
INCLUDED: dict[str, tuple[str, list[float], str]] = {
    "carbontracker's output": (OUTPUT, [5], "Energies are divided by 1.58, the PUE that they include"),
    "carbontracker's output of two trainings": (
        OUTPUT + OUTPUT.replace("2023-05-04", "2023-05-05"), [5, 5], "Energies are divided by 1.58",
    ),
    "carbontracker's output, joined with itself": (OUTPUT * 2, [5], "a training that is in the log again"),
    "carbontracker's output that breaks off": (
        OUTPUT + OUTPUT.split("\n", 1)[0], [5], "A training without an actual consumption is left out",
    ),
    "carbontracker's output on a screen, no prediction asked": (
        OUTPUT.replace("2023-05-04 10:00:01 - ", "").replace(" for 10 epoch(s)", ""), [5], "Energies are",
    ),
    "carbontracker": (CARBONTRACKER, [0.1], "--pue-included is not used for Carbontracker: its powers were"),
    "nvidia-smi": (smi(HOUR, 1), [0.3], "--pue-included is not used for nvidia-smi: its powers were read"),
    "CodeCarbon, which has one": (codecarbon({}), [0.725], "--pue-included is not used for rows of"),
    "CodeCarbon, before it had one": (codecarbon({}, without=["pue"]), [0.87 / 1.58], ""),
}  # fmt: skip


@pytest.mark.parametrize("case", INCLUDED)
def test_a_pue_that_energies_include_is_taken_out_once_and_said(tmp_path: Path, case: str) -> None:
    content, kwh, says = INCLUDED[case]
    file = tmp_path / "log"
    file.write_text(content, encoding="utf-8")
    log = imports.read(file, 1.58)
    assert [float(run["energy_kwh"]) for run in log.runs] == pytest.approx(kwh)
    assert says in "\n".join(log.left_out)


# The separator of a file, cells of a column of numbers, and what they are; a text is of a refusal.
NUMBER_FORMS: list[tuple[str, list[str], list[float] | str]] = [
    (";", ["1,016666666667"], [1.016666666667]),
    (";", ["1.016,666666666667", "1.000"], [1016.666666666667, 1000]),
    (";", ["1.016666666667", "2,5"], [1.016666666667, 2.5]),
    (";", ["1.234.567", "1,5E+3"], [1234567, 1500]),
    (";", ["1,234.5", "1,234,567", "1.234"], [1234.5, 1234567, 1.234]),
    (",", ['"0,5"', '"1,100"'], [0.5, 1.1]),
    (",", ["0.5", "1.100"], [0.5, 1.1]),
    (";", ["1,100"], "'1,100' may be 1100 or 1.100"),
    (";", ["1,5", "1.5", "1.100"], "'1.100' may be 1100 or 1.100"),
    (";", ["1 016,67"], "'1 016,67', expected a number; write decimals with a point, and thousands without"),
    (",", ["1'016.67"], "expected a number; write decimals with a point, and thousands without a separator"),
    (
        ",",
        ['"1.016,67"'],
        "expected a number; write decimals with a point, and thousands without a separator",
    ),
]


@pytest.mark.parametrize(("mark", "cells", "expected"), NUMBER_FORMS)
def test_a_number_is_read_right_or_refused(mark: str, cells: list[str], expected: list[float] | str) -> None:
    table = delimited.parse("\n".join([f"a{mark}b", *(f"x{mark}{cell}" for cell in cells)]))
    found = delimited.with_points(table, ["b"])
    if not isinstance(expected, str):
        assert [delimited.number(row["b"]) for _, row in found.rows] == expected
    elif found.rejects:
        assert expected in found.rejects[0].reason
    else:
        with pytest.raises(ValueError, match=re.escape(expected)):
            delimited.number(found.rows[0][1]["b"])


def number(cell: str | None) -> float | None:
    return float(cell) if cell else None


@pytest.mark.parametrize("case", COUNTED)
def test_a_log_is_counted_as_its_tool_counts(tmp_path: Path, case: str) -> None:
    content, expected = COUNTED[case]
    runs = read(tmp_path, content).runs
    assert len(runs) == len(expected)
    for run, (chips, hours, kwh) in zip(runs, expected, strict=True):
        assert number(run.get("chips") or run.get("chip_hours") or "0") == pytest.approx(chips)
        assert number(run.get("training_hours") or "0") == pytest.approx(hours)
        assert number(run.get("energy_kwh")) == (None if kwh is None else pytest.approx(kwh))
        assert bool(run.get("metering")) == bool(run.get("energy_kwh"))


@pytest.mark.parametrize(
    ("end", "started"),
    [("12:30 AM", "2024-05-23"), ("2:30 AM", "2024-05-24"), ("12:30 PM", "2024-05-24")],
)
def test_twelve_of_the_morning_is_midnight(tmp_path: Path, end: str, started: str) -> None:
    """Two hours that end at this time of 24 May."""
    (run,) = read(tmp_path, codecarbon({"timestamp": f"24/05/2024 {end}"})).runs
    assert run["started"] == started


GOOD = codecarbon({"project_name": "pé"})
ENCODED = {
    "BOM": GOOD.encode("utf-8-sig"),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 without BOM": GOOD.encode("utf-16-le"),
    "CRLF": GOOD.replace("\n", "\r\n").encode(),
    "CR": GOOD.replace("\n", "\r").encode(),
    "gzip": gzip.compress(GOOD.encode()),
    "gzip in two parts": gzip.compress(GOOD[:100].encode()) + gzip.compress(GOOD[100:].encode()),
}


@pytest.mark.parametrize("how", ENCODED)
def test_a_log_is_read_however_it_is_encoded(tmp_path: Path, how: str) -> None:
    (run,) = read(tmp_path, ENCODED[how]).runs
    assert (run["model"], run["energy_kwh"]) == ("pé", "0.725")


SACCT = "JobID|JobName|State|AllocTRES|ElapsedRaw|Start|ConsumedEnergyRaw\n"
JOB = "{}|a|{}|gres/gpu:a100=8|3600|2024-03-05T08:00:00|5000000\n"
A100 = "sku.description,usage_start_time,usage.amount,usage.unit,location.location\nNvidia Tesla A100 GPU{},"
# Content, what is said of it, and the first run's columns.
SAID: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "sacct, states": (
        SACCT + JOB.format(1, "COMPLETED") + JOB.format(2, "FAILED") + JOB.format(3, "CANCELLED by 1001")
        + JOB.format(4, "TIMEOUT") + JOB.format(5, "TIMEOUT"),
        ["Jobs in the state FAILED, counted because they used energy: 1.",
         "Jobs in the state CANCELLED, counted because they used energy: 1.",
         "Jobs in the state TIMEOUT, counted because they used energy: 2.",
         "ConsumedEnergyRaw is not used: ", "Missing in 5 runs: a location (--region, --country or --state)"],
        {"chips": "8"},
    ),
    "sacct, a job that waits": (
        SACCT + JOB.format(1, "COMPLETED") + JOB.format(2, "PENDING")
        + JOB.format(3, "").replace("2024-03-05T08:00:00", "Unknown"),
        ["Lines 3, 4: never ran, by State or Start; no run is lost with it."],
        {"chips": "8"},
    ),
    "sacct, a job in two lines without Start": (
        "JobID|AllocTRES|State|ElapsedRaw\n7|gres/gpu:a100=8|FAILED|3600\n7|gres/gpu:a100=8|FAILED|7200\n",
        ["Lines 2, 3: several lines of one job, and each counts, since no Start"],
        {"chips": "8"},
    ),
    "sacct, a job in two exports, and one that still runs": (
        "JobID|AllocTRES|Start|End\n1|gres/gpu:a100=8|2024-05-01T00:00:00|2024-05-01T06:00:00\n"
        "1|gres/gpu:a100=8|2024-05-01T00:00:00|2024-05-01T06:00:00\n"
        "2|gres/gpu:a100=8|2024-05-01T00:00:00|Unknown\n",
        ["No column Elapsed: the hours are those from Start to End", "Line 2: left out, as another line has",
         "row 3, End: 'Unknown' with Start '2024-05-01T00:00:00': the hours are not known"],
        {"chips": "8", "training_hours": "6"},
    ),
    "sacct, Elapsed and ElapsedRaw differ": (
        SACCT.replace("JobName", "Elapsed") + JOB.format(1, "").replace("|a|", "|01:00:00|")
        + JOB.format(2, "").replace("|a|", "|10:00:00|"),
        ["line 3, row 2, Elapsed, ElapsedRaw: 10:00:00 is 36000 s, and not 3600 s; export with sacct"],
        {"chips": "8"},
    ),
    "sacct, windows that cut a job overlap": (
        "JobID|AllocTRES|Elapsed|Start\n1|gres/gpu:a100=8|10:00:00|2024-03-01T00:00:00\n"
        "1|gres/gpu:a100=8|10:00:00|2024-03-01T05:00:00\n",
        ["Line 3: a part of the time is in another line of the same job, and counts once, as a job cannot"],
        {"chips": "8"},
    ),
    "sacct, a job of an array by another number": (
        f"JobID|{USE}\n200_1|{USED}\nJobIDRaw|{USE}\n201|{USED}\n",
        ["Line 4: left out, as a job of an array with the same Start, hours and accelerators is in another"],
        {"chips": "4"},
    ),
    "sacct, accelerators that are not read": (
        "JobID|ElapsedRaw|AllocTRES|ReqTRES\n1|3600|gres/gpu:a100=8|\n2|3600|gres/hpu=8|\n"
        "3|3600|gres/tpu=4|\n4|3600|cpu=4|gres/gpu:a100=4\n",
        ["line 3, row 2, AllocTRES: job 2 has gres/hpu=8, and no GPU in", "job 3 has gres/tpu=4",
         "line 5, row 4, ReqTRES: job 4 has gres/gpu:a100=4, and no GPU in the column that is read"],
        {"chips": "8"},
    ),
    "sacct, what Slurm 20.02 was asked of each node": (
        "JobID|ReqGRES|NNodes|ElapsedRaw\n1|gpu:8|2|3600\n2|PER_NODE:gpu:a100:4|2|3600\n",
        ["ReqGRES: 'PER_NODE:gpu:a100:4' is not of the whole job; export with sacct -P -X"],
        {"chips": "8"},
    ),
    "sacct, a part of a chip": (
        SACCT + JOB.format(1, "COMPLETED") + JOB.format(2, "COMPLETED").replace("a100", "a100_1g.5gb"),
        ["line 3, row 2, AllocTRES: job 2 used only a part of an accelerator, 'gpu:a100_1g.5gb=8'"],
        {"chips": "8"},
    ),
    "a bill with a credit": (
        PRICED + PRICED_LINES,
        ["Lines 3, 4: left out, as a negative cost of a positive amount is a credit or a refund of money",
         "Corrections that reduce earlier use: 1."],
        {"chip_hours": "60"},
    ),
    "sacct, ReqGRES of several nodes": (
        "JobID|ReqGRES|NNodes|Elapsed|Start\n1|gpu:v100:4|2|10:00:00|2018-03-02T10:00:00\n"
        "2|gpu:v100:4|1|10:00:00|2018-03-02T10:00:00\n",
        ["Line 2: ReqGRES is taken as the total of all nodes of the job, as Slurm wrote it up to 19.05."],
        {"chips": "4"},
    ),
    "a bill that was exported again": (
        f"{BILL}{BILLED}{BILLED}{BILL}{BILLED}",
        ["Line 5: equal to another line in every cell, and counted once", "Lines 2, 3: equal in every cell,"],
        {"chip_hours": "100"},
    ),
    "carbontracker, joined with itself": (
        CARBONTRACKER * 2, ["Line 7: a training that is in the log again"], {"energy_kwh": "0.1"},
    ),
    "GPUs that were not read": (
        codecarbon(NODE_KWH | {"gpu_energy": 0.0001, "energy_consumed": 1.5001}),
        ["the GPU was not read (gpu_energy is 0.0001)", "is 0.0025 W for each GPU, 6.3e-06 of its rating:"],
        {"chips": "4"},
    ),
    "GPUs that were idle": (
        codecarbon(NODE_KWH | {"gpu_energy": 0.4, "energy_consumed": 1.9}),
        ["is 10 W for each GPU, 0.025 of its rating: it was idle, or read for a part of the time alone."],
        {"energy_kwh": "1.9"},
    ),
    "two trackers at once, with other powers": (
        codecarbon({"run_id": "a", "pue": 1},
                   {"run_id": "b", "pue": 1, "duration": 3600, "cpu_energy": 0.02, "gpu_energy": 0.1,
                    "ram_energy": 0.01, "energy_consumed": 0.13, "cpu_power": 20, "gpu_power": 100,
                    "ram_power": 10}),
        ["Lines 2, 3 overlap in time on machines that are described alike, but their powers are more than"],
        {"energy_kwh": "0.87"},
    ),
    "a path that is private": (codecarbon({"project_name": "/home/anna/run"}), [], {"model": "run"}),
    "a bill with serving": (
        A100.format(" running in Americas") + "2024-03-01,5,hour,us\n" + "".join(
            f"{sku},2024-03-01,100,hour,us\n" for sku in (
                "Vertex AI: Online/Batch Prediction Nvidia Tesla T4 GPU running in Americas for AI Platform",
                "AI Platform Prediction Nvidia L4 GPU", "Vertex AI Endpoint Nvidia L4 GPU",
                "Inference on Nvidia H100 80GB GPU", "Storage PD Capacity of a notebook with Nvidia T4 GPU",
                "",
            )
        ),
        ["Lines 3, 4, 5, 6: left out, as a model is served there (prediction, endpoints, inference), which",
         "Lines left out, disks and their copies: 1.", "Lines left out, without a SKU, as totals"],
        {"chip_hours": "5"},
    ),
    "a country and a code that differ": (
        codecarbon({"country_iso_code": "DEU"}),
        ["Line 2: the country is 'France' by its name and 'Germany' by its code, DEU: France is used."],
        {"site_country": "France"},
    ),
    "a duration that nothing in the log puts right": (
        codecarbon({"duration": 0.5, "cpu_power": "", "ram_power": ""}),
        ["a duration of 0.5 s with 0.725 kWh is 5.22e+03 kW, which cannot be: the duration or the energy is "
         "wrong, and the log does not say which. The energy is kept, and the hours are left out"],
        {"energy_kwh": "0.725"},
    ),
    "a GPU whose energy is empty": (
        codecarbon({"gpu_energy": "", "energy_consumed": 0.15}),
        ["the GPU was not read (gpu_energy is empty), so its 0.125 kWh are not taken as measured"],
        {"chips": "1"},
    ),
    "nvidia-smi, the end of summer time": (
        clock_back(),
        ["The time goes back by an hour on 2024-10-27, as at the end of summer time: both hours count."],
        {"training_hours": "4"},
    ),
    "nvidia-smi, a third not read": (
        smi(HOUR[:41], 1) + smi(HOUR[41:51], 1, watts="[N/A]").split("\n", 1)[1]
        + smi(HOUR[51:], 1, watts="[GPU requires reset]").split("\n", 1)[1],
        ["20 of 61 samples of GPU 0 are not used: '[N/A]': the power was not read; expected W (10); '[GPU",
         "the power in 33 % of the time of the GPUs was not read, and is the mean of the same GPU while it"],
        {"metering": "partly metered: power of the GPUs alone, read by nvidia-smi; processors, memory, fans "
         "and network not included; the power in 33 % of the time of the GPUs was not read, and is the mean "
         "of the same GPU while it was read"},
    ),
    "nvidia-smi, back by the whole hour": (
        clock_back_by_the_hour(),
        ["The time goes back by an hour on 2024-10-27: taken as a second log of the same hour, whose equal"],
        {"training_hours": "1", "energy_kwh": "0.3"},
    ),
    "nvidia-smi, powers in turns of one index": (
        in_turns(400, 100, index=True),
        ["0: its powers come in turns at even steps, so it counts as one GPU. If the log is of several"],
        {"chips": "1", "energy_kwh": "0.25"},
    ),
    "nvidia-smi, mostly not read": (
        smi(HOUR[:11], 1) + smi(HOUR[11:], 1, watts="[N/A]").split("\n", 1)[1],
        ["the power was not read in 83 % of the time of the GPUs, so the energy is not taken as measured"],
        {"training_hours": "1"},
    ),
    "nvidia-smi, a pause": (
        smi(DAYS, 1, index=True),
        ["1 pause in the log: 2024-05-01 11:00:00 to 2024-05-04 10:00:00 (71 hours), not counted as time"],
        {"energy_kwh": "0.6"},
    ),
    "carbontracker 2, several GPUs": (
        CARBONTRACKER.replace("1.1.6", "2.0.0").replace("Tesla T4.", "Tesla T4, Tesla T4.")
        .replace("[70.0]", "70.0"),
        ["Carbontracker 2 writes the mean power of the 2 devices of gpu: multiplied by 2."],
        {"chips": "2"},
    ),
    "sacct without a type": (
        "JobID|AllocTRES|ElapsedRaw\n1|gres/gpu=8|3600\n",
        ["Missing in 1 run: the name of the accelerator (--hardware)", "Missing in 1 run: a start"],
        {"chips": "8"},
    ),
    "nvidia-smi": (smi(HOUR, 1), ["Missing in 1 run: a location"], {"energy_kwh": "0.3"}),
    "CodeCarbon, energies that are empty": (
        codecarbon(UNMEASURED | dict.fromkeys(ENERGIES, "")),
        ["Line 2: energy_consumed is empty, so nothing was measured in 36000 s; the energy will be"],
        {"chips": "4", "training_hours": "10"},
    ),
    "CodeCarbon, a day that may be a month": (
        codecarbon({"timestamp": "02/03/2024 10:00"}),
        ["Line 2: timestamp may be written day first or month first, so only its year, 2024,"],
        {"started": "2024"},
    ),
    "sacct, a day that may be a month": (
        "JobID|AllocTRES|ElapsedRaw|Start\n1|gres/gpu:a100=4|3600|02/03/2024 10:00\n",
        ["Line 2: Start may be written day first or month first"],
        {"started": "2024"},
    ),
    "a bill, a day that may be a month": (
        f"{BILL}{BILLED}{BILLED}".replace("2024-05-01", "02/03/2024"),
        ["Lines 2, 3: Usage start date may be written day first or month first"],
        {"started": "2024"},
    ),
    "eco2AI, a day that may be a month": (
        eco2ai("a,0,").replace("2023-04-01", "04/05/2023"),
        ["Line 2: start_time may be written day first or month first"],
        {"started": "2023"},
    ),
    "eco2AI, two kinds of GPUs": (
        eco2ai("a,0,").replace("Tesla V100-SXM2-32GB", "Tesla V100/NVIDIA A100"),
        ["the accelerators are of several kinds, or not clear (2 of Tesla V100/NVIDIA A100): the run"],
        {"energy_kwh": "0.6", "chips": "2", "metering": "partly metered: eco2AI: GPUs read from the driver, "
         "processors estimated from their rated power and load, memory estimated from its size; fans, power "
         "supplies and network not included"},
    ),
    "CodeCarbon on a Mac": (
        codecarbon(MAC),
        ["Apple M1 Pro: a chip for laptops, desktops or embedded boards"],
        {"hardware": "Apple M1 Pro", "metering": "partly metered: CodeCarbon 2.3.5: GPU read by "
         "powermetrics, processors read by powermetrics, memory estimated from its size; fans, power "
         "supplies and network not included"},
    ),
    "a bill of Iowa": (A100.format("") + "2024-03-01,5,hour,Iowa\n", [], {"cloud_region": "us-central1"}),
    "a SKU of Iowa": (
        A100.format(" running in Iowa") + "2024-03-01,5,hour,\n", [], {"cloud_region": "us-central1"},
    ),
    "a bill of the United States": (
        A100.format(" running in Americas") + "2024-03-01,5,hour,us\n", [], {"site_country": "us"},
    ),
    "a bill of the Americas": (
        A100.format(" running in Americas") + "2024-03-01,5,hour,nam4\n",
        ["location 'nam4' is not one known region of Google", "Missing in 1 run: a location"],
        {"hardware": "A100"},
    ),
    "a bill of the Netherlands, where Google has more than a region": (
        A100.format("") + "2024-03-01,5,hour,Netherlands\n", [], {"site_country": "Netherlands"},
    ),
    "CodeCarbon, one reading of 5 kW": (
        codecarbon({"gpu_power": 5000}),
        ["gpu_power of each GPU is 5000 W, but NVIDIA A100-SXM4-40GB is rated 400 W; expected 600 W at the "
         "most. It is not used: gpu_energy over the duration is 300 W."],
        {"energy_kwh": "0.725"},
    ),
    "carbontracker, a detected location": (
        CARBONTRACKER + "2024-03-01 11:00:00 - Average carbon intensity during training was 53.21 gCO2/kWh "
        "at detected location: Copenhagen, Capital Region, DK.\n",
        [],
        {"site_country": "DK"},
    ),
    "carbontracker, a location without live intensities": (
        CARBONTRACKER + "2024-03-01 11:00:00 - Live carbon intensity could not be fetched at detected "
        "location: Montreal, Quebec, CA. Defaulted to average carbon intensity for CA in 2019 of 120.00 g.\n",
        [],
        {"site_country": "CA", "site_state": "CA-QC"},
    ),
    "carbontracker, a province without a known grid": (
        CARBONTRACKER + "2024-03-01 11:00:00 - Average carbon intensity during training was 53.21 gCO2/kWh "
        "at detected location: Vancouver, British Columbia, CA.\n",
        ["Region 'British Columbia' of Canada is not used: the dataset has no grid of it, so the mean of"],
        {"site_country": "CA"},
    ),
    "carbontracker, no location": (
        CARBONTRACKER + "2024-03-01 11:00:00 - Carbon intensities (gCO2/kWh) fetched every 900 s at detected "
        "location UNDETECTED: [475]\n",
        ["Missing in 1 run: a location"],
        {"energy_kwh": "0.1"},
    ),
    "carbontracker, remains of a crash": (
        CARBONTRACKER + "\0\0\0\n2024-03-01 12:00:00 - Epoch 2:\n2024-03-01 12:00:00 - Duration: 1:00:0",
        ["Line 7: NUL bytes alone, which a crash", "line 9: 'Duration: 1:00:0' breaks off"],
        {"energy_kwh": "0.1"},
    ),
    "a laptop": (
        codecarbon({
            "pue": 1, "gpu_model": "1 x NVIDIA GeForce RTX 3060 Laptop GPU", "gpu_power": 115,
            "gpu_energy": 0.23, "energy_consumed": 0.38,
        }),
        ["RTX 3060 Laptop GPU: a chip for laptops, desktops or embedded boards",
         "data center give --pue 1, which adds nothing for"],
        {"chips": "1"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_a_log_does_not_say_or_what_is_not_used_is_said(tmp_path: Path, case: str) -> None:
    content, expected, first = SAID[case]
    log, runs = tmp_path / "log", tmp_path / "runs.csv"
    log.write_text(content, encoding="utf-8")
    done = ote("import", log, "--out", runs)
    assert done.returncode == 0, done.stderr
    for says in expected:
        assert says in done.stderr
    row = pl.read_csv(runs, infer_schema=False).row(0, named=True)
    assert {column: row[column] for column in first} == first
    located = bool(row.get("cloud_region") or row.get("site_country"))
    assert ("a location (--region" in done.stderr) == (not located)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--energy", "10", "--hardware", "FooBar X9000"), "'FooBar X9000' is not an accelerator known here"),
        (
            ("--chips", "1", "--hours", "9", "--hardware", "RTX 3060 Laptop"),
            "data center give --pue 1, which adds nothing for",
        ),
        (
            ("--energy", "1", "--hardware", "Intel Iris Xe"),
            "data center give --pue 1, which adds nothing for",
        ),
        (
            ("--energy", "1", "--hardware", "Radeon 780M Graphics"),
            "data center give --pue 1, which adds nothing",
        ),
        (("--energy", "1", "--hardware", "Apple M2"), "data center give --pue 1, which adds nothing for"),
    ],
)
def test_an_estimate_says_what_cannot_be_checked(build: Build, options: tuple[str, ...], says: str) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    assert says in " ".join(ote("estimate", *options, *database).stdout.split())
    assert "--pue 1," not in ote("estimate", *options, "--pue", "1", *database).stdout


def test_the_first_year_of_an_import_is_that_of_the_factors(build: Build) -> None:
    ((year,),) = build.query(
        "select min(cast(period as integer)) from support.location_factors where factor = 'gross_kg_per_kwh'"
    )
    assert str(year) == imports.FIRST_YEAR


def test_a_note_that_many_rows_share_is_said_once(tmp_path: Path) -> None:
    """Of a region without a grid, and with nothing that an import has no option for."""
    bavaria = {"country_name": "Germany", "country_iso_code": "DEU", "region": "bavaria"}
    rows = [bavaria | {"run_id": f"r{n}", "timestamp": f"2024-05-{n + 1:02}T12:00:00"} for n in range(12)]
    notes = [note for note in read(tmp_path, codecarbon(*rows)).left_out if "bavaria" in note]
    assert [note.split(":")[0] for note in notes] == ["Lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"]
    assert "--intensity" not in notes[0]


@pytest.mark.parametrize(("started", "says"), [("2023", False), ("2026", True)])
def test_another_year_is_named_only_where_it_is_one(
    build: Build, tmp_path: Path, started: str, says: bool
) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    given = ("estimate", "--energy", "1", "--country", "DE", "--start", started, *database)
    file = tmp_path / "run.json"
    file.write_text(ote(*given, "--json").stdout, encoding="utf-8")
    for said in (
        ote(*given).stdout,
        *(ote("report", file, "--as", form).stdout for form in ("markdown", "latex")),
    ):
        assert ("grid, nearest known year" in said) == says


def test_a_table_in_latex_is_as_wide_as_a_line(build: Build, tmp_path: Path) -> None:
    """Shares of the line and the space between columns, 3 pt on each side, on a page of 12 cm (341 pt)."""
    names = ("a_long_name_of_a_model_that_nobody_would_read", "b")
    log, runs = tmp_path / "log.csv", tmp_path / "runs.csv"
    for rows in (1, 2):
        log.write_text(
            codecarbon(
                *({"run_id": name, "project_name": name, "timestamp": f"2024-05-0{n + 1}T12:00:00"}
                  for n, name in enumerate(names[:rows]))
            ),
            encoding="utf-8",
        )  # fmt: skip
        ote("import", log, "--out", runs)
        latex = ote(
            "report", runs, "--as", "latex", "--database", build.directory / "emissions.duckdb"
        ).stdout
        shares = [float(share) for share in re.findall(r"p\{([\d.]+)\\linewidth\}", latex)]
        assert sum(shares) + (len(shares) - 1) * 6 / 341 <= 1
        table = latex.split(r"\hline", 1)[1].split(r"\end{tabular}")[0]
        cells = [row.split(" & ") for row in re.findall(r"    (.*) \\\\\n", table)]
        assert {len(row) for row in cells} == {len(shares)}
        for row in cells:  # 3.7 pt is the mean width of a letter of 7 pt
            for cell, share in zip(row, shares, strict=True):
                plain = re.sub(
                    r"\\(?!allowbreak)[a-z]+|[{}$\\_^]",
                    "",
                    cell.replace(r"\allowbreak{}", " ").replace("-", "- "),
                )
                assert max(map(len, plain.split()), default=0) * 3.7 <= share * 341, cell
    assert "a\\_\\allowbreak{}long" not in latex.split(r"\begin{table}")[0]


def test_many_bad_rows_are_named_up_to_ten(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(codecarbon(*[{"energy_consumed": -1}] * 120), encoding="utf-8")
    refused = ote("import", log)
    assert "none of its 120 rows can be used" in refused.stderr
    assert refused.stderr.count("energy_consumed: -1") == 10


def test_every_unknown_column_is_named_with_the_one_that_it_means(build: Build, tmp_path: Path) -> None:
    runs = tmp_path / "runs.csv"
    runs.write_text("gpu,chips,hours,notes\nH100,8,10,mine\n", encoding="utf-8")
    options = ("--out", tmp_path / "e.csv", "--database", build.directory / "emissions.duckdb")
    refused = ote("estimate", "--batch", runs, *options)
    says = (
        "no column 'gpu' (did you mean hardware?), 'hours' (did you mean training_hours?), 'notes'; known are"
    )
    assert says in refused.stderr
    runs.write_text("hardware,chips,training_hours\nH100,8,-5\n", encoding="utf-8")
    strict = ote("estimate", "--batch", runs, *options, "--strict")
    assert f"{runs}, line 2, row 1, training_hours: '-5'" in strict.stderr
    asked = ote("import", runs)
    assert f"a file of runs already, not a log. Estimate it: ote estimate --batch {runs}" in asked.stderr


BY_HAND = "Give the hours or the energy by hand"
UNSUPPORTED = f"whose logs and exports are not supported. {BY_HAND}"
# Content, and what is said of it.
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "empty; written by none of CodeCarbon"),
    "NUL bytes": (b"\0" * 500, "NUL bytes, which a crash leaves"),
    "Latin-1": (GOOD.encode("latin-1"), "line 2 holds the byte 0xe9, which is not UTF-8"),
    "workbook": (b"PK\x03\x04\x00", "a zip archive or a workbook"),
    "Parquet": (b"PAR1\x00\xff", "a Parquet file, not text"),
    "gzip, cut off": (gzip.compress(GOOD.encode())[:-20], "cut off"),
    "gzip, damaged": (gzip.compress(GOOD.encode())[:12] + b"\xff" * 20, "damaged"),
    "Wh in a column of kWh": (
        codecarbon({"energy_consumed": 870, "cpu_energy": 102, "gpu_energy": 720, "ram_energy": 48}),
        "energy_consumed: 870 kWh is 1,000 times power x duration (0.725 kWh): the energy looks like Wh, as",
    ),
    "Wh of eight GPUs": (codecarbon(NODE_WH), "22000 kWh is 1,000 times power x duration (22 kWh)"),
    "Wh, the GPUs idle at the end": (
        codecarbon(NODE_WH | {"gpu_power": 400}),
        "cpu_energy, ram_energy are 1,000 times their power x duration of 36000 s: the energy looks like Wh",
    ),
    "MWh in a column of kWh": (
        codecarbon(
            {"energy_consumed": 870e-6, "cpu_energy": 102e-6, "gpu_energy": 72e-5, "ram_energy": 48e-6}
        ),
        "0.00087 kWh is 0.001 times power x duration (0.725 kWh): the energy looks like MWh",
    ),
    "a duration or an energy a thousand times wrong": (
        codecarbon({"duration": 7.2, "emissions": ""}),
        "energy_consumed, duration: 0.87 kWh is 1,000 times power x duration (0.000725 kWh) of 7.2 s: the "
        "energy looks like Wh, or the duration is wrong. One of the two is wrong, and the log does not",
    ),
    "eco2AI, 36 s for the energy of an hour": (
        "project_name,start_time,duration(s),power_consumption(kWh),GPU_name\n"
        "p,2024-03-01 10:00:00,36,0.3,A100 1 device(s)\n",
        "power_consumption(kWh), duration(s): 0.3 kWh in 36 s is 30 kW, and a machine of 1 GPU draws 4.5 kW "
        "at the most. One of the two is wrong",
    ),
    "a part of a GPU": (
        codecarbon({"gpu_model": "1 x NVIDIA A100-SXM4-40GB MIG 3g.20gb"}),
        "'1 x NVIDIA A100-SXM4-40GB MIG 3g.20gb' has 3g.20gb, a part of an accelerator (MIG), and a driver",
    ),
    "a run before there were factors": (
        codecarbon({"timestamp": "1970-01-01T00:00:12"}),
        "line 2, row 1, started: 1969-12-31: before 2009, the first year that the dataset has factors for. "
        "Correct the time in the log (run 'p')",
    ),
    "energies of 0 without an accelerator": (
        codecarbon(UNMEASURED | dict.fromkeys(ENERGIES, 0) | {"gpu_model": "", "gpu_count": ""}),
        "0 kWh in 36000 s; the log names no accelerator. If you know its accelerators and hours, give them",
    ),
    "a run that was too short": (
        codecarbon(UNMEASURED | dict.fromkeys(ENERGIES, 0) | {"duration": 2}),
        "0 kWh in 2 s: the run ended before anything was measured",
    ),
    "a run in the future": (codecarbon({"timestamp": "2999-05-02T10:00:00"}), "started: 2999-05-02: in the"),
    "a GPU that was not read, for an unknown time": (
        codecarbon({
            "duration": 0.5, "gpu_energy": 0, "energy_consumed": 0.15, "cpu_power": "", "ram_power": "",
        }),
        "gpu_energy: the GPU was not read, and the duration, 0.5, cannot be: neither the energy nor",
    ),
    "W&B, history of a run": (
        '{"system.gpu.0.powerWatts": 250.0, "_runtime": 60}\n',
        f"written by Weights & Biases, {UNSUPPORTED}",
    ),
    "W&B, a chart as CSV": (
        '"Relative Time (Process)","run-1 - system/gpu.0.powerWatts"\n0,250\n',
        f"written by Weights & Biases, {UNSUPPORTED}",
    ),
    "a total above its parts": (
        codecarbon({"energy_consumed": 1.2}),
        "1.2 kWh, but its parts (cpu_energy, gpu_energy, ram_energy) sum to 0.87 kWh. Correct",
    ),
    "a total in MWh": (
        codecarbon({"energy_consumed": 0.00087}),
        "0.00087 kWh, but its parts (cpu_energy, gpu_energy, ram_energy) sum to 0.87 kWh; one of them looks",
    ),
    "a total below what is known of its parts": (
        codecarbon({"energy_consumed": 0.5, "ram_energy": "None"}),
        "its parts (cpu_energy, gpu_energy) sum to 0.822",
    ),
    "a total of nothing": (codecarbon({"energy_consumed": 0}), "0 kWh, but its parts"),
    "CodeCarbon, 700 W on an A100 by reading and by energy": (
        codecarbon({"gpu_power": 700, "gpu_energy": 1.68, "energy_consumed": 1.83}),
        "gpu_power: 700 W, but NVIDIA A100-SXM4-40GB is rated 400 W; expected 600 W at the most",
    ),
    "an energy below zero": (
        codecarbon({"energy_consumed": -22}), "energy_consumed: -22, expected a finite number, 0 or more",
    ),
    "an energy without end": (codecarbon({"energy_consumed": "inf"}), "inf, expected a finite number"),
    "eco2AI, Wh": (
        "project_name,duration(s),power_consumption(kWh),GPU_name\np,3600,300,A100 1 device(s)\n",
        "300 kWh in 3600 s is 300 kW, and a machine of 1 GPU draws 4.5 kW at the most. One of the two",
    ),
    "carbontracker's output, without its PUE": (OUTPUT, "give the PUE with --pue-included. It was 1.58 or"),
    "carbontracker, 2,200 W on a T4": (
        CARBONTRACKER.replace("[70.0]", "[2200.0]"),
        "line 5, gpu: 2200 W, but Tesla T4 is rated 70 W; expected 105 W at the most",
    ),
    "nvidia-smi, more than half of a board with two": (
        smi(HOUR, 1, watts="250.00 W").replace("NVIDIA A100-SXM4-40GB", "Tesla K80"),
        "250 W, but Tesla K80 is rated 300 W for 2; expected 225 W at the most",
    ),
    "nvidia-smi, mW": (
        smi(HOUR, 1, watts="350000.00 W"),
        "line 2, row 1, power.draw [W]: 61 of 61 samples of GPU 0 are not used: 350000 W, but NVIDIA",
    ),
    "nvidia-smi, a GPU that nobody knows": (
        smi(HOUR, 1, watts="35000.00 W").replace("A100-SXM4-40GB", "X9000"),
        "35000 W, but no accelerator draws that much; expected 1500 W at the most",
    ),
    "a comma of a sheet that may be either": (
        f"SKU description;Usage amount;Usage unit\n{SKU};1,100;hour\n", "'1,100' may be 1100 or 1.100",
    ),
    "an empty cell left out": (codecarbon({}).replace(",FRA,", ","), "cells, expected 23 as in the header"),
    "own columns": ("run,energy_consumed (J),duration\na,1000,5\n", "energy_consumed: empty, expected"),
    "nvidia-smi, 3 GPUs and then 2": (
        smi(HOUR, 3, apart_ms=3) + smi(DAYS[61:], 2, apart_ms=3), "no column says which row is of which GPU",
    ),
    "nvidia-smi, 3 GPUs, and 2 in one moment of seven": (
        smi(HOUR, 3, apart_ms=3) + smi(DAYS[61:72], 2, apart_ms=3),
        "no column says which row is of which GPU",
    ),
    "nvidia-smi, 3 GPUs almost as far apart as two moments": (
        smi([f"01 10:00:{second:02}" for second in range(60)], 3, apart_ms=150),
        "Add a column index with the number of the GPU",
    ),
    "nvidia-smi, two machines in turns": (
        smi(sorted([*HOUR, *(time[:-2] + "07" for time in HOUR)]), 8, index=True),
        "NVIDIA A100-SXM4-40GB 0 has powers or times in turns, as in a log of several machines",
    ),
    "nvidia-smi, two machines of one hour each, in the night when clocks go back": (
        (night := "\n".join([*clock_back().splitlines()[:62], ""])) + night.replace(".100", ".137"),
        "0 is read more than once at each moment, as in a log of several machines",
    ),
    "nvidia-smi, two logs of one uuid at the same time": (
        (smi(HOUR, 1, index=True) + smi(HOUR, 1, "290.00 W", index=True).split("\n", 1)[1])
        .replace("index", "uuid").replace(", 0, ", ", GPU-aa, "),
        "GPU-aa: its times go back and overlap, as where two logs of one GPU were joined",
    ),
    "nvidia-smi, the logs of two machines in one": (
        smi(HOUR, 8, index=True) + smi(HOUR, 8, "290.00 W", index=True).split("\n", 1)[1],
        "as in a log of several machines. Import the log of each machine alone",
    ),
    "nvidia-smi, 0 W": (smi(HOUR, 1, watts="0.00 W"), "'0.00 W': the power was not read"),
    "nvidia-smi, two machines in turns at whole seconds, one at 340 W": (
        in_turns(300, 340, index=True).replace(".100", ""),
        "0 has powers or times in turns, as in a log of several machines",
    ),
    "nvidia-smi, two machines in turns at nearly even steps, one at 340 W": (
        re.sub(r"([13579]):00.100", r"\1:02.100", in_turns(300, 340, index=True)),
        "0 has powers or times in turns, as in a log of several machines",
    ),
    "nvidia-smi, four GPUs one by one at even steps": (
        in_turns(300, 320, 340, 310), "no column says which row is of which GPU",
    ),
    "nvidia-smi without a header": (
        smi(HOUR, 1).split("\n", 1)[1],
        "nvidia-smi without its header. Put this line on top, and change its order if the columns of the log "
        "have another: timestamp, name, power.draw [W]",
    ),
    "nvidia-smi dmon": ("# gpu    pwr  gtemp\n# Idx      W      C\n    0     60     40\n", "--query-gpu="),
    "nvidia-smi dmon -o DT, without power": (
        "#Date Time gpu sm\n 20240501   10:00:00   0   99\n", "--query-gpu",
    ),
    "nvidia-smi dmon -o DT, half a line": (
        "#Date Time gpu pwr\n 20240501   10:00:00   0\n",
        "line 2, row 1: '20240501   10:00:00   0': complete",
    ),
    "nvidia-smi pmon": ("# gpu   pid  type    sm   command\n    0   12345   C  80  python\n", "--query-gpu="),
    "nvidia-smi, the table": ("| NVIDIA-SMI 525.60.13    Driver Version: 525.60.13 |\n", "--query-gpu="),
    "CodeCarbon 1.0.0, without an energy": (
        "timestamp,experiment_id,project_name,duration,emissions,country_name\n2020-12-01,a,p,7200,0.2,France\n",
        f"written by an early CodeCarbon, which wrote no energy, {UNSUPPORTED}",
    ),
    "estimates": ("row,model,energy_mwh,co2e_gross_t\n1,p,2,1\n", "a file of estimates already, not a log."),
    "Zeus, J": ("start_time,window_name,elapsed_time,gpu0_energy\n1700000000,epoch,3600,1080000\n", BY_HAND),
    "experiment-impact-tracker": ('{"gpu": {"nvidia_draw_absolute": 200.0}, "timestamp": 1}', BY_HAND),
    "DCGM": ("#Entity   POWER TOTEC\nID W mJ\nGPU 0 60.0 123456\n", f"written by DCGM, {UNSUPPORTED}"),
    "AWS CUR": (
        "lineItem/UsageType,lineItem/UsageAmount\nBoxUsage:p4d.24xlarge,10\n",
        "a bill of AWS, which is not supported. For many machines, write a CSV file with",
    ),
    "AWS, Cost Explorer": (
        '"Instance type","p4d.24xlarge(hours)"\n"2024-05-01","720.0"\n', "a bill of AWS, which is not",
    ),
    "Slurm's sreport": (
        "Cluster/Account/User Utilization\nUsage reported in TRES Hours\nCluster|Account|Login|Used\n",
        "Slurm's sreport, which has no single jobs; export with sacct -P -X",
    ),
    "AWS CUR 2.0": ("line_item_usage_amount,product_sku,pricing_unit\n10,ABC,Hrs\n", "a bill of AWS, which"),
    "sacct without Elapsed": (
        "JobID|AllocTRES|CPUTime|Start\n1|gres/gpu:a100=4|64-00:00:00|2025-05-01T00:00:00\n",
        "no column Elapsed or ElapsedRaw, which has the hours of a job. Add ElapsedRaw to the --format",
    ),
    "sacct, steps alone": (
        "JobID|AllocTRES|Elapsed\n123.batch|gres/gpu:a100=4|10:00:00\n123.0|gres/gpu:a100=4|10:00:00\n",
        "steps of jobs alone (JobID such as 123.batch), which share the hours",
    ),
    "sacct, a name that holds the delimiter": (
        "JobID|JobName|AllocTRES|Elapsed\n1|a|b|gres/gpu:a100=4|10:00:00\n",
        "a cell holds '|', which sacct does not quote; export with another one: --delimiter=^",
    ),
    "sacct, a delimiter of three characters": (
        "JobID:::AllocTRES:::Elapsed\n1:::gres/gpu:a100=4:::10:00:00\n",
        "a delimiter that is not read; export",
    ),
    "sacct in columns of fixed width": (
        "JobID       JobName  AllocTRES\n1           a        billing=8+\n",
        "line 1: columns of fixed width, which sacct",
    ),
    "Azure": (
        "Date,MeterName,Quantity,UnitOfMeasure\n01/05/2024,NC24ads A100 v4,10,1 Hour\n", "a bill of Azure",
    ),
    "sacct --json": ('{"jobs": [{"job_id": 1, "tres": {}}]}', "Slurm's sacct as JSON, which is not read"),
    "sacct -n": ("1|t|10:00:00|cpu=8,gres/gpu:a100=4|COMPLETED\n", "Slurm's sacct without its header (-n)"),
    "the messages of Carbontracker": (
        "2026-11-30 22:29:35,674 - MainThread - WARNING - No API keys provided.\n",
        "Import the file beside it whose name ends in _carbontracker.log. Give the hours",
    ),
    "nvidia-smi by pdsh": (
        "node01: 2024/03/01 12:00:00.123, 0, Tesla T4, 60.00 W\n", "nvidia-smi by pdsh, which puts the name",
    ),
    "nvidia-smi by pdsh, with its header": (
        "node01: timestamp, name, power.draw [W]\nnode01: 2024/03/01 12:00:00.123, Tesla T4, 60.00 W\n",
        "such as sed -n 's/^node01: //p' FILE > node01.csv, and import each file",
    ),
    "sacct: accelerators of a step alone": (
        "JobID|AllocTRES|ElapsedRaw\n1||3600\n1.batch|gres/gpu:a100=4|3600\n",
        "line 2, row 1, AllocTRES: empty, and a step of job 1 has gres/gpu:a100=4, which may be a part",
    ),
    "Azure, JSON": ('[{"sku": {"name": "x"}, "quantity": 3}]', BY_HAND),
    "a sku in no JSON": ('x {"sku": "abc"}', BY_HAND),
    "a sku without a description": ('{"sku": "abc", "usage": {"amount": 1, "unit": "seconds"}}', BY_HAND),
    "FOCUS": (
        "BilledCost,ConsumedQuantity,ConsumedUnit,SkuId\n1,2,Hours,x\n",
        f"then run ote estimate --batch FILE --out estimates.csv. {BY_HAND}",
    ),
    "Weights & Biases": ('"Step","run - system/gpu.0.powerWatts"\n0,300\n', BY_HAND),
    "trainer_state": ('{"epoch": 1, "total_flos": 1e18, "log_history": []}', BY_HAND),
    "model card": ("---\nco2_eq_emissions:\n  emissions: 126.35\n---\n", BY_HAND),
    "ML CO2 calculator": ("A cumulative of 100 hours of computation was performed on a T4.\n", BY_HAND),
    "seff": ("Job ID: 123\nNodes: 1\nCPU Utilized: 01:00:00\nJob Wall-clock time: 02:00:00\n", BY_HAND),
    "kubecost": ("name,gpuHours,cpuCost\nx,100,2\n", BY_HAND),
}  # fmt: skip
RAW = ("Errno", "codec can't", "Traceback", "Error:", ".partial", "magic bytes")


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_refused_in_words(tmp_path: Path, case: str) -> None:
    content, says = REFUSED[case]
    file = tmp_path / "log"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    refused = ote("import", file, "--out", tmp_path / "runs.csv")
    assert refused.returncode == 2
    assert says in refused.stderr
    assert str(file) in refused.stderr
    assert not any(raw in refused.stderr for raw in RAW)
    assert list(tmp_path.iterdir()) == [file]


def test_files_that_cannot_be_read_or_written_are_named_in_words(build: Build, tmp_path: Path) -> None:
    log, runs, folder = tmp_path / "log.csv", tmp_path / "runs.csv", tmp_path / "folder.csv"
    log.write_text(codecarbon({}), encoding="utf-8")
    runs.write_text("energy_kwh\n1\n", encoding="utf-8")
    folder.mkdir()
    none, nowhere, out = tmp_path / "none.csv", tmp_path / "none" / "out.csv", ("--out", tmp_path / "e.csv")
    database = ("--database", build.directory / "emissions.duckdb")
    for arguments, says in (
        (("import", none), f"{none}: there is no such file"),
        (("import", folder), f"{folder}: is a folder"),
        (("import", log, "--out", nowhere), f"{nowhere}: cannot be written. There is no folder"),
        (("import", log, "--out", folder), f"{folder}: cannot be written. It is a folder"),
        (("report", none, *database), f"{none}: there is no such file"),
        (("report", folder, *database), f"{folder}: is a folder"),
        (("estimate", "--batch", none, *out, *database), f"{none}: there is no such file"),
        (("estimate", "--batch", folder, *out, *database), f"{folder}: is a folder"),
        (("estimate", "--batch", runs, "--out", nowhere, *database), f"{nowhere}: cannot be written. There"),
        (("estimate", "--batch", runs, "--out", folder, *database), f"{folder}: cannot be written. It is"),
    ):  # fmt: skip
        done = ote(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert says in done.stderr
        assert not any(raw in done.stderr for raw in RAW)
    assert sorted(tmp_path.iterdir()) == sorted([log, runs, folder])


@pytest.mark.parametrize(
    ("name", "content", "reported", "estimated"),
    [
        ("x.json", b'[{"chips": 1},\n', "no JSON (line 1", "expected a JSON array"),
        ("x.jsonl", b'{"chips": 1}\n{"chips"\n', "no JSON (line", "expected a JSON object for each run"),
        ("x.parquet", b"no parquet", "this is not a Parquet file", "expected a Parquet file"),
        ("x.csv", b"chips,hardware\n1,\xe9\n", "line 2 holds the byte 0xe9", "line 2 holds the byte 0xe9"),
        ("x.csv", b"chips,hardware\n1,2,3,4\n", "4 cells, expected 2", "4 cells, expected 2"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_in_words(
    build: Build, tmp_path: Path, name: str, content: bytes, reported: str, estimated: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    database = ("--database", build.directory / "emissions.duckdb")
    for done, says in (
        (ote("report", file, *database), reported),
        (ote("estimate", "--batch", file, "--out", tmp_path / "e.csv", *database), estimated),
    ):
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
        assert str(file) in done.stderr
        assert not any(raw in done.stderr for raw in RAW)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("unread", ["[N/A]", "[Unknown Error]", "0.00 W"])
def test_a_gpu_that_was_not_read_is_named_once(build: Build, tmp_path: Path, unread: str) -> None:
    """GPU 2 of four was never read, and GPU 0 five times not: three GPUs at 300 W for an hour."""
    lines = smi(HOUR, 4, index=True).splitlines()
    times: Counter[str] = Counter()
    for number, line in enumerate(lines[1:], start=1):
        gpu = line.split(", ")[1]
        times[gpu] += 1
        if gpu == "2" or (gpu == "0" and 10 < times[gpu] <= 15):
            lines[number] = line.replace("300.00 W", unread)
    log, runs = tmp_path / "smi.csv", tmp_path / "runs.csv"
    log.write_text("\n".join(lines), encoding="utf-8")
    done = ote("import", log, "--out", runs)
    assert f"5 of 61 samples of GPU 0 are not used: '{unread}'" in done.stderr
    (run,) = pl.read_csv(runs).to_dicts()
    assert (run["chips"], run["training_hours"], run["energy_kwh"]) == (3, 1, pytest.approx(0.9))
    assert "; 1 of 4 GPUs not read; the power in 3.3 % of the time of the GPUs" in run["metering"]
    (reject,) = pl.read_csv(tmp_path / "runs.rejects.csv")["reason"].to_list()
    assert reject.startswith("61 of 61 samples of GPU 2 are not used")
    report = ote("report", runs, "--database", build.directory / "emissions.duckdb")
    assert "1 of 2 rows of the input could not be used" in report.stdout
    assert ote("import", log, "--strict").returncode == 2


@pytest.mark.parametrize(
    ("cpu", "gpu", "says"),
    [
        ("", "", "eco2AI: GPUs read from the driver, processors estimated from their rated power and load, "),
        (
            "rapl",
            "nvml_energy",
            "GPUs read from the driver (its counter of energy), processors read from RAPL",
        ),
        ("tdp", "nvml_power", "GPUs read from the driver (its power, x time), processors estimated from"),
        ("rapl", "nvml_not_used", "GPUs at 0, as the process did not use them at the last reading, process"),
        ("tdp", "rocm_power", "accelerators read by rocm_power, processors estimated"),
    ],
)
def test_the_metering_names_the_methods_of_eco2ai(tmp_path: Path, cpu: str, gpu: str, says: str) -> None:
    """Labels as tools_cpu.py and tools_gpu.py write them from 0.3.13 on."""
    log = eco2ai("a,0,")
    for after, label in (("TDP:125.0", cpu), ("2 device(s),Linux", gpu)):
        named = f" method:{label}" if label else ""
        log = log.replace(after, f"{after.removesuffix(',Linux')}{named}{',Linux' * after.endswith('Linux')}")
    (run,) = read(tmp_path, log).runs
    assert says in run["metering"]
    assert bool(run.get("hardware")) == ("not_used" not in gpu)


@pytest.mark.parametrize(("place", "state"), [("Texas/US", "US-TX"), ("Georgia/US", "US-GA"), ("DE", "")])
def test_the_first_versions_of_eco2ai_wrote_the_region_first(tmp_path: Path, place: str, state: str) -> None:
    """emission_track.py of May to July 2022, before rows had an id."""
    header = "project_name,start_time,duration(s),power_consumption(kWTh),CPU_name,GPU_name,OS,region/country"
    (run,) = read(tmp_path, f"{header}\np,2022-07-08 10:00:00,3600,0.3,i7,,Linux,{place}\n").runs
    assert (run["site_country"], run["site_state"]) == (place.rpartition("/")[2], state)


def test_a_log_without_a_header_is_read_with_the_line_that_is_shown(tmp_path: Path) -> None:
    """Each column that a query may have, in the form in which nvidia-smi writes it."""
    log = tmp_path / "smi.csv"
    uuid = "GPU-8f9c2a1e-0000-4b7d-9c11-2f6d1a7b3c4d"
    cells = f"{uuid}, 00000000:07:00.0, 3, NVIDIA A100-SXM4-40GB, 300.00 W, 97 %, 70000 MiB, P0"
    log.write_text("".join(f"2024/05/{time}.100, {cells}\n" for time in HOUR), encoding="utf-8")
    refused = ote("import", log)
    header = refused.stderr.strip().split("have another: ")[1]
    assert header == (
        "timestamp, uuid, pci.bus_id, index, name, power.draw [W], utilization.gpu [%], memory.used [MiB], "
        "column 9"
    )
    log.write_text(f"{header}\n{log.read_text(encoding='utf-8')}", encoding="utf-8")
    (run,) = imports.read(log).runs
    assert (run["hardware"], run["chips"], run["energy_kwh"]) == ("NVIDIA A100-SXM4-40GB", "1", "0.3")


def test_one_sample_at_each_moment_is_one_gpu_and_said(tmp_path: Path) -> None:
    """Four GPUs of one power, read one by one at even steps, look like one."""
    assert "Counted as 1 GPU, as each moment has one sample" in "".join(
        read(tmp_path, in_turns(300)).left_out
    )
    for named in (in_turns(300, index=True), smi(HOUR, 2)):
        assert "Counted as 1 GPU" not in "".join(read(tmp_path, named).left_out)


def test_a_log_that_was_not_imported_is_pointed_to_import(build: Build, tmp_path: Path) -> None:
    log = tmp_path / "emissions of May.csv"
    log.write_text(codecarbon({}), encoding="utf-8")
    database = ("--database", build.directory / "emissions.duckdb")
    out = ("--out", tmp_path / "estimates.csv")
    for done in (ote("report", log, *database), ote("estimate", "--batch", log, *out, *database)):
        assert done.returncode == 2
        assert (
            f"a log of CodeCarbon, not a file of runs or estimates. Convert it first: ote import '{log}'"
            in done.stderr
        )


def test_hardware_that_is_given_is_counted_as_the_tool_counts(tmp_path: Path) -> None:
    """Eight GPUs of Slurm without a name are eight dies of an MI250X, which are four modules."""
    log = tmp_path / "sacct.txt"
    log.write_text("JobID|AllocTRES|ElapsedRaw\n1|gres/gpu=8|3600\n", encoding="utf-8")
    done = ote("import", log, "--hardware", "MI250X", "--out", tmp_path / "runs.csv")
    assert pl.read_csv(tmp_path / "runs.csv").select("hardware", "chips").rows() == [("MI250X", 4)]
    assert "2 GCDs are 1 board, so 4" in done.stderr


def test_a_batch_says_how_it_counted(build: Build, tmp_path: Path) -> None:
    runs = tmp_path / "runs.csv"
    runs.write_text(
        "hardware,chips,training_hours\nMI250X,8,1\nMI250X,8,2\nH100,8,1\nv3-8,,72\n", encoding="utf-8"
    )
    options = ("--out", tmp_path / "e.parquet", "--database", build.directory / "emissions.duckdb")
    said = ote("estimate", "--batch", runs, *options).stderr
    assert "2 runs on AMD Radeon Instinct MI250X: Counted as whole MI250X, of 2 GCDs each." in said
    assert "1 run: The name can mean several variants, and NVIDIA H100 SXM5 80GB is assumed" in said
    assert "v3-8 is a slice of 8 cores = 4 chips" in said
    assert pl.read_parquet(tmp_path / "e.parquet")["chip_hours"].to_list() == [8, 16, 8, 288]


def test_a_note_of_a_batch_names_its_accelerator_once(build: Build, tmp_path: Path) -> None:
    runs = tmp_path / "runs.csv"
    rows = ["RTX 3060 Laptop,1,1,", "MI250X,8,1,", "FooBar X9000,1,1,0.3", "H100,8,1,"]
    runs.write_text("\n".join(["hardware,chips,training_hours,energy_kwh", *rows]), encoding="utf-8")
    options = ("--out", tmp_path / "e.parquet", "--database", build.directory / "emissions.duckdb")
    said = ote("estimate", "--batch", runs, *options).stderr.splitlines()
    for name in ("RTX 3060", "MI250X:", "FooBar X9000", "H100"):
        (note,) = (line for line in said if name in line)
        assert note.count(name) == 1


def test_a_report_names_an_assumed_variant_in_every_form(build: Build, tmp_path: Path) -> None:
    database = build.directory / "emissions.duckdb"
    for hardware, says in (("H100", True), ("H100 SXM", False)):
        options = ("--hardware", hardware, "--chips", "8", "--hours", "10", "--database", database)
        file = tmp_path / "run.json"
        file.write_text(ote("estimate", *options, "--json").stdout, encoding="utf-8")
        for form in ("markdown", "latex", "model-card", "eu"):
            assert ("as the variant was not stated" in ote("report", file, "--as", form).stdout) == says
        paragraph = ote("report", file).stdout
        assert ("the interval includes the differences between them" in paragraph) == says


METERINGS = (
    (codecarbon({"cpu_power": 61.3}), "processors read or estimated from their rated power"),
    (codecarbon({}), "processors at 42.5 W, its constant"),
    (codecarbon({"cpu_power": 51.0, "codecarbon_version": "3.3.2"}), "processors at 42.5 W, its constant"),
    (codecarbon({"tracking_mode": "process"}), "of the process alone"),
    (CARBONTRACKER, "Carbontracker 1.1.6: GPUs read from the driver, processors read from RAPL"),
    (CARBONTRACKER.replace("cpu:0", "Intel(R) Xeon(R) CPU @ 2.20GHz"), "processors read or estimated"),
    (smi(HOUR, 4), "power of the GPUs alone"),
)


@pytest.fixture(scope="module")
def metered(build: Build, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path, str]]:
    """Of each log its run, the estimate of this, and what a report is to say of its metering."""
    folder, database = tmp_path_factory.mktemp("metered"), build.directory / "emissions.duckdb"
    made = []
    for number, (content, says) in enumerate(METERINGS):
        log, runs, out = (folder / f"{number}{ending}" for ending in (".log", ".csv", ".json"))
        log.write_text(content, encoding="utf-8")
        assert ote("import", log, "--country", "FR", "--out", runs).returncode == 0
        assert ote("estimate", "--batch", runs, "--out", out, "--database", database).returncode == 0
        made.append((runs, out, says))
    return made


@pytest.mark.parametrize("form", ["markdown", "latex", "model-card", "eu", "cyclonedx", "spdx"])
def test_a_report_says_what_was_measured_and_what_was_not(
    build: Build, metered: list[tuple[Path, Path, str]], tmp_path: Path, form: str
) -> None:
    """Of estimates in each form; of the runs themselves in one."""
    log, database = tmp_path / "log", ("--database", build.directory / "emissions.duckdb")
    for runs, estimates, says in metered:
        for file in (runs, estimates) if form == "markdown" else (estimates,):
            report = ote("report", file, "--as", form, *database)
            assert says in report.stdout, report.stderr
            assert "partly metered" in report.stdout
            assert "at the machines" not in report.stdout
    given = ("--energy", "40", "--country", "DE", "--metering", "wall meter of the node", "--json")
    log.write_text(ote("estimate", *given, *database).stdout, encoding="utf-8")
    assert "wall meter of the node" in ote("report", log, "--as", form).stdout


def test_metering_without_an_energy_is_refused(build: Build) -> None:
    options = ("--hardware", "H100", "--chips", "1", "--hours", "1", "--metering", "wall meter")
    refused = ote("estimate", *options, "--database", build.directory / "emissions.duckdb")
    assert refused.returncode == 2
    assert (
        "--metering says how an energy was measured, but no energy is given; give --energy" in refused.stderr
    )


def test_each_run_of_a_report_has_its_own_name_pue_and_grid(build: Build, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"run_id": "a"},
        {"run_id": "b", "timestamp": "2024-05-02T12:00:00", "pue": 1.3, "country_name": "Germany",
         "country_iso_code": "DEU"},
        {"run_id": "c", "timestamp": "2024-05-03T12:00:00", "project_name": "p (1)"},
        {"run_id": "d", "timestamp": "2024-05-04T12:00:00", "project_name": ""},
    ]  # fmt: skip
    log, runs = tmp_path / "log.csv", tmp_path / "runs.csv"
    log.write_text(codecarbon(*rows), encoding="utf-8")
    ote("import", log, "--out", runs)
    report = ote("report", runs, "--database", build.directory / "emissions.duckdb").stdout
    table = [line.strip("| ").split(" | ") for line in report.splitlines() if line.startswith("| ")]
    header, *body = table
    assert header[3:5] == ["PUE", "grid intensity (kg/kWh), year, basis"]
    names = [cells[0] for cells in body[:-1]]
    assert names == ["p (2)", "p (3)", "p (1)", "run"]
    assert [cells[3] for cells in body[:-1]] == ["1.2", "1.3", "1.2", "1.2"]
    grids = [cells[4].split(", ") for cells in body[:2]]
    assert float(grids[1][0]) > 3 * float(grids[0][0]) > 0  # Germany and France
    assert [year for _, year, *_ in grids] == ["2024", "2024"]


def test_a_small_emission_is_none_in_no_form(build: Build, tmp_path: Path) -> None:
    """0.001 kWh at 433 g/kWh are 0.433 g, 1 Wh; in tonnes and kWh as well."""
    given = ("--energy", "0.001", "--pue", "1", "--intensity", "433", "--json")
    file = tmp_path / "run.json"
    done = ote("estimate", *given, "--database", build.directory / "emissions.duckdb")
    file.write_text(done.stdout, encoding="utf-8")
    for form, says in (
        ("markdown", "0.433 g"), ("latex", "0.433 g"), ("eu", "0.433 g"), ("model-card", "emissions: 0.433"),
        ("cyclonedx", '"value": 4.33e-07'), ("spdx", '"ai_energyQuantity": 0.001'),
    ):  # fmt: skip
        assert says in ote("report", file, "--as", form).stdout, form


# The small inputs with the right values: accelerators (or their hours), hours, kWh before PUE where measured.
CASES: dict[str, list[tuple[float, float, float | None]]] = {
    "01-t4-host-over-rating.csv": [(1, 1, 0.1215)],
    "02-country-name-with-article.csv": [(1, 1, 0.1045)],
    "03-unknown-gpu-with-energy.csv": [(1, 1, 0.130), (1, 1, 0.360)],
    "04-gpu-count-is-not-gpu-model.csv": [(1, 10, 3.625)],
    "05-gpu-energy-zero.csv": [(1, 10, None)],
    "06-eight-ranks-measure-one-node.csv": [(8, 10, 25.4)],
    "08-province-dropped.csv": [(1, 10, 3.625)],
    "09-one-empty-run-blocks-all.csv": [(1, 10, 3.625)],
    "10-gcd-counted-as-module.txt": [(4, 100, None)],
    "11-k80-bill.csv": [(50, 0, None)],
    "11-k80-sacct.txt": [(4, 100, None)],
    "13-bigquery-flat.csv": [(100, 0, None)],
    "13-billing-console.csv": [(100, 0, None)],
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_its_right_value(build: Build, case: str) -> None:
    """Counted exactly; kWh that depend on our factors are the product of the factors of this build."""
    runs = imports.read(CASE_FILES / case).runs
    estimates, rejected = estimate_rows(runs, build.directory / "emissions.duckdb")
    assert rejected == []
    for run, estimated, (chips, hours, kwh) in zip(runs, estimates, CASES[case], strict=True):
        assert number(run.get("chips") or run.get("chip_hours")) == chips
        assert number(run.get("training_hours") or "0") == hours
        chip_hours = chips * (hours or 1)
        computed = kwh is None and chip_hours * estimated["watts_per_chip"] / 1000  # Wh to kWh
        assert estimated["energy_mwh"] * 1000 == pytest.approx((kwh or computed) * estimated["pue"])
        assert estimated["co2e_gross_t"] == pytest.approx(
            estimated["energy_mwh"] * estimated["gross_kg_per_kwh"]
        )
    places = {"01": "NL", "02": "NL", "03": "FR", "04": "CA", "08": "CA"}
    assert places.get(case[:2]) in (None, estimates[0]["site_country"])
    assert case[:2] != "08" or 0.002 <= estimates[0]["gross_kg_per_kwh"] <= 0.030


@pytest.mark.parametrize(("kwh", "grams"), [(0.001, 0.2165), (0.006, 1.299)])
def test_a_model_card_does_not_round_a_gram_to_zero(
    build: Build, tmp_path: Path, kwh: float, grams: float
) -> None:
    given = {"energy_kwh": kwh, "pue": 1, "carbon_intensity_g_per_kwh": 216.5}
    file = tmp_path / "run.json"
    file.write_text(json.dumps(estimate_run(given, build.directory / "emissions.duckdb")), encoding="utf-8")
    card = ote("report", file, "--as", "model-card").stdout
    assert float(card.split("emissions: ")[1].split()[0]) == pytest.approx(grams, rel=1e-3)


def test_trackers_whose_machine_is_not_named_are_counted_and_named(tmp_path: Path) -> None:
    """Version 1 names no machine; one GPU of eight may share its processors with the others."""
    rows = [
        {"run_id": "a"}, {"run_id": "b"}, {"run_id": "c", "timestamp": "2024-05-02T12:00:00"},
    ]  # fmt: skip
    for change in ({"gpu_model": "8 x NVIDIA A100-SXM4-40GB"}, {"cpu_model": "", "gpu_model": ""}):
        log = read(tmp_path, codecarbon(*(row | change for row in rows)))
        assert len(log.runs) == 3
        assert "Lines 2, 3 overlap in time" in "".join(log.left_out)
    tasks = read(tmp_path, codecarbon(*(row | {"task_name": "t"} for row in rows)))
    assert "overlap" not in "".join(tasks.left_out)


def test_an_option_that_no_run_takes_is_said(tmp_path: Path) -> None:
    """The log names its country, so the one of the option is not used; its PUE it does not say."""
    log = tmp_path / "emissions.csv"
    log.write_text(codecarbon({}, without=("pue",)))
    done = ote("import", log, "--country", "FR", "--pue", "1.2")
    assert done.returncode == 0
    assert "--country is not used: the log says" in done.stderr
    assert "--pue is not used" not in done.stderr


def test_an_option_names_the_accelerator_where_the_name_of_the_log_is_unknown(tmp_path: Path) -> None:
    """Clusters name GPUs as they like; what the log knows is never replaced."""
    log = tmp_path / "sacct.txt"
    jobs = [f"{n}|job|gres/gpu:{name}=4|10:00:00|COMPLETED" for n, name in enumerate(("volta", "a100"))]
    log.write_text("\n".join(["JobID|JobName|AllocTRES|Elapsed|State", *jobs]) + "\n", encoding="utf-8")
    alone = ote("import", log)
    assert "Not known: 'volta'. --hardware gives all of them one name" in alone.stderr
    assert (
        "Missing in 1 run: an accelerator that is known here (--hardware replaces its name)" in alone.stderr
    )
    done = ote("import", log, "--hardware", "V100")
    assert "'volta' of the log is not an accelerator known here; taken as V100." in done.stderr
    assert [row["hardware"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["V100", "a100"]
