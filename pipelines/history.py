"""Dagster's history of the runs of `ote build`: the same files that `dagster dev` reads, written faster.

Dagster opens a connection for each of the thousand events of a build, and for each read of them, which is a
quarter of the time of a build. Does not belong here: what is run.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage  # where dagster.yaml names it, too

INDEX = "index"  # the file of all runs; each run has another


def instance(folder: Path) -> dg.DagsterInstance:
    """Dagster with its history in a folder, without telemetry; for one process, and to be closed."""
    event_log = {
        "module": __name__,
        "class": KeptEventLog.__name__,
        "config": {"base_dir": str(folder / "history" / "runs")},
    }
    overrides = {"telemetry": {"enabled": False}, "event_log_storage": event_log}
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)


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
