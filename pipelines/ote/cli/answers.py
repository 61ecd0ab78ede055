"""The commands that ask the database about one run: `ote where`, `ote why`.

Belongs here: options, what a person sees, exit codes. Does not belong here: the answers (where.py, when.py,
why.py), how a derivation is written (derivation.py), or lists of runs (runs.py).
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import duckdb
import typer

from ote import hardware_units
from ote.answers import locations as countries
from ote.answers import names, placing, quantities, when, words
from ote.answers import where as ranking
from ote.answers import why as deriving
from ote.answers.published import DATABASE, Z_90, open_database
from ote.cli import derivation, runs, terminal
from ote.cli.options import AsJson, Database, Hardware, Region, Start, number, whole
from ote.errors import Error
from ote.places import BASELINE

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WHOLE = ("net CO2e", "gross CO2e", "beats next")  # columns that never wrap


class Basis(StrEnum):
    """What an intensity counts: what power plants emit, or also what their fuels and making do."""

    direct = "direct"
    lifecycle = "lifecycle"


Chips = Annotated[
    int, typer.Option(help="Number of accelerators.", parser=whole(1), metavar="<int>", show_default="1")
]
Hours = Annotated[
    float | None,
    typer.Option(help="Duration of the run in wall-clock hours.", parser=number("300"), metavar="<float>"),
]
Operator = Annotated[str | None, typer.Option(help="Rank only the regions of this operator.")]
Within = Annotated[
    str | None, typer.Option(help="Rank only the regions of this country: code (FI) or name (Finland).")
]
Year = Annotated[
    int | None,
    typer.Option(
        help="Year of the grid data to rank by. Default: the year of the run; without a run or --start, "
        "the newest year.",
        parser=whole(0, 9999),
        metavar="<int>",
    ),
]
Kind = Annotated[
    Basis | None,
    typer.Option(
        help="Kind of carbon intensity to rank by. Default: the kind known for the run's location, or else "
        "for most regions."
    ),
]
Month = Annotated[
    str, typer.Option(help="Find the best hour of the day to start at, in this month: YYYY-MM.")
]
Top = Annotated[
    int,
    typer.Option(help="How many locations to print; 0 prints all.", parser=whole(0), metavar="<int>"),
]


def where(
    run: Annotated[
        list[str] | None,
        typer.Argument(help="Name of a model, or a run_id. Without it, describe a run by options."),
    ] = None,
    hardware: Hardware = None,
    chips: Chips = 1,
    hours: Hours = None,
    region: Region = None,
    provider: Operator = None,
    country: Within = None,
    start: Start = None,
    year: Year = None,
    basis: Kind = None,
    month: Month = "",
    top: Top = 15,
    as_json: AsJson = False,
    database: Database = DATABASE,
) -> None:
    """Rank cloud regions by the CO2e that a run would emit there, and show how sure the ranking is.

    A region is ranked by net CO2e if its operator publishes its carbon-free energy. Other regions are ranked
    by gross CO2e. All regions of a list have the same kind of carbon intensity, direct or life-cycle, because
    the two kinds cannot be compared.

    Example: ote where gshard-600b, or: ote where --hardware H100 --chips 512 --hours 300 --region us-east1
    """
    asked = placing.Asked(
        run=" ".join(run or []), hardware=hardware, chips=chips, hours=hours, region=region,
        provider=provider, country=country, start=start, year=year, basis=basis, month=month,
    )  # fmt: skip
    with _failing(asked.run, database, as_json):
        known = placing.meant(asked, database)
        with open_database(database, ranking.PROBE) as connection:
            run_id = _run_of(connection, asked.run) if asked.run else None
            load = placing.load(connection, run_id, known, year)
            if month:
                _print_starts(load, month, top, as_json)
                return
            locations = placing.ranked(connection, load, known, asked)
            own = ranking.own(connection, load, locations[0].intensity_basis, locations)
    if as_json:
        typer.echo(json.dumps([placing.as_json(location) for location in locations], indent=1))
        return
    with terminal.page() as console:
        _print_locations(console, load, locations, own, top)
        if known.described:
            console.print("\n".join(hardware_units.notes_on(known.described)))


@contextmanager
def _failing(name: str, database: Path, as_json: bool) -> Iterator[None]:
    """End with a message, and with JSON for a program, where a question cannot be answered."""
    try:
        yield
    except names.UnknownRunError as error:
        runs.fail_unknown(error, name, database, as_json)
    except deriving.BrokenDatabaseError as error:
        terminal.fail(str(error), code=1)
    except Error as error:
        if as_json:
            typer.echo(json.dumps({"error": str(error), "run_ids": []}, indent=1))
        terminal.fail(str(error))


def _run_of(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The run that a name means; says so where the name is not its own."""
    found = names.find(connection, name)
    if not found.is_literal:
        others = f" Also of that name: {names.shown(list(found.others))}." if found.others else ""
        typer.echo(f"{name!r} is taken as {found.run_id}.{others}", err=True)
    return found.run_id


def _print_locations(
    console: "Console",
    load: ranking.Load,
    locations: Sequence[ranking.Location],
    own: ranking.Own | None,
    top: int,
) -> None:
    ranked = [location for location in locations if location.rank is not None]
    year, ranked_on = ranked[0].factor_year, ranked[0].intensity_basis
    nearest = "" if year == load.year else f", the nearest known year to {load.year}"
    console.print(
        f"{load.name}: {_energy_of(load)} before PUE. Locations ranked by CO2e, with "
        f"{words.KINDS[ranked_on]} intensities of {year}{nearest}.{_unranked(locations, ranked_on)}"
    )
    shown = ranked[: top or None]
    console.print(_ranking(shown, ranked, own, is_wide=terminal.is_wide(console)))
    rest = "; --top 0 prints all" if len(shown) < len(ranked) else ""
    counted = quantities.counted(len(ranked), "location")
    console.print(f"{len(shown):,} of {counted}{rest}. Second line of net and gross CO2e: 90 % interval.")
    for note in _notes(load, shown, locations, own):
        console.print(note)


def _ranking(
    shown: Sequence[ranking.Location],
    ranked: Sequence[ranking.Location],
    own: ranking.Own | None,
    *,
    is_wide: bool,
) -> "Table":
    """Where the run is now, and the first of the ranked locations."""
    provider = ("provider",) if is_wide else ()
    made = terminal.table("region", *provider, "net CO2e", "gross CO2e", "beats next", whole=WHOLE)
    if own:
        place = own.place or (countries.country_name(own.country) if own.country else "unknown location")
        named = _named(f"now: {place}", own.country if own.place else None, own.provider, is_wide)
        made.add_row(*named, _tonnes(*own.net), _tonnes(*own.gross))
    for location, following in zip(shown, [*ranked[1:], None], strict=False):
        made.add_row(
            *_named(location.region, location.country, location.provider, is_wide),
            _tonnes(location.co2e_net_t, location.co2e_net_t_p05, location.co2e_net_t_p95),
            _tonnes(
                location.co2e_gross_t,
                location.co2e_gross_t_p05,
                location.co2e_gross_t_p95,
                _compared(location.ratio_to_actual),
            ),
            _chance(location, following),
        )
    return made


def _named(region: str, country: str | None, provider: str | None, is_wide: bool) -> tuple[str, ...]:
    """The cells that name a location: the operator in its own column where there is room."""
    name = f"{region} ({country})" if country else region
    return (name, provider or "") if is_wide else (f"{name}\n{provider}" if provider else name,)


def _tonnes(value: float | None, p05: float | None, p95: float | None, compared: str = "") -> str:
    """A mass with its interval in a second line; of a guess the interval alone."""
    if value is None or p05 is None or p95 is None:
        return "unknown"
    first = "a guess" if quantities.is_guess(p05, p95) else quantities.mass(value)
    return f"{first}{compared}\n{quantities.mass_span(p05, p95)}"


def _compared(ratio: float | None) -> str:
    """How much less or more a location emits than the run does now."""
    if ratio is None:
        return ""
    if ratio >= 2:
        return f", {quantities.significant(ratio, 2)} x now"
    return f", {abs(1 - ratio):.0%} {'less' if ratio <= 1 else 'more'}"


def _notes(
    load: ranking.Load,
    shown: Sequence[ranking.Location],
    locations: Sequence[ranking.Location],
    own: ranking.Own | None,
) -> Iterator[str]:
    """What a reader has to know of the list: where the run is now, and what is unknown or not ranked."""
    ranked_on = shown[0].intensity_basis
    ranked = sum(location.rank is not None for location in locations)
    if own:
        stated = own.gross_basis == "disclosed"
        grid = "the intensity that its source states" if stated else words.basis(own.gross_basis)
        known = f" ({grid})" if own.gross_basis else ""
        yield f"now: the run in its own location{known}. less, more, x now: gross CO2e against this row."
    elif load.run_id is None and load.region is None:
        yield "--region REGION compares each location with the cloud region where the run is now."
    if here := next((location for location in locations if location.region == load.region), None):
        rank = "not ranked" if here.rank is None else f"number {here.rank:,} of {ranked:,}"
        yield f"{here.region}, the region of the run: {rank}."
    if any(location.co2e_net_t is None for location in shown):
        yield (
            "net CO2e unknown: the operator does not publish its carbon-free energy by the hour, so the "
            "location is ranked by gross CO2e."
        )
    yield (
        "beats next: chance that a location has lower emissions than the next location in the list. "
        "`not comparable`: net is known for only one of the two. `equal`: both have the same emissions."
    )
    (other,) = (basis for basis in Basis if basis != ranked_on)
    yield (
        f"Only locations with {words.KINDS[ranked_on]} intensities are ranked, because the two kinds "
        f"cannot be compared; --basis {other} ranks the locations with {words.KINDS[other]} intensities."
    )


def _unranked(locations: Sequence[ranking.Location], ranked_on: str) -> str:
    """How many locations are not in the list, why, and how to see most of them; or nothing."""
    others = Counter(
        (location.provider, location.factor_year) for location in locations if location.rank is None
    )
    if not others:
        return ""
    ((provider, year), most), *_ = others.most_common(1)
    hint = f"--year {year} ranks them"
    if len({location.provider for location in locations}) > 1:
        hint += f", --provider '{provider}' ranks {provider} alone"
    return (
        f" Not in the list: {quantities.counted(others.total(), 'location')} with "
        f"{words.KINDS[ranked_on]} intensities of other years only, among them "
        f"{most} of {provider} ({year}): {hint}."
    )


def _energy_of(load: ranking.Load) -> str:
    """The energy of a load; of a guess the interval."""
    energy, half = load.it_energy_mwh, math.exp(Z_90 * load.ln_gsd)
    if quantities.is_guess(energy / half, energy * half):
        return f"a guess, {quantities.energy_span(energy / half, energy * half)} (90 % interval)"
    return quantities.energy(energy)


def _chance(location: ranking.Location, following: ranking.Location | None) -> str:
    """The chance in words where there is none."""
    if location.chance_to_beat_next is not None:
        return f"{location.chance_to_beat_next:.0%}"
    if following is None:
        return "last"
    return "equal" if (location.co2e_net_t is None) == (following.co2e_net_t is None) else "not\ncomparable"


def _month(text: str) -> tuple[int, int]:
    """The year and the month of a month given as YYYY-MM."""
    try:
        parsed = datetime.strptime(text, "%Y-%m")
        return parsed.year, parsed.month
    except ValueError:
        terminal.fail(f"--month {text}: expected a month as YYYY-MM, such as 2022-07.", 2)


def _print_starts(load: ranking.Load, month: str, top: int, as_json: bool) -> None:
    if load.hours is None:
        terminal.fail(
            f"{load.name}: the length of the run is not known; describe it with --hardware and --hours."
        )
    starts = when.best_starts(BASELINE, *_month(month), load.hours)
    if as_json:
        shown = [asdict(start) | {"saved_fraction": start.saved_fraction} for start in starts]
        typer.echo(json.dumps(shown, indent=1))
        return
    headers = ("zone", "source", "best start", "best", "mean", "worst", "saves")
    made = terminal.table(*headers, right=headers[3:], whole=headers[2:])
    for start in starts[: top or None]:
        intensities = (start.best_g_per_kwh, start.mean_g_per_kwh, start.worst_g_per_kwh)
        made.add_row(
            start.zone,
            start.source,
            f"{start.start_hour_utc:02}:00",
            *(f"{intensity:.0f}" for intensity in intensities),
            f"{start.saved_fraction:.0%}",
        )
    with terminal.page() as console:
        console.print(
            f"{load.name}: {quantities.duration(load.hours)}, best hour of the day (UTC) to start at in "
            f"{month}. Life-cycle intensity in g/kWh, mean over the run."
        )
        console.print(made)
        console.print(
            "saves: how much lower the best intensity is than the mean over all starting hours. Each day of "
            "the run is taken as the mean day of that month, so a run of whole days saves nothing."
        )


def why(
    run: Annotated[list[str], typer.Argument(help="Name of a model, or a run_id.")],
    full: Annotated[bool, typer.Option("--full", help="Show every formula, input and source.")] = False,
    as_json: AsJson = False,
    database: Database = DATABASE,
) -> None:
    """Show energy and CO2e of a run, and where each number comes from.

    A guess is an estimate with a very wide interval. In JSON its value is null, and null_because gives the
    reason; the interval (p05, p95) is given.

    Example: ote why t5-11b, or: ote why "Llama 2 70B" --full
    """
    if full and as_json:
        terminal.fail("--full and --json: give one of them; --json is the whole derivation.")
    name = " ".join(run)
    with _failing(name, database, as_json), open_database(database, deriving.PROBE) as connection:
        found = deriving.tree(connection, _run_of(connection, name))
    if as_json:
        typer.echo(json.dumps(deriving.without_guesses(found), indent=1, default=str))
        return
    with terminal.page() as console:
        (derivation.print_full if full else derivation.print_short)(console, found)
