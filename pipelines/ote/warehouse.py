"""The working database: who may write it, how a table is written, what has been validated.

Belongs here: the lock, the connection, the one function that writes a table, and the record of
which version of each table passed its checks. Does not belong here: publishing (publication.py).
"""

import errno
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
from pydantic import PrivateAttr

from ote import catalog, checkout, sql_files

# One thread: a sum of doubles in another order differs in its last digit, and so would the release.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

PREVIEWED, WIDE = 3, 6  # rows that Dagster shows of a table; a table of more columns is wide

# What the build knows of its own tables, beside them in the same file and so as durable as they.
STATE = """
create schema if not exists raw;
create schema if not exists core;
create schema if not exists support;
create schema if not exists out;
create schema if not exists state;
create table if not exists state.tables (
    name varchar primary key, version varchar, row_count bigint, inputs json
);
create table if not exists state.validations (
    name varchar primary key, version varchar, suite varchar, passed boolean
);
create table if not exists state.results (
    name varchar, check_name varchar, expectation varchar, column_name varchar, why varchar,
    success boolean, observed varchar, unexpected_count bigint, examples varchar
);
alter table state.tables add column if not exists made_by varchar;
alter table state.tables add column if not exists made_from json;
"""


class LockedError(Exception):
    """Another process is building."""


class NotValidatedError(Exception):
    """A table is missing, stale, unchecked or failed its checks, so nothing may be published."""


def writable(directory: Path) -> Path:
    """A folder, made if there is none.

    Raises:
        OSError: it cannot be made or written; said before anything is begun in it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not os.access(directory, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(directory))
    return directory


@contextmanager
def lock(directory: Path, holder: str = "") -> Iterator[None]:
    """Hold the only right to build in a directory; it dies with the process.

    Raises:
        LockedError: another process holds it; the message says which.
        OSError: the directory cannot be made or written.
    """
    path = writable(directory) / "build.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LockedError(
                f"another build is running: {file.read().strip() or 'starting'} (lock: {path}). "
                "Wait for it to end, or stop that process, then build again."
            ) from None
        file.seek(0)
        file.truncate()
        since = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(f"process {os.getpid()}, since {since}, {holder or ' '.join(sys.argv)[:200]}\n")
        file.flush()
        yield


def connect(path: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A working database with its layers, its records and the shared macros."""
    return _prepare(duckdb.connect(str(path), config=SETTINGS))


def _prepare(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("set enable_progress_bar = false")
    connection.execute(STATE)
    sql_files.run(connection, "macros")
    return connection


class Warehouse(dg.ConfigurableResource[Any]):
    """The working database of one run, locked from the run's first step to its last."""

    directory: str
    reference: str
    baseline: str
    released: str = str(catalog.ROOT / checkout.RELEASED)

    _connection: duckdb.DuckDBPyConnection | None = PrivateAttr(default=None)
    _cursors: list[duckdb.DuckDBPyConnection] = PrivateAttr(default_factory=list)

    @property
    def path(self) -> Path:
        """The folder that everything is built in."""
        return Path(self.directory)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open working database."""
        if self._connection is None:
            raise RuntimeError("the warehouse is open only while a run executes")
        return self._connection

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A second handle on the working database, closed with it."""
        self._cursors.append(self.connection.cursor())
        self._cursors[-1].execute("set enable_progress_bar = false")
        return self._cursors[-1]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Lock, open, and in the end write the report of the checks and close."""
        from ote.quality import report

        if problem := checkout.unusable(self.path):
            raise ValueError(f"{problem} with OTE_WAREHOUSE.")
        with lock(self.path, f"Dagster run {context.run_id}" if context.run_id else ""):
            self._connection = _open(self.path / "build.duckdb", context)
            here = checkout.state(reference=Path(self.reference), baseline=Path(self.baseline))
            stated = json.dumps(asdict(here))
            self._connection.execute("set variable made_from = ?", [stated])  # of each table of this run
            try:
                yield self
            finally:
                report.write(self._connection, self.path / "report.html")
                for cursor in self._cursors:
                    cursor.close()
                self._cursors.clear()
                self._connection.close()
                self._connection = None


def _open(path: Path, context: dg.InitResourceContext) -> duckdb.DuckDBPyConnection:
    """The working database; one that cannot be read is set aside, and built anew."""
    try:
        connection = duckdb.connect(str(path), config=SETTINGS)
    except duckdb.Error as error:
        aside = path.with_suffix(".unreadable")
        if context.log:
            context.log.warning(f"{path} cannot be opened ({error}); moved to {aside}, starting anew")
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        path.replace(aside)
        connection = duckdb.connect(str(path), config=SETTINGS)
    return _prepare(connection)


def replace_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rows: pl.DataFrame | str,
    *,
    inputs: Set[str] = frozenset(),
) -> dg.MaterializeResult[Any]:
    """Replace a table with rows (a frame or a query), in the columns, types and order of catalog.yaml.

    Unless its content is what was there before, the table counts as unchecked from here on.

    Raises:
        ValueError: rows has a column that the catalog does not know, or lacks one that it promises.
    """
    table = catalog.tables()[name]
    if isinstance(rows, str):
        _require_promised(table, [name for name, *_ in connection.execute(f"describe {rows}").fetchall()])
    else:
        _require_promised(table, rows.columns)
    columns = ", ".join(
        f'cast("{c.deprecated_for or c.name}" as {c.type}) as "{c.name}"' for c in table.columns
    )
    order = ", ".join(f'"{column}"' for column in table.key)
    if isinstance(rows, pl.DataFrame):
        connection.register("incoming", rows)
    origin = f"({rows})" if isinstance(rows, str) else "incoming"
    connection.execute("begin")
    try:
        connection.execute(
            f"create or replace table {name} as select {columns} from {origin} order by {order}"
        )
        row_count, version = _version(connection, name)
        connection.execute(
            "insert or replace into state.tables (name, version, row_count, inputs, made_by, made_from) "
            "values (?, ?, ?, ?, ?, getvariable('made_from'))",
            [name, version, row_count, json.dumps(_versions(connection, inputs)), checkout.made_by(name)],
        )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        if isinstance(rows, pl.DataFrame):
            connection.unregister("incoming")
    return _materialized(connection, name, row_count, version)


def unchanged(
    connection: duckdb.DuckDBPyConnection, name: str, inputs: Set[str]
) -> dg.MaterializeResult[Any] | None:
    """A table as it is, where this code made it from what it reads now; else nothing."""
    stated = [json.dumps(_versions(connection, inputs)), checkout.made_by(name)]
    found = connection.execute(
        "update state.tables set made_from = getvariable('made_from') "
        "where name = ? and cast(inputs as varchar) = ? and made_by = ? returning row_count, version",
        [name, *stated],
    ).fetchall()
    if not found:
        return None
    return _materialized(connection, name, *found[0])


def _materialized(
    connection: duckdb.DuckDBPyConnection, name: str, row_count: int, version: str
) -> dg.MaterializeResult[Any]:
    """What Dagster shows of a table as it is."""
    preview = dg.MetadataValue.md(_preview(connection, name))
    return dg.MaterializeResult(
        metadata={"dagster/row_count": row_count, "preview": preview}, data_version=dg.DataVersion(version)
    )


def _require_promised(table: catalog.Table, incoming: list[str]) -> None:
    promised = [column.name for column in table.columns if not column.deprecated_for]
    if sorted(incoming) != sorted(promised):
        raise ValueError(
            f"{table.name}: not in catalog.yaml: {sorted(set(incoming) - set(promised))}; "
            f"promised there, missing here: {sorted(set(promised) - set(incoming))}"
        )


def _version(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[int, str]:
    """Rows of a table, and a checksum of its content in its order."""
    layer, stem = name.split(".")
    query = (
        "select count(*), sha256(coalesce(string_agg(md5(cast(t as varchar)), '' order by rowid), '')) "
        f'from {layer}."{stem}" as t'
    )
    row_count, version = connection.execute(query).fetchall()[0]
    return row_count, version


def _versions(connection: duckdb.DuckDBPyConnection, names: Set[str]) -> dict[str, str]:
    """The present versions of tables, by name."""
    known = dict(connection.execute("select name, version from state.tables").fetchall())
    return {name: known[name] for name in sorted(names)}


def _preview(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The first rows as a Markdown table. A wide table is turned: its columns are listed downwards."""
    cursor = connection.execute(f"select * from {name} limit {PREVIEWED}")
    header = [str(column[0]) for column in cursor.description or []]
    rows = [
        ["" if cell is None else str(cell).replace("|", "\\|")[:60] for cell in row]
        for row in cursor.fetchall()
    ]
    if len(header) > WIDE:
        rows = [list(line) for line in zip(header, *rows, strict=True)]
        header = ["column", *(f"row {place}" for place in range(1, len(rows[0])))]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@contextmanager
def distrusted_on_failure(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[None]:
    """Count a table as failed, also in the report, if building it fails: what is there is outdated."""
    try:
        yield
    except Exception as error:
        connection.execute("update state.validations set passed = false where name = ?", [name])
        connection.execute("delete from state.results where name = ?", [name])
        connection.execute(
            "insert into state.results values (?, 'can_be_built', 'can_be_built', null, ?, false, '', 1, '')",
            [name, str(error)],
        )
        raise


def require_validated(connection: duckdb.DuckDBPyConnection, suites: dict[str, str]) -> None:
    """Refuse unless every table is there, follows from the present code and from what it reads, and passed.

    Args:
        connection: the working database.
        suites: the fingerprint of the checks that each table must have passed.

    Raises:
        NotValidatedError: names each table that is not fit to be published, and why.
    """
    tables = {
        name: (version, json.loads(inputs), code)
        for name, version, inputs, code in connection.execute(
            "select name, version, inputs, made_by from state.tables"
        ).fetchall()
    }
    validations = {
        name: (version, suite, passed)
        for name, version, suite, passed in connection.execute(
            "select name, version, suite, passed from state.validations"
        ).fetchall()
    }
    unfit = []
    for name in catalog.tables():
        if name not in tables:
            unfit.append(f"{name} has not been built")
            continue
        version, inputs, code = tables[name]
        stale = [i for i, seen in inputs.items() if i in tables and tables[i][0] != seen]
        if stale:
            unfit.append(f"{name} was built before the present {', '.join(stale)}")
        elif code != checkout.made_by(name):
            unfit.append(f"{name} was built by other code than the present")
        elif name not in validations:
            unfit.append(f"{name} has not been checked since it was built")
        elif validations[name][:2] != (version, suites[name]):
            unfit.append(f"{name} or its checks changed since it was checked")
        elif not validations[name][2]:
            unfit.append(f"{name} failed its checks")
    if unfit:
        shown = "\n  ".join(unfit[:10]) + (f"\n  and {len(unfit) - 10} more" if unfit[10:] else "")
        raise NotValidatedError(
            f"nothing is published, since {len(unfit)} tables are not fit:\n  {shown}\n"
            "Run the whole job `build` (`make dataset`), and see warehouse/report.html for failed checks."
        )


def made_from(connection: duckdb.DuckDBPyConnection) -> checkout.Checkout:
    """The checkout that the tables were made from, with what was not committed for any of them.

    Raises:
        NotValidatedError: they were made from several commits, or before this was recorded.
    """
    rows = connection.execute("select name, made_from from state.tables").fetchall()
    stated = [json.loads(origin) for name, origin in rows if name in catalog.tables() and origin]
    if len(stated) < len(catalog.tables()) or len({origin["commit"] for origin in stated}) > 1:
        raise NotValidatedError(
            "nothing is published, since the tables were not all built from the same commit. "
            "Run the whole job `build` (`make dataset`)."
        )
    uncommitted = {file for origin in stated for file in origin["uncommitted"]}
    return checkout.Checkout(stated[0]["commit"], tuple(sorted(uncommitted)))


def require_unchanged(made: checkout.Checkout) -> None:
    """Refuse where the checkout is no longer as the tables were made from: a release is of one commit.

    Raises:
        NotValidatedError: says what changed.
    """
    if changed := checkout.changed_since(made):
        raise NotValidatedError(f"No release: {changed}. Build again: ote build")
