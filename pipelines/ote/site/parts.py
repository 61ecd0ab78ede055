"""What pages are made of: links, tables, sections, and a run as every list shows it.

Belongs here: turning rows into cells with digits and units that fit. Does not belong here: which rows a page
shows (pages.py, subjects.py, evidence.py), or HTML (templates/).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from ote import catalog
from ote.answers import quantities
from ote.answers.words import COVERS
from ote.site import charts
from ote.site.data import SOLIDITY, Data, Row, identifier
from ote.site.data import split as split

UNIT = re.compile(
    r"(?<=\d) (?=(?:[µmkMGT]?Wh|[kM]?t|[µmk]?g|h|W|%|kg/kWh|m³|[µm]?L|(?:m|b|tr)illion"
    r"|(?:micro|milli)?seconds?|minutes?)(?!\w))"
)
LEAST_MWH = 1e-6  # the lower end of charts: 1 Wh
CROWD = 60  # runs; a chart of more shows intervals of inferred ones when pointed at, as static/site.js
LAST = "limits (at most, at least) and guesses come last."
FACTORS = {  # name, unit, and the column that says what a basis means
    "energy_mwh": ("energy", "MWh", "energy_basis"),
    "chip_hours": ("accelerator-hours", "h", "chip_hours_basis"),
    "watts_per_chip": ("power per accelerator", "W", "watts_basis"),
    "pue": ("PUE", "", "pue_basis"),
    "gross_kg_per_kwh": ("grid intensity, gross", "kg/kWh", "gross_basis"),
    "net_kg_per_kwh": ("grid intensity, net", "kg/kWh", "net_basis"),
}
QUANTITIES = {
    "energy_mwh": "energy, MWh",
    "co2e_t": "CO2e, t",
    "co2e_gross_t": "Gross CO2e, t",
    "co2e_net_t": "Net CO2e, t",
    "chip_hours": "accelerator-hours, h",
    "watts_per_chip": "power per accelerator, W",
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """A word that leads to another page of the site, or outside."""

    text: str
    href: str
    is_outside: bool = False


@dataclass(frozen=True)
class Links:
    """Several links in one cell."""

    links: tuple[Link | str, ...]


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text with a smaller one under it."""

    text: str
    small: str = ""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share, with a bar of its length."""

    text: str
    fraction: float


@dataclass(frozen=True, kw_only=True)
class Cited:
    """A source, with the place in it.

    is_thin: the second text is for phones alone, where the columns that say the same are hidden.
    """

    source: Link | str | None
    locator: str
    is_thin: bool = False


@dataclass(frozen=True)
class Badge:
    """How solid a number is."""

    solidity: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run as every list shows it: text alone; energy and tonnes are empty for a guess."""

    id: str
    model: str
    organisations: str
    who: str
    year: str
    hardware: str
    energy: str
    energy_span: str
    tonnes: str
    tonnes_span: str
    solidity: str
    covers: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    numeric: which columns are set to the right, by their place.
    is_sortable: readers can sort it by a column.
    order: the column by whose numbers the rows are in order at first, by its place from 1; negative if the
        largest is first, 0 if none.
    wide: which columns a phone hides, by their place; without any, a phone shows each cell with its header.
    is_cut: whether a phone shows the first rows alone, until it is asked for more.
    """

    caption: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    numeric: Collection[int] = ()
    name: str = ""
    is_sortable: bool = False
    order: int = 0
    wide: Collection[int] = ()
    is_cut: bool = True

    @property
    def is_stacked(self) -> bool:
        """Whether a phone shows the cells of a row under each other, so that none is hidden."""
        return not self.wide

    @property
    def is_searchable(self) -> bool:
        """Whether it is so long that readers get a search field."""
        return bool(self.name) and len(self.rows) > 20


@dataclass(frozen=True, kw_only=True)
class Fold:
    """A table under a heading that opens it; without JavaScript too."""

    heading: str
    table: Table
    anchor: str = ""
    is_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page under a heading.

    search: the id of the folds as a whole, if readers can search all of them at once.
    """

    heading: str
    text: Sequence[str] = ()
    plots: Sequence[charts.Chart] = ()
    table: Table | None = None
    folds: Sequence[Fold] = ()
    search: str = ""
    runs: Sequence[Listed] = ()
    links: Sequence[Link] = ()
    code: str = ""
    html: Markup = field(default_factory=Markup)
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: its file in the site, its template and what goes into it."""

    path: str
    template: str
    title: str
    about: str
    context: dict[str, Any]


def page(
    path: str,
    title: str,
    about: str,
    sections: Sequence[Section | None],
    facts: Sequence[Any] = (),
    links: Sequence[Link] = (),
) -> Page:
    """A page of a lead, facts, links and sections; a section that has nothing to show is None."""
    shown = [section for section in sections if section]
    context = {"lead": about, "sections": shown, "facts": facts, "links": links}
    return Page(path=path, template="page.html", title=title, about=about, context=context)


def energy(run: Row) -> str:
    """The energy of a run; empty where only the interval may be shown."""
    return "" if run["is_guess"] else whole(quantities.energy(run["energy_mwh"]))


def tonnes(run: Row, name: str = "co2e_lifecycle_t") -> str:
    """The tonnes of a run; empty where they are not known, or only the interval may be shown."""
    return "" if run["is_guess"] or run[name] is None else whole(quantities.mass(run[name]))


def span(run: Row, name: str) -> str:
    """The 90 % interval of a quantity of a run; empty where it is not known."""
    low, high = run[f"{name}_p05"], run[f"{name}_p95"]
    if low is None or high is None:
        return ""
    return whole(
        quantities.energy_span(low, high) if name == "energy_mwh" else quantities.mass_span(low, high)
    )


@lru_cache(maxsize=2**16)
def whole(text: str) -> str:
    """A text whose numbers are never parted from their units at the end of a line."""
    return UNIT.sub("\N{NO-BREAK SPACE}", text)


def listed(runs: Sequence[Row]) -> list[Listed]:
    """Runs as lists show them; each is made once, though many pages list it."""
    for run in runs:
        if "listed" not in run:
            run["listed"] = _listed(run)
    return [run["listed"] for run in runs]


def _listed(run: Row) -> Listed:
    year = str(run["published_date"].year) if run["published_date"] else ""
    limit = COVERS[run["covers"]][1].removesuffix("about")
    is_limit = bool(limit) and not run["is_guess"]  # "at most 10" over "5 to 20" would contradict itself
    who = ", ".join(run["organisations"][:2]) + (" and others" if len(run["organisations"]) > 2 else "")
    return Listed(
        id=identifier(run["run_id"]),
        model=run["model"],
        organisations=who,
        who=", ".join(part for part in (who, year) if part),
        year=year,
        hardware=run["hardware_name"] or "",
        energy=energy(run) and limit + energy(run),
        energy_span="" if is_limit else span(run, "energy_mwh"),
        tonnes=tonnes(run) and limit + tonnes(run),
        tonnes_span="" if is_limit else span(run, "co2e_lifecycle_t"),
        solidity=run["solidity"],
        covers="" if run["covers"] == "one_run" else words("covers", run["covers"]),
    )


def of_organisations(data: Data, names: Sequence[str]) -> Links | None:
    """Links to organisations."""
    known = [Link(text=n, href=f"organisation/{data.slugs[n]}.html") for n in names if n in data.slugs]
    return Links(tuple(known)) if known else None


def address(run_id: str) -> str:
    """The page of a run."""
    return f"run/{identifier(run_id)}.html"


def of_run(run: Row) -> Link:
    """A link to a run."""
    return Link(text=run["model"], href=address(run["run_id"]))


def of_hardware(data: Data, hardware_id: str | None) -> Link | None:
    """A link to an accelerator."""
    if hardware_id is None or hardware_id not in data.hardware:
        return None
    return Link(text=data.hardware[hardware_id]["name"], href=f"hardware/{identifier(hardware_id)}.html")


def of_country(data: Data, code: str) -> Link | str:
    """A link to a country where its grid is known, else its name."""
    name = data.countries.get(code, code)
    return Link(text=name, href=f"location/{identifier(code)}.html") if code in data.grids else name


def of_region(data: Data, region: str) -> Link | str:
    """A link to a cloud region."""
    return Link(text=region, href=f"location/{identifier(region)}.html") if region in data.regions else region


def of_source(data: Data, source_id: str | None) -> Link | None:
    """A link to a source."""
    if source_id is None or source_id not in data.sources:
        return None
    return Link(
        text=data.sources[source_id]["title"] or source_id, href=f"source/{identifier(source_id)}.html"
    )


def outside(url: str | None, text: str = "") -> Link | str | None:
    """A link out of the site, if it is one of the web; else the text itself."""
    if url and urlsplit(url).scheme in ("http", "https"):
        return Link(text=text or url, href=url, is_outside=True)
    return url


def words(column: str, value: str | None) -> str:
    """A value of a column in words."""
    if value is None:
        return ""
    known = catalog.column(column).values
    return catalog.label(column, value) if value in known else value.replace("_", " ")


def meaning(column: str, value: str | None) -> str:
    """What a value of a column means, in a sentence."""
    known = catalog.column(column).values
    return known[value].means if value in known else ""


def quantity(name: str) -> str:
    """A quantity in words, with its unit."""
    return QUANTITIES.get(name, words("quantity", name))


def percent(fraction: float | None) -> str:
    """A fraction as a percentage."""
    return "" if fraction is None else whole(f"{100 * fraction:.0f} %")


def times(factor: float) -> str:
    """An uncertainty factor: the ends of the 90 % interval over and under the value."""
    return (
        f"\N{MULTIPLICATION SIGN}/÷\N{NO-BREAK SPACE}{factor:.2f}"
        if factor < 1.995
        else f"\N{MULTIPLICATION SIGN}/÷\N{NO-BREAK SPACE}{quantities.significant(factor, 2)}"
    )


def runs_chart(
    title: str,
    runs: Sequence[Row],
    scales: tuple[Any, Any],
    name: str = "",
    rest: Sequence[Row] = (),
    named: Collection[str] = (),
) -> charts.Chart:
    """Energies of runs over time with their intervals; of a guess the interval alone.

    Args:
        title: what is shown.
        runs: the runs that are links.
        scales: as run_scales gives them.
        name: the id of the chart.
        rest: further runs, drawn without interval and link.
        named: ids of runs that a ring and a name point out.
    """
    (x, x_ticks), (y, y_ticks) = scales
    present = {run["solidity"] for run in (*runs, *rest)}
    below = sum(is_below(run) for run in runs)
    legend = [(s, s) for s in SOLIDITY if s in present]
    if below:
        legend.append(("below", f"below 1 Wh ({quantities.counted(below, 'run')}); intervals are cut there"))
    if rest:
        legend.append(("faint", f"{len(rest):,} smaller runs, without intervals until you search or filter"))
    points = [
        (x(charts.day(run["published_date"])), y(run["energy_mwh"]))
        for run in (*runs, *rest)
        if not run["is_guess"]
    ]
    names = [
        charts.Name(
            x=x(charts.day(run["published_date"])),
            y=y(run["energy_mwh"]),
            text=run["model"],
            run_id=run["run_id"],
            label=run_mark(run, x, y).label,
            href=address(run["run_id"]),
        )
        for run in (*runs, *rest)
        if run["run_id"] in named and not run["is_guess"]
    ]
    return charts.Chart(
        title=title,
        axis="Energy, logarithmic, by day of publication; lines are 90 % intervals"
        f"{' (of inferred runs when you point at one)' if len(runs) > CROWD else ''}.",
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        marks=[run_mark(run, x, y) for run in sorted(runs, key=_covered)],
        rest=charts.paths(run_mark(run, x, y) for run in rest),
        names=charts.placed(names, points),
        legend=legend,
        css="large crowd" if len(runs) > CROWD else "large",
        name=name,
    )


def _covered(run: Row) -> tuple[int, date]:
    """The least solid first, since a mark covers those before it."""
    return -SOLIDITY.index(run["solidity"]), run["published_date"]


def is_below(run: Row) -> bool:
    """Whether a run is below the axis of charts, which begins at 1 Wh."""
    return bool(run["energy_mwh_p95" if run["is_guess"] else "energy_mwh"] < LEAST_MWH)


def run_mark(run: Row, x: charts.Scale, y: charts.Scale) -> charts.Mark:
    """A run of a chart; one below its axis stands under it."""
    (known,) = listed([run])
    shown = ", ".join(part for part in (known.covers, known.energy, known.energy_span) if part)
    value = None if run["is_guess"] else y(run["energy_mwh"])
    return charts.Mark(
        x=x(charts.day(run["published_date"])),
        y=charts.UNDER if is_below(run) else value,
        low=y(run["energy_mwh_p05"]),
        high=y(run["energy_mwh_p95"]),
        css=run["solidity"],
        label=f"{run['model']}: {shown} ({run['solidity']})",
        href=address(known.id),
    )


def drawn(runs: Sequence[Row]) -> list[Row]:
    """The runs that a chart over time can show."""
    return [run for run in runs if run["published_date"]]


def run_scales(runs: Sequence[Row]) -> tuple[Any, Any]:
    """The two axes for energies of runs over time."""
    ends = [run[f"energy_mwh_{end}"] for run in runs for end in ("p05", "p95")]
    return charts.year_axis([charts.day(run["published_date"]) for run in runs]), charts.log_axis(
        [max(end, LEAST_MWH) for end in ends], quantities.energy
    )
