"""Files of runs into files of estimates, of any size: two passes over the rows, never all in memory.

Belongs here: what is judged, the order of rows, and writing. Does not belong here: which rows an address has
(run_files.py), what a run means and what it may not be (estimate.py and sql/estimate), or what a person sees
(cli/estimate.py).

The first pass finds the distinct names, locations and periods, which are resolved once, and the few rows that
may be wrong, which are judged as single runs are. The second pass is the formula, from file to file.
"""

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ote import hardware_units
from ote.answers import addresses, delimited, estimate, quantities, run_files, texts
from ote.answers import hourly as by_the_hour
from ote.answers.estimate import BadRunsError
from ote.answers.published import DATABASE
from ote.answers.run_files import RunFiles, Unread
from ote.names import identifier, literal

WRITERS = {
    ".csv": "format csv, header",
    # Level 1 is pyarrow's, too. Larger dictionaries, and Bloom filters, cost time and save little.
    ".parquet": "format parquet, compression zstd, compression_level 1, dictionary_size_limit 5000, "
    "write_bloom_filter false",
    ".json": "format json, array true",
}
FREE_TEXT = ("model", "hardware_name", "counting", "metering")
# Where a factor comes from: only in the full result.
SOURCES = ("_factor_year", "_source_url", "_source_locator")
TEXTS = ("model", "metering", *estimate.NAMES)
MEMORY = "600MB"  # of DuckDB; what is more goes to a temporary folder
JUDGED_AT_ONCE = 100_000  # rows
# DuckDB does not promise the order of rows that are joined. One thread that looks up in the smaller table
# keeps it, unless the hashes of two keys agree in the 16 bits that DuckDB compares: then some rows are late.
# Every result is checked. One out of order is written again, sorted, which takes twice as long; where there
# are many keys, the order is known before from the lookups alone.
THREADS = "1"
MANY_KEYS = 10_000
SORTED = "order by row_number"
IN_ORDER = "set disabled_optimizers = 'join_order,build_side_probe_side'"
OUT_OF_ORDER = "rows out of order"
CHECKED_ROW = (
    f"if(coalesce(lag(row_number) over () < row_number, true), row_number, error({literal(OUT_OF_ORDER)}))"
)
DISORDER = """
select count(*) from (select {row} as number, lag({row}) over () as before from {rows}) where before >= number
"""
Watch = Callable[[duckdb.DuckDBPyConnection, str, int], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What became of files of runs: how many were estimated, what is wrong with the others, and notes."""

    estimated: int
    problems: int = 0
    first_problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def estimate_file(
    source: str | Path,
    target: str | Path,
    database: Path = DATABASE,
    today: date | None = None,
    full: bool = False,
) -> int:
    """Estimate every run of a file into another, as estimate_batch, and refuse all if one is wrong."""
    return estimate_batch(source, target, database, today, strict=True, full=full).estimated


def estimate_batch(
    source: str | Path,
    target: str | Path,
    database: Path = DATABASE,
    today: date | None = None,
    *,
    strict: bool = False,
    full: bool = False,
    rejects: str = "",
    hourly: str = "",
    watch: Watch = lambda *_: nullcontext(),
) -> Batch:
    """Estimate the runs of files that can be into another; name the others, or with `strict` refuse all.

    Args:
        source: a file (CSV, Parquet, JSON, JSON lines), or several: a folder of Parquet files, or a pattern
            such as runs/*.parquet. A path, or an address that fsspec knows, such as s3://bucket/runs.parquet.
        target: a file (CSV, Parquet, JSON), or a folder for a Parquet file of each source. A file appears
            whole or not at all.
        database: the published DuckDB file.
        today: the date that a run without one counts as started on.
        strict: whether one row that cannot be estimated refuses all.
        full: also the year and the source of each factor.
        rejects: a file (CSV) for the rows that cannot be estimated; if there are none, an earlier one goes.
        hourly: files of a series by the hour (columns of hourly.COLUMNS), for the runs whose zone it has.
        watch: is entered around each pass, with the connection, what it does, and the number of rows.

    Raises:
        BadRunsError: no run can be estimated, or one cannot and that is not allowed; nothing is written then.
        NoDatabaseError: the database is missing, unreadable or older than this method.
        OSError: the target cannot be written.
    """
    _check(str(source), str(target))
    with TemporaryDirectory() as folder:
        settings = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": folder}
        with estimate.opened(database, today, settings) as connection:
            if hourly:
                by_the_hour.take(connection, hourly, Path(folder))
            runs = run_files.opened(connection, str(source), Path(folder))
            give(connection, runs.relation(), runs.kinds)
            with watch(connection, "read", runs.rows):
                survey(connection)
            if hourly:
                by_the_hour.view(connection)
            judge(connection, today, runs.unread, hourly=bool(hourly))
            problems, head = _refused(connection, runs, strict)
            notes = [*runs.notes, *_notes(connection)]
            notes += [by_the_hour.note(connection)] if hourly else []
            with watch(connection, "estimated", runs.rows):
                estimated = _write(connection, runs, str(target), full, Path(folder))
            if not problems:
                addresses.remove(rejects)
            elif rejects:
                with addresses.replacing(rejects, Path(folder)) as partial:
                    delimited.write_rejects(_rejects(connection, runs), partial, len(runs.addresses) > 1)
    return Batch(estimated=estimated, problems=problems, first_problems=head, notes=notes)


def _check(source: str, target: str) -> None:
    """Refuse a target that is not one."""
    ending = addresses.suffix(target)
    if ending and ending not in WRITERS:
        raise BadRunsError(f"{target}: expected a file that ends in {', '.join(WRITERS)}, or a folder")
    try:
        if addresses.is_remote(target):
            addresses.store(target)
        if not ending and addresses.is_listed(target):
            raise BadRunsError(f"{target}: holds Parquet files already; name a new folder")
    except texts.UnreadableError as error:
        raise BadRunsError(f"{target}: {error}") from None
    if not (addresses.is_remote(source) or addresses.is_remote(target)):
        there, here = Path(target), Path(source)
        if there.exists() and here.exists() and there.samefile(here):
            raise BadRunsError(f"{target}: the file of the runs itself; the estimates need another one")


def give(connection: duckdb.DuckDBPyConnection, relation: str, kinds: dict[str, str]) -> None:
    """The view given: every column of a run, as a number where it is one, else as text or null."""
    cells = ", ".join(f"{_cell(column, kinds.get(column))} as {column}" for column in estimate.COLUMNS)
    line = "line" if "line" in kinds else "0 as line"
    connection.execute(
        f"create or replace temp view given as select row_number, {line}, {cells} from {relation}"
    )


def _cell(column: str, kind: str | None) -> str:
    if kind is None:
        return "cast(null as varchar)" if column in (*TEXTS, "started") else "cast(null as double)"
    is_text = column in TEXTS and kind != "VARCHAR"
    return f"cast({identifier(column)} as varchar)" if is_text else run_files.cell(column, kind)


def survey(connection: duckdb.DuckDBPyConnection) -> None:
    """The first pass: names and starts, the locations and periods of runs, and who is to be judged."""
    estimate.resolve(connection)
    for view in ("runs", "judged"):
        connection.execute(f"create or replace temp view {view} as {estimate.query(view)}")
    connection.execute(f"create or replace temp table survey as {estimate.query('survey')}")
    connection.execute(
        "create or replace temp table stays as select distinct location_no, period_no, month_count "
        "from survey where location_no is not null"
    )
    connection.execute(f"create or replace temp table settings as {estimate.query('settings')}")
    connection.execute(f"create or replace temp view estimates as {estimate.query('estimates')}")


def judge(
    connection: duckdb.DuckDBPyConnection,
    today: date | None,
    unread: Sequence[Unread] = (),
    *,
    hourly: bool = False,
) -> None:
    """The table problems of the rows that may be wrong, each judged as a run by itself would be."""
    connection.execute(
        "create or replace table problems "
        "(row_number bigint, line bigint, column_name varchar, message varchar)"
    )
    if unread:
        connection.executemany("insert into problems values (?, ?, ?, ?)", unread)
    connection.execute(
        "create or replace temp table suspects as select unnest(suspects) as row_number "
        "from survey where location_no is not null"
    )
    ((some,),) = connection.execute("select count(*) > 0 from suspects").fetchall()
    if some:  # else no other pass over the rows
        _judge_suspects(connection, today)
    if hourly:
        by_the_hour.refuse_local_starts(connection)
    connection.execute(
        "create or replace temp table rejected as "
        "select distinct row_number from problems order by row_number"
    )


def _judge_suspects(connection: duckdb.DuckDBPyConnection, today: date | None) -> None:
    """Add to the table problems what is wrong with the suspects."""
    cells = ", ".join(f"cast(given.{column} as varchar) as {column}" for column in estimate.COLUMNS)
    connection.execute(
        f"create or replace table doubtful as select given.row_number, given.line, {cells} "
        "from given semi join suspects on given.row_number = suspects.row_number"
    )
    ends = connection.execute(
        "select max(row_number) from (select row_number, row_number() over (order by row_number) as number "
        f"from doubtful) group by (number - 1) // {JUDGED_AT_ONCE} order by all"
    ).fetchall()
    alone = connection.cursor()  # with tables of its own
    estimate.view(alone, today)
    before = 0
    for (end,) in ends:
        some = f"(from memory.doubtful where row_number > {before} and row_number <= {end})"
        estimate.take(alone, some, [*estimate.COLUMNS, "row_number"])
        alone.execute(
            "insert into memory.problems "
            "select found.row_number, doubtful.line, found.* exclude (row_number) "
            f"from ({estimate.problems(alone)}) as found inner join memory.doubtful using (row_number)"
        )
        before = end


def _refused(connection: duckdb.DuckDBPyConnection, runs: RunFiles, strict: bool) -> tuple[int, list[str]]:
    """How many problems there are, and the first of them.

    Raises:
        BadRunsError: no run is left, or with `strict` one is refused.
    """
    counted = "select count(*), count(distinct row_number) from problems"
    ((problems, rows),) = connection.execute(counted).fetchall()
    head = [
        f"{'' if reject.place.file else f'{runs.source}, '}{reject}"
        for reject in islice(_rejects(connection, runs), estimate.SHOWN + 1)
    ]
    if strict and problems:
        raise BadRunsError("\n".join(estimate.first_ten(head)))
    if rows == runs.rows:
        says = f"{runs.source}: no run in it can be estimated"
        raise BadRunsError("\n".join([says, *estimate.first_ten(head)]))
    return problems, head[: estimate.SHOWN]


def _rejects(connection: duckdb.DuckDBPyConnection, runs: RunFiles) -> Iterator[delimited.Reject]:
    """What is wrong, in the order of the rows."""
    found = connection.cursor().execute("from memory.problems order by all")
    while rows := found.fetchmany(10_000):
        for row_number, line, column, reason in rows:
            yield runs.reject(row_number, line, column, reason)


def _notes(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """How accelerators were counted and which variants were assumed, each kind once."""
    cursor = connection.execute(f"select * from ({estimate.query('counted')}) where runs > 0 order by all")
    names = [column[0] for column in cursor.description or []]
    counts: Counter[tuple[str, str]] = Counter()
    for row in cursor.fetchall():
        kind = dict(zip(names, row, strict=True))
        for note in hardware_units.notes_on(kind):
            counts[kind["hardware_name"], note] += kind["runs"]
    return [
        f"{quantities.counted(runs, 'run')}{'' if hardware in note else f' on {hardware}'}: {note}"
        for (hardware, note), runs in counts.items()
    ]


def _write(
    connection: duckdb.DuckDBPyConnection, runs: RunFiles, target: str, full: bool, folder: Path
) -> int:
    """The second pass: the estimates of the good rows, in their order; how many there are."""
    connection.execute(IN_ORDER)
    if ending := addresses.suffix(target):
        return _copy(connection, target, ending, full, folder)
    if not addresses.is_remote(target):
        Path(target).mkdir(exist_ok=True)
    estimated = 0
    for number in range(len(runs.addresses)):
        give(connection, runs.relation(number), runs.kinds)
        part = f"{target.rstrip('/')}/part-{number:05}.parquet"
        estimated += _copy(connection, part, ".parquet", full, folder)
    return estimated


def result_columns(connection: duckdb.DuckDBPyConnection, full: bool) -> list[str]:
    """The columns of a result: with `full` also where each factor comes from."""
    names = "select column_name from duckdb_columns() where table_name = 'estimates' order by column_index"
    found = [name for (name,) in connection.execute(names).fetchall()]
    return [
        name
        for name in found
        if name != "row_number" and (full or name == "gross_factor_year" or not name.endswith(SOURCES))
    ]


def _copy(connection: duckdb.DuckDBPyConnection, target: str, ending: str, full: bool, folder: Path) -> int:
    is_parquet = ending == ".parquet"
    columns = ", ".join(
        f"spreadsheet_safe({name}) as {name}" if ending == ".csv" and name in FREE_TEXT else name
        for name in result_columns(connection, full)
    )
    good = "anti join rejected on estimates.row_number = rejected.row_number"
    ((some,),) = connection.execute("select count(*) > 0 from rejected").fetchall()
    rows = f"estimates {good if some else ''}"
    with addresses.replacing(target, folder) as partial:
        partial.touch()  # says plainly why it cannot be, as DuckDB does not
        for order in [SORTED] if _is_late(connection, rows) else ["", SORTED]:
            # a window over all columns costs more than reading again
            row = "row_number" if is_parquet or order else CHECKED_ROW
            written = _copied(
                connection, f"select {row} as row, {columns} from {rows} {order}", partial, ending
            )
            if written is not None:
                return written
        raise AssertionError("rows are out of order")


def _is_late(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Whether rows are out of order after the lookups, as is likely with many names, starts and settings."""
    tables = ("names", "starts", "settings")
    counts = " + ".join(f"(select count(*) from {table})" for table in tables)
    ((keys,),) = connection.execute(f"select {counts}").fetchall()
    return bool(keys >= MANY_KEYS and _disorder(connection, "estimates.row_number", rows))


def _disorder(connection: duckdb.DuckDBPyConnection, row: str, rows: str) -> int:
    """How many rows come after one with a higher number."""
    ((wrong,),) = connection.execute(DISORDER.format(row=row, rows=rows)).fetchall()
    return int(wrong)


def _copied(connection: duckdb.DuckDBPyConnection, query: str, partial: Path, ending: str) -> int | None:
    """The number of rows that are written to a file, or None if they are out of order."""
    try:
        ((rows,),) = connection.execute(
            f"copy ({query}) to {literal(partial)} ({WRITERS[ending]})"
        ).fetchall()
    except duckdb.IOException as error:
        raise OSError(errno.EIO, "the disk is full or failed") from error
    except duckdb.InvalidInputException as error:
        if OUT_OF_ORDER not in str(error):
            raise
        return None
    if ending == ".parquet" and _disorder(connection, "row", f"read_parquet({literal(partial)})"):
        return None
    return int(rows)
