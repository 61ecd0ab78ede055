"""What a person sees of a build: its progress, and in the end what matters about the release.

Belongs here: words and tables. Does not belong here: building (build.py), the look of tables (terminal.py).
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import typer

from ote import catalog
from ote.answers import quantities
from ote.cli import terminal

HOURS = """
select coalesce(chip_hours_basis, 'energy'), count(*),
    count(*) filter (where energy_mwh_p95 > $guessed * energy_mwh_p05)
from emissions group by all
"""
LARGEST = """
select model, energy_mwh, energy_mwh_p05, energy_mwh_p95, co2e_gross_t, co2e_gross_t_p05, co2e_gross_t_p95,
    chip_hours_basis
from emissions
where covers = 'one_run' and chip_hours_basis in ('disclosed', 'chips_x_hours')
order by energy_mwh desc, run_id
limit 5
"""
GUESSES = """
select model, energy_mwh_p05, energy_mwh_p95, chip_hours_basis
from emissions
where covers = 'one_run' and energy_mwh_p95 > $guessed * energy_mwh_p05
order by energy_mwh_p95 desc, run_id
limit 5
"""
BETTER = """
select distinct term || ' of ' || factor from support.model_terms
where is_clearly_better and not is_used order by all
"""


@contextmanager
def progress(steps: int) -> Iterator[Callable[[str], None]]:
    """A bar on the terminal that a call with a name moves on by a step; elsewhere a line for every tenth.

    Args:
        steps: how many calls there will be.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("starting", total=steps)
            yield lambda name: bar.update(task, advance=1, description=name)
        return
    done = [0]

    def line(name: str) -> None:
        done[0] += 1
        if done[0] * 10 // steps > (done[0] - 1) * 10 // steps:
            typer.echo(f"{done[0]:,} of {steps:,} steps: {name}", err=True)

    yield line


def show(database: Path, release: Path) -> None:
    """What is in a release, how sure it is, and where it lies."""
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    with terminal.page() as console, duckdb.connect(str(database), read_only=True) as connection:
        console.print(f"\n{manifest['title']} {manifest['version']}")
        console.print(f"{len(manifest['tables'])} tables, {_checks(manifest)}.")
        _print_hours(console, connection)
        _print_largest(console, connection)
        _print_guesses(console, connection)
        _print_missing(console, connection, manifest)


def _checks(manifest: dict[str, Any]) -> str:
    checks = manifest["checks"]
    return f"{checks['passed']:,} of {quantities.counted(checks['total'], 'check')} passed"


def _print_hours(console: Any, connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute(HOURS, {"guessed": quantities.GUESS_RATIO}).fetchall()
    bases = catalog.column("chip_hours_basis").values
    order = [*bases, "energy"]
    rows = sorted(found, key=lambda row: order.index(row[0]))
    made = terminal.table("source of the hours", "runs", "guesses", right=("runs", "guesses"))
    for basis, runs, guesses in rows:
        known = (
            catalog.label("chip_hours_basis", basis) if basis in bases else "(only the energy is published)"
        )
        made.add_row(known, f"{runs:,}", f"{guesses:,}")
    total, guessed = sum(runs for _, runs, _ in rows), sum(guesses for *_, guesses in rows)
    made.add_row("all runs with an estimate", f"{total:,}", f"{guessed:,}")
    console.print(made)
    console.print(
        f"Guesses: the upper end of the 90 % interval is more than {quantities.GUESS_RATIO} times "
        "the lower end.\n"
    )


def _print_largest(console: Any, connection: duckdb.DuckDBPyConnection) -> None:
    console.print("The largest runs with published hours, with 90 % intervals")
    made = terminal.table("model", "energy", "gross CO2e", "chip-hours")
    for model, *values, basis in connection.execute(LARGEST).fetchall():
        made.add_row(
            model,
            quantities.energy_interval(*values[:3]),
            quantities.mass_interval(*values[3:]),
            catalog.label("chip_hours_basis", basis),
        )
    console.print(made)


def _print_guesses(console: Any, connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(GUESSES, {"guessed": quantities.GUESS_RATIO}).fetchall()
    if not rows:
        return
    console.print("\nThe largest guesses, by the upper end of the 90 % interval")
    made = terminal.table("model", "energy", "chip-hours")
    for model, p05, p95, basis in rows:
        interval = f"{quantities.energy(p05)} to {quantities.energy(p95)}"
        made.add_row(model, interval, catalog.label("chip_hours_basis", basis))
    console.print(made)


def _print_missing(console: Any, connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> None:
    lost = sum(source["quarantined_rows"] for source in manifest["sources"])
    without = manifest["tables"]["models_without_estimate"]
    console.print(f"\nWithout an estimate: {quantities.counted(without, 'model')} (models_without_estimate).")
    console.print(f"Quarantined: {quantities.counted(lost, 'row')} of the upstreams (table quarantine).")
    for (term,) in connection.execute(BETTER).fetchall():
        console.print(f"Method: {term} would clearly help and is not used (table model_terms).")
