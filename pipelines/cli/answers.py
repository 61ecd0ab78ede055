"""The commands that ask the database: `ote where`, `ote why`.

Belongs here: options, what a person sees, exit codes. Does not belong here: the answers (where.py, when.py,
why.py).
"""

import json
import math
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.answers.published import DATABASE
from pipelines.cli.options import Database

if TYPE_CHECKING:
    from pipelines.answers import when
    from pipelines.answers import where as placing


class Basis(StrEnum):
    """What an intensity counts: what power plants emit, or also what their fuels and making do."""

    direct = "direct"
    lifecycle = "lifecycle"


def where(
    run: Annotated[
        str, typer.Argument(help="run_id, or the name of a model; leave out to describe a run.")
    ] = "",
    hardware: Annotated[str, typer.Option(help="Accelerator, in any known spelling.")] = "",
    chips: Annotated[int, typer.Option(help="How many of them.", min=1)] = 1,
    hours: Annotated[float | None, typer.Option(help="For how many hours.")] = None,
    year: Annotated[int, typer.Option(help="Year whose factors are wanted; 0: the newest.", min=0)] = 0,
    provider: Annotated[str, typer.Option(help="Only the regions of one provider.")] = "",
    basis: Annotated[
        Basis | None,
        typer.Option(help="Intensities to rank on; else those of the run's own place, or of most places."),
    ] = None,
    month: Annotated[
        str, typer.Option(help="YYYY-MM: rank starts in this month by the hours of grids.")
    ] = "",
    top: Annotated[int, typer.Option(help="How many places to print; 0: all.", min=0)] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="All places, for programs.")] = False,
    database: Database = DATABASE,
) -> None:
    """Rank cloud regions for a run by net CO2e, and say how sure the ranking is.

    Direct and lifecycle intensities are never compared: one list has places on one of them.
    With --month, rank grids by the best hour of it to start in, from the hours beside the database.

    Example: ote where gshard-600b, or: ote where --hardware H100 --chips 512 --hours 300 --month 2022-07
    """
    from pipelines.answers import estimate, published, when, where, why

    if bool(run) == bool(hardware):
        _fail("Give either a run_id or --hardware with --chips and --hours.", 2)
    if month and basis is Basis.direct:
        _fail(
            "--basis direct: with --month the hours of grids are ranked, which are lifecycle; leave one out.",
            2,
        )
    if hardware:
        hours = _hours(hours)
    try:
        if hardware:
            estimate.meant({"chips": chips, "training_hours": hours}, database)  # refused as of one's own run
        names = {"hardware": hardware, "provider": provider}
        meant = estimate.meant({column: name for column, name in names.items() if name}, database)
        with published.open_database(database, where.PROBE) as connection:
            load = (
                where.load_of_hardware(connection, meant["hardware_id"], chips, hours or 0, date.today().year)
                if meant["hardware_id"]
                else where.load_of_run(connection, why.find(connection, run))
            )
            load = where.in_year(connection, load, year) if year else load
            ranked_on = basis or where.usual_basis(connection, load, meant["provider"])
            places = where.ranked(connection, load, ranked_on, meant["provider"])
        if month:
            if load.hours is None:
                _fail(
                    f"{run}: the length of the run is not known; describe it with --hardware and --hours.", 2
                )
            starts = when.best_starts(database.parent / "hourly", _month(month), load.hours)
            _print_starts(load.name, load.hours, month, starts, top, as_json)
            return
    except (
        estimate.BadRunsError,
        where.NotFoundError,
        why.UnknownRunError,
        published.NoDatabaseError,
        when.NoHoursError,
    ) as error:
        _fail(str(error), 2)
    if as_json:
        typer.echo(json.dumps([asdict(place) for place in places], indent=1))
        return
    _print_places(load, places[: top or None])


def _hours(hours: float | None) -> float:
    if hours is None:
        _fail(
            "--hours is missing: with --hardware, give the hours that the chips run, such as --hours 300.", 2
        )
    if not (math.isfinite(hours) and hours > 0):
        _fail(f"--hours {hours:g}: expected a number above 0, the hours that the chips run.", 2)
    return hours


def _print_places(load: "placing.Load", places: "list[placing.Place]") -> None:
    typer.echo(f"{load.name}: {_energy(load.it_energy_mwh)} before PUE")
    line = "{:<24.24} {:<12.12} {:<7} {:>4} {:<9} {:>10} {:>10} {:<22} {:>6}"
    head = ("region", "provider", "country", "year", "basis", "gross t", "net t", "90 % interval", "sure")
    typer.echo(line.format(*head))
    for place in places:
        interval = f"({place.co2e_net_t_p05:,.3g} to {place.co2e_net_t_p95:,.3g})"
        sure = "" if place.chance_to_beat_next is None else f"{place.chance_to_beat_next:.0%}"
        typer.echo(
            line.format(
                place.region,
                place.provider,
                place.country,
                place.factor_year,
                place.intensity_basis,
                f"{place.co2e_gross_t:,.3g}",
                f"{place.co2e_net_t:,.3g}",
                interval,
                sure,
            )
        )
    typer.echo("sure: chance that the place beats the next one, given how well the two places are known.")
    if any(place.factor_year != load.year for place in places):
        typer.echo(
            f"year: that of the factors, the nearest to {load.year} that is known of the place. "
            "Between places of two years no chance is known."
        )
    ranked_on = places[0].intensity_basis
    (other,) = (basis for basis in Basis if basis != ranked_on)
    typer.echo(
        f"basis: only places known on {ranked_on} intensities; --basis {other} ranks those on {other}."
    )


def _month(text: str) -> datetime:
    """The first instant of a month given as YYYY-MM."""
    try:
        return datetime.strptime(text, "%Y-%m")
    except ValueError:
        _fail(f"--month {text}: expected a month as YYYY-MM, such as 2022-07.", 2)


def _print_starts(
    name: str, hours: float, month: str, starts: "list[when.Start]", top: int, as_json: bool
) -> None:
    if as_json:
        shown = [
            asdict(start) | {"start_utc": start.start_utc.isoformat(), "saved_fraction": start.saved_fraction}
            for start in starts
        ]
        typer.echo(json.dumps(shown, indent=1))
        return
    typer.echo(f"{name}: {hours:g} h, best start in {month} (UTC), lifecycle g/kWh over the run")
    line = "{:<10.10} {:<12.12} {:<16} {:>8} {:>8} {:>8} {:>7}"
    typer.echo(line.format("zone", "source", "best start", "best", "mean", "worst", "saves"))
    for start in starts[: top or None]:
        typer.echo(
            line.format(
                start.zone,
                start.source,
                f"{start.start_utc:%Y-%m-%d %H:%M}",
                f"{start.best_g_per_kwh:.0f}",
                f"{start.mean_g_per_kwh:.0f}",
                f"{start.worst_g_per_kwh:.0f}",
                f"{start.saved_fraction:.0%}",
            )
        )
    typer.echo(
        "saves: against a start at any hour of the month. Past hours: the best start is known afterwards."
    )


def why(
    run: Annotated[str, typer.Argument(help="run_id, or the name of a model.")],
    as_json: Annotated[bool, typer.Option("--json", help="The same tree, for programs.")] = False,
    database: Database = DATABASE,
) -> None:
    """Print where every number of a run comes from: formulas, factors, spreads and sources.

    Example: ote why t5-11b
    """
    from pipelines.answers import published, why

    try:
        with published.open_database(database, why.PROBE) as connection:
            found = why.tree(connection, why.find(connection, run))
    except (why.UnknownRunError, published.NoDatabaseError) as error:
        if as_json:
            near = error.run_ids if isinstance(error, why.UnknownRunError) else []
            typer.echo(json.dumps({"error": str(error), "run_ids": near}, indent=1))
        _fail(str(error), 2)
    except why.BrokenDatabaseError as error:
        _fail(str(error))
    typer.echo(json.dumps(found, indent=1, default=str) if as_json else why.render(found))


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _energy(energy_mwh: float) -> str:
    """Three significant digits in the unit that suits them."""
    unit, wh = next(
        ((unit, wh) for unit, wh in (("MWh", 1e6), ("kWh", 1e3)) if energy_mwh * 1e6 >= 0.9995 * wh),
        ("Wh", 1.0),
    )
    return f"{float(f'{energy_mwh * 1e6 / wh:.3g}'):,.12g} {unit}"
