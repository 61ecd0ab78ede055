"""`ote.spark`: the same values on a cluster of two workers, one of which is killed midway."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import Build

pyspark = pytest.importorskip("pyspark", reason="PySpark is not installed (extra spark)")
if not shutil.which("java"):
    pytest.skip("Java is not installed", allow_module_level=True)

from ote import spark  # noqa: E402
from ote.answers import batch  # noqa: E402
from ote.answers.estimate import BadRunsError  # noqa: E402

TODAY = date(2025, 6, 1)
ROWS = int(os.environ.get("OTE_SPARK_ROWS", "100000"))
PARTITIONS = 16
# Three rows in fifty and one in eleven are wrong, in several ways.
RUNS = """
select
    'job-' || n as model,
    (['H100', 'A100', 'V100', 'TPU v4'])[1 + n % 4] as hardware,
    cast(if(n % 50 = 7, -1, pow(2, n % 9)) as integer) as chips,
    if(n % 50 = 8, 1e9, 1 + n % 700 + 0.25) as training_hours,
    if(n % 50 = 9, 'nowhere', (['us-central1', 'eu-west-1', null])[1 + n % 3]) as cloud_region,
    if(n % 11 = 0, 'nan'::double, null) as pue,
    -- A day earlier west of Greenwich, where the cluster takes itself to be.
    (timestamp '2018-01-01 04:00' + to_days(cast(n % 2500 as integer))) at time zone 'UTC' as started
from range({rows}) as numbers(n)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def processes(*commands: list[str], folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes each in a group of its own; they end with the test."""
    environment = {name: cell for name, cell in os.environ.items() if name != "PYTHONPATH"} | {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TZ": "America/Los_Angeles",
        "SPARK_WORKER_DIR": str(folder),
    }
    running = []
    try:
        for number, command in enumerate(commands):
            with (folder / f"{number}.log").open("wb") as log:
                running.append(
                    subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
                )
        yield running
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[Any]]]:
    """The address of a standalone master on loopback, and its two workers of one core each."""
    port = free_port()
    run = [str(Path(pyspark.__file__).parent / "bin" / "spark-class"), "org.apache.spark.deploy"]
    address = f"spark://127.0.0.1:{port}"
    at = ["--host", "127.0.0.1", "--webui-port", "0"]
    master = [run[0], f"{run[1]}.master.Master", *at, "--port", f"{port}"]
    worker = [run[0], f"{run[1]}.worker.Worker", *at, "--cores", "1", "--memory", "1g", address]
    # A worker has neither the package nor the database of this checkout on its path.
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    with processes(master, worker, worker, folder=tmp_path) as running:
        for _ in range(600):
            if "Registering worker" in (tmp_path / "0.log").read_text(errors="replace"):
                break
            time.sleep(0.5)
        yield address, running


@pytest.fixture
def session(cluster: tuple[str, list[Any]]) -> Iterator[tuple[Any, list[Any]]]:
    address, running = cluster
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.executor.memory": "512m",
        "spark.executor.cores": "1",
        "spark.cores.max": "2",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "America/Los_Angeles",
        # A worker runs in another folder and with another path: what it needs came with the job.
        "spark.executorEnv.PYTHONPATH": "",
    }
    builder = pyspark.sql.SparkSession.builder.master(address)
    for name, value in settings.items():
        builder = builder.config(name, value)
    found = builder.getOrCreate()
    try:
        yield found, running
    finally:
        found.stop()


def test_a_cluster_that_loses_a_worker_gives_the_same_values(
    build: Build, session: tuple[Any, list[Any]], tmp_path: Path
) -> None:
    spark_session, running = session
    database, source = build.directory / "emissions.duckdb", tmp_path / "runs.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({RUNS.format(rows=ROWS)}) to '{source}' (format parquet)")
    alone = tmp_path / "alone.parquet"
    done = batch.estimate_batch(
        source, alone, database, TODAY, full=True, rejects=str(tmp_path / "alone.rejects.csv")
    )
    jobs = spark_session.read.parquet(str(source)).selectExpr("*", "_metadata.row_index + 1 as row")
    jobs = jobs.repartition(PARTITIONS)
    with pytest.raises(BadRunsError, match="there is no column 'row'"):
        spark.estimate(jobs, (), database, TODAY)
    together, wrong = tmp_path / "together", tmp_path / "wrong"

    def kill() -> None:
        while not list(together.glob("_temporary/**/*.parquet")):
            time.sleep(0.1)
        os.killpg(running[2].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    spark.estimate(jobs, ["row"], database, TODAY, full=True).write.parquet(str(together))
    killer.join(10)
    assert running[2].poll() is not None, "no worker was lost while it ran"
    spark.rejects(jobs, ["row"], database, TODAY).write.parquet(str(wrong))
    with duckdb.connect() as connection:
        here, there = f"from '{alone}'", f"select * from '{together}/*.parquet'"
        for one, other in ((here, there), (there, here)):
            assert connection.execute(f"({one}) except all ({other})").fetchall() == []
        assert connection.execute(f"select count(*) from ({there})").fetchall() == [(done.estimated,)]
        rejected = (
            f'select row, "column" as column_name, reason as message from '
            f"read_csv('{tmp_path / 'alone.rejects.csv'}', header = true)"
        )
        found = f"select row, column_name, message from '{wrong}/*.parquet'"
        for one, other in ((rejected, found), (found, rejected)):
            assert connection.execute(f"({one}) except all ({other})").fetchall() == []
        assert done.problems > 0
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(database.read_bytes())
    with duckdb.connect(str(changed)) as connection:
        connection.execute("update hardware_power set watts_per_chip = 1234")
    (row,) = spark.estimate(jobs.where("row = 2"), ["row"], changed, TODAY).collect()
    assert row["watts_per_chip"] == 1234  # not that of the database that was sent before
