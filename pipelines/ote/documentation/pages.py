"""Pages that repeat what is said elsewhere: figures of the release, words, help of commands.

Belongs here: taking these texts from where they are said, and putting them into pages. Does not belong here:
a meaning, a figure or a help text itself.
"""

import csv
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import typer
import typer.main

from ote import catalog, checkout
from ote.answers import quantities
from ote.answers.search import PUBLISHED
from ote.documentation import functions
from ote.ingestion import baseline
from ote.releases import metadata

WRITTEN = "<!-- Written by `make docs`. Change {source} instead. -->\n\n"
GUIDE = "[Use the data](docs/use-the-data.md)"
EXAMPLE = "gpt-3-175b"
FACTORS = {
    "chip_hours": "chip_hours_basis",
    "watts_per_chip": "watts_basis",
    "pue": "pue_basis",
    "gross_kg_per_kwh": "gross_basis",
    "net_kg_per_kwh": "net_basis",
}
HOURS = (
    ("published for the run", PUBLISHED),
    ("estimated by a third party: confident", ("third_party_confident",)),
    ("estimated by a third party: likely or speculative", ("third_party_likely", "third_party_speculative")),
    ("computed from the run's floating-point operations (FLOP)", ("flop_over_throughput",)),
    ("computed from FLOP, with an unknown accelerator", ("flop_by_developer", "flop_by_era")),
    ("unknown, but the energy is published", (None,)),
)
TYPICAL = """
select count(*), median(sqrt(energy_mwh_p95 / energy_mwh_p05))
from emissions
where list_contains($bases, coalesce(chip_hours_basis, 'energy'))
"""
TOTALS = """
select count(*), count(*) filter (covers = 'one_run'),
    count(*) filter (energy_mwh_p95 > $guess * energy_mwh_p05),
    (select count(*) from models_without_estimate)
from emissions
"""
HELD_OUT = """
select n_observations, median_error_ratio, median_error_fraction, coverage_fraction
from accuracy
where estimator = 'ote' and held_out_scope = 'developer' and quantity = $quantity and held_out = $held_out
"""
BOARD = """
select quantity, held_out, held_out_scope, n_observations, source_count, median_error_ratio,
    median_error_fraction, mean_error_fraction, max_error_fraction, coverage_fraction
from accuracy
where estimator = 'ote'
"""
MEASURED = {
    "watts_per_chip": "power",
    "energy_mwh": "energy",
    "co2e_gross_t": "tonnes",
    "chip_hours": "chip-hours",
    "net_kg_per_kwh": "net intensity",
}
LEVELS = (
    *("class_power", "hardware_power", "power", "net_kg_per_kwh"),
    *("pue", "chip_hours", "hardware", "location"),
)
RULES = """
select interval_rule, scored, scored_group, n_observations, changed_count, coverage_before_fraction,
    coverage_after_fraction, mean_interval_score_before, mean_interval_score_after
from support.interval_scores
order by interval_rule desc, scored, scored_group
"""
SHARES = """
select gross_basis, before_run_count, before_share_fraction, after_run_count, after_share_fraction
from support.location_shares
order by after_share_fraction desc, gross_basis
"""
RULE_NAMES = {"upper_bound": "upper bound of the hours", "pue_above_1": "PUE - 1 is lognormal"}
SCORED = {"accuracy": "held-out", "agreement": "published", "pue": "PUE by"}
SCORED_GROUPS = MEASURED | {"co2e_t": "tonnes"}
MANY = 20  # values of a test whose coverage says something
RESULT = """
select e.model, e.energy_mwh, e.energy_mwh_p05, e.energy_mwh_p95, e.co2e_gross_t, e.co2e_gross_t_p05,
    e.co2e_gross_t_p95, r.source_title, r.source_url, r.source_locator
from emissions as e inner join training_runs as r on e.run_id = r.run_id
where e.run_id = $run_id
"""


def pages(root: Path, connection: duckdb.DuckDBPyConnection) -> dict[Path, str]:
    """Every file that `make docs` writes, with its text.

    Args:
        root: the checkout; pages with marks are read.
        connection: the published database.

    Raises:
        ValueError: a page lacks the marks of a part, or the catalog names a public address that is none.
    """
    parted = {
        root / "README.md": readme_parts(connection),
        root / "docs" / "method" / "accuracy.md": {
            "board": _board(connection),
            "rules": _rules(connection),
        },
        root / "docs" / "method" / "grid.md": {"shares": _shares(connection)},
    }
    return {
        **{page: filled(page.read_text(encoding="utf-8"), parts) for page, parts in parted.items()},
        root / "CITATION.cff": _citation(),
        root / "pyproject.toml": _package((root / "pyproject.toml").read_text(encoding="utf-8")),
        root / ".zenodo.json": metadata.text_of(metadata.deposit()),
        root / "docs" / "commands.md": commands(),
        root / "docs" / "glossary.md": glossary(),
        root / "docs" / "python.md": WRITTEN.format(source="the docstrings in pipelines/ote/api.py")
        + functions.page(),
    }


def filled(text: str, parts: Mapping[str, str]) -> str:
    """A page with its parts put between their marks, `<!-- begin NAME ... -->` and `<!-- end NAME -->`.

    Raises:
        ValueError: the marks of a part are not there once.
    """
    for name, part in parts.items():
        pattern = rf"(<!-- begin {name}\b[^>]*-->\n).*?(<!-- end {name} -->)"
        text, found = re.subn(pattern, lambda marks, part=part: marks[1] + part + marks[2], text, flags=re.S)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"expected the marks of the part {name!r} once, found {found}")
    return text


def readme_parts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The parts of the README that hold figures of the release, or its address."""
    return {"size": _size(connection), "result": _result(connection), "data": _data(catalog.public_url())}


def _citation() -> str:
    """CITATION.cff of the repository: of the next release, as the catalog and the accepted rows have it."""
    files = baseline.files(catalog.ROOT / checkout.BASELINE)
    newest = max(file.retrieved_at[:10] for of_source in files.values() for file in of_source.values())
    return metadata.citation(catalog.dataset().version, newest, catalog.public_url())


def _package(text: str) -> str:
    """pyproject.toml with the version of the next release: the package has that of the dataset."""
    return re.sub(r'(?m)^version = ".*"$', f'version = "{catalog.dataset().version}"', text, count=1)


def _data(url: str) -> str:
    """Where the data are: built, and at the public address if there is one."""
    built = "The build writes all tables as CSV, Parquet and DuckDB files."
    if not url:
        return f"**1. Get the data.** {built} There is no public download address yet. {GUIDE}\n"
    return (
        f"**1. Get the data.** {built} They can also be downloaded: the estimates from "
        f"<{url}/latest/csv/emissions.csv>, a whole release with `.venv/bin/ote release get`. "
        f"The pages are at <{url}/site/index.html>. {GUIDE}\n"
    )


def _size(connection: duckdb.DuckDBPyConnection) -> str:
    ((runs, whole, guesses, without),) = connection.execute(
        TOTALS, {"guess": quantities.GUESS_RATIO}
    ).fetchall()
    lines = [
        f"The dataset has estimates for **{quantities.counted(runs, 'training run')}**. Of these, {whole:,} "
        "are whole runs; other rows are parts of a run, several runs together, bounds or hypothetical. For "
        f"{without:,} more models, too little is published for an estimate.",
        "",
        "An estimate is most certain if the accelerator-hours (GPUs or TPUs x hours) are published:",
        "",
        "| accelerator-hours | runs | typical 90 % interval of the energy (estimate = 1) |",
        "|---|---:|---|",
        *_hours(connection),
        "",
        f"For {guesses:,} of these runs, the upper end of the interval is more than {quantities.GUESS_RATIO} "
        "times the lower end. Commands show only the interval of such *guesses*.",
        "",
        f"**Accuracy:** {_accuracy(connection)}",
    ]
    return "\n".join(lines) + "\n"


def _hours(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for words, bases in HOURS:
        listed = [basis or "energy" for basis in bases]
        ((runs, width),) = connection.execute(TYPICAL, {"bases": listed}).fetchall()
        high = quantities.significant(width, 2)
        yield f"| {words} | {runs:,} | {1 / width:.2f} to {high} |"


def _accuracy(connection: duckdb.DuckDBPyConnection) -> str:
    """How far estimates are from facts that were removed with all else from the same developer or source."""

    def row(quantity: str, held_out: str) -> tuple[int, float, float, float]:
        given = {"quantity": quantity, "held_out": held_out}
        (found,) = connection.execute(HELD_OUT, given).fetchall()
        return found

    hours, ratio, _, hours_inside = row("chip_hours", "chip_hours")
    draws, _, error, power_inside = row("watts_per_chip", "power")
    return (
        "we hid known values, with all data from the same developer or source, and compared estimates with "
        "them. "
        f"Accelerator-hours from FLOP ({hours} runs): half of the estimates are within a factor of "
        f"{ratio:.2f} of the known value; {100 * hours_inside:.0f} % of the 90 % intervals contain it. "
        f"Power ({draws} measurements): half are within {100 * error:.0f} %; {100 * power_inside:.0f} % of "
        "the intervals contain it."
    )


def _result(connection: duckdb.DuckDBPyConnection) -> str:
    (row,) = connection.execute(RESULT, {"run_id": EXAMPLE}).fetchall()
    model, title, url, locator = row[0], *row[7:]
    energy, mass = quantities.energy_span(*row[2:4]), quantities.mass_span(*row[5:7])
    return (
        f"We estimate that training {model} used **{quantities.energy(row[1])}** of electricity (90 % "
        f"interval: {energy}) and emitted **{quantities.mass(row[4])} of CO2e** (gross, {mass}).\n"
        f"Source: [{title}]({url}), {locator}. "
        "The interval includes rounding and metering errors, not such assumptions.\n"
    )


def _board(connection: duckdb.DuckDBPyConnection) -> str:
    """Every test of the method, and the range of the coverage of those with many values."""
    tests = connection.execute(BOARD).fetchall()
    tests.sort(key=lambda row: (row[2] == "developer", [*MEASURED].index(row[0]), LEVELS.index(row[1])))
    inside = [row[-1] for row in tests if row[3] >= MANY]
    lines = [
        "| quantity | held out | also left out | n | sources | median error | mean error | largest error | "
        "inside the 90 % interval |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for quantity, held_out, scope, n, sources, ratio, *fractions, covered in tests:
        percents = (f"{100 * fraction:,.0f} %" for fraction in fractions)
        errors = (f"factor {ratio:.2f}", "", "") if quantity == "chip_hours" else percents
        cells = (MEASURED[quantity], held_out, scope, n, sources, *errors, f"{100 * covered:.0f} %")
        lines.append(f"| {' | '.join(map(str, cells))} |".replace("|  |", "| |").replace("|  |", "| |"))
    lines += [
        "",
        "The 90 % intervals should contain 90 % of the known values. In the tests with "
        f"{MANY} or more values, they contain {100 * min(inside):.0f} to {100 * max(inside):.0f} %.",
    ]
    return "\n".join(lines) + "\n"


def _rules(connection: duckdb.DuckDBPyConnection) -> str:
    """Coverage and interval score before and after each rule of the intervals."""
    lines = [
        "| rule | compared with | n | changed | inside the 90 % interval, before | after | "
        "interval score, before | after |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rule, scored, group, n, changed, *numbers in connection.execute(RULES).fetchall():
        compared = f"{SCORED[scored]} {SCORED_GROUPS.get(group, f'`{group}`')}"
        inside = (f"{100 * fraction:.0f} %" for fraction in numbers[:2])
        scores = (f"{score:.3f}" for score in numbers[2:])
        cells = (RULE_NAMES[rule], compared, n, changed, *inside, *scores)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _shares(connection: duckdb.DuckDBPyConnection) -> str:
    """Runs and energy on each basis of the location, with and without the bases of operators."""
    lines = [
        "| basis | runs without the operator | energy | runs with the operator | energy |",
        "|---|---|---|---|---|",
    ]
    for basis, runs, share, runs_after, share_after in connection.execute(SHARES).fetchall():
        lines.append(f"| `{basis}` | {runs:,} | {share:.1%} | {runs_after:,} | {share_after:.1%} |")
    return "\n".join(lines).replace("%", " %") + "\n"


def glossary() -> str:
    """docs/glossary.md: the words of the catalog, then the bases of every factor."""
    lines = [
        "# Glossary",
        "",
        "This page defines the words of the dataset. `ote explain WORD` prints the same.",
        "",
        "| word | meaning |",
        "|---|---|",
    ]
    words = sorted(catalog.words().items(), key=lambda item: item[0].lower())
    for name, word in words:
        also = f" (also: {', '.join(word.also)})" if word.also else ""
        lines.append(f"| **{_cell(name)}**{_cell(also)} | {_cell(word.means)} |")
    lines += [
        "",
        "## Bases",
        "",
        "The fallback order of each factor: the first basis that the known facts allow is used.",
    ]
    for factor, column in FACTORS.items():
        words_of = catalog.column(column).values
        lines += ["", f"### {factor} (column `{column}`)", "", "| basis | meaning |", "|---|---|"]
        lines += [f"| `{basis}` | {_cell(words_of[basis].means)} |" for basis in _bases(factor)]
    return WRITTEN.format(source="`words:` and `columns:` of catalog.yaml") + "\n".join(lines) + "\n"


def _bases(factor: str) -> Iterator[str]:
    """The bases of a factor, best first."""
    bases = catalog.ROOT / "warehouse" / "reference" / "method_bases.csv"
    with bases.open(encoding="utf-8", newline="") as file:
        mine = [row for row in csv.DictReader(file) if row["factor"] == factor and row["fallback_rank"]]
    yield from (row["basis"] for row in sorted(mine, key=lambda row: int(row["fallback_rank"])))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def commands() -> str:
    """docs/commands.md: the help of every command that is listed."""
    from ote.cli import app

    root = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "This page lists every command. Run one as `.venv/bin/ote COMMAND`. `--help` prints the same.",
        "Exit codes: 0 for success, 1 for a failed build or release, 2 for input that cannot be used.",
    ]
    lines += _command(root, typer.Context(root, info_name="ote"))
    return WRITTEN.format(source="the commands in pipelines/ote/cli/") + "\n".join(lines).rstrip() + "\n"


def _command(command: Any, context: typer.Context) -> Iterator[str]:
    """The section of a command, then those of the commands below it."""
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if not below.hidden:
                yield from _command(below, typer.Context(below, info_name=name, parent=context))
        return
    yield from ("", f"## {context.command_path}", "", *_paragraphs(command.help or ""), "")
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    yield from ("```text", usage, "```", "")
    records = [record for parameter in command.get_params(context) if (record := _record(parameter, context))]
    yield from ("| option or argument | meaning |", "|---|---|")
    yield from (f"| `{_cell(name)}` | {_cell(text)} |" for name, text in records)


def _paragraphs(text: str) -> list[str]:
    """A help text with the lines of each paragraph joined; the example is code."""
    blocks = [" ".join(block.split()) for block in inspect.cleandoc(text).split("\n\n")]
    return "\n\n".join(blocks).splitlines()


def _record(parameter: Any, context: typer.Context) -> tuple[str, str] | None:
    """Name and meaning of an option or argument, without the folder of this checkout."""
    found = parameter.get_help_record(context)
    if found is None or "--help" in parameter.opts:
        return None
    name, text = found
    text = re.sub(r"default: \(([^()]*)\)", r"default: \1", text)  # a default that is given as text
    return name, text.replace(f"{catalog.ROOT}/", "").replace(str(catalog.ROOT), ".")
