"""The command `ote update`.

Belongs here: options, what a person sees of an update, exit codes. Does not belong here: any step of it
(pipelines/ote/update/).
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from ote.cli.options import Baseline, Reference, Warehouse, a_folder, refuse_own
from ote.cli.terminal import fail, said_if_interrupted, said_if_not_writable
from ote.places import BASELINE, REFERENCE, WAREHOUSE


def update(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Sources to update, as catalog.yaml names them. Default: all.")
    ] = None,
    mirror: Annotated[
        str,
        typer.Option(
            help="Address of a copy of the sources, with the file names of catalog.yaml. "
            "Each file may also be compressed (.gz).",
            envvar="OTE_MIRROR",
        ),
    ] = "",
    retrieved: Annotated[
        str, typer.Option(help="With --mirror: the day (YYYY-MM-DD) on which the copies were made.")
    ] = "",
    accept: Annotated[
        str, typer.Option(help="Reason why a change beyond the limits is right. The report keeps it.")
    ] = "",
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Folder in which to keep the downloaded files, named by checksum, for an audit.",
            callback=a_folder,
        ),
    ] = None,
    refetch: Annotated[
        bool, typer.Option("--refetch", help="Download and parse every file, even if nothing changed.")
    ] = False,
    warehouse: Warehouse = WAREHOUSE,
    baseline: Baseline = BASELINE,
    reference: Reference = REFERENCE,
) -> None:
    """Download current data of the upstream sources, and rewrite warehouse/baseline/ for you to commit.

    Each row is checked. A row that breaks a rule is not used; it is listed in the table quarantine. The new
    rows and results are compared with the accepted rows and the published results. If they differ by more
    than the limits of catalog.yaml allow, nothing is changed unless you give a reason with --accept. The
    report is warehouse/baseline/update.md, or warehouse/update.md if the update was refused. If no source has
    new data, there is no new report.

    Example: ote update epoch_models owid_electricity
    """
    for option, folder in (("--baseline", baseline), ("--reference", reference)):
        refuse_own(option, folder, "ote update")
    settings = {
        "baseline": str(baseline.resolve()),
        "reference": str(reference.resolve()),
        "warehouse": str(warehouse.resolve()),
        "sources": " ".join(sources or []),
        "mirror": mirror,
        "retrieved": retrieved,
        "accept": accept,
        "keep": str(keep.resolve()) if keep else "",
        "refetch": refetch,
    }
    with said_if_interrupted("ote update"), said_if_not_writable("Nothing was updated", "--warehouse"):
        _run(settings, baseline)


def _run(settings: dict[str, Any], baseline: Path) -> None:
    """Run the job, and say what became of each source; exit with 2 where nothing could be taken."""
    from ote.answers import quantities
    from ote.cli.build import executed
    from ote.update import report
    from ote.update.job import NotUpdatedError, Upstream

    upstream = Upstream(**settings)
    try:
        upstream.require_sound()
    except NotUpdatedError as error:
        fail(str(error))
    made: report.Report = executed(
        "update",
        Path(settings["warehouse"]),
        lambda _: "Nothing was updated.",
        settings={"upstream": settings},
    ).output_for_node("rewrite_baseline")
    read = [found for found in made.candidates if not found.problem and not found.unasked]
    for found in made.candidates:
        if not settings["sources"] or found.source in settings["sources"].split():
            typer.echo("\n".join(report.lines(found)))
    for failure in made.failures:
        rows = "; ".join(str(row) for row in failure.rows[:2])
        typer.echo(f"{failure.table} would fail {failure.check}: {failure.why} {rows}", err=True)
    typer.echo("\n".join(report.of_results(made)), nl=made.results is not None)
    if made.is_accepted:
        typer.echo(f"Rewritten: {baseline}. Review {baseline / 'update.md'} and the diff, then commit them.")
    elif made.is_new:
        where = Path(settings["warehouse"]) / "update.md"
        why = "a check would fail" if made.failures else "a limit is exceeded"
        fail(
            f"Nothing was changed, since {why}; see {where}."
            + ("" if made.failures else ' To take it all the same: ote update --accept "why it is right"')
        )
    elif made.problems and not read:
        fail("Nothing was updated: no source could be fetched and read.")
    else:
        typer.echo(
            f"Nothing changed in {quantities.counted(len(read), 'source')}; the baseline is as it was."
        )
