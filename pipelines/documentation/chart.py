"""The chart of the README: energy of training runs over time, as a static SVG.

Belongs here: which runs are drawn, and how. Does not belong here: any number that is not in the release.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from math import log10

import duckdb

from pipelines.answers import quantities

FIRST_YEAR = 2012
WIDTH, HEIGHT = 720, 776
LEFT, RIGHT, TOP, BOTTOM = 96, 700, 170, 670  # of the plotting area
LOW, HIGH = -6, 7  # powers of ten of MWh: 1 Wh to 10 TWh
TICKS = (-6, -3, 0, 3, 6)
RUNS = """
select run_id, model, published_date, chip_hours_basis, energy_mwh, energy_mwh_p05, energy_mwh_p95
from emissions
where covers = 'one_run' and published_date is not null
order by published_date, run_id
"""
# Named in the chart: run_id, how far the name stands from the point (right, down), where its text begins.
NAMED = (
    ("bert-large", "BERT", -12, -10, "end"),
    ("gpt-3-175b", "GPT-3", -10, -12, "end"),
    ("bloom-176b", "BLOOM", 10, -24, "end"),
    ("llama-3.1-405b", "Llama 3.1 405B", -12, -12, "end"),
)


@dataclass(frozen=True)
class Kind:
    """A way in which hours are known: its class in the chart, its words, its bases."""

    css: str
    words: str
    bases: tuple[str | None, ...]


KINDS = (
    Kind(
        "flop",
        "computed from floating-point operations (FLOP)",
        ("flop_over_throughput", "flop_by_developer", "flop_by_era"),
    ),
    Kind(
        "third",
        "estimated by a third party",
        ("third_party_confident", "third_party_likely", "third_party_speculative"),
    ),
    Kind("known", "published (hours, or the energy itself)", ("disclosed", "chips_x_hours", None)),
)
STYLE = """
.paper{fill:#fff;stroke:#d0d7de}.grid{stroke:#e4e7eb}text{font:21px system-ui,sans-serif;fill:#1b1f24}
.title{font-weight:600;font-size:24px}.small{font-size:19px;fill:#57606a}
path,circle{fill:none}path{stroke-linecap:round}.span{stroke-width:1.5;opacity:.3}.span.third{opacity:.7}.dot{stroke-width:6;opacity:.8}
.ring{stroke:#1b1f24;stroke-width:2.5}
.known{stroke:#0969da}.third{stroke:#bc4c00}.flop{stroke:#8c959f}
.name{font-size:20px;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:4px}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117;stroke:#30363d}.grid{stroke:#262c34}text{fill:#e6edf3}
.small{fill:#9198a1}.known{stroke:#58a6ff}.third{stroke:#f0883e}.flop{stroke:#7d8590}.name{stroke:#0d1117}.ring{stroke:#e6edf3}}
"""


@dataclass(frozen=True)
class Run:
    """A run of the chart; energies in MWh, with the ends of the 90 % interval."""

    run_id: str
    model: str
    published: date
    basis: str | None
    energy: float
    low: float
    high: float

    @property
    def is_guess(self) -> bool:
        """Whether only the interval may be shown."""
        return quantities.is_guess(self.low, self.high)


def svg(connection: duckdb.DuckDBPyConnection) -> str:
    """The chart, from the table `emissions`.

    Raises:
        KeyError: a run that the chart names is not in the table, or has a basis that no kind holds.
    """
    every = [Run(*row) for row in connection.execute(RUNS).fetchall()]
    runs = [run for run in every if run.published.year >= FIRST_YEAR]
    last_year = max(run.published.year for run in runs) + 1
    guesses = sum(run.is_guess for run in runs)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title about">',
        '<title id="title">Energy of training runs over time</title>',
        f'<desc id="about">{len(runs):,} whole training runs published since {FIRST_YEAR}, on a logarithmic '
        f"scale from 1 Wh to 10 TWh, with 90 % intervals. Of {guesses:,} guesses only the interval is drawn. "
        "A value outside the scale is drawn at its edge.</desc>",
        f"<style>{STYLE.strip()}</style>",
        f'<rect class="paper" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        '<text class="title" x="20" y="36">Electricity of one training run</text>',
        *_legend(runs),
        *_axes(last_year),
        *(line for kind in KINDS for line in _marks(kind, runs, last_year)),
        *_names(runs, last_year),
        f'<text class="small" x="20" y="{HEIGHT - 40}">{len(runs):,} runs by date of publication. '
        "Lines: 90 % intervals,</text>",
        f'<text class="small" x="20" y="{HEIGHT - 14}">without a dot if the ends are more than a factor of '
        f"{quantities.GUESS_RATIO} apart.</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _legend(runs: list[Run]) -> Iterator[str]:
    yield '<text class="small" x="20" y="66">How the accelerator-hours are known:</text>'
    for row, kind in enumerate(reversed(KINDS)):
        y = 96 + 28 * row
        yield f'<path class="span {kind.css}" d="M28 {y - 17}V{y + 3}"/>'
        if any(_kind(run) is kind and not run.is_guess for run in runs):
            yield f'<path class="dot {kind.css}" d="M28 {y - 7}h0"/>'
        yield f'<text x="44" y="{y}">{escape(kind.words)}</text>'


def _axes(last_year: int) -> Iterator[str]:
    for power in TICKS:
        y = _y(10.0**power)
        label = quantities.energy(10.0**power).replace(".00", "")
        yield f'<path class="grid" d="M{LEFT} {y}H{RIGHT}"/>'
        yield f'<text x="{LEFT - 10}" y="{y + 7}" text-anchor="end">{label}</text>'
    for year in range(FIRST_YEAR, last_year, 3):
        x = _x(date(year, 1, 1), last_year)
        yield f'<path class="grid" d="M{x} {TOP}V{BOTTOM + 8}"/>'
        yield f'<text x="{x}" y="{BOTTOM + 30}" text-anchor="middle">{year}</text>'


def _marks(kind: Kind, runs: list[Run], last_year: int) -> Iterator[str]:
    """Intervals of a kind as one path, and its points as another: small, and drawn in one go."""
    mine = [run for run in runs if _kind(run) is kind]
    spans = "".join(f"M{_x(run.published, last_year)} {_y(run.low)}V{_y(run.high)}" for run in mine)
    dots = "".join(f"M{_x(run.published, last_year)} {_y(run.energy)}h0" for run in mine if not run.is_guess)
    yield f'<path class="span {kind.css}" d="{spans}"/>'
    yield f'<path class="dot {kind.css}" d="{dots}"/>'


def _kind(run: Run) -> Kind:
    for kind in KINDS:
        if run.basis in kind.bases:
            return kind
    raise KeyError(f"{run.run_id}: the chart has no colour for chip_hours_basis {run.basis!r}")


def _names(runs: list[Run], last_year: int) -> Iterator[str]:
    known = {run.run_id: run for run in runs}
    for run_id, name, right, down, anchor in NAMED:
        x, y = _x(known[run_id].published, last_year), _y(known[run_id].energy)
        place = f'x="{x + right}" y="{y + down}" text-anchor="{anchor}"'
        yield f'<circle class="ring" cx="{x}" cy="{y}" r="6"/>'
        yield f'<text class="name" {place}>{escape(name)}</text>'


def _x(day: date, last_year: int) -> int:
    years = (day - date(FIRST_YEAR, 1, 1)).days / 365.25
    return round(LEFT + (RIGHT - LEFT) * years / (last_year - FIRST_YEAR))


def _y(mwh: float) -> int:
    """Where an energy stands; beyond the scale, at its end."""
    share = (log10(mwh) - LOW) / (HIGH - LOW)
    return round(BOTTOM - (BOTTOM - TOP) * min(max(share, 0), 1))
