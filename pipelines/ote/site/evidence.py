"""The pages on accuracy, disclosure, the paper, quality, models without an estimate, and the download.

Belongs here: which rows these pages show, in which words. Does not belong here: queries or HTML.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ote import catalog
from ote.answers import quantities
from ote.releases import reading, release, release_files
from ote.site import charts, guides, pages, parts
from ote.site.data import Data, Row, grouped, identifier

KINDS = (
    ("hours", "accelerator-hours"),
    ("power", "measured power"),
    ("location", "location"),
    ("pue", "PUE"),
)
COLOURS = ("one", "two", "three", "four")  # of lines that do not show how solid a number is
CALIBRATED = (  # quantity, what was held out, heading, unit
    ("chip_hours", "chip_hours", "Accelerator-hours", "h"),
    ("energy_mwh", "chip_hours", "Energy", "MWh"),
    ("watts_per_chip", "power", "Power per accelerator", "W"),
)
OWN = "ote"  # the estimator that is this dataset


def all_pages(data: Data) -> Iterator[parts.Page]:
    """All of them."""
    yield _accuracy(data)
    yield _disclosure(data)
    yield _paper(data)
    yield _quality(data)
    yield _without(data)
    yield _download(data)


def _accuracy(data: Data) -> parts.Page:
    truths = [
        row
        for row in data.table("accuracy_runs")
        if row["estimator"] == OWN and row["held_out_scope"] == "developer"
    ]
    scores = data.table("accuracy")
    plots = [chart for kind in CALIBRATED if (chart := _calibration(truths, *kind))]
    about = _how_accurate(scores)
    sections = [
        parts.Section(
            heading="Estimates against held-out values",
            text=[
                "Each point is a published value that was hidden from the estimate, with every other run of "
                "its developer. A perfect estimate is on the line. Nine of ten intervals should cross it."
            ],
            plots=plots,
        ),
        parts.Section(heading="Errors", text=[ERRORS], table=_errors(scores), anchor="errors"),
        parts.Section(
            heading="Other calculators", text=[RIVALS], table=_rivals(scores), anchor="calculators"
        ),
        _narrow(data),
    ]
    return parts.page("accuracy.html", "Accuracy", about, sections, [*_median_errors(scores)])


ANSWERED = {  # quantity and what was held out of it
    ("chip_hours", "chip_hours"): "accelerator-hours from FLOP",
    ("energy_mwh", "chip_hours"): "energy",
    ("co2e_gross_t", "chip_hours"): "gross CO2e",
    ("watts_per_chip", "power"): "power",
}


def _how_accurate(scores: Sequence[Row]) -> str:
    """The answer: the test, how far estimates are from the truth, and how often intervals hold it."""
    own = [row for row in scores if row["estimator"] == OWN]
    test = ("chip_hours", "chip_hours", "developer")
    (hours,) = (row for row in own if (row["quantity"], row["held_out"], row["held_out_scope"]) == test)
    least, most = (pick(own, key=lambda row: row["coverage_fraction"]) for pick in (min, max))
    inside = round(least["coverage_fraction"] * least["n_observations"])
    return (
        "Each test hides a published value from the estimate, with every other run of the same developer. "
        f"Half of the estimates of accelerator-hours from FLOP are within a factor of "
        f"{hours['median_error_ratio']:.2f} of the published value ({hours['n_observations']} values). "
        f"The 90 % intervals contain the published value in {100 * least['coverage_fraction']:.0f} to "
        f"{parts.percent(most['coverage_fraction'])} of the cases, depending on the quantity and on the "
        f"hidden fact. The lowest share is {inside} of {least['n_observations']} values."
    )


def _median_errors(scores: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The median error of each quantity in the same test."""
    for row in scores:
        name = ANSWERED.get((row["quantity"], row["held_out"]))
        if name and row["estimator"] == OWN and row["held_out_scope"] == "developer":
            shown = f"{parts.times(row['median_error_ratio'])} ({row['n_observations']} values)"
            yield f"median error, {name}", shown


ERRORS = (
    "A fact that is held out is hidden from the estimate. Half of the estimates are within the median error "
    "of the published value."
)
TITLE = re.compile(r"\A# .*\n")
RIVALS = (
    "The same runs, with the measured power hidden from the estimate. Only the run itself is hidden: other "
    "runs of its developer stay. This is easier than the test at the top of this page. A calculator that is "
    "metered reads the power while the run takes place, so it knows more than an estimate can."
)


def _calibration(
    rows: Sequence[Row], quantity: str, held_out: str, name: str, unit: str
) -> charts.Chart | None:
    found = [row for row in rows if row["quantity"] == quantity and row["held_out"] == held_out]
    if not found:
        return None

    def show(value: float) -> str:
        return quantities.energy(value) if unit == "MWh" else f"{quantities.count(value)} {unit}"

    values = [
        row[column] for row in found for column in ("truth_value", "estimate", "p05", "p95") if row[column]
    ]
    x, x_ticks = charts.log_axis(values, show, (charts.LEFT, charts.RIGHT), 4)
    y, y_ticks = charts.log_axis(values, show)
    low, high = charts.decades(values)
    marks = [
        charts.Mark(
            x=x(row["truth_value"]),
            y=y(row["estimate"]),
            low=y(row["p05"]) if row["p05"] else None,
            high=y(row["p95"]) if row["p95"] else None,
            css="yes" if row["inside_interval"] else "no",
            label=(
                f"{row['truth_id']}: published {show(row['truth_value'])}, estimated {show(row['estimate'])}"
            ),
        )
        for row in found
    ]
    return charts.Chart(
        title=f"{name}: estimated against published",
        axis=f"Across: published. Up: estimated, with the 90 % interval ({len(found)} values).",
        x_ticks=x_ticks[1:],
        y_ticks=y_ticks,
        marks=marks,
        lines=[charts.Line(x1=x(low), y1=y(low), x2=x(high), y2=y(high), css="even")],
        legend=[("yes", "interval holds the published value"), ("no", "interval misses it")],
        css="square",
    )


def _errors(scores: Sequence[Row]) -> parts.Table:
    rows = [
        (
            parts.quantity(row["quantity"]),
            parts.meaning("held_out", row["held_out"]),
            parts.meaning("held_out_scope", row["held_out_scope"]),
            str(row["n_observations"]),
            f"\N{MULTIPLICATION SIGN}/÷ {row['median_error_ratio']:.2f}",
            parts.percent(row["coverage_fraction"]),
        )
        for row in scores
        if row["estimator"] == OWN
    ]
    headers = ("Quantity", "Held out", "Left out", "Values", "Median error", "In the 90 % interval")
    return parts.Table(
        caption="Errors of estimates",
        headers=headers,
        rows=rows,
        numeric={3, 4, 5},
        name="error-rows",
        is_sortable=True,
    )


def _rivals(scores: Sequence[Row]) -> parts.Table:
    found = [row for row in scores if row["held_out"] == "power" and row["held_out_scope"] == "run"]
    rows = [
        (
            parts.words("estimator", row["estimator"]),
            parts.quantity(row["quantity"]),
            str(row["n_observations"]),
            f"\N{MULTIPLICATION SIGN}/÷ {row['median_error_ratio']:.2f}",
            f"{100 * row['bias_fraction']:+.0f} %",
        )
        for row in sorted(found, key=lambda row: (row["quantity"], row["median_error_ratio"]))
    ]
    headers = ("Estimator", "Quantity", "Values", "Median error", "Mean error, signed")
    return parts.Table(
        caption="Estimators compared", headers=headers, rows=rows, numeric={2, 3, 4}, is_sortable=True
    )


def _narrow(data: Data) -> parts.Section:
    rows = [
        (
            parts.FACTORS[row["factor"]][0],
            f"{row['runs']:,}",
            parts.times(row["width_now"]),
            parts.times(row["width_known"]),
        )
        for row in data.query("narrow")
    ]
    headers = (
        "Least known factor",
        "Runs",
        "Typical interval of gross CO2e now",
        "If this factor were published",
    )
    return parts.Section(
        heading="What would narrow the dataset most",
        text=["Runs by the factor that adds most to the uncertainty of their gross CO2e."],
        table=parts.Table(caption="Least known factors", headers=headers, rows=rows, numeric={1, 2, 3}),
        anchor="narrow",
    )


def _disclosure(data: Data) -> parts.Page:
    runs = data.query("disclosed")
    years = {year: of for year, of in sorted(grouped(runs, "year").items(), key=lambda e: e[0] or 0) if year}
    shares = [
        (
            css,
            words,
            [
                (year, 100 * _count(of, kind) / len(of))
                for year, of in years.items()
                if charts.SINCE <= year < int(data.released[:4])
            ],
        )
        for css, (kind, words) in zip(COLOURS, KINDS, strict=True)
    ]
    chart = charts.series(
        "Runs whose developer published a fact",
        f"Percent of the runs published in a year that is over, from {charts.SINCE} on.",
        shares,
        lambda v: f"{v:.0f} %",
    )
    by_year = parts.Table(
        caption="Runs by year",
        headers=("Published", "Runs", *(words for _, words in KINDS)),
        rows=[
            (
                parts.Text(text=str(year), small="" if str(year) < data.released[:4] else "not over"),
                f"{len(of):,}",
                *_counts(of),
            )
            for year, of in reversed(years.items())
        ],
        numeric={1, 2, 3, 4, 5},
    )
    each = [run | {"organisation": name} for run in runs for name in parts.split(run["organisations"])]
    ranked = sorted(
        ((name, _facts(of), of) for name, of in grouped(each, "organisation").items()),
        key=lambda entry: (-entry[1], entry[0]),
    )
    sections = [
        parts.Section(
            heading="Who discloses most", text=[WHO], table=_by_organisation(data, ranked), anchor="who"
        ),
        parts.Section(heading="By year", plots=[chart], table=by_year, anchor="years"),
    ]
    return parts.page("disclosure.html", "Who discloses", " ".join(_who_most(ranked)), sections)


WHO = (
    "Four facts can be published of a run: its accelerator-hours, measured power, location and PUE. The "
    "share is the part of these facts that the organisation published, over all its models that the dataset "
    "knows, with or without an estimate. What a third party states does not count."
)
MANY_RUNS = 20  # of an organisation, so that its share means something
Disclosing = tuple[str, int, Sequence[Row]]  # an organisation, the facts that it published, its runs


def _who_most(ranked: Sequence[Disclosing]) -> Iterator[str]:
    """The answer: who published most facts, and who the largest share of them."""
    name, facts, of = ranked[0]
    yield f"{name} published most: {facts:,} facts on its {len(of):,} training runs ({_share(facts, of)})."
    many = [entry for entry in ranked if len(entry[2]) >= MANY_RUNS]
    if many:
        name, facts, of = max(many, key=lambda entry: entry[1] / len(entry[2]))
        yield (
            f"Of the {len(many)} organisations with {MANY_RUNS} or more runs, {name} published the largest "
            f"share: {_share(facts, of)} ({facts:,} facts on {len(of):,} runs)."
        )


def _facts(runs: Sequence[Row]) -> int:
    return sum(_count(runs, kind) for kind, _ in KINDS)


def _share(facts: int, of: Sequence[Row]) -> str:
    return parts.percent(facts / len(of) / len(KINDS))


def _count(runs: Sequence[Row], kind: str) -> int:
    return sum(run[kind] for run in runs)


def _counts(runs: Sequence[Row]) -> list[parts.Text]:
    return [
        parts.Text(text=parts.percent(n / len(runs)), small=quantities.counted(n, "run") if n else "")
        for n in (_count(runs, kind) for kind, _ in KINDS)
    ]


def _by_organisation(data: Data, ranked: Sequence[Disclosing]) -> parts.Table:
    rows = [
        (
            parts.of_organisations(data, [name]) or name,
            parts.Share(text=_share(facts, of), fraction=facts / len(of) / len(KINDS)),
            f"{facts:,}",
            f"{len(of):,}",
            *_counts(of),
        )
        for name, facts, of in ranked
        if facts
    ]
    headers = ("Organisation", "Share", "Facts", "Runs", *(words for _, words in KINDS))
    return parts.Table(
        caption="Organisations",
        headers=headers,
        rows=rows,
        numeric={1, 2, 3, 4, 5, 6, 7},
        name="disclosing",
        order=-3,
        is_sortable=True,
    )


def _paper(data: Data) -> parts.Page:
    claims = data.table("paper_claims")
    cases = grouped(data.table("paper_claim_evidence"), "claim_id")
    tables = grouped(data.table("paper_reproduction"), "paper_table")
    about = (
        "Patterson et al. 2021, Carbon Emissions and Large Neural Network Training: what it prints, what its "
        "own inputs give, and what data published since say."
    )
    verdicts = Counter(row["verdict"] for row in claims)
    printed = data.table("paper_reproduction")
    within = sum(row["is_within_rounding"] for row in printed)
    facts = [
        *(
            (parts.words("verdict", name), quantities.counted(verdicts[name], "claim"))
            for name in catalog.column("verdict").values
        ),
        ("printed numbers", f"{within} of {len(printed)} within rounding"),
    ]
    others = [name for name in tables if name not in IN_FULL]
    sections = [
        parts.Section(
            heading="Claims",
            text=[VERDICTS],
            table=_claims(claims),
            folds=[_cases(claim, cases[claim["claim_id"]]) for claim in claims if claim["claim_id"] in cases],
            anchor="claims",
        ),
        *(parts.Section(heading=name, table=_reproduced(data, name, tables[name])) for name in IN_FULL),
        parts.Section(
            heading="Other tables, figures and sections",
            folds=[
                parts.Fold(
                    heading=f"{name}: {quantities.counted(len(tables[name]), 'number')}",
                    table=_reproduced(data, name, tables[name]),
                )
                for name in others
            ],
        ),
    ]
    return parts.page("paper.html", "The 2021 paper, checked", about, sections, facts)


IN_FULL = ("Table 1", "Table 4")  # of the paper; the rest is folded
VERDICTS = (
    "Each claim of the abstract is asked again of what was published since. The later value is a mean over "
    "groups of cases with its 90 % interval. The verdict compares it with the weakest number that the paper "
    "claims: the lower end of a range, or the bound."
)


def _claims(claims: Sequence[Row]) -> parts.Table:
    rows = [
        (
            parts.Text(text=row["claim"], small=f"Later data: {row['computed_from']}"),
            _range(row, "paper"),
            parts.Text(text=_range(row, "reproduced"), small=row["reproduced_from"]),
            _later(row),
            parts.Text(text=parts.words("verdict", row["verdict"]), small=row["evidence"]),
        )
        for row in claims
    ]
    headers = ("Claim", "Printed", "From the paper's inputs", "Later data (90 %)", "Verdict")
    return parts.Table(caption="Claims", headers=headers, rows=rows, numeric={1, 3})


def _range(row: Row, of: str) -> str:
    ends = [row[f"{of}_low"], row[f"{of}_high"]]
    known = [f"{end:g}" if of == "paper" else quantities.significant(end) for end in ends if end is not None]
    if of == "paper" and ends[0] is None and known:
        return f"at most {known[0]}"
    return " to ".join(dict.fromkeys(known))


def _later(row: Row) -> str:
    if row["later_ratio"] is None:
        return ""
    value, low, high = (quantities.significant(row[f"later_ratio{end}"]) for end in ("", "_p05", "_p95"))
    return f"{value} ({low} to {high})"


def _cases(claim: Row, cases: Sequence[Row]) -> parts.Fold:
    rows = [
        (
            str(row["evidence_year"]),
            row["case_name"],
            row["compared_with"],
            quantities.significant(row["case_ratio"]),
            ""
            if row["case_ratio_p05"] is None
            else " to ".join(quantities.significant(row[f"case_ratio_{end}"]) for end in ("p05", "p95")),
            "yes" if row["is_counted"] else "no",
        )
        for row in sorted(
            cases, key=lambda row: (not row["is_counted"], row["evidence_year"], row["case_id"])
        )
    ]
    headers = ("Year", "Case", "Compared", "Ratio", "90 %", "Counted")
    name = f"cases-{claim['claim_id']}"
    table = parts.Table(caption=claim["claim"], headers=headers, rows=rows, numeric={3, 4}, name=name)
    return parts.Fold(heading=f"{quantities.counted(len(rows), 'case')}: {claim['claim']}", table=table)


def _reproduced(data: Data, name: str, rows: Sequence[Row]) -> parts.Table:
    made = [
        (
            _run(data, row["run_id"]) if row["run_id"] else row["system"],
            parts.Text(
                text=parts.quantity(row["quantity"]) if row["quantity"] else row["metric"].replace("_", " "),
                small=row["difference_reason"] or row["formula"],
            ),
            f"{row['printed_value']:g}",
            quantities.significant(row["computed_value"], 4),
            f"{100 * row['relative_difference']:+.2f} %",
            "yes" if row["is_within_rounding"] else "no",
        )
        for row in rows
    ]
    headers = ("System", "Number", "Printed", "Computed", "Difference", "Within rounding")
    return parts.Table(caption=name, headers=headers, rows=made, numeric={2, 3, 4})


def _quality(data: Data) -> parts.Page:
    points = grouped(data.table("energy_by_quality"), "benchmark")
    shown = sorted(points.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    about = "Energy of training against the score of the model in each benchmark."
    if shown:
        benchmark, rows = shown[0]
        about += (
            f" In {benchmark}, {sum(row['is_on_frontier'] for row in rows)} of {len(rows)} runs are on the "
            "frontier: no run with at least their score used less energy."
        )
    text = [
        "Each point is a whole training run with its best published score. A bar is the 90 % interval of the "
        "energy. Runs on the line are on the frontier: no run with at least their score used less energy. "
        "Scores with different numbers of examples are in one chart; the table capability_scores has them "
        "apart.",
        "Scores: Epoch AI, Data on AI Benchmarking, CC BY 4.0, from a public copy.",
    ]
    sections = [
        parts.Section(
            heading=benchmark,
            text=text if number == 0 else [],
            plots=[_frontier(data, benchmark, rows)],
            folds=[parts.Fold(heading="Runs on the frontier", table=_frontier_runs(data, benchmark, rows))],
        )
        for number, (benchmark, rows) in enumerate(shown)
        if len(rows) >= LEAST_POINTS
    ]
    return parts.page("quality.html", "Energy and benchmark scores", about, sections)


LEAST_POINTS = 10  # of a chart


def _frontier(data: Data, benchmark: str, rows: Sequence[Row]) -> charts.Chart:
    scale = max(1.0, *(row["score"] for row in rows))

    def energy(value: float) -> str:
        return quantities.energy(value)

    def quality(value: float) -> str:
        return quantities.significant(value) if scale > 1 else parts.percent(value)

    x, x_ticks = charts.log_axis(
        [row[f"energy_mwh_{end}"] for row in rows for end in ("p05", "p95")],
        energy,
        (charts.LEFT, charts.RIGHT),
        4,
    )
    y, y_ticks = charts.span_axis([row["score"] for row in rows], quality)
    on = sorted((row for row in rows if row["is_on_frontier"]), key=lambda row: row["energy_mwh"])
    bars = [
        charts.Line(
            x1=x(row["energy_mwh_p05"]),
            y1=y(row["score"]),
            x2=x(row["energy_mwh_p95"]),
            y2=y(row["score"]),
            css="span",
        )
        for row in rows
    ]
    marks = [
        charts.Mark(
            x=x(row["energy_mwh"]),
            y=y(row["score"]),
            css="yes" if row["is_on_frontier"] else "no",
            label=f"{_model(data, row)}: {quality(row['score'])}, {energy(row['energy_mwh'])}",
            href=parts.address(row["run_id"]),
        )
        for row in rows
    ]
    frontier = charts.line([(x(row["energy_mwh"]), y(row["score"])) for row in on], "yes")
    return charts.Chart(
        title=f"{benchmark}: energy against score",
        axis=f"Across: energy of training, with the 90 % interval. Up: score ({len(rows)} runs).",
        x_ticks=x_ticks[1:],
        y_ticks=y_ticks,
        marks=marks,
        lines=[*bars, *frontier],
        legend=[("yes", "on the frontier"), ("no", "not on it")],
    )


def _model(data: Data, row: Row) -> str:
    return str(data.runs[row["run_id"]]["model"])


def _frontier_runs(data: Data, benchmark: str, rows: Sequence[Row]) -> parts.Table:
    made = [
        (
            _run(data, row["run_id"]),
            str(row["published_date"] or ""),
            f"{row['score']:.3g}",
            quantities.energy(row["energy_mwh"]),
            quantities.energy_span(row["energy_mwh_p05"], row["energy_mwh_p95"]),
            "no" if row["is_clearly_beaten"] else "yes",
        )
        for row in sorted(rows, key=lambda row: row["energy_mwh"])
        if row["is_on_frontier"]
    ]
    headers = ("Run on the frontier", "Published", "Score", "Energy", "90 %", "Not clearly beaten")
    return parts.Table(caption=f"{benchmark}: frontier", headers=headers, rows=made, numeric={2, 3, 4})


def _run(data: Data, run_id: str) -> parts.Link | str:
    run = data.runs.get(run_id)
    if run is None:
        return run_id
    text = ", ".join(part for part in (run["model"], run["hardware_name"]) if part)
    return parts.Link(text=text, href=parts.address(run_id))


def _without(data: Data) -> parts.Page:
    rows = [
        (row["model"], row["reason"], parts.of_source(data, row["source_id"]))
        for row in data.table("models_without_estimate")
    ]
    table = parts.Table(
        caption="Models without an estimate",
        headers=("Model", "Reason", "Source"),
        rows=rows,
        name="models",
    )
    about = f"{len(rows):,} models that the dataset knows, and for which too little is published."
    section = parts.Section(heading="All models", table=table)
    return parts.page("without-estimate.html", "Models without an estimate", about, [section])


def file_address(version: str, name: str) -> str:
    """Where a file of a release is, seen from the folder of the site, which lies next to the releases."""
    return f"../{quote(version)}/{quote(name)}"


TAKE = (  # the three ways that most people take, with what is in each
    (
        "csv/emissions.csv",
        "One table: one row per run, with energy, CO2e and factors. Opens in a spreadsheet.",
    ),
    (release_files.DATABASE, "Every table with comments in one file, for DuckDB and SQL."),
)
KINDS_OF_FILES = (("csv/", "CSV, one file per table"), ("parquet/", "Parquet, one file per table"))


def _download(data: Data) -> parts.Page:
    version, sums = data.manifest["version"], reading.checksums(data.folder)
    known = [entry for entry in release.index(data.folder.parent) if entry["version"] != version]
    versions = [
        (version, data.released, "yes"),
        *((e["version"], e["date"], "no") for e in reversed(known)),
    ]
    changes = (data.folder / "CHANGES.md").read_text(encoding="utf-8") if "CHANGES.md" in sums else ""
    sections = [
        _take(data, version, sums),
        parts.Section(
            heading="How to cite", text=[pages.citation(data)], code=pages.bibtex(data), anchor="cite"
        ),
        parts.Section(
            heading="All files",
            text=[
                f"{pages.made_from(data)}. That file has the checksum of every other file.",
                "The tables emission_draws and what_if are Parquet only.",
            ],
            folds=_files(data, version, sums),
            anchor="files",
        ),
        parts.Section(
            heading="Versions",
            table=parts.Table(
                caption="Versions", headers=("Version", "Day", "On these pages"), rows=versions
            ),
        ),
        parts.Section(heading="Changes", html=guides.rendered(TITLE.sub("", changes), lambda href: href)),
        parts.Section(
            heading="Dictionary",
            text=["What each column means. The search opens the tables in which something is found."],
            folds=_dictionary(data),
            search="dictionary-rows",
            anchor="dictionary",
        ),
    ]
    about = f"Release {version}: take one table, one database or Parquet along, and cite it."
    return parts.page("download.html", "Download and cite", about, sections)


def _take(data: Data, version: str, sums: Mapping[str, str]) -> parts.Section:
    rows: list[tuple[Any, ...]] = [
        (*_file(data, version, name), means, sums[name]) for name, means in TAKE if name in sums
    ]
    parquet = [name for name in sums if name.startswith("parquet/")]
    size = _size(sum((data.folder / name).stat().st_size for name in parquet))
    link = parts.Link(
        text=f"Parquet: {quantities.counted(len(parquet), 'file')}", href="download.html#parquet"
    )
    means = "Every table as a file, for Polars, pandas, Spark and DuckDB."
    rows.append((link, size, means, parts.Link(text="of each file", href="download.html#parquet")))
    return parts.Section(
        heading="Files",
        table=parts.Table(
            caption="Three ways",
            headers=("File", "Size", "What it is", "SHA-256"),
            rows=rows,
            numeric={1},
        ),
        anchor="take",
    )


def _files(data: Data, version: str, sums: Mapping[str, str]) -> list[parts.Fold]:
    """Every file with its checksum, folded by kind."""
    groups: dict[str, list[str]] = {start: [] for start in (*dict(KINDS_OF_FILES), "")}
    for name in sorted(sums, key=lambda name: Path(name).name.split(".")[0] != "emissions"):
        groups[next((start for start, _ in KINDS_OF_FILES if name.startswith(start)), "")].append(name)
    return [
        parts.Fold(
            heading=f"{heading} ({quantities.counted(len(groups[start]), 'file')})",
            table=parts.Table(
                caption=heading,
                headers=("File", "Size", "What it is", "SHA-256"),
                rows=[(*_file(data, version, name), _meaning(name), sums[name]) for name in groups[start]],
                numeric={1},
                name=f"file-rows-{start.strip('/') or 'others'}",
            ),
            anchor=start.strip("/") or "others",
        )
        for start, heading in (*KINDS_OF_FILES, ("", "Database, metadata and documents"))
        if groups[start]
    ]


def _meaning(name: str) -> str:
    """What a row of the table in a file is; of another file, nothing."""
    table = catalog.tables().get(f"out.{Path(name).name.split('.')[0]}")
    return table.description.split(". ")[0].rstrip(".") + "." if table and "/" in name else ""


def _file(data: Data, version: str, name: str) -> tuple[parts.Link, str]:
    size = (data.folder / name).stat().st_size
    return parts.Link(text=name, href=file_address(version, name)), _size(size)


def _size(size: int) -> str:
    """A number of bytes."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 0.1):,.1f} kB"


def _dictionary(data: Data) -> list[parts.Fold]:
    """The columns of each table, folded by table."""
    with (data.folder / "data_dictionary.csv").open(encoding="utf-8", newline="") as file:
        tables = grouped(csv.DictReader(file), "table")
    return [
        parts.Fold(
            heading=f"{table} ({quantities.counted(len(rows), 'column')})",
            table=parts.Table(
                caption=f"Columns of {table}",
                headers=("Column", "Type", "Unit", "Meaning"),
                rows=[(r["column"], r["type"], r["unit"], r["description"]) for r in rows],
            ),
            anchor=f"table-{identifier(table)}",
        )
        for table, rows in tables.items()
    ]
