"""What Great Expectations 1.24 needs to run in DuckDB by SQL: results fetched before it lets go of them.

It reads a result after the block that owns its connection has ended, and the rollback on return
discards DuckDB's pending rows (great_expectations issues 10738 and 11579). This dialect buffers them.
Does not belong here: expectations (gx_checks.py). Goes when Great Expectations has a DuckDB engine (12084).
"""

from typing import Any

from duckdb_sqlalchemy import Dialect, DuckDBExecutionContext
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy


class BufferedContext(DuckDBExecutionContext):  # type: ignore[misc]  # untyped upstream
    """Fetches the rows of a query as soon as it has run."""

    def post_exec(self) -> None:
        """Buffer the rows of a query; statements that return none are left alone."""
        super().post_exec()
        description = self.cursor.description
        if description and not (self.isinsert or self.isupdate or self.isdelete):
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, description, self.cursor.fetchall()
            )


class BufferedDuckDB(Dialect):  # type: ignore[misc]  # untyped upstream
    """DuckDB with buffered results, as `duckdb+buffered://`."""

    execution_ctx_cls: Any = BufferedContext
    supports_statement_cache = False

    def get_pk_constraint(self, *args: Any, **kwargs: Any) -> Any:
        """None: no table of the build has a key in DuckDB, and asking takes two queries a table."""
        return {"constrained_columns": [], "name": None}


def register() -> None:
    """Make `duckdb+buffered://` known to SQLAlchemy; again and again does no harm."""
    registry.register("duckdb.buffered", __name__, "BufferedDuckDB")
