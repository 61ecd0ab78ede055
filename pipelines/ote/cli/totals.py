"""`ote total`: the sum of runs, with its interval.

Belongs here: options, what a person sees, exit codes. Does not belong here: the sum (answers/totals.py).
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from ote.answers import quantities, totals
from ote.answers.published import DATABASE, NoDatabaseError
from ote.catalog import column
from ote.cli import terminal
from ote.cli.options import AsJson, Database, number, whole
from ote.errors import BadQuestionError
from ote.names import literal, one_line

Where = Annotated[
    str | None,
    typer.Option(
        metavar="SQL", help="SQL condition on columns of the table emissions, such as solidity <> 'guessed'."
    ),
]
Organisation = Annotated[
    str | None,
    typer.Option(help="Add up runs of this organisation. The table `organisations` lists the names."),
]
Year = Annotated[
    int | None,
    typer.Option(
        parser=whole(1950, 2030), metavar="YEAR", help="Add up runs that were published in this year."
    ),
]
Judgement = Annotated[
    float | None,
    typer.Option(
        parser=number("0.3", 0),
        metavar="SHARE",
        help="Share of the error of Epoch AI's estimates that is common to all of them, 0 to 1. It is an "
        "assumption. Default: the share in the table error_shares.",
    ),
]
SHOWS = {
    "energy_mwh": ("Energy", quantities.energy),
    "co2e_gross_t": ("Gross CO2e", quantities.mass),
    "co2e_lifecycle_t": ("Life-cycle CO2e", quantities.mass),
}


def total(
    where: Where = None,
    organisation: Organisation = None,
    year: Year = None,
    judgement: Judgement = None,
    database: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Add up energy and CO2e of runs, with the interval of the sum.

    The value of a run is the median of a skewed distribution, so a plain sum of the values is too low. This
    command adds up random draws instead: possible values of all runs. An error that several runs share is the
    same for them in each draw. Only whole runs are added up, each training once.

    Example: ote total --year 2024, or: ote total --where "domain like '%language%' and solidity <> 'guessed'"
    """
    for option, text in (("--where", where), ("--organisation", organisation)):
        if text is not None and not text.strip():
            terminal.fail(f"{option}: empty; leave it out to add up all runs.")
    conditions = [where] if where else []
    if organisation:
        conditions.append(f"lower(organisation) = lower({literal(organisation)})")
    if year is not None:
        conditions.append(f"year(published_date) = {year}")
    try:
        if organisation and (unknown := totals.unknown_organisation(organisation, database)):
            terminal.fail(unknown)
        found = totals.total_where(conditions, database, judgement)
    except totals.BadSelectionError as error:
        terminal.fail(f"{'--where' if where else 'Nothing to add up'}: {error}.")
    except (NoDatabaseError, BadQuestionError) as error:
        terminal.fail(str(error))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    selected = [f"condition {one_line(where)}"] if where else []
    selected += [f"organisation {one_line(organisation)}"] if organisation else []
    selected += [f"published in {year}"] if year is not None else []
    _print(found, "; ".join(selected) or "all runs")


def _print(found: totals.Total, selected: str) -> None:
    headers = ("median of the sum", "90 % interval", "mean of the sum")
    made = terminal.table("", *headers, whole=headers)
    for name, each in found.sums.items():
        title, show = SHOWS[name]
        made.add_row(title, show(each.p50), f"{show(each.p05)} to {show(each.p95)}", show(each.mean))
    left_out = (
        (found.left_out_parts, "row of a part or of several runs", "rows of parts or of several runs"),
        (found.left_out_bounds, "upper or lower limit", "upper or lower limits"),
        (found.left_out_shared, "second row of the same training", "second rows of the same training"),
    )
    rest = ", ".join(f"{number:,} {one if number == 1 else more}" for number, one, more in left_out if number)
    worst = max(each.error_fraction for each in found.sums.values())
    shares = found.solidity_share_fractions
    solid = ", ".join(f"{name} {shares[name]:.0%}" for name in column("solidity").values if name in shares)
    with terminal.page() as console:
        console.print(f"Selected: {selected}. The sum is of runs in this dataset, not of all in the world.")
        console.print(made)
        console.print(
            f"{quantities.counted(found.runs, 'whole run')}; left out: {rest or 'nothing'}. Largest: "
            f"{found.largest_run_id}, {found.largest_run_share_fraction:.0%} of the mean energy."
        )
        console.print(f"How solid the mean energy is: {solid}.")
        console.print(
            f"Median and interval come from {found.draws:,} draws; their standard error is at most "
            f"{worst:.1%}. Quote the median with its interval. Adding up the estimates of the single runs "
            f"would give {quantities.energy(found.sums['energy_mwh'].sum_of_values)}, which is too low: each "
            "is the median of a skewed distribution."
        )
