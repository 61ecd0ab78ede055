"""The pages on what the numbers of runs leave out, and on CO2e for each token, parameter and operation.

Belongs here: which rows these pages show, in which words. Does not belong here: queries or HTML.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from ote.answers import quantities
from ote.site import charts, parts
from ote.site.data import SOLIDITY, Data, Row

LEAST_RUNS = 20  # of a year whose median is given
RATES = (
    ("kg_per_billion_tokens", "Gross CO2e per billion tokens"),
    ("kg_per_billion_active_parameters", "Gross CO2e per billion active parameters"),
    ("kg_per_exaflop", "Gross CO2e per 10¹⁸ operations"),
)


def pages(data: Data) -> Iterator[parts.Page]:
    """Both of them."""
    yield _left_out(data)
    yield _rates(data)


NEVER = (
    "The use of a model (inference), the making of its data, networks and offices are in no number of this "
    "dataset. Making the hardware and water are on the page of each run, next to its energy and CO2e."
)


def _left_out(data: Data) -> parts.Page:
    projects = sorted(
        data.table("project_overheads"),
        key=lambda row: (row["overhead_kind"] != "whole_project", row["overhead_kind"], row["project"]),
    )
    whole = [row for row in projects if row["overhead_kind"] == "whole_project"]
    typical = next(row for row in data.table("left_out") if row["overhead_basis"] == "typical_project")
    times = [quantities.significant(typical[f"overhead_ratio{end}"], 2) for end in ("", "_p05", "_p95")]
    about = (
        "A run is only a part of its project. Experiments, failed runs and idle machines are in no number of "
        f"a run: in the {len(whole)} projects that published it, the whole project used about {times[0]} "
        f"times as much as its final run (90 % interval for another project: {times[1]} to {times[2]})."
    )
    table = parts.Table(
        caption="Published overheads",
        headers=("Project", "Times its final run", "Used here", "What the ratio is of", "Source"),
        rows=[_project(data, row) for row in projects],
        numeric={1},
    )
    sections = [
        parts.Section(
            heading="What projects published",
            text=[
                "The ratio of a whole project holds for the runs of that project. All other runs get "
                f"{times[0]}: 1 for the final run, plus the geometric mean of what the {len(whole)} whole "
                "projects used besides their final run.",
            ],
            table=table,
            anchor="projects",
        ),
        parts.Section(heading="What is never counted", text=[NEVER]),
    ]
    return parts.page("left-out.html", "What runs leave out", about, sections)


def _project(data: Data, row: Row) -> tuple[Any, ...]:
    quantity = parts.meaning("overhead_quantity", row["overhead_quantity"]).rstrip(".").lower()
    kind = parts.meaning("overhead_kind", row["overhead_kind"])
    return (
        row["project"],
        f"{row['overhead_ratio']:g}",
        "yes" if row["overhead_kind"] == "whole_project" else "no",
        parts.Text(text=f"{row['overhead_covers']} ({quantity})", small=kind),
        parts.Cited(source=parts.of_source(data, row["source_id"]), locator=row["source_locator"] or ""),
    )


def _rates(data: Data) -> parts.Page:
    runs = [
        run
        for run in data.runs.values()
        if run["covers"] == "one_run" and not run["is_guess"] and run["kg_per_exaflop"] is not None
    ]
    dated = [run for run in parts.drawn(runs) if run["published_date"].year >= charts.SINCE]
    years = {year: _of_year(runs, year) for year in {run["published_date"].year for run in dated}}
    year = max(year for year, found in years.items() if len(found) >= LEAST_RUNS)
    middle = median(run["kg_per_exaflop"] for run in years[year])
    about = (
        f"Half of the runs published in {year} emitted less than {_mass(middle)} of gross CO2e "
        f"per 10¹⁸ operations, and half more ({len(years[year])} whole runs that are not guesses). "
        "Only training is counted."
    )
    sections = [
        parts.Section(heading="By day of publication", plots=[_chart(dated)]),
        parts.Section(
            heading="Runs, newest first",
            text=[
                f"{quantities.counted(len(runs), 'whole run')} with a known number of operations; guesses "
                "are left out. The 90 % interval of each rate is on the page of its run."
            ],
            folds=[parts.Fold(heading=f"All {len(runs):,} runs, with search", table=_table(runs))],
        ),
    ]
    return parts.page("rates.html", "CO2e per token, parameter and operation", about, sections)


def _of_year(runs: Sequence[Row], year: int) -> list[Row]:
    return [run for run in runs if run["published_date"] and run["published_date"].year == year]


def _chart(runs: Sequence[Row]) -> charts.Chart:
    x, x_ticks = charts.year_axis([charts.day(run["published_date"]) for run in runs])
    y, y_ticks = charts.log_axis([run["kg_per_exaflop"] for run in runs], _mass)
    marks = [
        charts.Mark(
            x=x(charts.day(run["published_date"])),
            y=y(run["kg_per_exaflop"]),
            css=run["solidity"],
            label=f"{run['model']}: {_mass(run['kg_per_exaflop'])} ({run['solidity']})",
            href=parts.address(run["run_id"]),
        )
        for run in sorted(runs, key=lambda run: run["published_date"])
    ]
    present = {run["solidity"] for run in runs}
    return charts.Chart(
        title="CO2e of 10¹⁸ operations",
        axis=f"Gross CO2e, logarithmic, by day of publication, from {charts.SINCE} on.",
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        marks=marks,
        legend=[(name, name) for name in SOLIDITY if name in present],
        css="large",
    )


def _mass(kg: float) -> str:
    return quantities.mass(kg / 1000)  # kg to t


def _table(runs: Sequence[Row]) -> parts.Table:
    rows = [
        (
            parts.of_run(run),
            str(run["published_date"] or ""),
            *("" if run[name] is None else _mass(run[name]) for name, _ in RATES),
            parts.Badge(run["solidity"]),
        )
        for run in sorted(
            runs, key=lambda run: (str(run["published_date"] or ""), run["model"]), reverse=True
        )
    ]
    return parts.Table(
        caption="Rates of runs",
        headers=("Model", "Published", *(words for _, words in RATES), "Solidity"),
        rows=rows,
        numeric=range(1, 2 + len(RATES)),
        name="rate-rows",
    )
