"""The answers that a program over the Model Context Protocol gets: those of `import ote`, with limits.

Belongs here: what each tool takes, its limits, and what every answer carries. Does not belong here: any
answer (ote.api), or the protocol (cli/mcp.py).

Energy is in MWh, emissions are in tonnes of CO2e. `_p05` and `_p95` are the ends of the 90 % interval.
"""

import dataclasses
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ote import api
from ote.answers import explain as explanation
from ote.answers import names, quantities
from ote.errors import BadQuestionError
from ote.places import REFERENCE

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MOST_ROWS = 1000  # of an answer
MOST_LETTERS = 400_000  # of an answer as JSON
SECONDS = 10.0  # for one query
MEMORY = "1GB"
APART = multiprocessing.get_context("spawn")  # DuckDB cannot stop within a function; a process can be killed
# So that a query cannot read files or the network, and cannot undo this.
LIMITS = (
    f"set memory_limit = '{MEMORY}'",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
SOURCES_OF_LOCATIONS = """
select region, factor_year, intensity_basis, pue_basis, gross_basis, net_basis, source_url, source_locator
from locations
"""
VERSION = "select version from release"
WITH_INTERVALS = """
select distinct left(column_name, -4) from duckdb_columns() where ends_with(column_name, '_p05')
"""
ALONE = "Without an interval: {}. Select the columns _p05 and _p95, too; some of these values may be guesses."
NOT_FINITE = "A value that is not a finite number (NaN or Infinity) is null here."
Answer = dict[str, Any]


class Agent:
    """The tools over one database: each method is a tool, and its text is the tool's description."""

    def __init__(self, database: Path | None = None) -> None:
        """Open the database once, to fail before the first question.

        Raises:
            NoDatabaseError: the database is missing, unreadable or of another version.
        """
        self._database = database
        with api.connect(database) as connection:
            ((self.version,),) = connection.execute(VERSION).fetchall()

    def tools(self) -> tuple[Callable[..., Answer], ...]:
        """The tools, in the order in which they are listed."""
        return self.find_runs, self.why, self.estimate, self.where, self.total, self.explain, self.sql

    def find_runs(
        self,
        words: str = "",
        developer: str = "",
        year: str = "",
        hardware: str = "",
        domain: str = "",
        hours: str = "",
        limit: int = 20,
    ) -> Answer:
        """Search training runs of machine-learning models that have an estimate.

        Each run has run_id, energy_mwh and co2e_gross_t with 90 % intervals, chip_hours_basis (how the hours
        are known), solidity and source_url. If the interval is so wide that an estimate is a guess, its value
        is null, and null_because gives the reason.

        Args:
            words: words of a model's name or developer, such as "llama 70b". A run must match all.
            developer: developer or organisation.
            year: year of publication, or a range such as 2020-2023.
            hardware: accelerator, such as H100.
            domain: what the model works on, such as language.
            hours: how the hours are known, such as disclosed.
            limit: most runs to return, the largest energy first; at most 1000.
        """
        found = api.find(
            words, developer=developer, year=year, hardware=hardware, domain=domain,
            hours=hours or (), database=self._database,
        )  # fmt: skip
        return self._answer({"runs": found[: _rows(limit)], "found": len(found)})

    def why(self, run: str) -> Answer:
        """Show how energy and CO2e of one run are computed: value, gsd, basis and source of each factor.

        A gsd is a geometric standard deviation. A basis is the method that gave the value.

        Args:
            run: name of a model, or a run_id.
        """
        return self._answer(api.why(run, database=self._database))

    def estimate(
        self,
        hardware: str | None = None,
        chips: int | None = None,
        training_hours: float | None = None,
        chip_hours: float | None = None,
        training_flop: float | None = None,
        watts_per_chip: float | None = None,
        energy_kwh: float | None = None,
        pue: float | None = None,
        provider: str | None = None,
        cloud_region: str | None = None,
        site_country: str | None = None,
        carbon_intensity_g_per_kwh: float | None = None,
        started: str | None = None,
    ) -> Answer:
        """Estimate energy (MWh) and CO2e (t) of a training run, with 90 % intervals.

        Give hardware with chips and training_hours, or chip_hours, or training_flop, or energy_kwh. The
        dataset supplies the other factors. Each factor has its value, gsd, basis and source.

        Args:
            hardware: accelerator, in any known spelling, such as H100.
            chips: number of accelerators.
            training_hours: duration in wall-clock hours.
            chip_hours: accelerators x hours.
            training_flop: floating-point operations of the whole training.
            watts_per_chip: measured power of the whole system per accelerator, W, before PUE.
            energy_kwh: measured electricity of the machines, kWh, before PUE.
            pue: energy of the data center divided by energy of its computers.
            provider: operator of the data center.
            cloud_region: cloud region, such as us-central1.
            site_country: country code or English name.
            carbon_intensity_g_per_kwh: carbon intensity of the local grid, g CO2e per kWh.
            started: start of the run: YYYY-MM-DD, YYYY-MM or YYYY. Default: today.
        """
        given = {name: value for name, value in locals().items() if name != "self" and value is not None}
        return self._answer({"run_id": None, **api.estimate(given, database=self._database)})

    def where(
        self,
        run: str = "",
        hardware: str | None = None,
        chips: int = 1,
        hours: float | None = None,
        provider: str | None = None,
        country: str | None = None,
        year: int | None = None,
        limit: int = 15,
    ) -> Answer:
        """Rank cloud regions for a training run by CO2e, with 90 % intervals and the source of each grid.

        Name a run of the dataset, or describe one with hardware, chips and hours.

        Args:
            run: name of a model, or a run_id.
            hardware: accelerator, such as H100.
            chips: number of accelerators.
            hours: duration in wall-clock hours.
            provider: rank only the regions of this operator.
            country: rank only the regions of this country, as code or English name.
            year: year of the grid data. Default: the year of the run; without a run, the newest year.
            limit: most regions to return, the best first; at most 1000.
        """
        ranked = api.where(
            run, hardware=hardware, chips=chips, hours=hours, provider=provider, country=country,
            year=year, database=self._database,
        )  # fmt: skip
        with api.connect(self._database) as connection:
            run_id = names.find(connection, run).run_id if run else None
            known = {row[:3]: row[3:] for row in connection.execute(SOURCES_OF_LOCATIONS).fetchall()}
        regions = [row | _sources(row, known) for row in ranked[: _rows(limit)]]
        return self._answer({"run_id": run_id, "regions": regions, "found": len(ranked)})

    def explain(self, word: str) -> Answer:
        """Explain a word of the dataset: a column, value, table, basis, source or other term.

        Args:
            word: such as watts_per_chip, measured_ratio or 90 % interval.
        """
        try:
            paragraphs = explanation.explain(word.strip(), Path(REFERENCE))
        except KeyError as error:
            near = f" The nearest: {error.args[0]}." if error.args[0] else ""
            raise BadQuestionError(f"{word!r} is not a word that is known here.{near}") from None
        return self._answer({"word": word, "means": paragraphs})

    def sql(self, query: str, limit: int = 100) -> Answer:
        """Run one read-only SQL query (DuckDB) on the dataset.

        Tables and columns are described by duckdb_tables() and duckdb_columns() (comment). Start with
        `emissions`: one row per run, with energy_mwh, energy_mwh_p05, energy_mwh_p95, the columns ending in
        _basis, source_url. Select the interval with each value: the value of a guess is then null, and
        null_because says why. Never add up values of runs here: use the tool total instead.

        Args:
            query: one select statement.
            limit: most rows to return; at most 1000. A query may take 10 seconds.
        """
        most = _rows(limit)
        columns, rows, known = self._query(query, most + 1)
        shown = [_without_guesses(columns, row) for row in rows[:most]]
        alone = [name for name in columns if name in known and not _ends(columns, name)]
        answer = {
            "columns": columns,
            "rows": shown,
            "has_more": len(rows) > most,
            "null_because": quantities.GUESS if shown != [list(row) for row in rows[:most]] else None,
            "note": ALONE.format(", ".join(alone)) if alone else None,
        }
        return self._answer(answer)

    def total(self, condition: str) -> Answer:
        """Add up energy and CO2e of runs, with the 90 % interval of the sum.

        Medians of runs do not add up, and their errors are not independent; this tool allows for both. Only
        whole runs are added up, each training once.

        Args:
            condition: SQL over the table emissions, such as year(published_date) = 2024.
        """
        _, rows, _ = self._query(f"select run_id from emissions where ({condition}\n)", -1)
        return self._answer(
            dataclasses.asdict(api.total({"run_id": [run_id for (run_id,) in rows]}, database=self._database))
        )

    def _query(self, query: str, most: int) -> tuple[list[str], list[tuple[Any, ...]], set[str]]:
        """The columns and first rows of a query, and which names of columns have intervals."""
        ours, theirs = APART.Pipe(duplex=False)
        child = APART.Process(target=_send_rows, args=(theirs, self._database, query, most), daemon=True)
        child.start()
        theirs.close()
        try:
            ours.recv()  # the child is ready: its start does not count
            if not ours.poll(SECONDS):
                raise BadQuestionError(
                    f"The query took more than {SECONDS:g} seconds and was stopped. Ask for less."
                )
            found = ours.recv()
        except EOFError:
            raise BadQuestionError(
                "The query ended without an answer, as if memory ran out. Ask for less."
            ) from None
        finally:
            child.kill()
            child.join()
            ours.close()
        if isinstance(found, str):
            raise BadQuestionError(found)
        rows: tuple[list[str], list[tuple[Any, ...]], set[str]] = found
        return rows

    def _answer(self, answer: Answer) -> Answer:
        """An answer as JSON has it, with the version of the dataset.

        Raises:
            BadQuestionError: it is too long.
        """
        text = json.dumps({**answer, "dataset_version": self.version}, default=str)
        if len(text) > MOST_LETTERS:
            raise BadQuestionError(
                f"The answer has {len(text):,} letters; at most {MOST_LETTERS:,} are sent. "
                "Ask for fewer rows or columns."
            )
        odd: list[str] = []
        made: Answer = json.loads(text, parse_constant=odd.append)  # append returns None
        if odd:
            made["note"] = f"{made.get('note') or ''} {NOT_FINITE}".strip()
        return made


def _sources(row: Answer, known: dict[tuple[Any, ...], tuple[Any, ...]]) -> Answer:
    """The basis and the source of a region's factors; each is null where the table has no such row."""
    columns = ("pue_basis", "gross_basis", "net_basis", "source_url", "source_locator")
    found = known.get((row["region"], row["factor_year"], row["intensity_basis"]), (None,) * len(columns))
    return dict(zip(columns, found, strict=True))


def _ends(columns: list[str], name: str) -> tuple[int, int] | None:
    """Where the ends of the interval of a column are; None where they were not selected."""
    ends = f"{name}_p05", f"{name}_p95"
    return (columns.index(ends[0]), columns.index(ends[1])) if {*ends} <= {*columns} else None


def _without_guesses(columns: list[str], row: tuple[Any, ...]) -> list[Any]:
    """The cells of a row; the value is None where its interval is that of a guess."""
    cells = list(row)
    for place, name in enumerate(columns):
        if ends := _ends(columns, name):
            low, high = row[ends[0]], row[ends[1]]
            if low is not None and high is not None and quantities.is_guess(low, high):
                cells[place] = None
    return cells


def _rows(limit: int) -> int:
    """How many rows are asked for.

    Raises:
        BadQuestionError: fewer than one, or too many.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise BadQuestionError(f"limit {limit}: expected 1 to {MOST_ROWS}.")
    return limit


def _send_rows(to: "Connection", database: Path | None, query: str, most: int) -> None:
    """Send that this process is ready, then the columns and rows of a query, or what is wrong with it."""
    with api.connect(database) as connection:
        known = {name for (name,) in connection.execute(WITH_INTERVALS).fetchall()}
        for setting in LIMITS:
            connection.execute(setting)
        to.send(None)
        try:
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                to.send("Expected one select statement; the database is read-only.")
                return
            cursor = connection.execute(statements[0])
            columns = [column[0] for column in cursor.description or []]
            to.send((columns, cursor.fetchmany(most) if most >= 0 else cursor.fetchall(), known))
        except duckdb.Error as error:
            to.send(str(error))
