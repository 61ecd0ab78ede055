"""What an update found, decided and did, for the reviewer: lines for a terminal, and update.md.

Belongs here: the limits on results, the decision, and the words. Does not belong here: any comparison
(revisions.py, results.py), or writing files (job.py).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ote import catalog
from ote.answers import quantities
from ote.catalog import ResultLimits
from ote.ingestion.baseline import CELLS as CELLS_FILE
from ote.ingestion.baseline import Origin
from ote.update.register import Register
from ote.update.results import BUILT_G_PER_KWH, MODELS, MOVED, Failure, Results
from ote.update.rows import Candidate

LISTED = 40  # runs, names and rows of the quarantine that the report names
NAMED = 5  # runs of each kind that the terminal names
EXAMPLES = 5  # rows of a check that does not hold
CELLS = dict.fromkeys(("source", "row_key", "column_name", "before", "after", "run_id"), pl.String) | {
    "energy_mwh": pl.Float64, "energy_mwh_now": pl.Float64
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an update came to. exceeded: the limits that stand against it, by source or result."""

    candidates: list[Candidate]
    results: Results | None
    failures: list[Failure]
    exceeded: list[str]
    is_accepted: bool
    names: Register | None = None

    @property
    def is_new(self) -> bool:
        """Whether any source differs from what was accepted."""
        return any(found.is_new for found in self.candidates)

    @property
    def problems(self) -> list[str]:
        """The sources that could not be had or read."""
        return [f"{found.source}: {found.problem}" for found in self.candidates if found.problem]


def decide(
    candidates: list[Candidate],
    compared: Results | None,
    failures: list[Failure],
    reason: str,
) -> Report:
    """Whether an update is taken: within all limits, or with a reason; never with a check that fails."""
    exceeded = [f"{found.source}: {text}" for found in candidates for text in found.exceeded]
    exceeded += beyond_limits(compared) if compared else []
    is_new = any(found.is_new for found in candidates)
    return Report(
        candidates=candidates,
        results=compared,
        failures=failures,
        exceeded=exceeded,
        is_accepted=is_new and not failures and (not exceeded or bool(reason.strip())),
    )


def beyond_limits(compared: Results) -> list[str]:
    """Why the change of the results needs a person, as sentences; the limits are those of catalog.yaml."""
    limits = catalog.document().result_limits
    found = [
        *_many(compared, limits),
        *_large(compared, limits.large_fraction, limits.large_ratio),
        *_unlike_country(compared, limits),
        *_summaries(compared, limits),
    ]
    return [f"results: {text}" for text in found]


def _many(compared: Results, limits: ResultLimits) -> Iterator[str]:
    """The estimates that moved, are gone or are new, where they are many."""
    before, by = compared.runs[0], limits.estimate_ratio
    far = compared.moved.filter(pl.col("ratio") > by)
    for text, frame, share in (
        (f"moved by more than a factor of {by:g}", far, limits.moved_fraction),
        ("are gone", compared.gone, limits.gone_fraction),
        ("are new", compared.added, limits.added_fraction),
    ):
        if frame.height > max(share * before, 1):
            names = ", ".join(frame["run_id"].head(3))
            yield (
                f"{frame.height:,} estimates {text}, beside {before:,} before (limit {share:.1%}), "
                f"e.g. {names}"
            )


def _unlike_country(compared: Results, limits: ResultLimits) -> Iterator[str]:
    """The new or changed regions that now emit far more than their country, or far less."""
    now, was, country = (pl.col(f"{name}_g_per_kwh") for name in ("carbon_intensity", "was", "country"))
    fuels = country - pl.when(pl.col("intensity_basis") == "direct").then(BUILT_G_PER_KWH).otherwise(0)
    high, low = limits.new_region_ratio * country, limits.new_region_low_ratio * fuels
    for is_beyond, ratio in (
        ((now > high) & (was > high).ne_missing(True), limits.new_region_ratio),
        ((now < low) & (was < low).ne_missing(True), limits.new_region_low_ratio),
    ):
        for row in compared.regions.filter(is_beyond).iter_rows(named=True):
            yield f"{_region(row)} (limit: {ratio:g} times the country)"


def _summaries(compared: Results, limits: ResultLimits) -> Iterator[str]:
    """The years whose energy moved far, and the schemes whose median intensity did."""
    ratio = limits.energy_ratio
    for row in compared.years.iter_rows(named=True):
        was, now = row["energy_mwh"], row["energy_mwh_now"]
        if was and now and row["runs"] == row["runs_now"] and max(was / now, now / was) > ratio:
            yield (
                f"the energy of the runs of {row['run_year']} moved from {quantities.energy(was)} "
                f"to {quantities.energy(now)} (limit: a factor of {ratio:g})"
            )
    for row in compared.intensities.iter_rows(named=True):
        was, now = row["median_g_per_kwh"], row["median_g_per_kwh_now"]
        if was and now and max(was / now, now / was) > limits.median_ratio:
            yield (
                f"the median intensity of {row['scheme']}, {row['intensity_basis']}, {row['year']} "
                f"moved from {was:,.0f} to {now:,.3g} g/kWh (limit: a factor of {limits.median_ratio:g})"
            )


def _region(row: Mapping[str, Any]) -> str:
    """A cloud region beside its country, in one sentence."""
    country = row["country_g_per_kwh"]
    place = row["country"] or "no country; add the region to warehouse/reference/regions.csv"
    beside = f"{place}: {country:.4g} life-cycle" if country is not None else place
    value = f"{row['carbon_intensity_g_per_kwh']:.4g} g/kWh {row['intensity_basis']}"
    was = row["was_g_per_kwh"]
    before = "" if was is None else f"{was:.4g} before, now "
    kind = "new region " if was is None else ""
    return f"{kind}{row['region']}, {row['year']}: {before}{value} ({beside})"


def _left_behind(row: Mapping[str, Any]) -> str:
    """A new year of a region that moved far against its country, in one sentence."""
    value, was, country, of_old = (
        f"{row[name]:.4g}"
        for name in (
            "carbon_intensity_g_per_kwh", "before_g_per_kwh", "country_g_per_kwh", "country_before_g_per_kwh"
        )
    )  # fmt: skip
    return (
        f"{row['region']}, {row['year']}: {value} g/kWh, {was} in {row['year_before']}, "
        f"while {row['country']} went from {of_old} to {country} life-cycle"
    )


def _large(compared: Results, share: float, ratio: float) -> Iterator[str]:
    """The runs with a large share of all energy that moved far or are gone, and new ones beyond any."""
    least = share * compared.energy_mwh[0]
    stated = f"(limit: a factor of {ratio:g} for a run above {quantities.energy(least)})"
    energies = pl.max_horizontal("energy_mwh", "energy_mwh_now")
    for row in compared.moved.filter(energies > least, pl.col("ratio") > ratio).iter_rows(named=True):
        yield f"{moved(row)} {stated}"
    for row in compared.gone.filter(pl.col("energy_mwh") > least).iter_rows(named=True):
        yield f"{row['run_id']} of {quantities.energy(row['energy_mwh'])} is gone {stated}"
    largest = compared.largest.join(compared.added, on="run_id", how="anti")["energy_mwh"].max()
    most = ratio * (largest if isinstance(largest, float) else 0.0)
    for row in compared.added.filter(pl.col("energy_mwh") > most).iter_rows(named=True):
        yield (
            f"{row['run_id']} of {quantities.energy(row['energy_mwh'])} is new (limit: {ratio:g} times the "
            f"largest run known, {quantities.energy(most)})"
        )


def moved(row: Mapping[str, Any]) -> str:
    """A run whose estimate moved, in one sentence."""
    parts = []
    for quantity, said in (("energy_mwh", quantities.energy), ("co2e_gross_t", quantities.mass)):
        was, now = row[quantity], row[f"{quantity}_now"]
        if was is not None and now is not None:
            parts.append(f"from {said(was)} to {said(now)}")
    return f"{row['run_id']} moved {' and '.join(parts)}"


def of_results(made: Report) -> list[str]:
    """What became of the estimates: the largest that moved, are new, or are gone; and the limits exceeded."""
    stated: list[str] = []
    compared = made.results
    if compared is None:
        return stated
    moved = compared.moved.sort("energy_mwh", descending=True, nulls_last=True)
    for one, many, frame in (
        ("moved", "moved", moved),
        ("has another interval", "have another interval", compared.moved_intervals),
        ("is new", "are new", compared.added),
        ("is gone", "are gone", compared.gone),
    ):
        if frame.height:
            names = [f"{run} ({quantities.energy(mwh)})" for run, mwh in
                     frame.select("run_id", "energy_mwh").head(NAMED).rows()]  # fmt: skip
            said = f"{many}, the largest" if frame.height > 1 else one
            count = quantities.counted(frame.height, "estimate")
            stated.append(f"results: {count} {said}: {', '.join(names)}")
    new = compared.regions.filter(pl.col("was_g_per_kwh").is_null())
    stated += [f"results: to look at: {_region(row)}" for row in new.to_dicts()]
    stated += [f"results: to look at: {_left_behind(row)}" for row in compared.apart.to_dicts()]
    return stated + [text for text in made.exceeded if text.startswith("results:")]


def lines(found: Candidate) -> list[str]:
    """What became of a source: one line, and one for each limit that it exceeds."""
    if found.problem:
        return [f"{found.source}: kept as accepted; {found.problem}"]
    if not found.is_new:
        return [f"{found.source}: {found.unasked or 'unchanged'}"]
    unasked = f" ({found.unasked})" if found.unasked else ""
    return [
        f"{found.source}: {summary(found)}{unasked}",
        *(f"    beyond a limit: {text}" for text in found.exceeded),
        *(f"    to look at: {text}" for text in found.notices),
    ]


def counts(found: Candidate) -> dict[str, int]:
    """How many rows and cells of a source changed, by what happened to them."""
    return {
        "rows added": found.change["rows_added"],
        "rows gone": found.change["rows_gone"],
        "cells changed": sum(column["changed"] for column in found.change["cells_changed"].values()),
        "rows quarantined": found.quarantined["row_key"].n_unique(),
        "rows now": found.rows.height,
    }


def summary(found: Candidate) -> str:
    """The rows and cells of a source that changed, in one sentence."""
    added, gone, cells, lost, rows = counts(found).values()
    return (
        f"{quantities.counted(added, 'row')} added, {gone:,} gone, "
        f"{quantities.counted(cells, 'cell')} changed, {lost:,} quarantined; {rows:,} rows now"
    )


def measures(compared: Results) -> dict[str, float]:
    """What the results come to before and after, energies in MWh."""
    return {
        "runs with an estimate, before": compared.runs[0],
        "runs with an estimate, now": compared.runs[1],
        "energy of all before (MWh)": compared.energy_mwh[0],
        "energy of all now (MWh)": compared.energy_mwh[1],
        f"estimates that moved by more than {MOVED - 1:.0%}": compared.moved.height,
    }


def origin(found: Candidate, content: bytes, today: date) -> Origin:
    """The row of manifest.csv for rows that are accepted now."""
    source = catalog.sources()[found.source]
    return Origin(
        source=source.name,
        producer=source.producer,
        license=source.license,
        url=source.page,
        retrieved_at=max(facts.retrieved_at for facts in found.files.values()),
        rows=found.rows.height,
        quarantined_rows=found.quarantined["row_key"].n_unique(),
        sha256=hashlib.sha256(content).hexdigest(),
        last_change=f"{today}: {summary(found)}",
    )


def cells(made: Report) -> pl.DataFrame:
    """Every cell that changes, as text; for a model also its run and the energy before and now (MWh)."""
    frames = [_cells(found, made.results) for found in made.candidates if found.is_new]
    return pl.concat(frames or [pl.DataFrame(schema=CELLS)])


def _cells(found: Candidate, compared: Results | None) -> pl.DataFrame:
    runs = compared.models if compared and found.source == "epoch_models" else pl.DataFrame(schema=MODELS)
    runs = runs.with_columns(pl.col("upstream_name").replace(found.renames).alias("row_key"))
    rows = found.cells.with_columns(pl.lit(found.source).alias("source"))
    return rows.join(runs, on="row_key", how="left", maintain_order="left").select(*CELLS)


def without_effect(found: Candidate, compared: Results | None) -> list[str]:
    """The changed rows of grids that a curated figure overrides, in one sentence."""
    if compared is None:
        return []
    known = set(compared.overridden.filter(source=found.source)["source_locator"])
    rows = [
        row
        for row in found.cells["row_key"].unique(maintain_order=True)
        if row.replace(" / ", ", ") in known or "{1}.csv, {0}".format(*row.split(" / "), "") in known
    ]
    more = f" and {len(rows) - EXAMPLES:,} more" if len(rows) > EXAMPLES else ""
    return [
        f"without effect: warehouse/reference/grid_intensity.csv has figures of its own for "
        f"{'; '.join(rows[:EXAMPLES])}{more}"
    ] * bool(rows)


def page(made: Report, reason: str, today: date) -> str:
    """update.md, for the reviewer of the pull request."""
    return "\n".join(_page(made, reason, today)) + "\n"


def _page(made: Report, reason: str, today: date) -> Iterator[str]:
    yield from (f"# Update of {today}", "")
    if not made.is_new:
        yield "Nothing changed upstream."
    elif made.is_accepted:
        yield "Accepted: the files in `warehouse/baseline/` are rewritten. Review them, then commit."
    else:
        yield "Not accepted: no tracked file was changed."
    if made.exceeded:
        yield from ("", "## Beyond the limits", "", *_bullets(made.exceeded))
        yield from ("", f"Accepted all the same, because: {reason}" if made.is_accepted else _how(made))
    for failure in made.failures:
        yield from ("", f"## {failure.table} would fail {failure.check}", "", failure.why, "")
        yield from _bullets(str(row) for row in failure.rows[:EXAMPLES])
    yield from (
        "",
        "## Sources",
        "",
        *_bullets(line for found in made.candidates for line in lines(found)[:1]),
    )
    for found in made.candidates:
        if found.is_new:
            yield from _source(found, made.results)
    if made.results:
        yield from _results(made.results)
    if made.names and made.names.changes.height:
        yield from _names(made.names)


def _how(made: Report) -> str:
    """What to do about limits that are exceeded."""
    within = [found.source for found in made.candidates if found.is_new and not found.exceeded]
    others = f" To take the others alone: `ote update {' '.join(within)}`." if within else ""
    return f'To take it all the same: `ote update --accept "why it is right"`.{others}'


def _source(found: Candidate, compared: Results | None) -> Iterator[str]:
    yield from ("", f"## {found.source}", "")
    yield from (f"- to look at: {text}" for text in [*found.notices, *without_effect(found, compared)])
    change, energies = found.change, {row[1]: row[-2:] for row in _cells(found, compared).rows()}
    for kind in ("added", "gone"):
        if change[f"rows_{kind}"]:
            yield f"- rows {kind}: {change[f'rows_{kind}']:,}, e.g. {', '.join(change[f'examples_{kind}'])}"
    for column, cells in change["cells_changed"].items():
        largest = "; ".join(
            f"{c['row']}: {c['before']} to {c['after']}{_energy(*energies[c['row']])}"
            for c in cells["largest"]
        )
        yield f"- {column}: {cells['changed']:,} of {cells['of']:,} cells changed, e.g. {largest}"
    if change["cells_changed"]:
        yield f"- every changed cell, with the energy of its run: {CELLS_FILE}, in the folder of this report"
    yield from _quarantined(found)


def _energy(was: float | None, now: float | None) -> str:
    """What became of the energy of the run of a changed row, where it has one."""
    if was is None or now is None:
        return ""
    moved = f"{quantities.energy(was)} to {quantities.energy(now)}, x {now / was:.3g}"
    return f" (its energy: {moved if abs(now / was - 1) >= 0.0005 else 'as before'})"  # 3 digits are shown


def _quarantined(found: Candidate) -> Iterator[str]:
    """The findings of the quarantine, those that this update adds first."""
    cell = ["source", "row_key", "column_name", "check_name"]
    new = found.quarantined.join(found.known, on=cell, how="anti", nulls_equal=True)
    old = found.quarantined.join(found.known, on=cell, how="semi", nulls_equal=True)
    for said, rows, count in (("quarantined", new, LISTED), ("quarantined as before", old, EXAMPLES)):
        for row in rows.head(count).iter_rows(named=True):
            yield f"- {said}: {row['row_key']}: {row['column_name']} = {row['cell']}. {row['message']}"
        if rows.height > count:
            yield f"- {said}: {rows.height - count:,} more findings in quarantine.csv"


def _results(compared: Results) -> Iterator[str]:
    runs, mwh = compared.runs, compared.energy_mwh
    yield from ("", "## Results", "", f"- runs with an estimate: {runs[0]:,} before, {runs[1]:,} now")
    yield f"- energy of all: {quantities.energy(mwh[0])} before, {quantities.energy(mwh[1])} now"
    years = compared.years.filter(pl.col("energy_mwh").ne_missing(pl.col("energy_mwh_now")))
    yield from _table("Energy by year of the run, where it changed (MWh)", years)
    yield from _table("The ten largest runs now (MWh, t)", compared.largest)
    yield from _table(
        f"Estimates that moved by more than {MOVED - 1:.0%} ({compared.moved.height:,})",
        compared.moved.select(
            "run_id", "ratio", "energy_mwh", "energy_mwh_now", "co2e_gross_t", "co2e_gross_t_now"
        ).head(LISTED),
    )
    others = f"{compared.moved_intervals.height:,}"
    yield from _table(
        f"Intervals that moved by more than {MOVED - 1:.0%}, and other solidity ({others})",
        compared.moved_intervals.select(
            "run_id",
            *("energy_mwh_p05", "energy_mwh_p05_now", "energy_mwh_p95", "energy_mwh_p95_now"),
            *("solidity", "solidity_now"),
        ).head(LISTED),
    )
    for title, frame in (("New estimates", compared.added), ("Estimates that are gone", compared.gone)):
        shown = frame.select("run_id", "run_year", "energy_mwh", "chip_hours_basis").head(LISTED)
        yield from _table(f"{title} ({frame.height:,})", shown)
    yield from _table("New regions and changed intensities, beside the country (g/kWh)", compared.regions)
    yield from _table("New years that moved far against the country (g/kWh)", compared.apart)
    medians = compared.intensities.filter(
        pl.col("median_g_per_kwh").ne_missing(pl.col("median_g_per_kwh_now"))
        | pl.col("rows").ne_missing(pl.col("rows_now"))
    )
    yield from _table("Median intensity by scheme and year, where it changed (g/kWh)", medians)


def _names(register: Register) -> Iterator[str]:
    counts = register.changes.group_by("change").len().sort("change").rows()
    yield from ("", "## Names of models", "")
    yield f"`model_names.csv`: {', '.join(f'{count:,} {change}' for change, count in counts)}."
    if register.newest:
        yield (
            f"The list lacks the newest registered models (the last is of {register.newest}), so it is older "
            "than the register: no name counts as gone."
        )
    yield from _table("Names", register.changes.head(LISTED))


def _table(title: str, frame: pl.DataFrame) -> Iterator[str]:
    """A frame as a Markdown table under a title; nothing where it has no row."""
    if frame.is_empty():
        return
    yield from ("", f"### {title}", "")
    yield f"| {' | '.join(frame.columns)} |"
    yield f"|{'---|' * frame.width}"
    for row in frame.iter_rows():
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value).replace("|", "/").replace("\n", " ")


def _bullets(texts: Iterable[str]) -> list[str]:
    return [f"- {text}" for text in texts]
