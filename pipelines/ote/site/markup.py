"""HTML of what pages have by the thousand: cells, tables, rows of runs and marks of charts.

Belongs here: the fast half of the templates (a tenth of the time of macros). All text goes through `escape`.
Links are written from the top folder, as in templates/.
"""

import html
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from ote.site import charts, parts

BELOW = "M-5-5h10l-5 8z"  # a triangle that points down, as in static/site.js
FEW, FEW_STACKED = (
    25,
    10,
)  # rows that a phone shows of a table before it is asked for more, as in static/style.css
REST = '\n<details class="rest-of-rows"><summary>Show {} more</summary></details>'
RUN_HEADERS = (
    '<th scope="col">Model</th><th scope="col" class="wide">Organisation</th>'
    '<th scope="col" class="wide">Published</th><th scope="col" class="wide">Accelerator</th>'
    '<th scope="col" class="n">Energy<small>90\N{NO-BREAK SPACE}% interval</small></th>'
    '<th scope="col" class="n">CO2e, life-cycle<small>90\N{NO-BREAK SPACE}% interval</small></th>'
    '<th scope="col" class="wide">Solidity</th>'
)


@lru_cache(maxsize=2**16)  # most texts are on many pages
def escape(text: str) -> str:
    """A text as HTML, with its numbers next to their units."""
    return html.escape(parts.whole(text))


def badge(solidity: str) -> Markup:
    """How solid a number is."""
    return Markup(f'<span class="solid {escape(solidity)}">{escape(solidity)}</span>')


def cell(value: Any) -> Markup:
    """What a cell holds: text, a link, several, a badge, or nothing that is known."""
    return Markup(_cell(value))


def table(of: parts.Table, is_cut: bool = True) -> Markup:
    """A table that scrolls sideways where it is too wide, or whose cells are stacked there.

    is_cut: whether a phone shows its first rows alone, until it is asked for more.
    """
    heads, kinds = _columns(tuple(of.headers), frozenset(of.numeric), frozenset(of.wide), of.is_stacked)
    row = '<tr role="row">' if of.is_stacked else "<tr>"
    lines = [
        f'{row}<th scope="row"{kinds[0]}>{_cell(first)}</th>'
        + "".join(f"<td{kind}>{_cell(value)}</td>" for kind, value in zip(kinds[1:], others, strict=True))
        + "</tr>"
        for first, *others in of.rows
    ]
    name = f' id="{escape(of.name)}"' if of.name else ""
    kind = ' class="stacked" role="table"' if of.is_stacked else ""
    sortable = f' data-sortable="{of.order or ""}"' if of.is_sortable else ""
    few = (FEW_STACKED if of.is_stacked else FEW) if is_cut and of.is_cut else len(lines)
    return _scrolled(of.caption, f"<table{name}{kind}{sortable}>", heads, lines, few)


@lru_cache
def _columns(
    headers: tuple[str, ...], numeric: Set[int], wide: Set[int], is_stacked: bool
) -> tuple[str, list[str]]:
    """The headers of a table, and the attributes of the cells of each column."""
    kinds = [
        f' class="{" ".join(names)}"' if names else ""
        for place in range(len(headers))
        for names in [["n"] * (place in numeric) + ["wide"] * (place in wide)]
    ]
    heads = (f'<th scope="col"{kind}>{escape(h)}</th>' for kind, h in zip(kinds, headers, strict=True))
    if is_stacked:  # the roles keep a table a table where its cells are blocks
        kinds = [f'{kind} role="cell" data-of="{escape(h)}"' for kind, h in zip(kinds, headers, strict=True)]
        kinds[0] = ' role="rowheader"'
    return "".join(heads), kinds


def runs(of: Sequence[parts.Listed], caption: str, name: str = "") -> Markup:
    """A table of runs."""
    tag = f'<table class="runs" id="{escape(name)}">' if name else '<table class="runs">'
    return _scrolled(caption, tag, RUN_HEADERS, [*map(run_row, of)], FEW)


@lru_cache(maxsize=8192)
def run_row(run: parts.Listed) -> str:
    """A run in a table of runs."""
    known = {name: escape(text) for name, text in vars(run).items()}
    known["covers"] = known["covers"] and f'<small class="covers">{known["covers"]}</small>'
    return (
        '<tr><th scope="row"><a href="~/run/{id}.html">{model}</a>{covers}<small class="thin">{who} <span '
        'class="solid {solidity}">{solidity}</span></small></th>'
        '<td class="wide">{organisations}</td><td class="wide">{year}</td><td class="wide">{hardware}</td>'
        '<td class="n">{energy}<small>{energy_span}</small></td><td '
        'class="n">{tonnes}<small>{tonnes_span}</small></td>'
        '<td class="wide"><span class="solid {solidity}">{solidity}</span></td></tr>'
    ).format(**known)


def marks(of: Iterable[charts.Mark]) -> Markup:
    """The marks of a chart; what leads to a page is a link."""
    return Markup("\n".join(map(_mark, of)))


def _scrolled(caption: str, tag: str, heads: str, lines: Sequence[str], few: int) -> Markup:
    named, body = escape(caption), "\n".join(lines)
    return Markup(
        '<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{named}">\n{tag}<caption>{named}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
        f"{REST.format(f'{len(lines) - few:,}') if len(lines) > few else ''}"
    )


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    if value is None:
        return '<span class="none">unknown</span>'
    if isinstance(value, parts.Link):
        if value.is_outside:
            return f'<a href="{escape(value.href)}" rel="noreferrer">{escape(value.text)}</a>'
        return f'<a href="~/{escape(value.href)}">{escape(value.text)}</a>'
    if isinstance(value, parts.Links):
        *first, last = map(_cell, value.links)  # a comma never begins a line
        return " ".join([*(f'<span class="item">{link},</span>' for link in first), last])
    if isinstance(value, parts.Badge):
        return badge(value.solidity)
    if isinstance(value, parts.Text):
        return escape(value.text) + (f"<small>{escape(value.small)}</small>" if value.small else "")
    if isinstance(value, parts.Share):
        part = f'<rect class="part" width="{100 * value.fraction:.1f}%" height="100%"/>'
        bar = f'<rect width="100%" height="100%"/>{part}'
        return f'{escape(value.text)}<svg class="share" aria-hidden="true">{bar}</svg>'
    if isinstance(value, parts.Cited):
        kind = ' class="thin"' if value.is_thin else ""
        return _cell(value.source) + (
            f"<small{kind}>{escape(value.locator)}</small>" if value.locator else ""
        )
    raise TypeError(f"{type(value).__name__} cannot be the content of a cell")


def _mark(of: charts.Mark) -> str:
    inside = f"<title>{escape(of.label)}</title>"
    if of.low is not None:
        inside += f'<line x1="{of.x}%" x2="{of.x}%" y1="{of.low}%" y2="{of.high}%"/>'
    if of.y is not None and of.y > charts.BOTTOM:
        inside += f'<svg x="{of.x}%" y="{of.y}%" aria-hidden="true"><path d="{BELOW}"/></svg>'
    elif of.y is not None and of.css == "measured":  # as in the legend
        inside += f'<rect x="{of.x}%" y="{of.y}%" width="8" height="8"/>'
    elif of.y is not None:
        inside += f'<circle cx="{of.x}%" cy="{of.y}%" r="4"/>'
    if of.href:
        return f'<a href="~/{escape(of.href)}" class="{escape(of.css)}">{inside}</a>'
    return f'<g class="{escape(of.css)}">{inside}</g>'
