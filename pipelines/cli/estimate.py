"""The commands for a run of one's own: `ote estimate`, `ote report`, `ote import`.

Belongs here: options, what a person sees, exit codes. Does not belong here: how a run is estimated
(estimate.py), what a disclosure says (disclosure.py), or how logs of other tools are read (imports.py).
"""

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines.answers import estimate as estimating
from pipelines.answers.disclosure import GIVEN, number, value_of
from pipelines.answers.estimate import BadRunsError, Narrowing
from pipelines.answers.published import DATABASE, Z_90, NoDatabaseError
from pipelines.cli.options import Database

UNITS = {
    "energy_kwh": "kWh",
    "chip_hours": "chip-hours",
    "watts_per_chip": "W per chip",
    "pue": "",
    "gross_kg_per_kwh": "kg/kWh",
    "net_kg_per_kwh": "kg/kWh",
}


def estimate(
    name: Annotated[str | None, typer.Option(help="What to call the run.")] = None,
    hardware: Annotated[str | None, typer.Option(help="Accelerator, in any known spelling.")] = None,
    chips: Annotated[str | None, typer.Option(help="How many accelerators.")] = None,
    hours: Annotated[str | None, typer.Option(help="Wall-clock hours.")] = None,
    chip_hours: Annotated[str | None, typer.Option(help="Accelerators x hours.")] = None,
    flop: Annotated[str | None, typer.Option(help="Floating-point operations in all, such as 3e23.")] = None,
    power: Annotated[
        str | None,
        typer.Option(help="Measured mean draw of the whole system per accelerator, W, before PUE."),
    ] = None,
    energy: Annotated[
        str | None, typer.Option(help="Measured electricity of the machines, kWh, before PUE.")
    ] = None,
    pue: Annotated[str | None, typer.Option(help="Total over IT energy of the data center.")] = None,
    provider: Annotated[str | None, typer.Option(help="Operator of the data center, such as AWS.")] = None,
    region: Annotated[str | None, typer.Option(help="Cloud region, such as us-central1.")] = None,
    country: Annotated[str | None, typer.Option(help="Country: code or English name.")] = None,
    intensity: Annotated[
        str | None, typer.Option(help="Intensity of the grid, location-based, g CO2e per kWh.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="When it started: YYYY-MM-DD, YYYY-MM or YYYY. Left out: today.")
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(help="A file with a run per row (.csv, .parquet, .json, .jsonl) instead of options."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the estimates of a batch go (.csv, .parquet, .json).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, and for ote report.")] = False,
    database: Database = DATABASE,
) -> None:
    """Estimate energy and CO2e of a run: give what you know, the rest comes from the dataset.

    Example: ote estimate --hardware H100 --chips 512 --hours 300 --region us-central1 --start 2024-03

    Columns of a batch file: model, hardware, chips, training_hours, chip_hours, training_flop,
    watts_per_chip, energy_kwh, pue, provider, cloud_region, site_country,
    carbon_intensity_g_per_kwh, started; all optional.
    """
    given = (
        name, hardware, chips, hours, chip_hours, flop, power, energy, pue, provider, region, country,
        intensity, start,
    )  # fmt: skip
    run = {column: cell for column, cell in zip(estimating.COLUMNS, given, strict=True) if cell is not None}
    if (batch is None) != (out is None) or (batch is not None and run):
        _fail("--batch FILE goes with --out FILE, and with no option that describes a single run.")
    if batch is None and not run:
        _fail(
            "Nothing to estimate. Example: ote estimate --hardware H100 --chips 512 --hours 300 --country DE"
        )
    for column, cell in run.items():
        if not cell.strip():
            _fail(f"{estimating.COLUMNS[column][0]}: empty; leave it out, or give a value.")
    try:
        if batch and out:
            rows = estimating.estimate_file(batch, out, database)
            typer.echo(f"{rows:,} runs estimated: {out}")
            return
        answer = estimating.estimate_run(run, database)
        narrowest = estimating.narrowing(answer, estimating.best_spreads(database))
    except (BadRunsError, NoDatabaseError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{out}: cannot be written ({error}).")
    if as_json:
        extra = {"narrow_most": None if narrowest is None else vars(narrowest)}
        typer.echo(json.dumps(answer | extra, indent=1))
        return
    _print(answer, narrowest)


def _print(run: dict[str, Any], narrowest: Narrowing | None) -> None:
    totals = (
        ("energy", "energy_mwh", "MWh", "with PUE"),
        ("CO2e gross", "co2e_gross_t", "t", f"location-based, {run['intensity_basis']} intensity"),
        ("CO2e net", "co2e_net_t", "t", "after the operator's hourly-matched carbon-free energy"),
    )
    typer.echo(f"{run['model'] or 'This run'}, {run['run_year']}")
    for title, column, unit, note in totals:
        if column == "co2e_net_t" and run["net_basis"] == "equals_gross":
            note = "as gross: the operator's supply there is not known"
        interval = f"({number(run[column + '_p05'])} to {number(run[column + '_p95'])})"
        typer.echo(f"  {title:<11} {number(run[column]):>9} {unit:<4} {interval:<22} {note}")
    line = "{:<17} {:>10} {:<10} {:>5}  {:<19} {}"
    typer.echo("\n" + line.format("factor", "value", "", "x/÷", "basis", "from").rstrip())
    for factor, about in run["factors"].items():
        if about["value"] is None:
            continue
        if about["gsd"] is None:  # given, and not used beside an energy
            typer.echo(line.format(factor, value_of(about), UNITS[factor], "", "not used", "as given"))
            continue
        width = math.exp(Z_90 * math.log(about["gsd"]))
        typer.echo(
            line.format(
                factor, value_of(about), UNITS[factor], f"{width:.2f}", about["basis"], origin(about)
            ).rstrip()
        )
    assumed = [f for f, about in run["factors"].items() if about["basis"] and about["basis"] not in GIVEN]
    typer.echo("\nx/÷: a factor alone puts the result between value / that and value x that (90 %).")
    if run["is_assumed_provider"]:
        assumed.append(f"provider {run['provider']}, since TPUs run in its data centers only")
    typer.echo(f"Assumed: {', '.join(assumed) or 'nothing'}.")
    others = [f"{f} {about['factor_year']}" for f, about in run["factors"].items() if about["is_other_year"]]
    if others:
        typer.echo(f"Of the nearest year that is known, not of {run['run_year']}: {', '.join(others)}.")
    if run["is_ambiguous_hardware"] and run["energy_basis"] == "computed":
        typer.echo(
            "The name stands for several variants; the exact one (SXM, PCIe, memory) narrows the power."
        )
    if narrowest:
        left = f"{number(narrowest.co2e_gross_t_p05)} to {number(narrowest.co2e_gross_t_p95)} t"
        typer.echo(f"Most would be gained by {narrowest.fact}: gross CO2e within {left}.")
    typer.echo(f"Dataset: Open Training Emissions {run['dataset_version']}")


def origin(about: dict[str, Any]) -> str:
    """Where a factor comes from, in a line: the locator and the address."""
    if about["basis"] in GIVEN:
        return "as given"
    return "; ".join(part for part in (about["source_locator"], about["source_url"]) if part)


class Form(StrEnum):
    """What a disclosure can be written as."""

    markdown = "markdown"
    latex = "latex"
    model_card = "model-card"
    cyclonedx = "cyclonedx"
    spdx = "spdx"
    eu = "eu"


def report(
    run: Annotated[
        Path, typer.Argument(help="What `ote estimate --json` printed; - reads it from the pipe.")
    ],
    form: Annotated[
        Form, typer.Option("--as", help="Paper (markdown, latex), model card, SBOM, or EU documentation.")
    ] = Form.markdown,
    training_type: Annotated[
        str, typer.Option(help="For the model card: pre-training or fine-tuning.")
    ] = "pre-training",
) -> None:
    """Write the disclosure of an estimated run in the form that it must be handed in.

    Example: ote estimate --hardware H100 --chips 512 --hours 300 --json | ote report - --as latex
    """
    from pipelines.answers import disclosure

    try:
        text = sys.stdin.read() if str(run) == "-" else run.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"{run}: cannot be read ({error}).")
    try:
        estimated = disclosure.parse(text)
    except disclosure.NotAnEstimateError as error:
        _fail(f"{run}: {error}")
    if training_type not in disclosure.TRAINING_TYPES:
        _fail(f"--training-type {training_type}: expected {' or '.join(disclosure.TRAINING_TYPES)}.")
    written = {
        Form.markdown: disclosure.markdown,
        Form.latex: disclosure.latex,
        Form.cyclonedx: disclosure.cyclonedx,
        Form.spdx: disclosure.spdx,
        Form.eu: disclosure.eu,
    }
    typer.echo(
        disclosure.model_card(estimated, training_type)
        if form is Form.model_card
        else written[form](estimated),
        nl=False,
    )


def _pue_included(given: str) -> float | None:
    if not given:
        return None
    try:
        included = float(given)
    except ValueError:
        included = math.nan
    if not 1 <= included <= 2.5:
        _fail(f"--pue-included {given}: expected a number from 1 to 2.5")
    return included


def import_(
    log: Annotated[
        Path, typer.Argument(help="What CodeCarbon, Carbontracker, eco2AI, sacct or a bill wrote.")
    ],
    out: Annotated[Path, typer.Option(help="The file of runs to write, for ote estimate --batch.")],
    hardware: Annotated[str, typer.Option(help="Accelerator, where the log does not name it.")] = "",
    region: Annotated[str, typer.Option(help="Cloud region, where the log does not name a place.")] = "",
    country: Annotated[str, typer.Option(help="Country, where the log does not name a place.")] = "",
    pue: Annotated[str, typer.Option(help="PUE of the data center, where the log does not hold it.")] = "",
    pue_included: Annotated[
        str, typer.Option(help="PUE that the energies of the log hold already, where it does not say.")
    ] = "",
) -> None:
    """Read the log of another tool into a file of runs, in our units; its own tonnes are not taken over.

    Rows of CodeCarbon with the same run_id are states of one run, and the last counts. What else of a log
    is in no run is told.

    Example: ote import emissions.csv --out runs.csv && ote estimate --batch runs.csv --out estimates.csv
    """
    from pipelines.answers import imports

    included = _pue_included(pue_included)
    if out.suffix != ".csv":
        _fail(f"--out {out}: expected a file that ends in .csv")
    if out.exists() and log.exists() and out.samefile(log):
        _fail(f"--out {out}: the log itself; the runs need another file")
    try:
        read = imports.read(log, included)
        for run in read.runs:
            placed = run.get("cloud_region") or run.get("site_country")
            known = {"hardware": hardware, "pue": pue}
            known |= {} if placed else {"cloud_region": region, "site_country": country}
            run.update({column: cell for column, cell in known.items() if not run.get(column)})
        imports.write(read.runs, out)
    except imports.UnknownLogError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{out}: cannot be written ({error}).")
    for sentence in read.left_out:
        typer.echo(sentence, err=True)
    typer.echo(f"{len(read.runs):,} runs of {read.tool}: {out}")
    if any(run.get("energy_kwh") for run in read.runs):
        typer.echo(
            "Its energies are readings of components: fans, power supplies and network are not in them."
        )


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
