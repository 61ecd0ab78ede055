"""The pages of organisations, accelerators, locations and sources, and the lists of them.

Belongs here: which rows these pages show, in which words. Does not belong here: queries or HTML.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ote import catalog
from ote.answers import quantities, where
from ote.answers.published import Z_90
from ote.site import charts, parts
from ote.site.data import SOLIDITY, SURE, Data, Row, grouped, identifier, slug

INTENSITIES = {"direct": "direct", "lifecycle": "life-cycle"}
MOST = 200  # runs that a page lists
NAMED = 3  # regions with the least emissions
FEW = 12  # rows that are not folded


def pages(data: Data) -> Iterator[parts.Page]:
    """All of them."""
    yield from _organisations(data)
    yield from _hardware(data)
    yield from _locations(data)
    yield from _sources(data)


def _runs(heading: str, runs: Sequence[Row]) -> parts.Section | None:
    """A list of runs, with their chart where there are three or more."""
    if not runs:
        return None
    found = parts.drawn(runs)
    chart = (
        [parts.runs_chart("Electricity of these runs", found, parts.run_scales(found))]
        if len(found) > 2
        else []
    )
    cut = [f"The {MOST} largest of {len(runs):,}; {parts.LAST}"] if len(runs) > MOST else []
    return parts.Section(heading=heading, text=cut, plots=chart, runs=parts.listed(runs[:MOST]))


def _solid(runs: Sequence[Row]) -> list[str]:
    return [str(sum(run["solidity"] == name for run in runs) or "") for name in SOLIDITY]


def _organisations(data: Data) -> Iterator[parts.Page]:
    rows = []
    operators = grouped(data.query("pue"), "organisation")
    for name, runs in sorted(data.organisations.items(), key=lambda entry: -len(entry[1])):
        path = f"organisation/{identifier(data.slugs[name])}.html"
        rows.append((parts.Link(text=name, href=path), f"{len(runs):,}", *_solid(runs)))
        about = (
            f"{quantities.counted(len(runs), 'training run')} of {name}, with energy and CO2e."
            f"{_together(data, 'organisation', name)}"
        )
        pue = [_pue(name, operators[name])] if name in operators else []
        yield parts.page(path, name, about, [_runs("Runs", runs), *pue])
    for name, years in operators.items():
        if name not in data.organisations:
            path = f"organisation/{_operator(name)}.html"
            rows.append((parts.Link(text=name, href=path), "0", *_solid([])))
            yield parts.page(path, name, f"PUE of the data centers of {name}.", [_pue(name, years)])
    table = parts.Table(
        caption="Organisations",
        headers=("Organisation", "Runs", *SOLIDITY),
        rows=rows,
        numeric={1, 2, 3, 4, 5},
        name="organisations",
        order=-2,
        is_sortable=True,
    )
    about = (
        f"{len(rows):,} organisations that train models or operate data centers, and how solid their "
        "numbers are. Counted are the runs with an estimate; joint runs count for each organisation."
    )
    yield parts.page(
        "organisations.html",
        "Organisations",
        about,
        [parts.Section(heading="All organisations", table=table)],
    )


def _together(data: Data, kind: str, name: str) -> str:
    """What the whole runs of a group used together; empty where no sum is published."""
    total = data.totals.get((kind, name))
    if total is None:
        return ""
    low, high = total["energy_mwh_p05"], total["energy_mwh_p95"]
    span, whole = quantities.energy_span(low, high), quantities.counted(total["run_count"], "whole run")
    if quantities.is_guess(low, high):
        amount = f"somewhere from {span} (90 % interval)"
    else:
        amount = f"{quantities.energy(total['energy_mwh_p50'])} (90 % interval: {span})"
    first = " with this organisation as the first" if kind == "organisation" else ""
    return f" The {whole}{first} used {amount} together."


def _operator(name: str) -> str:
    return identifier(f"operator-{slug(name)}")


def _pue(name: str, years: Sequence[Row]) -> parts.Section:
    chart = charts.series(
        f"PUE of {name}",
        "Mean over data centers, by year; the axis begins at 1, a data center without overhead.",
        [("one", "PUE", [(row["year"], row["pue"]) for row in years])],
        lambda pue: f"{pue:.2f}",
        base=1.0,
    )
    rows = [
        (str(row["year"]), f"{row['pue']:.2f}", f"{row['least']:.2f} to {row['most']:.2f}", str(row["sites"]))
        for row in years
    ]
    headers = ("Year", "Mean PUE", "Range", "Sites")
    table = parts.Table(caption="PUE by year", headers=headers, rows=rows[::-1], numeric={1, 2, 3})
    fold = parts.Fold(heading=f"All {quantities.counted(len(rows), 'year')}", table=table)
    return parts.Section(heading="PUE of its data centers", plots=[chart], folds=[fold])


def _hardware(data: Data) -> Iterator[parts.Page]:
    runs = grouped(data.runs.values(), "hardware_id")
    power = grouped(data.table("system_power"), "hardware_id")
    for hardware_id, row in data.hardware.items():
        mine = runs.get(hardware_id, [])
        counted = f", and {quantities.counted(len(mine), 'training run')}" if mine else ""
        about = f"{row['name']}: rated and measured power{counted}."
        sections = [_power(data, row, power.get(hardware_id, [])), _runs("Runs on it", mine)]
        path = f"hardware/{identifier(hardware_id)}.html"
        yield parts.page(path, row["name"], about, sections, [*_specification(data, row)])
    yield _all_hardware(data, {hardware_id: len(of) for hardware_id, of in runs.items()})


def _all_hardware(data: Data, runs: dict[str, int]) -> parts.Page:
    rows = [
        (
            parts.Link(text=row["name"], href=f"hardware/{identifier(hardware_id)}.html"),
            *(_number(row["tdp_w"]), _number(row["watts_per_chip"]), _number(_efficiency(row))),
            str(row["released_date"] or "")[:4],
            f"{runs.get(hardware_id, 0):,}",
            row["manufacturer"] or "",
        )
        for hardware_id, row in sorted(data.hardware.items(), key=lambda entry: -runs.get(entry[0], 0))
    ]
    headers = (
        "Accelerator",
        "Rated, W",
        "In training, W",
        "Peak, TFLOP/s per W",
        "Released",
        "Runs",
        "Maker",
    )
    table = parts.Table(
        caption="Accelerators",
        headers=headers,
        rows=rows,
        numeric={1, 2, 3, 4, 5},
        name="accelerators",
        order=-6,
        is_sortable=True,
    )
    about = (
        f"{len(rows):,} accelerators: rated power, average power of the whole system in training, and "
        "efficiency."
    )
    sections = [
        parts.Section(heading="By day of release", plots=[*_over_years(data)]),
        parts.Section(heading="All accelerators", table=table),
    ]
    return parts.page("accelerators.html", "Accelerators", about, sections)


def _number(value: float | None) -> str:
    return "" if value is None else quantities.significant(value)


def _efficiency(row: Row) -> float | None:
    """Peak speed in 16 bits over rated power."""
    if not row["peak_fp16_tflops"] or not row["tdp_w"]:
        return None
    return float(row["peak_fp16_tflops"] / row["tdp_w"])


def _over_years(data: Data) -> Iterator[charts.Chart]:
    dated = [row for row in data.hardware.values() if row["released_date"]]
    for title, axis, value, label in (
        (
            "Rated power of an accelerator",
            "Logarithmic, by day of release.",
            lambda row: row["tdp_w"],
            _watts,
        ),
        (
            "Efficiency at peak",
            "TFLOP/s in 16 bits per watt, logarithmic, by day of release.",
            _efficiency,
            _per_watt,
        ),
    ):
        points = [(charts.day(row["released_date"]), known) for row in dated if (known := value(row))]
        if points:
            named = [("one", "accelerators", points)]
            yield charts.series(title, axis, named, label, is_log=True, is_joined=False)


def _watts(value: float) -> str:
    return f"{value / 1000:g} kW" if value >= 1000 else f"{value:g} W"


def _per_watt(value: float) -> str:
    return f"{value:.3g}"


def _specification(data: Data, row: Row) -> Iterator[tuple[str, Any]]:
    for name, column, unit in (
        ("rated power", "tdp_w", "W"),
        ("peak, 32 bits", "peak_fp32_tflops", "TFLOP/s"),
        ("peak, 16 bits", "peak_fp16_tflops", "TFLOP/s"),
        ("peak, 8 bits", "peak_fp8_tflops", "TFLOP/s"),
        ("memory", "memory_gb", "GB"),
        ("process", "process_nm", "nm"),
    ):
        yield name, None if row[column] is None else f"{row[column]:,.10g} {unit}"
    yield "released", str(row["released_date"]) if row["released_date"] else None
    yield "maker", row["manufacturer"]
    yield "source", parts.of_source(data, row["source_id"])


def _power(data: Data, row: Row, observed: Sequence[Row]) -> parts.Section | None:
    if row["watts_per_chip"] is None and not observed:
        return None
    text = []
    if row["watts_per_chip"] is not None:
        text = [
            f"Estimates take {quantities.significant(row['watts_per_chip'])} W for the whole system per "
            f"accelerator in training ({parts.words('watts_basis', row['watts_basis'])})."
        ]
    rows = [
        (
            one["workload"] or one["system"] or "",
            f"{quantities.significant(one['watts_per_chip'])} W",
            parts.Badge("measured") if one["power_basis"] in MEASURED else "not measured",
            parts.meaning("power_basis", one["power_basis"]),
            parts.meaning("power_scope", one["power_scope"]),
            parts.of_source(data, one["source_id"]),
        )
        for one in sorted(observed, key=_how_good)
    ]
    if not rows:
        return parts.Section(heading="Power", text=text)
    table = parts.Table(
        caption="Observed power",
        headers=("Workload", "Power per accelerator", "Measured", "How", "What it includes", "Source"),
        rows=rows,
        numeric={1},
        name="power-rows",
        is_sortable=True,
    )
    text.append("Measurements of whole systems come first, the largest power first within each kind.")
    if len(rows) <= FEW:
        return parts.Section(heading="Power", text=text, table=table)
    fold = parts.Fold(heading=f"All {len(rows):,} observations", table=table)
    return parts.Section(heading="Power", text=text, folds=[fold])


POWER_BASES = (*catalog.column("power_basis").values,)  # best first
MEASURED = ("measured_system", "measured_components")


def _how_good(one: Row) -> tuple[int, float, str]:
    """Measured power before stated and rated power."""
    name = one["workload"] or one["system"] or ""
    return POWER_BASES.index(one["power_basis"]), -one["watts_per_chip"], name


def _locations(data: Data) -> Iterator[parts.Page]:
    by_region = grouped(data.runs.values(), "cloud_region")
    by_country = grouped(data.runs.values(), "site_country")
    for region, years in sorted(data.regions.items()):
        latest = years[-1]
        country = data.countries.get(latest["country"], latest["country"])
        about = (
            f"{region}, a cloud region or site of {latest['provider']} in {country}: grid, PUE, clean energy."
        )
        sections = [_region(data, region, years), _runs("Runs there", by_region.get(region, []))]
        facts = [("operator", latest["provider"]), ("country", parts.of_country(data, latest["country"]))]
        yield parts.page(f"location/{identifier(region)}.html", region, about, sections, facts)
    for code, years in data.grids.items():
        name = data.countries[code]
        mine = by_country.get(code, [])
        took_place = ", and training runs that took place there" if mine else ""
        about = f"{name}: carbon intensity of its grid over the years{took_place}."
        sections = [_country(data, name, years), _runs("Runs there", mine)]
        yield parts.page(f"location/{identifier(code)}.html", name, about, sections)
    yield _all_locations(
        data,
        {region: len(runs) for region, runs in by_region.items()},
        {country: len(runs) for country, runs in by_country.items()},
    )


KINDS = {
    "direct": (
        "Direct intensity",
        "Emissions of the power plants alone, as their operator or the grid publishes them.",
    ),
    "lifecycle": (
        "Life-cycle intensity",
        "Emissions of the power plants, of their fuel and of building them. Regions without figures of their "
        "own have the intensity of their country.",
    ),
}
RANK = (
    "The order is by kg CO2e per kWh that the machines use: the intensity of the grid times the PUE, with "
    "the 90 % interval of the intensity. Net is after the operator's hourly-matched clean energy."
)


def _all_locations(data: Data, of_region: dict[str, int], of_country: dict[str, int]) -> parts.Page:
    """The cleanest cloud regions: one table for each kind of intensity and year, so that like meets like."""
    sections, facts, answers = [], [], []
    for kind, (heading, text) in KINDS.items():
        years = grouped(_latest(data, kind), "factor_year")
        newest, *older = sorted(years, reverse=True)
        alike = _alike(years[newest])
        answers.append(_least(heading.lower(), newest, alike, years[newest]))
        links = [
            parts.Link(text=f"{link.text} ({row['provider']})", href=link.href)
            for row in alike[:NAMED]
            if isinstance(link := parts.of_region(data, row["region"]), parts.Link)
        ]
        facts.append((f"least, {heading.lower()}, {newest}", parts.Links((*links,))))
        folds = [
            parts.Fold(
                heading=f"{quantities.counted(len(years[year]), 'region')} whose latest figure is of {year}",
                table=_cloud_regions(data, kind, years[year], of_region),
            )
            for year in older
        ]
        sections.append(
            parts.Section(
                heading=f"Cloud regions, {heading.lower()}, {newest}",
                text=[text, RANK] if kind == "direct" else [text],
                table=_cloud_regions(data, kind, years[newest], of_region),
                folds=folds,
                anchor=kind,
            )
        )
    sections.append(_countries(data, of_country))
    about = (
        f"{' '.join(answers)} All values include the PUE. A direct and a life-cycle intensity cannot be "
        "compared with each other."
    )
    parts_of_page = [
        *(
            parts.Link(text=f"Cloud regions, {heading.lower()}", href=f"locations.html#{kind}")
            for kind, (heading, _) in KINDS.items()
        ),
        parts.Link(text="Countries", href="locations.html#countries"),
        parts.Link(text="Which regions really differ", href=f"groups/{max(data.elsewhere)}.html"),
    ]
    return parts.page("locations.html", "Locations", about, sections, facts, parts_of_page)


def _latest(data: Data, kind: str) -> list[Row]:
    """The latest figures of each cloud region in one kind of intensity."""
    known = [row for years in data.regions.values() for row in years if row["intensity_basis"] == kind]
    return [max(years, key=lambda row: row["factor_year"]) for years in grouped(known, "region").values()]


def _alike(rows: Sequence[Row]) -> list[Row]:
    """The region with the least emissions, and those that it does not clearly beat, least first."""
    first, *others = sorted(rows, key=_per_kwh)
    return [first, *(row for row in others if _chance(first, row) < SURE)]


def _chance(one: Row, other: Row) -> float:
    """Probability that a region has less emissions than another."""
    values, widths = [_per_kwh(one), _per_kwh(other)], [math.log(row["gross_gsd"]) for row in (one, other)]
    return where.chance(values[0], widths[0], values[1], widths[1])


def _least(kind: str, year: int, alike: Sequence[Row], rows: Sequence[Row]) -> str:
    """Which regions have the least emissions, with the number of those that cannot be told apart."""
    least, most = _per_kwh(alike[0]), _per_kwh(alike[-1])
    operators = {row["provider"] for row in rows}
    known = f"{len(rows)} regions{f', all of {operators.pop()}' if len(operators) == 1 else ''}"
    if len(alike) == 1:
        who = f"{alike[0]['region']} of {alike[0]['provider']} has the least emissions"
        return f"By {kind} of {year}, {who} ({least:.3f} kg/kWh; {known})."
    return (
        f"By {kind} of {year}, the {len(alike)} cloud regions with the least emissions cannot be told apart "
        f"({least:.3f} to {most:.3f} kg/kWh; {known})."
    )


def _per_kwh(row: Row) -> float:
    """Emissions of 1 kWh that machines use, with PUE, kg."""
    return float(row["pue"] * row["gross_kg_per_kwh"])


def _cloud_regions(data: Data, kind: str, rows: Sequence[Row], runs: dict[str, int]) -> parts.Table:
    made = []
    for row in sorted(rows, key=lambda row: (_per_kwh(row), row["region"])):
        value, width = _per_kwh(row), row["gross_gsd"] ** Z_90
        country = data.countries.get(row["country"], row["country"])
        made.append(
            (
                parts.Cited(
                    source=parts.of_region(data, row["region"]),
                    locator=f"{row['provider']}, {country}",
                    is_thin=True,
                ),
                parts.Text(text=f"{value:.3f}", small=f"{value / width:.3f} to {value * width:.3f}"),
                *(
                    _intensity(row["gross_kg_per_kwh"]),
                    _intensity(row["net_kg_per_kwh"]),
                    f"{row['pue']:.2f}",
                ),
                *(row["provider"], country, f"{runs.get(row['region'], 0):,}"),
            )
        )
    year = rows[0]["factor_year"]
    headers = (
        "Region",
        "kg/kWh, with PUE",
        "kg/kWh, grid",
        "kg/kWh, net",
        "PUE",
        "Operator",
        "Country",
        "Runs",
    )
    return parts.Table(
        caption=f"Cloud regions, {INTENSITIES[kind]} intensity of {year}",
        headers=headers,
        rows=made,
        numeric={1, 2, 3, 4, 7},
        wide={3 if all(row["net_kg_per_kwh"] is None for row in rows) else 2, 5, 6, 7},
        name=f"locations-{kind}-{year}",
        order=2,
        is_sortable=True,
    )


def _countries(data: Data, runs: dict[str, int]) -> parts.Section:
    years = grouped([years[-1] for years in data.grids.values()], "year")
    headers = ("Country", "Grid, kg/kWh", "Low-carbon share", "Runs")
    folds = [
        parts.Fold(
            heading=f"{len(years[year]):,} countries and regions of the world, {year}",
            table=parts.Table(
                caption=f"Countries, life-cycle intensity of {year}",
                headers=headers,
                rows=[
                    (
                        parts.of_country(data, row["country"]),
                        f"{row['carbon_intensity_g_per_kwh'] / 1000:.3f}",  # g to kg
                        parts.percent(row["cfe_fraction"]),
                        f"{runs.get(row['country'], 0):,}",
                    )
                    for row in sorted(years[year], key=lambda row: row["carbon_intensity_g_per_kwh"])
                ],
                numeric={1, 2, 3},
                name=f"countries-{year}",
                order=2,
                is_sortable=True,
            ),
        )
        for year in sorted(years, reverse=True)
    ]
    return parts.Section(
        heading="Countries, life-cycle intensity",
        text=["The mean of a country's grid. Most of these countries have no cloud region in this dataset."],
        folds=folds,
        anchor="countries",
    )


def _region(data: Data, region: str, years: Sequence[Row]) -> parts.Section:
    found = []
    for kind, of_kind in grouped(years, "intensity_basis").items():
        points = [
            (css, name, [(row["factor_year"], row[column]) for row in of_kind if row[column] is not None])
            for css, name, column in (
                ("one", "gross", "gross_kg_per_kwh"),
                ("two", "net of clean energy", "net_kg_per_kwh"),
            )
        ]
        found.append(
            charts.series(
                f"Grid of {region}, {INTENSITIES[kind]}",
                f"kg CO2e per kWh, {INTENSITIES[kind]} intensity.",
                points,
            )
        )
    rows = [
        (
            str(row["factor_year"]),
            INTENSITIES[row["intensity_basis"]],
            f"{row['gross_kg_per_kwh']:.3f}",
            _intensity(row["net_kg_per_kwh"]),
            f"{row['pue']:.2f}",
            parts.of_source(data, row["source_id"]),
        )
        for row in years
    ]
    headers = ("Year", "Intensity", "Gross, kg/kWh", "Net, kg/kWh", "PUE", "Source")
    table = parts.Table(caption="By year", headers=headers, rows=rows, numeric={2, 3, 4})
    return parts.Section(heading="Grid, clean energy and PUE", plots=found, table=table)


def _intensity(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _country(data: Data, name: str, years: Sequence[Row]) -> parts.Section:
    points = [(row["year"], row["carbon_intensity_g_per_kwh"] / 1000) for row in years]
    chart = charts.series(f"Grid of {name}", "kg CO2e per kWh, life-cycle.", [("one", "gross", points)])
    rows = [
        (
            str(row["year"]),
            f"{row['carbon_intensity_g_per_kwh'] / 1000:.3f}",
            parts.percent(row["cfe_fraction"]),
            parts.of_source(data, row["source_id"]),
        )
        for row in reversed(years)
    ]
    headers = ("Year", "kg/kWh", "Low-carbon share", "Source")
    table = parts.Table(caption="By year", headers=headers, rows=rows, numeric={1, 2})
    latest = years[-1]
    text = (
        f"In {latest['year']}, {_intensity(latest['carbon_intensity_g_per_kwh'] / 1000)} kg CO2e per kWh "
        "(life-cycle)."
    )
    fold = parts.Fold(heading=f"All {quantities.counted(len(rows), 'year')}, with sources", table=table)
    return parts.Section(heading="Grid", text=[text], plots=[chart], folds=[fold])


def _sources(data: Data) -> Iterator[parts.Page]:
    uses, rows = grouped(data.query("uses"), "source_id"), []
    cited = grouped(data.query("cited_in"), "source_id")
    cited_rows = grouped(data.query("cited_rows"), "source_id")
    models = {row["run_id"]: row["model"] for row in data.table("models_without_estimate")}
    depend = {
        source_id: [data.runs[use["run_id"]] for use in uses.get(source_id, []) if use["run_id"] in data.runs]
        for source_id in data.sources
    }
    for source_id, runs in sorted(depend.items(), key=lambda entry: -len(entry[1])):
        row, path = data.sources[source_id], f"source/{identifier(source_id)}.html"
        title = row["title"] or source_id
        rows.append(
            (parts.Link(text=title, href=path), row["producer"] or "", row["status"], f"{len(runs):,}")
        )
        runs.sort(key=lambda run: (run["last"], -run["energy_mwh"]))
        counted = quantities.counted(len(runs), "training run")
        about = f"{counted} of this dataset depend on this source."
        if not runs:
            about = "No estimate of a training run depends on this source."
        sections = [
            _what_it_is(data, row, cited.get(source_id, [])),
            _runs("What depends on it", runs) or _cited_for(data, models, cited_rows.get(source_id, [])),
        ]
        yield parts.page(path, title, about, sections, [*_source(row)])
    headers = ("Source", "Publisher", "Kind", "Runs")
    table = parts.Table(
        caption="Sources",
        headers=headers,
        rows=rows,
        numeric={3},
        name="sources",
        order=-4,
        is_sortable=True,
    )
    about = (
        f"{len(rows):,} sources, the most used first: publications that facts cite, upstream datasets, and "
        "files of curated facts."
    )
    yield parts.page("sources.html", "Sources", about, [parts.Section(heading="All sources", table=table)])


def _cited_for(data: Data, models: dict[str, str], cited: Sequence[Row]) -> parts.Section | None:
    """What a source is cited for on which no estimate depends."""
    rows = [row for one in cited if (row := _subject(data, models, one["kind"], one["subject"])) is not None]
    if not rows:
        return None
    cut = [f"The first {MOST} of {len(rows):,}."] if len(rows) > MOST else []
    table = parts.Table(caption="What it is cited for", headers=("Kind", "Name"), rows=rows[:MOST])
    return parts.Section(heading="What it is cited for", text=cut, table=table, anchor="cited-for")


def _subject(data: Data, models: dict[str, str], kind: str, subject: str) -> tuple[str, Any] | None:
    """The kind of a subject with a link to its page; None if it has no page."""
    if kind == "run":
        if (run := data.runs.get(subject)) is not None:
            return "training run", parts.of_run(run)
        if (model := models.get(subject)) is not None:
            return "model without an estimate", parts.Link(text=model, href="without-estimate.html")
        return None
    if kind == "hardware":
        link = parts.of_hardware(data, subject)
        return None if link is None else ("accelerator", link)
    if kind == "organisation":
        links = parts.of_organisations(data, [subject])
        return None if links is None else ("organisation", links)
    place = parts.of_region(data, subject) if kind == "region" else parts.of_country(data, subject)
    return ("location", place) if isinstance(place, parts.Link) else None


def _source(row: Row) -> Iterator[tuple[str, Any]]:
    yield "address", parts.outside(row["url"])
    yield "publisher", row["producer"]
    yield "license", row["license"]
    if row["factors"]:
        yield "gives", "; ".join(parts.FACTORS[name][0] for name in row["factors"] if name in parts.FACTORS)
    yield "rows", f"{row['rows']:,}" if row["rows"] is not None else None
    if row["sha256"]:
        yield "SHA-256 of the file", row["sha256"]
    if row["retrieved_at"]:
        yield "downloaded", str(row["retrieved_at"])


def _what_it_is(data: Data, row: Row, cited: Sequence[Row]) -> parts.Section:
    """What kind of source it is; of a publication, which files with checksums hold the facts from it."""
    means = parts.meaning("status", row["status"])
    if row["sha256"] or not cited:
        return parts.Section(heading="What it is", text=[means])
    rows = []
    for one in cited:
        file = data.sources.get(f"reference-{one['table_name'].replace('_', '-')}")
        link = None if file is None else parts.of_source(data, file["source_id"])
        name, sha256 = one["table_name"], (file or {}).get("sha256")
        rows.append(
            (
                name,
                f"{one['row_count']:,}",
                parts.Link(text=file["url"], href=link.href) if file and link else "",
                sha256 or "",
            )
        )
    headers = ("Table", "Rows that cite it", "File of curated facts", "SHA-256 of the file")
    return parts.Section(
        heading="What it is",
        text=[f"{means} The publication itself is not part of the release, so it has no checksum here."],
        table=parts.Table(
            caption="Where it is cited", headers=headers, rows=rows, numeric={1}, name="cited-rows"
        ),
    )
