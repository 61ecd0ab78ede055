"""The method over a DataFrame of Spark: each partition runs the queries of `ote estimate --batch` in DuckDB.

    import ote.spark

    estimates = ote.spark.estimate(jobs, keep=["job_id"])
    rejects = ote.spark.rejects(jobs, keep=["job_id"])

Belongs here: sending the package and the database with a job, and regrouping rows. Does not belong here: what
is done with them (answers/batch.py). Workers need Python with the driver's version of duckdb, and pyarrow.
"""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ote.answers import addresses, batch
from ote.answers import estimate as estimating
from ote.errors import Error
from ote.names import identifier
from ote.places import CODE, DATABASE, ROOT

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

ARCHIVE = "open-training-emissions.zip"  # the package and its queries
SHIPPED = ("sql/macros.sql", "sql/estimate/*.sql", "warehouse/reference/*.csv")
ROWS_AT_ONCE = 100_000  # Spark sends 10,000; the work for a chunk costs as much as for some 10,000 rows
MEMORY = "1GB"  # of DuckDB in each Python worker; spark.executor.memoryOverhead has to allow for it
Batches = Iterable["pa.RecordBatch"]


class SparkError(Error):
    """A job of Spark cannot be run as it was asked for; the message says what to do."""


def estimate(
    runs: "DataFrame",
    keep: Sequence[str] = (),
    database: Path = DATABASE,
    today: date | None = None,
    full: bool = False,
) -> "DataFrame":
    """Energy (MWh) and operational CO2e (t) of each run that can be estimated, as `ote estimate --batch`.

    Args:
        runs: a row per run, with columns of ote.answers.estimate.COLUMNS.
        keep: columns of the caller's own, such as an identifier, that the result repeats.
        database: the published DuckDB file on the driver; it is sent to the workers.
        today: the date that a run without one counts as started on.
        full: also the year and the source of each factor.

    Raises:
        BadRunsError: a column is neither one of a run nor named in keep.
    """
    return _mapped(runs, keep, database, today, "full" if full else "narrow")


def rejects(
    runs: "DataFrame", keep: Sequence[str] = (), database: Path = DATABASE, today: date | None = None
) -> "DataFrame":
    """What is wrong with each run that cannot be estimated: kept columns, column_name and message."""
    return _mapped(runs, keep, database, today, "rejects")


def _mapped(
    runs: "DataFrame", keep: Sequence[str], database: Path, today: date | None, result: str
) -> "DataFrame":
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    estimating.unknown_columns([column for column in runs.columns if column not in keep])
    day = today or datetime.now(UTC).date()
    empty = pa.Table.from_batches([], schema=to_arrow_schema(runs.schema, timezone="UTC"))
    with estimating.opened(database, day) as connection:
        columns = _answer(connection, empty, keep, day, result).schema
    _send_package(runs.sparkSession)
    sent = (_send_database(runs.sparkSession, database), tuple(keep), day, result, duckdb.__version__)
    return runs.mapInArrow(_worker(ARCHIVE, *sent), from_arrow_schema(columns))


def _worker(
    archive: str, database: str, keep: tuple[str, ...], today: date, result: str, version: str
) -> Callable[[Batches], Iterator["pa.RecordBatch"]]:
    """What a worker runs: it imports the package out of the archive that came with the job."""

    def answers(batches: Batches) -> Iterator["pa.RecordBatch"]:
        from pathlib import Path

        import duckdb as engine
        from pyspark import SparkFiles

        if engine.__version__ != version:
            raise RuntimeError(
                f"duckdb {engine.__version__} on a worker, {version} on the driver: install it"
            )
        folder = SparkFiles.get(archive)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        from ote import spark

        if not Path(spark.__file__).is_relative_to(folder):
            raise RuntimeError(f"{spark.__file__}: a worker has imported another ote; take it off its path")
        return spark.partition(batches, SparkFiles.get(database), keep, today, result)

    answers.__module__ = "__main__"  # so that it is sent as it is, and not by a name in this package
    return answers


def partition(
    batches: Batches, database: str, keep: Sequence[str], today: date, result: str
) -> Iterator["pa.RecordBatch"]:
    """The answers to the rows of a partition, some at once."""
    for chunk in _regrouped(batches):
        yield from table(chunk, database, keep, today, result).to_batches(10_000)


def table(
    runs: "pa.Table", database: str, keep: Sequence[str], today: date, result: str = "narrow"
) -> "pa.Table":
    """The answers to the rows of an Arrow table, also for other engines, such as Ray Data.

    Args:
        runs: a row per run.
        database: the published DuckDB file on this machine.
        keep: columns that the answers repeat.
        today: the date that a run without one counts as started on.
        result: narrow, full or rejects.
    """
    return _answer(_engine(database, today, os.getpid()), runs, keep, today, result)


@cache
def _engine(database: str, today: date, process: int) -> duckdb.DuckDBPyConnection:
    """One connection for all tasks of a Python worker."""
    folder = tempfile.mkdtemp(prefix=f"ote-{process}-")
    settings = {"threads": "1", "memory_limit": MEMORY, "temp_directory": folder}
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(estimating.opened(Path(database), today, settings))


def _regrouped(batches: Batches) -> Iterator["pa.Table"]:
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for rows in batches:
        held.append(rows)
        if sum(map(len, held)) >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _answer(
    connection: duckdb.DuckDBPyConnection, runs: "pa.Table", keep: Sequence[str], today: date, result: str
) -> "pa.Table":
    """The estimates of some rows, or what is wrong with them, next to the columns that are kept."""
    import pyarrow as pa

    numbers = pa.array(range(1, len(runs) + 1), pa.int64())
    connection.register("chunk", runs.append_column("row_number", numbers))
    described = connection.execute("describe chunk").fetchall()
    batch.give(connection, "chunk", {name: kind for name, kind, *_ in described})
    batch.survey(connection)
    batch.judge(connection, today)
    kept = [f"chunk.{identifier(column)}" for column in keep]
    if result == "rejects":
        columns, origin = ["found.column_name", "found.message"], "problems as found"
    else:
        names = batch.result_columns(connection, full=result == "full")
        columns = [f"found.{name}" for name in names]
        origin = "(from estimates anti join rejected using (row_number)) as found"
    query = f"select {', '.join([*kept, *columns])} from {origin} inner join chunk using (row_number)"
    answer = connection.sql(query).to_arrow_table()
    connection.unregister("chunk")
    return answer


def _send_package(spark: "SparkSession") -> None:
    """Send the package and its queries to the workers of a session, once."""
    if any(sent.endswith(ARCHIVE) for sent in spark.sparkContext.listArchives):
        return
    file = Path(tempfile.mkdtemp(prefix="ote-spark-")) / ARCHIVE
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(CODE.rglob("*.py")):
            if "data" not in path.relative_to(CODE).parts:
                archive.write(path, f"ote/{path.relative_to(CODE)}")
        for path in sorted(path for pattern in SHIPPED for path in ROOT.glob(pattern)):
            archive.write(path, f"ote/data/{path.relative_to(ROOT)}")
    spark.sparkContext.addArchive(str(file))


def _send_database(spark: "SparkSession", database: Path) -> str:
    """Send a database to the workers of a session, once; its name there depends on its content."""
    name = f"emissions-{hashlib.sha256(database.read_bytes()).hexdigest()[:16]}.duckdb"
    if not any(sent.endswith(name) for sent in spark.sparkContext.listFiles):
        copied = Path(tempfile.mkdtemp(prefix="ote-spark-")) / name
        spark.sparkContext.addFile(str(shutil.copyfile(database, copied)))
    return name


def estimate_batch(
    source: str,
    target: str,
    master: str,
    database: Path = DATABASE,
    today: date | None = None,
    *,
    strict: bool = False,
    full: bool = False,
) -> batch.Batch:
    """Estimate the runs of Parquet files on a cluster into a folder, and rejects into another.

    Args:
        source: files, a folder or a pattern, as Spark reads them.
        target: a folder that is not there yet.
        master: the master of the cluster, such as spark://host:7077 or local[2].
        database: the published DuckDB file.
        today: the date that a run without one counts as started on.
        strict: whether one row that cannot be estimated refuses all.
        full: also the year and the source of each factor.

    Raises:
        SparkError: PySpark is not installed, the target is there already, or the job failed.
        BadRunsError: there is a column that no run has, or with `strict` a row that cannot be estimated.
    """
    spark = _session(master)
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        runs = spark.read.parquet(source).selectExpr(
            "*", "_metadata.file_path as file", "_metadata.row_index + 1 as row"
        )
        keep = ("file", "row")
        wrong = rejects(runs, keep, database, today)
        if strict:
            _refuse(wrong.limit(estimating.SHOWN + 1).collect())
        estimate(runs, keep, database, today, full).write.parquet(target)
        where = addresses.sibling(target, ".rejects")
        wrong.write.mode("overwrite").parquet(where)
        found = spark.read.parquet(where)
        lines = list(map(_line, found.orderBy("file", "row").limit(estimating.SHOWN).collect()))
        return batch.Batch(
            estimated=spark.read.parquet(target).count(), problems=found.count(), first_problems=lines
        )
    except (PySparkException, Py4JError) as error:
        raise SparkError(f"Spark: {str(error).strip().splitlines()[0]}") from None
    finally:
        spark.stop()


def _refuse(rows: Sequence[Any]) -> None:
    if rows:
        raise estimating.BadRunsError("\n".join(estimating.first_ten(list(map(_line, rows)))))


def _line(row: Any) -> str:
    return f"{row['file']}, row {row['row']}, {row['column_name']}: {row['message']}"


def _session(master: str) -> "SparkSession":
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkError(
            "--engine spark needs PySpark: pip install 'open-training-emissions[spark]'"
        ) from None
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("open-training-emissions")
    return builder.config("spark.executor.memoryOverhead", "1g").getOrCreate()
