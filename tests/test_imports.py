"""`ote import`: logs of other tools as runs, unit by unit."""

from pathlib import Path

import polars as pl
import pytest

from ote.answers import imports
from ote.answers.batch import estimate_file
from tests.conftest import Build, ote

LOGS = Path(__file__).parent / "logs"


def only(name: str, pue_included: float | None = None) -> imports.Run:
    (run,) = imports.read(LOGS / name, pue_included).runs
    return run


def test_codecarbon_counts_pue_once() -> None:
    """2.1600729832811092e-05 kWh were written with a PUE of 1.2 in them; 3.0063349589981954 s."""
    run = only("codecarbon_3.3.2.csv")
    assert float(run["energy_kwh"]) == pytest.approx(2.1600729832811092e-05 / 1.2)
    assert float(run["training_hours"]) == pytest.approx(3.0063349589981954 / 3600)
    assert (run["pue"], run["site_country"], run["started"]) == ("1.2", "Germany", "2026-11-24")


def test_codecarbon_began_a_duration_before_it_wrote(tmp_path: Path) -> None:
    """A row written at the end of 300 h on 2025-01-03, midnight."""
    file, runs = tmp_path / "emissions.csv", tmp_path / "runs.csv"
    header = "timestamp,project_name,duration,energy_consumed"
    file.write_text(f"{header}\n2025-01-03T00:00:00,p,1080000,20\n", encoding="utf-8")
    assert ote("import", file, "--out", runs).returncode == 0
    assert pl.read_csv(runs)["started"].to_list() == ["2024-12-21"]


def test_codecarbon_flushes_are_one_run(tmp_path: Path) -> None:
    """Run a was flushed at 10 kWh and ended with 20; b is another process; tasks are parts, not states."""
    file, runs = tmp_path / "emissions.csv", tmp_path / "runs.csv"
    header = "task_name,run_id,project_name,duration,energy_consumed"
    rows = [",a,p,3600,10", ",b,p,3600,7", ",a,p,7200,20", "load,c,p,60,1", "fit,c,p,600,3"]
    file.write_text("\n".join([header, *rows]), encoding="utf-8")
    done = ote("import", file, "--out", runs)
    assert done.stdout.startswith("4 runs of CodeCarbon")
    assert "a later one of the same run_id holds them: 1." in done.stderr
    assert pl.read_csv(runs)["energy_kwh"].to_list() == [20, 7, 1, 3]
    assert pl.read_csv(runs)["training_hours"].to_list()[0] == 2


def test_carbontracker_is_read_before_its_own_pue() -> None:
    """60 W for 3 s are 0.00005 kWh; its own total, 0.000079006435, is that x 1.58."""
    run = only("carbontracker_2.4.7.log")
    assert float(run["energy_kwh"]) == pytest.approx(5.0e-5)
    assert float(run["energy_kwh"]) * 1.58 == pytest.approx(0.000079006435, rel=1e-3)


def test_carbontracker_power_go_on_over_lines(tmp_path: Path) -> None:
    """An array of eight draws as NumPy writes it: 2,800 W for an hour; then 2,100 W for an hour."""
    file, runs = tmp_path / "a_carbontracker.log", tmp_path / "runs.csv"
    lines = [
        "carbontracker version 2.4.7",
        "The following components were found: GPU with device(s) " + ", ".join(["A100"] * 8) + ".",
        "Duration: 1:00:00.00",
        "Average power usage (W) for gpu: [344.36168107 355.63831893 345.         355.         348.86517186",
        " 351.13482814 340.         360.        ]",
        "Duration: 1:00:00.00",
        "Average power usage (W) for gpu: [250. 250. 250. 250. 250. 250. 250. 250.]",
        "Average power usage (W) for cpu: 100.0",
    ]
    file.write_text(
        "\n".join("2024-03-01 10:00:00 - " * (line[0] != " ") + line for line in lines), encoding="utf-8"
    )
    done = ote("import", file, "--out", runs)
    assert pl.read_csv(runs).select("chips", "training_hours", "energy_kwh").rows() == [(8, 2, 4.9)]
    assert "Epochs taken: 2. Carbontracker measures one unless monitor_epochs says more" in done.stderr
    assert "its hours and energy are N / 2 times these" in done.stderr
    assert "; 2 measured epochs alone" in done.stdout + done.stderr


def test_eco2ai_needs_to_be_reported_its_pue() -> None:
    written = 0.00018199146432230494
    assert float(only("eco2ai_0.3.12.csv")["energy_kwh"]) == pytest.approx(written)
    run = only("eco2ai_0.3.12.csv", 1.3)
    assert float(run["energy_kwh"]) == pytest.approx(written / 1.3)
    assert (run["site_country"], run["hardware"]) == ("DE", "")


@pytest.mark.parametrize("place", ["US/Georgia", "(US/Georgia)", "(US)", "US"])
def test_eco2ai_writes_the_country_first(tmp_path: Path, place: str) -> None:
    """The column is called region/country; the state of Georgia is no country."""
    file, runs = tmp_path / "emission.csv", tmp_path / "runs.csv"
    header = "project_name,duration(s),power_consumption(kWh),region/country"
    file.write_text(f"{header}\np,3600,1,{place}\n", encoding="utf-8")
    assert ote("import", file, "--out", runs).returncode == 0
    assert pl.read_csv(runs)["site_country"].to_list() == ["US"]


def test_sacct_counts_jobs_not_their_steps() -> None:
    runs = imports.read(LOGS / "sacct.txt").runs
    assert [(run["model"], run["hardware"], run["chips"], run["training_hours"]) for run in runs] == [
        ("pretrain", "a100", "8", "100"),  # 360,000 s
        ("retry", "", "4", "0.5"),  # failed, and drew power all the same
    ]


def test_a_quote_in_the_name_of_a_job_swallows_no_job(tmp_path: Path) -> None:
    file, runs = tmp_path / "sacct.txt", tmp_path / "runs.csv"
    rows = ['1|"a|gres/gpu=8|3600', "2|b|gres/gpu=1|3600", '3|"c|gres/gpu=4|3600']
    file.write_text("\n".join(["JobID|JobName|AllocTRES|ElapsedRaw", *rows]), encoding="utf-8")
    assert ote("import", file, "--out", runs).returncode == 0
    assert pl.read_csv(runs)["chips"].to_list() == [8, 1, 4]


def test_sacct_takes_no_part_of_a_chip_for_a_chip(tmp_path: Path) -> None:
    """A seventh of an A100 (MIG), in two spellings, and a share of one."""
    file, runs = tmp_path / "sacct.txt", tmp_path / "runs.csv"
    rows = [
        "1|a|gres/gpu:a100=8,gres/gpu=8|3600",
        "2|b|gres/gpu:a100_1g.5gb=1,gres/gpu=1|3600",
        "3|c|gres/gpu:1g.5gb=1,gres/gpu=1|3600",
        "4|d|cpu=4,gres/shard=2|3600",
        "5|e|cpu=4|3600",
        "6|f|gres/gpu=4|3600",
    ]
    file.write_text("\n".join(["JobID|JobName|AllocTRES|ElapsedRaw", *rows]), encoding="utf-8")
    done = ote("import", file, "--out", runs)
    assert pl.read_csv(runs)["chips"].to_list() == [8, 4]
    assert done.stderr.splitlines() == [
        "Jobs left out because they have no accelerator or no time: 1.",
        "Missing in 2 runs: a location (--region, --country or --state), so a world average is assumed.",
        "Missing in 1 run: the name of the accelerator (--hardware), so a mean of its time is assumed.",
        "Missing in 2 runs: a start (add it to the column started), so each counts as started today.",
        f"3 problems; the rows with them are left out (all in {tmp_path / 'runs.rejects.csv'}):",
        *(
            f"  line {line}, row {line - 1}, AllocTRES: job {line - 1} used only a part of an accelerator, "
            f"{part!r}; what that used is not known"
            for line, part in ((3, "gpu:a100_1g.5gb=1"), (4, "gpu:1g.5gb=1"), (5, "gres/shard=2"))
        ),
    ]


def test_a_bill_is_gpu_seconds_by_region_and_month() -> None:
    runs = imports.read(LOGS / "billing.csv").runs
    found = [(run["hardware"], run["chip_hours"], run["cloud_region"], run["started"]) for run in runs]
    assert found == [
        ("A100", "300", "us-central1", "2024-03"),  # 720,000 + 360,000 s
        ("V100", "2", "europe-west4", "2024-04"),
    ]


BILL = "service.description,sku.description,usage_start_time,location.region,usage.amount,usage.unit"


def bill(tmp_path: Path, *skus: str) -> Path:
    """A bill with an hour of each SKU."""
    file = tmp_path / "bill.csv"
    rows = [f"Compute Engine,{sku},2024-03-01 00:00:00 UTC,us-central1,3600,seconds" for sku in skus]
    file.write_text("\n".join([BILL, *rows]), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("sku", "hardware"),
    [
        ("Nvidia Tesla T4 GPU attached to Spot Preemptible VMs running in Americas", "T4"),
        ("Nvidia Tesla A100 80GB GPU running in Americas", "A100 80GB"),
        ("Nvidia H100 80GB Plus GPU running in Americas", "H100 SXM"),
        ("Nvidia H100 Mega 80GB GPU attached to DWS Defined Duration VMs", "H100 SXM"),
        ("H200 141GB GPU running in Americas", "H200 SXM"),
        ("A4 Nvidia B200 (1 gpu slice) running in Americas", "B200"),
        ("RTX 6000 96GB running in Americas", "RTX PRO 6000 Blackwell"),
        ("TpuV5e running in Delhi", "TPU v5e"),
        ("TpuV5p running in Sao Paulo", "TPU v5p"),
        ("TpuV6e attached to Spot Preemptible VMs running in Americas", "TPU v6e"),
        ("TPU7x running in Americas", "TPU 7x"),
    ],
)
def test_a_unit_of_these_skus_is_a_chip(build: Build, tmp_path: Path, sku: str, hardware: str) -> None:
    """Descriptions as in Google's catalog of SKUs; each chip is known to `ote estimate`."""
    runs = tmp_path / "runs.csv"
    assert ote("import", bill(tmp_path, sku), "--out", runs).returncode == 0
    assert pl.read_csv(runs).select("hardware", "chip_hours").rows() == [(hardware, 1)]
    assert estimate_file(runs, tmp_path / "estimates.csv", build.directory / "emissions.duckdb") == 1


@pytest.mark.parametrize(
    ("sku", "advice"),
    [
        # cores, chips or boards
        ("Tpu-v2 accelerator running in Americas", "estimate; cores with --hardware 'TPU v2 core'\n"),
        ("Tpu-v3 Pod Accelerator USA", "estimate; cores with --hardware 'TPU v3 core'\n"),
        ("Tpu-v4 Pod Accelerator USA", "estimate; cores with --hardware 'TPU v4 core'\n"),
        ("Reserved TPU v3-8 in Netherlands", "estimate; cores with --hardware 'TPU v3 core'\n"),
        ("Reserved TpuV5p in Delhi in Calendar Mode", "to ote estimate\n"),
        ("A4 Nvidia B200 (8 gpu slice) running in Americas", "to ote estimate\n"),
        ("Nvidia Tesla T4 Virtual Workstation", "to ote estimate\n"),
    ],
)
def test_an_accelerator_of_unclear_units_is_left_out_and_named(tmp_path: Path, sku: str, advice: str) -> None:
    file, out = bill(tmp_path, "Nvidia L4 GPU running in Americas", sku), tmp_path / "runs.csv"
    done = ote("import", file, "--out", out)
    assert f"line 3, row 2, sku.description: {sku!r}" in done.stderr
    assert advice in done.stderr
    assert pl.read_csv(out)["hardware"].to_list() == ["L4"]
    rejects = pl.read_csv(tmp_path / "runs.rejects.csv")
    assert rejects.select("line", "column").rows() == [(3, "sku.description")]
    refused = ote("import", file, "--out", tmp_path / "strict.csv", "--strict")
    assert refused.returncode == 2
    assert f"row 2, sku.description: {sku!r}" in refused.stderr
    assert not (tmp_path / "strict.csv").exists()


@pytest.mark.parametrize(
    ("sku", "hardware", "chips", "says"),
    [
        ("TPU v3-8 running in Netherlands", "TPU v3", 4, "TPU v3-8 is a slice of 8 cores = 4 chips (2 cores"),
        ("TPU-v3-8 running in Netherlands", "TPU v3", 4, "TPU v3-8 is a slice of 8 cores = 4 chips (2 cores"),
        ("Tpu-v2 Pod us-central1 (v2-256)", "TPU v2", 128, "TPU v2-256 is a slice of 256 cores = 128 chips"),
        ("Cloud TPU v4-16 attached to Spot VMs", "TPU v4", 8, "TPU v4-16 is a slice of 16 cores = 8 chips"),
        ("v5litepod-16 running in Iowa", "TPU v5e", 16, "TPU v5litepod-16 is a slice of 16 chips"),
        ("Nvidia Tesla K80 GPU running in Americas", "K80", 0.5, "K80: 2 GPUs are 1 board, so 1 h of"),
    ],
)
def test_a_bill_of_slices_or_parts_is_counted_in_chips(
    tmp_path: Path, sku: str, hardware: str, chips: float, says: str
) -> None:
    log = imports.read(bill(tmp_path, sku))
    assert [(run["hardware"], float(run["chip_hours"])) for run in log.runs] == [(hardware, chips)]
    assert says in log.left_out[0]
    assert log.left_out[0].endswith(f"so 1 h of the bill count as {chips:g} chip-hours.")


def test_no_line_of_a_bill_is_lost_in_silence(tmp_path: Path) -> None:
    """Fees name chips, and what ran under a commitment is billed on a line of its own."""
    file = bill(
        tmp_path,
        "Nvidia L4 GPU running in Americas",
        "Commitment v1: Nvidia L4 GPU running in Americas for 1 Year",
        "Licensing Fee for NVIDIA RTX Virtual Workstation",
        "G2 Instance Core running in Americas",
        "G2 Instance Ram running in Americas",
        "Vertex AI training on L4",
    )
    done = ote("import", file, "--out", tmp_path / "runs.csv")
    assert pl.read_csv(tmp_path / "runs.csv")["chip_hours"].to_list() == [1]
    assert done.stderr.splitlines() == [
        "Lines left out, fees for commitments (what ran under them has lines of its own): 1.",
        "Lines left out, licences and other fees: 1.",
        "Lines left out, no accelerator (processors, memory, disks, network and the like): 2.",
        "Lines left out, not known here, and perhaps an accelerator, 'Vertex AI training on L4': 1.",
    ]


@pytest.mark.parametrize("gpu", ["8 x NVIDIA A100-SXM4-80GB", "4 x NVIDIA H1004 x NVIDIA A100"])
def test_a_mix_of_accelerators_is_none(tmp_path: Path, gpu: str) -> None:
    file = tmp_path / "emissions.csv"
    file.write_text(f"project_name,duration,energy_consumed,gpu_model\np,3600,1.5,{gpu}\n", encoding="utf-8")
    (run,) = imports.read(file).runs
    assert (run["hardware"], run["chips"]) == (
        ("NVIDIA A100-SXM4-80GB", "8") if gpu.startswith("8") else ("", "")
    )


@pytest.mark.parametrize("name", sorted(file.name for file in LOGS.iterdir() if file.suffix != ".md"))
def test_every_log_can_be_estimated(build: Build, tmp_path: Path, name: str) -> None:
    runs, estimates = tmp_path / "runs.csv", tmp_path / "estimates.parquet"
    done = ote("import", LOGS / name, "--out", runs, "--country", "DE", "--hardware", "A100")
    assert done.returncode == 0, done.stderr
    rows = estimate_file(runs, estimates, build.directory / "emissions.duckdb")
    frame = pl.read_parquet(estimates)
    assert frame.height == rows > 0
    assert frame["co2e_gross_t"].null_count() == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "written by none of CodeCarbon"),
        ("", "written by none of"),
        ("duration,energy_consumed\nfast,1\n", "row 1, duration: 'fast', expected a number"),
        ("duration,energy_consumed\n3600,-1\n", "energy_consumed: -1, expected a finite number, 0 or more"),
        ("duration,energy_consumed,pue\n3600,1,abc\n", "row 1, pue: 'abc', expected a number"),
        ("duration,energy_consumed,pue\n3600,1,0.0\n", "line 2, row 1, pue: 0.0, expected a PUE of 1"),
        ("timestamp,duration,energy_consumed\n3 Jan,3600,1\n", "row 1, timestamp: '3 Jan'"),
        ("project_name,duration(s),power_consumption(MWh)\np,1,1\n", "unknown unit"),
        ("JobID|AllocTRES\n1|gres/gpu=1\n", "export with sacct -P"),
        ("JobID|Elapsed\n1|01:00:00\n", "neither AllocTRES nor AllocGRES; export with sacct -P"),
        (
            "JobID|JobName|AllocTRES|ElapsedRaw\n1|a|b|gres/gpu=1|5\n",
            "row 1: 5 cells, expected 4 as in the header",
        ),
        ("duration,energy_consumed,pue\n3600,1\n", "line 2, row 1: 2 cells, expected 3"),
        ("JobID|AllocTRES|ElapsedRaw\n1|cpu=1|5\n", "no run that used an accelerator"),
        (
            "sku.description,usage.amount,usage.unit\nNvidia L4 GPU,5,gibibyte\n",
            "usage.unit: 'gibibyte', expected seconds or hours",
        ),
        ("2024-01-01 - carbontracker version 2\nAverage power usage (W) for gpu: None\n", "line 2"),
        ("carbontracker version 2\nDuration: 1:00:00\nAverage power usage (W) for gpu: [nan 9.]\n", "line 3"),
        ("carbontracker version 2\nDuration: 1:00:00\nDuration: 1:00:00\n", "epoch 1: a duration without"),
    ],
)
def test_what_no_tool_writes_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "log"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(imports.UnknownLogError, match=says.replace("(", r"\(")):
        imports.read(file)
    refused = ote("import", file, "--out", tmp_path / "runs.csv")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "runs.csv").exists()


def test_a_log_is_never_overwritten(tmp_path: Path) -> None:
    log, link = tmp_path / "emissions.csv", tmp_path / "link.csv"
    log.write_bytes((LOGS / "codecarbon_3.3.2.csv").read_bytes())
    link.symlink_to(log)
    for out in (log, link):
        done = ote("import", log, "--out", out)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"--out {out}: the log itself" in done.stderr
    assert log.read_bytes() == (LOGS / "codecarbon_3.3.2.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--pue", "0.5"), "--pue 0.5: expected 1 or more: energy of the data center"),
        (("--pue", "110"), "it looks like percent; write 1.1"),
        (("--pue", "good"), "--pue 'good': expected a number from 1 to 2.5"),
        (("--pue", "nan"), "--pue 'nan': expected a number from 1 to 2.5"),
        (("--pue-included", "3"), "--pue-included 3.0: expected at most 2.5: energy of the data center"),
        (
            ("--region", "Iowa"),
            "--region 'Iowa' is a location, not a region. The cloud regions there: centralus",
        ),
        (("--country", "Germoney"), "--country 'Germoney' is not a known country"),
        (("--state", "Texxas"), "--state 'Texxas' is not a state or province"),
    ],
)
def test_an_option_of_an_import_is_judged_as_one_of_an_estimate(
    tmp_path: Path, options: tuple[str, str], says: str
) -> None:
    done = ote("import", LOGS / "codecarbon_3.3.2.csv", *options, "--out", tmp_path / "runs.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "emissions.csv",
            "duration,energy_consumed,pue\n3600,1e99,1\n3600,12,1\n3600,12,9\n",
            (
                "line 2, row 1, energy_kwh: 1e+99: more than 100 TWh",
                "line 4, row 3, pue: 9.0: expected at most 2.5",
            ),
        ),
        (
            "sacct.txt",
            "JobID|AllocTRES|ElapsedRaw\n1|gres/gpu:a100=8|1e12\n2|gres/gpu:a100=8|3600\n",
            ("line 2, row 1, training_hours: 2.77778e+08: more than ten years",),
        ),
    ],
)
def test_a_quantity_that_no_run_has_costs_its_row(
    tmp_path: Path, name: str, text: str, says: tuple[str, ...]
) -> None:
    """The same bounds as those of an estimate; the other row is taken."""
    log, runs = tmp_path / name, tmp_path / "runs.csv"
    log.write_text(text, encoding="utf-8")
    done = ote("import", log, "--out", runs)
    assert done.returncode == 0
    assert pl.read_csv(runs).height == 1
    for reason in says:
        assert reason in done.stderr
