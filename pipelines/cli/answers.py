"""The commands that ask the database about one run: `ote where`, `ote why`.

Belongs here: options, what a person sees, exit codes. Does not belong here: the answers (where.py, when.py,
why.py), how a derivation is written (derivation.py), or lists of runs (runs.py).
"""

import json
import math
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.answers import names, quantities
from pipelines.answers.published import DATABASE, Z_90
from pipelines.cli import runs, terminal
from pipelines.cli.options import BASELINE, Database

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from pipelines.answers import when
    from pipelines.answers import where as placing


WHOLE = ("net CO2e", "gross CO2e", "year", "beats next")  # columns that never wrap


class Basis(StrEnum):
    """What an intensity counts: what power plants emit, or also what their fuels and making do."""

    direct = "direct"
    lifecycle = "lifecycle"


def where(
    run: Annotated[
        list[str] | None, typer.Argument(help="Name of a model, or run_id; leave out to describe a run.")
    ] = None,
    hardware: Annotated[str, typer.Option(help="Accelerator, in any known spelling.")] = "",
    chips: Annotated[int, typer.Option(help="How many of them.", min=1)] = 1,
    hours: Annotated[float | None, typer.Option(help="For how many hours.")] = None,
    year: Annotated[int, typer.Option(help="Year of the factors; 0: the year of the run.", min=0)] = 0,
    provider: Annotated[str, typer.Option(help="Only the regions of one provider.")] = "",
    basis: Annotated[
        Basis | None,
        typer.Option(
            help="Intensities to rank on. Default: the kind known for the run's location, else for most."
        ),
    ] = None,
    month: Annotated[str, typer.Option(help="YYYY-MM: rank the hours of the day to start at.")] = "",
    top: Annotated[int, typer.Option(help="How many locations to print; 0: all.", min=0)] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="All locations, as JSON, for programs.")] = False,
    database: Database = DATABASE,
) -> None:
    """Rank cloud regions for a run by net CO2e, and say how sure the ranking is.

    Direct and life-cycle intensities are never compared: one list has locations on one of them.
    With --month, rank grids by the best hour of the day to start at, on the mean day of that month.

    Example: ote where gshard-600b, or: ote where --hardware H100 --chips 512 --hours 300 --month 2022-07
    """
    from pipelines.answers import estimate, published, when, where

    name = " ".join(run or [])
    if bool(name) == bool(hardware):
        terminal.fail("Give either a run_id or --hardware with --chips and --hours.")
    if month and basis is Basis.direct:
        terminal.fail(
            "--basis direct: with --month the hours of grids are ranked, which are lifecycle; leave one out.",
        )
    if hardware:
        hours = _hours(hours)
    try:
        if hardware:
            estimate.meant({"chips": chips, "training_hours": hours}, database)  # refused as of one's own run
        described = {"hardware": hardware, "provider": provider}
        meant = estimate.meant({column: cell for column, cell in described.items() if cell}, database)
        with published.open_database(database, where.PROBE) as connection:
            load = (
                where.load_of_hardware(connection, meant["hardware_id"], chips, hours or 0, date.today().year)
                if meant["hardware_id"]
                else where.load_of_run(connection, _run_of(connection, name))
            )
            load = where.in_year(connection, load, year) if year else load
            ranked_on = basis or where.usual_basis(connection, load, meant["provider"])
            places = where.ranked(connection, load, ranked_on, meant["provider"])
        if month:
            if load.hours is None:
                terminal.fail(
                    f"{name}: the length of the run is not known; describe it with --hardware and --hours."
                )
            starts = when.best_starts(BASELINE, *_month(month), load.hours)
            _print_starts(load.name, load.hours, month, starts, top, as_json)
            return
    except names.UnknownRunError as error:
        runs.fail_unknown(error, name, database, as_json)
    except (
        estimate.BadRunsError,
        where.NotFoundError,
        published.NoDatabaseError,
        when.NoHoursError,
    ) as error:
        terminal.fail(str(error))
    if as_json:
        typer.echo(json.dumps([asdict(place) for place in places], indent=1))
        return
    with terminal.page() as console:
        _print_places(console, load, places, top)


def _hours(hours: float | None) -> float:
    if hours is None:
        terminal.fail(
            "--hours is missing: with --hardware, give the hours that the chips run, such as --hours 300."
        )
    if not (math.isfinite(hours) and hours > 0):
        terminal.fail(f"--hours {hours:g}: expected a number above 0, the hours that the chips run.", 2)
    return hours


def _run_of(connection: "duckdb.DuckDBPyConnection", name: str) -> str:
    """The run that a name means; says so where the name is not its own."""
    found = names.find(connection, name)
    if not found.is_literal:
        others = f" Also of that name: {names.shown(list(found.others))}." if found.others else ""
        typer.echo(f"{name!r} is taken as {found.run_id}.{others}", err=True)
    return found.run_id


def _print_places(console: "Console", load: "placing.Load", places: "list[placing.Place]", top: int) -> None:
    shown = places[: top or None]
    ranked_on = shown[0].intensity_basis
    (other,) = (basis for basis in Basis if basis != ranked_on)
    console.print(
        f"{load.name}: {_energy_of(load)} before PUE. Locations by net CO2e, on {ranked_on} intensities, "
        f"factors of {_years(load, shown)}."
    )
    is_wide = terminal.is_wide(console)
    provider = ("provider",) if is_wide else ()
    made = terminal.table("region", *provider, "net CO2e", "gross CO2e", "year", "beats next", whole=WHOLE)
    for place in shown:
        region = f"{place.region} ({place.country})"
        low, high = place.co2e_net_t_p05, place.co2e_net_t_p95
        is_guess = quantities.is_guess(low, high)
        net, gross = quantities.mass(place.co2e_net_t), quantities.mass(place.co2e_gross_t)
        made.add_row(
            *((region, place.provider) if is_wide else (f"{region}\n{place.provider}",)),
            f"{'a guess' if is_guess else net}\n{quantities.mass_span(low, high)}",
            "a guess" if is_guess else gross,
            f"{place.factor_year}",
            _chance(place, is_last=place is places[-1]),
        )
    console.print(made)
    notes = [
        f"{len(shown):,} of {quantities.counted(len(places), 'location')}. "
        "Second line of net CO2e: 90 % interval.",
        "beats next: chance that net CO2e is below that of the next location in the list. "
        "`years differ`: no chance is known, because the factors of the two are of different years.",
        f"Only locations with {ranked_on} intensities are ranked: by default the kind that is known for the "
        f"run's own location, else for most. --basis {other} ranks the locations with {other} intensities.",
    ]
    if any(place.factor_year != load.year for place in shown):
        notes.append(f"year: the year of the factors, the nearest to {load.year} that is known.")
    console.print("\n".join(notes))


def _energy_of(load: "placing.Load") -> str:
    """The energy of a load; of a guess the interval."""
    energy, half = load.it_energy_mwh, math.exp(Z_90 * load.ln_gsd)
    if quantities.is_guess(energy / half, energy * half):
        return f"a guess, {quantities.energy_span(energy / half, energy * half)} (90 % interval)"
    return quantities.energy(energy)


def _years(load: "placing.Load", shown: "list[placing.Place]") -> str:
    """The years of the factors of a list, and the year that was wanted."""
    years = sorted({place.factor_year for place in shown})
    span = f"{years[0]}" if len(years) == 1 else f"{years[0]} to {years[-1]}"
    return span if years == [load.year] else f"{span} (wanted: {load.year})"


def _chance(place: "placing.Place", is_last: bool) -> str:
    """The chance in words where there is none."""
    if place.chance_to_beat_next is not None:
        return f"{place.chance_to_beat_next:.0%}"
    return "last" if is_last else "years differ"


def _month(text: str) -> tuple[int, int]:
    """The year and the month of a month given as YYYY-MM."""
    try:
        parsed = datetime.strptime(text, "%Y-%m")
        return parsed.year, parsed.month
    except ValueError:
        terminal.fail(f"--month {text}: expected a month as YYYY-MM, such as 2022-07.", 2)


def _print_starts(
    name: str, hours: float, month: str, starts: "list[when.Start]", top: int, as_json: bool
) -> None:
    if as_json:
        shown = [asdict(start) | {"saved_fraction": start.saved_fraction} for start in starts]
        typer.echo(json.dumps(shown, indent=1))
        return
    with terminal.page() as console:
        console.print(
            f"{name}: {hours:g} h, best hour of the day (UTC) to start at in {month}. "
            "Life-cycle intensity in g/kWh, mean over the run."
        )
        headers = ("zone", "source", "best start", "best", "mean", "worst", "saves")
        made = terminal.table(*headers, right=headers[3:], whole=headers[2:])
        for start in starts[: top or None]:
            made.add_row(
                start.zone,
                start.source,
                f"{start.start_hour_utc:02}:00",
                f"{start.best_g_per_kwh:.0f}",
                f"{start.mean_g_per_kwh:.0f}",
                f"{start.worst_g_per_kwh:.0f}",
                f"{start.saved_fraction:.0%}",
            )
        console.print(made)
        console.print(
            "saves: compared with a start at any hour of the day. Each day of the run is taken as "
            "the mean day of that month, so a run of whole days saves nothing."
        )


def why(
    run: Annotated[list[str], typer.Argument(help="Name of a model, or run_id.")],
    full: Annotated[bool, typer.Option("--full", help="Every formula, input and source.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole derivation, for programs.")] = False,
    database: Database = DATABASE,
) -> None:
    """Show energy and CO2e of a run, and where each number comes from.

    Example: ote why t5-11b, or: ote why "Llama 2 70B" --full
    """
    from pipelines.answers import published, why
    from pipelines.cli import derivation

    if full and as_json:
        terminal.fail("--full and --json: give one of them; --json is the whole derivation.")
    name = " ".join(run)
    try:
        with published.open_database(database, why.PROBE) as connection:
            found = why.tree(connection, _run_of(connection, name))
    except names.UnknownRunError as error:
        runs.fail_unknown(error, name, database, as_json)
    except published.NoDatabaseError as error:
        if as_json:
            typer.echo(json.dumps({"error": str(error), "run_ids": []}, indent=1))
        terminal.fail(str(error))
    except why.BrokenDatabaseError as error:
        terminal.fail(str(error), code=1)
    if as_json:
        typer.echo(json.dumps(found, indent=1, default=str))
    else:
        with terminal.page() as console:
            (derivation.print_full if full else derivation.print_short)(console, found)
