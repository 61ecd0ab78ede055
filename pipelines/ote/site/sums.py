"""The pages on sums of runs: totals by group, and trends over the years.

Belongs here: which rows these pages show, in which words. Does not belong here: queries or HTML.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ote.answers import quantities
from ote.site import charts, parts
from ote.site.data import SOLIDITY, Data, Row, grouped

LARGEST = 5  # runs of a year, as in sql/totals/trend_groups.sql
KINDS = (  # of groups, with the heading of each
    ("published_year", "By year of publication", "Published"),
    ("run_year", "By year of the run", "Year of the run"),
    ("solidity", "By how solid the energy is", "Solidity"),
    ("organisation", "By organisation", "Organisation"),
    ("country", "By country", "Country"),
    ("domain", "By domain", "Domain"),
)
ORDER = "Years come newest first, all other groups by the mean of their energy, the largest first."
SETS = {
    "all_runs": "all runs",
    "disclosed_runs": "runs with published hours or energy",
    "inferred_runs": "runs whose energy is inferred or guessed",
    "five_largest_runs": "the five largest runs of each year",
}


def pages(data: Data) -> Iterator[parts.Page]:
    """Both of them."""
    yield _totals(data)
    yield _trends(data)


def _totals(data: Data) -> parts.Page:
    groups = grouped(data.table("totals"), "group_kind")
    (every,) = groups["all"]
    most = max(groups["published_year"], key=lambda row: (row["energy_mwh_mean"], row["group_value"]))
    about = (
        f"The {every['run_count']:,} whole training runs that this dataset can estimate used "
        f"{_energy(every)} together (90 % interval: {_span(every, 'energy_mwh')}); "
        f"guesses make up {parts.percent(every['guessed_share_fraction'])} of the mean."
    )
    left_out = sum(every[f"left_out_{kind}_count"] for kind in ("part", "bound", "shared"))
    text = [
        "Energies of runs are medians, which do not add up. These sums come from "
        f"{every['draw_count']:,} draws of all runs, in which runs that share an error share it. "
        "Runs that nobody lists are missing, and so are experiments, failed runs and the use of the models.",
        f"Of the {len(data.runs):,} runs of the first page, the {every['run_count']:,} whole ones count: "
        f"{left_out:,} parts, families, bounds and second rows of a training are left out.",
        _not_over(data),
        f"Most energy by year of publication: {most['group_value']}, with {_energy(most)} "
        f"({_span(most, 'energy_mwh')}). By year of the run, each year differs, since runs are published "
        "after they end.",
    ]
    folds = [
        parts.Fold(
            heading=f"{heading}{' (a run of several domains counts in each)' if kind == 'domain' else ''}",
            table=_table(data, kind, heading, name, groups[kind]),
            anchor=kind.replace("_", "-"),
            is_open=kind == "published_year",
        )
        for kind, heading, name in KINDS
        if kind in groups
    ]
    first = parts.Section(
        heading="All runs",
        text=text,
        plots=[_by_year(data, groups["published_year"])],
        links=[parts.Link(text="What runs leave out", href="left-out.html")],
    )
    return parts.page(
        "totals.html", "Totals", about, [first, parts.Section(heading="By group", text=[ORDER], folds=folds)]
    )


def _not_over(data: Data) -> str:
    """Why the sums of the last years are not what they will be."""
    return (
        f"{data.released[:4]} is not over in this release of {data.released}, and runs become known months "
        "or years after they are published. The sums of the last years are too low, and will grow."
    )


def _is_over(data: Data, year: str) -> bool:
    return int(year) < int(data.released[:4])


def _by_year(data: Data, rows: Sequence[Row], growth: Row | None = None) -> charts.Chart:
    """The energy of each year, and a line for its growth if that is given."""
    shown = [row for row in rows if int(row["group_value"]) >= charts.SINCE]
    x, x_ticks = charts.year_axis([int(row["group_value"]) for row in shown])
    ends = [row[f"energy_mwh_{end}"] for row in shown for end in ("p05", "p95")]
    y, y_ticks = charts.log_axis(ends, quantities.energy)
    marks = [
        charts.Mark(
            x=x(int(row["group_value"])),
            y=None if _is_guess(row) else y(row["energy_mwh_p50"]),
            low=y(row["energy_mwh_p05"]),
            high=y(row["energy_mwh_p95"]),
            css="yes" if _is_over(data, row["group_value"]) else "no",
            label=_label(row),
        )
        for row in shown
    ]
    legend = [("yes", "a year"), ("no", "a year that is not over")]
    lines = []
    if growth is not None:
        first, last = _period(growth)
        logs = [math.log(row["energy_mwh_p50"]) for row in rows if first <= int(row["group_value"]) <= last]
        lines = [_fitted(growth, logs, x, y)]
        legend.append(("even", _grown(growth)))
    return charts.Chart(
        title="Energy of the runs published in each year",
        axis=f"All whole runs published in a year together, from {charts.SINCE} on, logarithmic; lines are "
        "90 % intervals. A sum that is a guess has no mark.",
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        marks=marks,
        lines=lines,
        legend=legend,
        css="large",
    )


def _period(growth: Row) -> list[int]:
    """The first and the last year of a growth."""
    return [*map(int, growth["period"].split(" to "))]


def _grown(growth: Row) -> str:
    return f"growth of {_number(growth['p50'])} times a year, {growth['period']}"


def _five_largest(data: Data, growth: Row) -> charts.Chart:
    """The runs whose sums grew by this factor, each with its interval, and a line for the growth."""
    first, last = _period(growth)
    whole = [run for run in parts.drawn([*data.runs.values()]) if _is_summed(run)]
    years = grouped([run | {"year": run["published_date"].year} for run in whole], "year")
    runs = [
        run
        for year in range(first, last + 1)
        for run in sorted(years[year], key=lambda run: (-run["energy_mwh"], run["run_id"]))[:LARGEST]
    ]
    (x, _), (y, _) = scales = parts.run_scales(runs)
    chart = parts.runs_chart("The five largest runs of each year", runs, scales)
    logs = [math.log(run["energy_mwh"]) for run in runs]
    return replace(
        chart,
        lines=[_fitted(growth, logs, x, y)],
        legend=[*chart.legend, ("even", f"{_grown(growth)}, of the sum of the five")],
    )


def _is_summed(run: Row) -> bool:
    """Whether sums count the run: a whole one, and each training once."""
    return run["covers"] == "one_run" and run["energy_shared_with"] is None


def _fitted(growth: Row, logs: Sequence[float], x: charts.Scale, y: charts.Scale) -> charts.Line:
    """A line with this growth over its years, through the mean of some logarithms of energies."""
    first, last = _period(growth)
    half = math.log(growth["p50"]) * (last - first) / 2
    start, end = (math.exp(sum(logs) / len(logs) + of) for of in (-half, half))
    return charts.Line(x1=x(first), y1=y(start), x2=x(last), y2=y(end), css="even")


def _label(row: Row) -> str:
    shown = ", ".join(part for part in (_energy(row), _span(row, "energy_mwh")) if part)
    return f"{row['group_value']}: {shown} ({quantities.counted(row['run_count'], 'run')})"


def _table(data: Data, kind: str, caption: str, name: str, rows: Sequence[Row]) -> parts.Table:
    def order(row: Row) -> tuple[float, str]:
        value = row["group_value"]
        return (-int(value) if kind.endswith("_year") else -row["energy_mwh_mean"], value)

    made = [
        (
            _group(data, kind, row["group_value"]),
            f"{row['run_count']:,}",
            parts.Text(text=_energy(row), small=_span(row, "energy_mwh")),
            parts.Text(text=_tonnes(row), small=_span(row, "co2e_lifecycle_t")),
            parts.percent(row["guessed_share_fraction"]),
            _largest(data, row),
        )
        for row in sorted(rows, key=order)
    ]
    ends = "90 % interval"
    headers = (name, "Runs", f"Energy, {ends}", f"Life-cycle CO2e, {ends}", "Guessed", "Largest run")
    table = f"{kind.replace('_', '-')}-rows"
    return parts.Table(caption=caption, headers=headers, rows=made, numeric={1, 2, 3, 4}, name=table)


def _largest(data: Data, row: Row) -> parts.Cited:
    """The largest run of a sum, with its share."""
    link = parts.of_run(data.runs[row["largest_run_id"]])
    return parts.Cited(source=link, locator=f"{parts.percent(row['largest_run_share_fraction'])} of the mean")


def _group(data: Data, kind: str, value: str) -> Any:
    if kind == "organisation":
        return parts.of_organisations(data, [value]) or value
    if kind == "country":
        return parts.of_country(data, value)
    if kind.endswith("_year"):
        return parts.Text(text=value, small="" if _is_over(data, value) else "not over")
    return parts.Badge(value) if kind == "solidity" else value


def _is_guess(row: Row, name: str = "energy_mwh") -> bool:
    return quantities.is_guess(row[f"{name}_p05"], row[f"{name}_p95"])


def _energy(row: Row) -> str:
    """The energy of a sum; empty for a guess."""
    return "" if _is_guess(row) else quantities.energy(row["energy_mwh_p50"])


def _tonnes(row: Row) -> str:
    """The life-cycle tonnes of a sum, which alone are of one kind; empty for a guess."""
    return "" if _is_guess(row, "co2e_lifecycle_t") else quantities.mass(row["co2e_lifecycle_t_p50"])


def _span(row: Row, name: str) -> str:
    show = quantities.energy_span if name == "energy_mwh" else quantities.mass_span
    return show(row[f"{name}_p05"], row[f"{name}_p95"])


def _trends(data: Data) -> parts.Page:
    rows = data.table("trends")
    grown = {(row["measure"], row["run_set"], row["quantity"]): row for row in rows}
    largest = grown["growth", "five_largest_runs", "energy_mwh"]
    doubling = grown["doubling_time", "five_largest_runs", "energy_mwh"]
    years = grouped(data.table("totals"), "group_kind")["published_year"]
    about = (
        f"The energy of the five largest runs of a year grew {_number(largest['p50'])} times a year "
        f"from {largest['period']} (90 % interval: {_ends(largest)}). Doubling time: {_months(doubling)}."
    )
    sections = [
        parts.Section(
            heading="How fast the sums grow",
            text=[
                "Growth is the slope of a line through the logarithms of the yearly sums. Its interval has "
                "two parts: the errors of the estimates, which runs share, and the scatter of the years "
                "about the line.",
                "More runs become known each year, so sums of all runs grow with what is known. The five "
                "largest runs of a year depend on that least.",
                "The runs of this page are the whole ones of the page Totals that were published in "
                f"{largest['period']}. {_not_over(data)}",
            ],
            plots=[
                _five_largest(data, largest),
                _by_year(data, years, grown["growth", "all_runs", "energy_mwh"]),
            ],
            table=_growth(grown),
        ),
        parts.Section(
            heading="How solid the sums are",
            text=[
                "Share of measured, disclosed, inferred and guessed runs in the energy of each year. A year "
                "in which no run is of a kind has no mark for it."
            ],
            plots=[_shares(data, rows)],
            table=_share_table(rows),
            anchor="shares",
        ),
    ]
    return parts.page("trends.html", "Growth", about, sections)


def _growth(grown: dict[tuple[str, str, str], Row]) -> parts.Table:
    made = []
    for quantity, words in (("energy_mwh", "energy"), ("co2e_lifecycle_t", "CO2e, life-cycle")):
        for run_set, name in SETS.items():
            row, doubling = grown["growth", run_set, quantity], grown["doubling_time", run_set, quantity]
            made.append(
                (
                    f"{words}, {name}",
                    f"{row['run_count']:,}",
                    parts.Text(text=f"{_number(row['p50'])} times a year", small=_ends(row)),
                    _months(doubling),
                )
            )
    headers = ("Sum of a year", "Runs", "Growth, 90 % interval", "Doubling time, 90 % interval")
    return parts.Table(caption="Growth of yearly sums", headers=headers, rows=made, numeric={1, 2, 3})


def _shares(data: Data, rows: Sequence[Row]) -> charts.Chart:
    found = grouped([row for row in rows if _is_share(row)], "run_set")
    named = [
        (
            name,
            name,
            [
                (int(row["period"]), 100 * row["p50"])
                for row in found.get(name, [])
                if row["run_count"] and _is_over(data, row["period"])
            ],
        )
        for name in SOLIDITY
    ]
    return charts.series(
        "How solid the energy of each year is",
        "Percent of the energy of the runs published in a year that is over; medians.",
        named,
        lambda percent: f"{percent:.0f} %",
    )


def _share_table(rows: Sequence[Row]) -> parts.Table:
    years = grouped([row for row in rows if _is_share(row)], "period")
    made = []
    for year in sorted(years, reverse=True):
        by_set = {row["run_set"]: row for row in years[year]}
        made.append((year, *(_percents(by_set[name]) for name in SOLIDITY)))
    headers = ("Published", *SOLIDITY)
    caption = "Shares of the energy of each year"
    return parts.Table(caption=caption, headers=headers, rows=made, numeric={1, 2, 3, 4})


def _is_share(row: Row) -> bool:
    return bool(row["measure"] == "share" and row["quantity"] == "energy_mwh")


def _percents(row: Row) -> parts.Text:
    if not row["run_count"]:
        return parts.Text(text="no run")
    ends = f"{parts.percent(row['p05'])} to {parts.percent(row['p95'])}"
    return parts.Text(text=parts.percent(row["p50"]), small=ends)


def _number(value: float) -> str:
    return quantities.significant(value, 2)


def _ends(row: Row) -> str:
    return f"{_number(row['p05'])} to {_number(row['p95'])}"


def _months(row: Row) -> str:
    """A doubling time with its interval; it has no upper end where the sum may not grow."""
    ends = [row[end] for end in ("p05", "p50", "p95")]
    low, middle, high = (None if end is None else _number(12 * end) for end in ends)
    if low is None or middle is None:
        return "not known to grow"
    return f"{middle} months ({low} to {high})" if high else f"{middle} months (at least {low})"
