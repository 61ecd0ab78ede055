"""Charts as data: where each mark stands in percent of the plot, so that text keeps its size on every screen.

Belongs here: scales and marks. Does not belong here: SVG (templates/macros.html), or which rows are drawn.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ote.answers import quantities

TOP, BOTTOM = 4.0, 92.0  # percent of the height that the plot takes; below are the labels of the axis
LEFT, RIGHT = 9.0, 95.0  # the label of the last year fits in on a phone
SINCE = 2012  # first year of charts of many runs
UNDER = 94.0  # where a mark stands that is below the axis
LETTER, LINE = 2.35, 4.5  # width of a letter and height of a line on a phone, in percent of a large chart
Scale = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A line of the grid with its label."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point; y is None where only the interval may be shown, low and high are None where there is none."""

    x: float
    y: float | None = None
    low: float | None = None
    high: float | None = None
    css: str = ""
    label: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A straight part of a line."""

    x1: float
    y1: float
    x2: float
    y2: float
    css: str = ""


@dataclass(frozen=True, kw_only=True)
class Name:
    """The name of a run: a ring around its mark, and a line from there to the right end of the text."""

    x: float
    y: float
    text: str
    run_id: str
    label: str = ""
    href: str = ""
    text_x: float = 0.0
    text_y: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart with its title, what its axis shows, and a legend of css class and words.

    rest: marks by css class that are drawn as one path each, a tenth of the size of marks with a label.
    """

    title: str
    axis: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    marks: Sequence[Mark]
    lines: Sequence[Line] = ()
    legend: Sequence[tuple[str, str]] = ()
    names: Sequence[Name] = ()
    rest: Mapping[str, str] = field(default_factory=dict)
    css: str = ""
    name: str = ""

    @property
    def has_links(self) -> bool:
        """Whether a mark leads to a page."""
        return any(mark.href for mark in self.marks)


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """A scale from values to percent; values beyond its ends stand at the ends."""
    span = (high - low) or 1.0
    return lambda value: round(start + (end - start) * min(max((value - low) / span, 0.0), 1.0), 2)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """A scale from positive values to percent, by powers of ten."""
    scale = linear(math.log10(low), math.log10(high), start, end)
    return lambda value: scale(math.log10(max(value, low)))


def decades(values: Iterable[float]) -> tuple[float, float]:
    """The powers of ten around positive values."""
    known = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def tight(values: Sequence[float], label: Callable[[float], str]) -> tuple[Scale, list[Tick]]:
    """A logarithmic scale that ends at the values themselves, with ticks at each 1, 3, 10, 30."""
    low, high = min(values), max(values)
    scale = logarithmic(low / 1.1, high * 1.1, BOTTOM, TOP)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    at = [by * 10.0**power for power in powers for by in (1, 3) if low <= by * 10.0**power <= high]
    return scale, [Tick(at=scale(value), label=_round(label(value))) for value in at]


def log_axis(
    values: Iterable[float],
    label: Callable[[float], str],
    ends: tuple[float, float] = (BOTTOM, TOP),
    most: int = 7,
) -> tuple[Scale, list[Tick]]:
    """A logarithmic scale over values, with at most so many ticks."""
    low, high = decades(values)
    scale = logarithmic(low, high, *ends)
    powers = range(round(math.log10(low)), round(math.log10(high)) + 1)
    step = math.ceil(len(powers) / most)
    return scale, [Tick(at=scale(10.0**power), label=_round(label(10.0**power))) for power in powers[::step]]


def year_axis(years: Iterable[float]) -> tuple[Scale, list[Tick]]:
    """A scale over the years, with at most eight ticks."""
    known = sorted(years)
    low, high = math.floor(known[0]), max(math.ceil(known[-1]), math.floor(known[0]) + 1)
    step = math.ceil((high - low + 1) / 8)
    scale = linear(low, high, LEFT, RIGHT)
    return scale, [Tick(at=scale(year), label=str(year)) for year in range(low, high + 1, step)]


def zero_axis(
    values: Iterable[float], label: Callable[[float], str], base: float = 0.0
) -> tuple[Scale, list[Tick]]:
    """A scale from zero, or from another least value, with about five ticks at round numbers."""
    most = max([*(value - base for value in values), 1e-9])
    step = 10.0 ** math.floor(math.log10(most / 2))
    step *= next(by for by in (1, 2, 5, 10) if most / (step * by) <= 5)
    count = math.ceil(most / step - 1e-9)
    scale = linear(base, base + step * count, BOTTOM, TOP)
    ticks = [base + step * n for n in range(count + 1)]
    return scale, [Tick(at=scale(value), label=_round(label(value))) for value in ticks]


def span_axis(values: Iterable[float], label: Callable[[float], str]) -> tuple[Scale, list[Tick]]:
    """A scale over the span of values, with about five ticks at round numbers."""
    known = list(values)
    low, high = min(known), max(known)
    step = 10.0 ** math.floor(math.log10((high - low) or 1.0))
    step *= next(by for by in (0.1, 0.2, 0.5, 1, 2) if (high - low) / (step * by) <= 5)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    scale = linear(first * step, last * step, BOTTOM, TOP)
    return scale, [Tick(at=scale(step * n), label=_round(label(step * n))) for n in range(first, last + 1)]


def _round(label: str) -> str:
    """A label without zeros at the end of its fraction, such as 1 MWh for 1.00 MWh."""
    return re.sub(r"(\.\d*?)0+(?!\d)", r"\1", label).replace(". ", " ").removesuffix(".")


def day(of: date) -> float:
    """A day as a year with its fraction."""
    return of.year + (of.timetuple().tm_yday - 1) / 365.25


def paths(marks: Iterable[Mark]) -> dict[str, str]:
    """Marks as one path for each css class, in thousandths of the plot: a point, or an interval alone."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        part = f"M{10 * mark.x:.0f} "
        if mark.y is not None:
            part += f"{10 * mark.y:.0f}h0"
        elif mark.low is not None and mark.high is not None:
            part += f"{10 * mark.high:.0f}V{10 * mark.low:.0f}"
        found.setdefault(mark.css, []).append(part)
    return {css: "".join(parts) for css, parts in sorted(found.items())}


def placed(names: Sequence[Name], points: Sequence[tuple[float, float]]) -> list[Name]:
    """Names with a position for each text: the nearest one to its mark, up and left, that covers nothing.

    Args:
        names: the names, with the position of their marks.
        points: the position of every mark.
    """
    found: list[Name] = []
    taken: list[tuple[float, float]] = [*points]
    for name in sorted(names, key=lambda name: name.x):
        x, y = _free(name, taken)
        found.append(replace(name, text_x=x, text_y=y))
        width = round(len(name.text) * LETTER)
        taken += [(x - over, edge) for over in range(0, width + 1, 2) for edge in (y, y - LINE)]
    return found


def _free(name: Name, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The right end of the base line of a text that covers none of the positions; else its mark."""
    width = len(name.text) * LETTER
    near = [(x, y) for x, y in taken if x <= name.x + 1]
    ends = [
        (name.x - left, name.y - up)
        for left in range(3, 60, 3)
        for up in range(0, 60, 3)
        if name.x - left - width > 2 * LEFT and name.y - up - LINE > TOP
    ]
    ends.sort(key=lambda end: (name.x - end[0]) ** 2 + (name.y - end[1]) ** 2)
    for x, y in ends:
        if not any(x - width - 1 < px < x + 1 and y - LINE - 1 < py < y + 1 for px, py in near):
            return round(x, 2), round(y, 2)
    return name.x, name.y


def line(points: Sequence[tuple[float, float]], css: str) -> list[Line]:
    """The parts of a line through points in percent."""
    return [Line(x1=a[0], y1=a[1], x2=b[0], y2=b[1], css=css) for a, b in itertools.pairwise(points)]


def yearly_line(points: Sequence[tuple[float, float]], x: Scale, y: Scale, css: str) -> list[Line]:
    """The parts of a line through values of years; no line is drawn over a year without a value."""
    pairs = [pair for pair in itertools.pairwise(points) if pair[1][0] - pair[0][0] <= 1]
    return [part for pair in pairs for part in line([(x(year), y(value)) for year, value in pair], css)]


def series(
    title: str,
    axis: str,
    named: Sequence[tuple[str, str, Sequence[tuple[float, float]]]],
    label: Callable[[float], str] = quantities.significant,
    *,
    is_log: bool = False,
    is_joined: bool = True,
    base: float = 0.0,
) -> Chart:
    """Values over years, as a line or as points for each name: css class, name, (year, value).

    Args:
        title: what is shown.
        axis: the unit, and what a point is.
        named: the values, in the order of the years.
        label: a value in words.
        is_log: whether the axis is logarithmic.
        is_joined: whether points of consecutive years are joined.
        base: where an axis begins that is not logarithmic.
    """
    known = [one for one in named if one[2]]
    years = [year for _, _, points in known for year, _ in points]
    values = [value for _, _, points in known for _, value in points]
    x, x_ticks = year_axis(years)
    y, y_ticks = tight(values, label) if is_log else zero_axis(values, label, base)
    marks, lines = [], []
    for css, name, points in known:
        lines += yearly_line(points, x, y, css) if is_joined else []
        words = f"{name}, " if len(known) > 1 else ""
        marks += [
            Mark(x=x(year), y=y(value), css=css, label=f"{words}{math.floor(year)}: {label(value)}")
            for year, value in points
        ]
    return Chart(
        title=title,
        axis=axis,
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        marks=marks,
        lines=lines,
        legend=[(css, name) for css, name, _ in known] if len(known) > 1 else [],
        css="series",
    )
