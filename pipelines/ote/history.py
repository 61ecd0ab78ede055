"""Dagster's history of runs: the same files for `dagster dev`, by dagster.yaml, and for `ote build`.

Dagster opens a connection for each of the thousand events of a build, and for each read of them, which is a
quarter of the time of a build: `ote build`, one process, keeps them. Does not belong here: what is run.
"""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage  # where dagster.yaml names it, too
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

INDEX = "index"  # the file of all runs; each run has another


def instance(folder: Path) -> dg.DagsterInstance:
    """Dagster with its history in a folder, without telemetry; for one process, and to be closed."""
    folder = _plain(folder.absolute())
    event_log = {
        "module": __name__,
        "class": KeptEventLog.__name__,
        "config": {"base_dir": str(folder / "history" / "runs")},
    }
    overrides = {"telemetry": {"enabled": False}, "event_log_storage": event_log}
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)


class History(DagsterSqliteStorage):
    """Dagster's storage of runs and events below `base_dir`, a folder of any name; for `dagster dev`."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "History":
        """As Dagster makes it from dagster.yaml, in each of its processes."""
        _heed_signals()
        folder = Path(config_value["base_dir"]).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return cls(str(_plain(folder)), inst_data)


def _plain(folder: Path) -> Path:
    """The folder; where Dagster would misread its name, which it pastes into an address, a link to it."""
    return Path(_link_to(folder).name, "history") if set(str(folder)) & set("%?") else folder


@cache
def _link_to(folder: Path) -> "tempfile.TemporaryDirectory[str]":
    """A folder with the link `history`. The cache keeps it until the process ends."""
    links = tempfile.TemporaryDirectory(prefix="dagster-history-")
    Path(links.name, "history").symlink_to(folder)
    return links


def _heed_signals() -> None:
    """Let SIGINT and SIGTERM end `dagster dev`, also where a script started it in the background.

    A shell without job control starts such a process with SIGINT ignored. Dagster handles SIGTERM as it
    handles SIGINT, and stops its four other processes by SIGINT: none of the five would ever end.
    """
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    is_main = threading.current_thread() is threading.main_thread()
    if is_ignored and is_main and "DAGSTER_IS_DEV_CLI" in os.environ:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)


class KeptEventLog(SqliteEventLogStorage):
    """The event log of Dagster with one connection to each file, kept until it is disposed of."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        """As Dagster's: base_dir holds a file for each run, and the index."""
        self._kept: dict[str, sqlalchemy.Connection] = {}
        self._one_at_a_time = Lock()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "KeptEventLog":
        """As Dagster makes it from its configuration."""
        return cls(inst_data=inst_data, **config_value)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[sqlalchemy.Connection]:
        """A transaction on the events of a run."""
        return self._transaction(str(run_id))

    def index_connection(self) -> AbstractContextManager[sqlalchemy.Connection]:
        """A transaction on the events of all runs."""
        return self._transaction(INDEX)

    def dispose(self) -> None:
        """Close the connections."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()
        super().dispose()

    @contextmanager
    def _transaction(self, file: str) -> Iterator[sqlalchemy.Connection]:
        with self._one_at_a_time:
            if file not in self._kept:
                self._kept[file] = self._opened(file)
            with self._kept[file].begin():
                yield self._kept[file]

    def _opened(self, file: str) -> sqlalchemy.Connection:
        with super().run_connection(file):
            pass  # Dagster makes the tables of a file that is new to it
        engine = sqlalchemy.create_engine(
            self.conn_string_for_shard(file),
            poolclass=sqlalchemy.NullPool,
            connect_args={"timeout": 120, "check_same_thread": False},
        )
        connection = engine.connect()
        # In a write-ahead log this keeps the file whole; a power cut may cost the last events.
        connection.exec_driver_sql("pragma synchronous = normal")
        connection.commit()
        return connection
