"""The first page, its data on demand, and a page for each run.

Belongs here: which rows these pages show, in which words. Does not belong here: queries or HTML.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from ote import catalog
from ote.answers import disclosure, quantities, words
from ote.answers.published import Z_90, width
from ote.answers.search import PUBLISHED
from ote.site import charts, parts
from ote.site.data import SOLIDITY, Data, Group, Row, identifier

IN_HTML = 300  # the largest runs, which the first page shows without JavaScript
NAMED_RUNS = ("bert-large", "gpt-3-175b", "bloom-176b", "llama-3.1-405b")  # in the chart
NAMED = 3  # locations of a group


def first(data: Data) -> parts.Page:
    """The first page."""
    runs = [*data.runs.values()]
    largest = sorted(runs, key=lambda run: -run["energy_mwh_p95"] if run["is_guess"] else -run["energy_mwh"])
    shown = {run["run_id"] for run in largest[:IN_HTML]}
    every = parts.drawn(runs)
    is_faint = {run["run_id"]: run["run_id"] not in shown and not parts.is_below(run) for run in every}
    chart = parts.runs_chart(
        "Electricity of training runs",
        [run for run in every if not is_faint[run["run_id"]]],
        parts.run_scales(every),
        "over-time",
        [run for run in every if is_faint[run["run_id"]]],
        NAMED_RUNS,
    )
    without, total = data.manifest["tables"]["models_without_estimate"], len(runs)
    trainings = data.totals["all", "all"]["run_count"]
    again = sum(run["covers"] == "one_run" for run in runs) - trainings
    lead = (
        f"Energy and CO2e of {total:,} training runs, with the source of every factor. Most numbers are "
        "estimates: the 90 % interval of each should hold the true value in 9\N{NO-BREAK SPACE}of"
        "\N{NO-BREAK SPACE}10 cases. Only training is counted, not the use of models (inference)."
    )
    context = {
        "lead": lead,
        "facts": [
            *_numbers(runs),
            ("without an estimate", parts.Link(text=f"{without:,} models", href="without-estimate.html")),
        ],
        "links": [
            parts.Link(text="Search the runs", href="index.html#runs"),
            parts.Link(text="What runs leave out", href="left-out.html"),
            parts.Link(text="CO2e per token and operation", href="rates.html"),
        ],
        "chart": chart,
        "solidities": [(name, parts.meaning("solidity", name)) for name in SOLIDITY],
        "selects": _selects(data, runs),
        "total": total,
        "counted": (
            f"All {total:,} rows with an estimate are listed: whole runs, parts, families and bounds. Totals "
            f"add up {trainings:,} whole runs, each training once: of {trainings + again:,} whole runs, "
            f"{again:,} are second rows of the same training."
        ),
        "rows": parts.listed(runs[:IN_HTML]),
        "last": parts.LAST,
        "every_row": f"../{data.manifest['version']}/csv/emissions.csv",
        "json_ld": json_ld(_dataset(data)),
    }
    return parts.Page(path="index.html", template="index.html", title="Runs", about=lead, context=context)


def not_found() -> parts.Page:
    """The page of an address that is unknown."""
    links = [
        parts.Link(text="Search the runs", href="index.html#runs"),
        parts.Link(text="Guides", href="docs/index.html"),
    ]
    about = "There is no page at this address. The menu leads to all pages."
    return parts.page("404.html", "Page not found", about, [], links=links)


def _numbers(runs: Sequence[Row]) -> Iterator[tuple[str, parts.Link | str]]:
    for name in SOLIDITY:
        number = quantities.counted(sum(run["solidity"] == name for run in runs), "run")
        yield name, parts.Link(text=number, href=f"index.html?solidity={name}#runs")
    widths = sorted(math.sqrt(run["energy_mwh_p95"] / run["energy_mwh_p05"]) for run in runs)
    yield "typical 90 % interval", parts.times(widths[len(widths) // 2])


def _selects(data: Data, runs: Sequence[Row]) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    countries = {code: data.countries.get(code, code) for run in runs for code in run["countries"]}
    hardware = {run["hardware_id"]: run["hardware_name"] for run in runs if run["hardware_name"]}
    years = sorted({run["published_date"].year for run in runs if run["published_date"]}, reverse=True)
    domains = sorted({domain for run in runs for domain in run["domains"]})
    yield "country", "Country", sorted(countries.items(), key=lambda entry: entry[1])
    yield "year", "Published", [(str(year), str(year)) for year in years]
    yield "hardware", "Accelerator", sorted(hardware.items(), key=lambda entry: entry[1])
    yield "domain", "Domain", [(domain, domain) for domain in domains]
    yield "solidity", "Solidity", [(name, name) for name in SOLIDITY]


def on_demand(data: Data) -> str:
    """runs.json: every run as the first page lists and draws it. Of a guess it holds the interval alone."""
    runs = [*data.runs.values()]
    (x, _), (y, _) = parts.run_scales(parts.drawn(runs))
    placed = {run["run_id"] for run in parts.drawn(runs)}
    return json.dumps(
        [
            vars(listed)
            | {
                "last": run["last"],
                "of": run["organisations"],
                "countries": run["countries"],
                "hardware_id": run["hardware_id"],
                "domains": run["domains"],
                "published": str(run["published_date"] or ""),
                "mwh": _ends(run, "energy_mwh"),
                "t": _ends(run, "co2e_lifecycle_t"),
                "at": _location(parts.run_mark(run, x, y)) if run["run_id"] in placed else None,
            }
            for run, listed in zip(runs, parts.listed(runs), strict=True)
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _ends(run: Row, name: str) -> list[float | None]:
    """Value and 90 % interval to four digits; no value for a guess."""
    value = None if run["is_guess"] else run[name]
    ends = (value, run[f"{name}_p05"], run[f"{name}_p95"])
    return [None if end is None else float(f"{end:.4g}") for end in ends]


def of_merged(data: Data) -> Iterator[parts.Page]:
    """A page for each old id of a run: it leads to the run that it was merged into."""
    for row in data.query("merged"):
        run = data.runs[row["other_run_id"]]
        about = f"This run is {run['model']}."
        page = parts.page(parts.address(row["run_id"]), run["model"], about, [], [("run", parts.of_run(run))])
        page.context["moved_to"] = f"{identifier(run['run_id'])}.html"
        yield page


def _location(mark: charts.Mark) -> list[float | None]:
    return [mark.x, mark.y, mark.low, mark.high]


def of_runs(data: Data) -> Iterator[parts.Page]:
    """A page for each run."""
    for run in data.runs.values():
        answer = _answer(run)
        sections = [
            _counted(run),
            _factors(data, run),
            _published(data, run),
            _rivals(data, run),
            _elsewhere(data, run),
            _beside(data, run),
            _size(run),
            _cite(data, run),
        ]
        yield parts.Page(
            path=parts.address(run["run_id"]),
            template="run.html",
            title=run["model"],
            about=answer,
            context={
                "answer": answer,
                "solidity": run["solidity"],
                "notes": [_comparable(data, run), *_notes(run)],
                "assumption": run["assumption"] or "",
                "is_assumption_left_out": any(
                    factor["factor"] == "chip_hours" and factor["basis"] in PUBLISHED
                    for factor in data.factors[run["run_id"]]
                ),
                "facts": _facts(data, run),
                "products": [*_products(data, run)],
                "sections": [section for section in sections if section],
                "json_ld": json_ld(_dataset(data, run, answer)),
            },
        )


def _answer(run: Row) -> str:
    energy, gross = parts.span(run, "energy_mwh"), parts.span(run, "co2e_gross_t")
    begins, about = words.COVERS[run["covers"]]
    bound = about.removesuffix("about")
    verb = "would have emitted" if run["covers"] == "hypothetical" else "emitted"
    interval = "90 % intervals of the limit" if bound else "90 % intervals"
    if run["is_guess"]:
        amount = f"{bound}an amount somewhere" if bound else "somewhere"
        tonnes = f", and {verb} {amount} from {gross} gross CO2e" if gross else ""
        return (
            f"{begins.format(run=run['model'])} {amount} from {energy} of electricity{tonnes} ({interval}). "
            "This is a guess: too little is published."
        )
    amounts = f"{begins.format(run=run['model'])} {bound}{parts.energy(run)} of electricity"
    if bound:
        tonnes = f", and {verb} {bound}{parts.tonnes(run, 'co2e_gross_t')} gross CO2e" if gross else ""
        spans = " and ".join(span for span in (energy, gross) if span)
        return f"{amounts}{tonnes}. The limit itself is an estimate: {spans} ({interval})."
    tonnes = f", and {verb} {parts.tonnes(run, 'co2e_gross_t')} gross CO2e ({gross})" if gross else ""
    return f"{amounts} ({energy}){tonnes}; {interval}."


SCOPES = (
    "servers_x_pue",
    "unspecified",
    "accelerators_only",
)  # of published figures, the most like here first


def _comparable(data: Data, run: Row) -> str:
    """The published figure that is most like the energy or the gross CO2e of a run; empty if none is."""
    figures = [
        figure
        for figure in data.published.get(run["run_id"], [])
        if figure["status"] == "published"
        and figure["scope"] in SCOPES
        and (figure["quantity"] == "energy_mwh" or figure["basis"] == "gross_location")
    ]
    if not figures:
        return ""
    best = min(
        figures,
        key=lambda figure: (
            figure["published_by"] != "developer",
            SCOPES.index(figure["scope"]),
            figure["quantity"] != "energy_mwh",
        ),
    )
    is_energy = best["quantity"] == "energy_mwh"
    who = "The developer" if best["published_by"] == "developer" else "A third party"
    amount = (
        quantities.energy(best["published_value"]) if is_energy else quantities.mass(best["published_value"])
    )
    what = "" if is_energy else " gross CO2e"
    ratio = (
        ""
        if run["is_guess"]
        else f"The estimate here is {quantities.significant(best['ratio'])} times that. "
    )
    inside = "inside" if best["inside_interval"] else "outside"
    return (
        f"{who} published {amount}{what} ({parts.words('scope', best['scope'])}). {ratio}"
        f"The published figure is {inside} the 90 % interval."
    )


def _notes(run: Row) -> Iterator[str]:
    """What the numbers of a run mean, who stated its hours, and how its tonnes differ."""
    limit = words.LIMITS.get(run["covers"], "")
    yield limit
    yield f"{'Of the limit: ' if limit else ''}{parts.meaning('solidity', run['solidity'])}"
    if listed := parts.tonnes(run) or parts.span(run, "co2e_lifecycle_t"):
        yield f"Lists of runs show its life-cycle CO2e: {listed}. The four ways of counting are further down."
    yield words.stated_by(run["hours_stated_by"], None)
    gross, lifecycle = run["co2e_gross_t"], run["co2e_lifecycle_t"]
    if gross is not None and lifecycle is not None:
        yield words.differs_from_gross(
            (run["gross_kg_per_kwh"], run["gross_basis"]),
            (run["lifecycle_kg_per_kwh"], run["lifecycle_basis"]),
        )


def _facts(data: Data, run: Row) -> Iterator[tuple[str, Any]]:
    yield "organisation", parts.of_organisations(data, run["organisations"])
    yield "published", str(run["published_date"]) if run["published_date"] else None
    yield "year of the run", f"{run['run_year']}{'' if run['started_month'] else ' (inferred)'}"
    yield "covers", parts.words("covers", run["covers"])
    if (other := data.runs.get(run["energy_shared_with"])) is not None:
        yield "shares its training with", parts.of_run(other)
    yield "accelerator", parts.of_hardware(data, run["hardware_id"])
    if run["chips"]:
        yield "accelerators", f"{run['chips']:,}"
    if run["cloud_region"]:
        yield "cloud region", parts.of_region(data, run["cloud_region"])
    if run["site"]:
        yield "site", run["site"]
    yield "country of the run", parts.of_country(data, run["site_country"]) if run["site_country"] else None
    yield "facts of the run from", parts.of_source(data, run["source_id"])


WAYS = (  # of counting the CO2e of a run
    (
        "co2e_gross_t",
        "gross (location-based)",
        "The electricity times the average emissions of the grid at the location of the run.",
    ),
    (
        "co2e_lifecycle_t",
        "life-cycle",
        "As gross, with the fuel supply and the building of power plants. It is on one basis for all runs, "
        "so lists and rankings use it.",
    ),
    (
        "co2e_net_t",
        "net of clean energy",
        "After the carbon-free energy that the operator bought, matched hour by hour.",
    ),
    (
        "co2e_market_t",
        "market-based",
        "After the contracts and certificates that the operator bought for the year, as companies report in "
        "scope 2. It can be a hundredth of gross, although the grid at the location emitted as much.",
    ),
)


def _counted(run: Row) -> parts.Section:
    rows = [
        (
            name,
            parts.tonnes(run, column) if run[column] is not None else None,
            parts.span(run, column),
            means,
        )
        for column, name, means in WAYS
    ]
    headers = ("CO2e", "Estimate", "90 % interval", "What it counts")
    return parts.Section(
        heading="CO2e, counted in four ways",
        table=parts.Table(caption="Ways of counting CO2e", headers=headers, rows=rows, numeric={1, 2}),
        anchor="counted",
    )


def _products(data: Data, run: Row) -> Iterator[Row]:
    """The two multiplications: energy from hours, power and PUE; tonnes from energy and grid."""
    factors = {factor["factor"]: factor for factor in data.factors[run["run_id"]]}
    energy = [
        _factor(factors[name], run) for name in ("chip_hours", "watts_per_chip", "pue") if name in factors
    ]
    total = _result(run, "energy_mwh", "energy", parts.energy(run))
    if run["energy_basis"] == "computed":
        yield total | {"label": "Energy is the product of", "factors": energy}
    if gross := factors.get("gross_kg_per_kwh"):
        whole = {"name": "energy", "value": total["value"], "width": total["span"], "share": None}
        result = _result(run, "co2e_gross_t", "CO2e, gross", parts.tonnes(run, "co2e_gross_t"))
        yield result | {"label": "CO2e is the product of", "factors": [whole, _factor(gross, run)]}


def _result(run: Row, column: str, name: str, value: str) -> Row:
    interval = parts.span(run, column)
    return {"name": name, "value": value or interval, "span": interval if value else "90 % interval"}


def _factor(factor: Row, run: Row) -> Row:
    value, width = _amount(factor, run)
    return {
        "name": parts.FACTORS[factor["factor"]][0],
        "value": value,
        "width": width,
        "share": round(100 * factor["share"]),
    }


def _amount(factor: Row, run: Row) -> tuple[str, str]:
    """A factor, and how far the ends of its interval are; of the hours of a guess the interval alone."""
    unit = parts.FACTORS[factor["factor"]][1]
    if run["is_guess"] and factor["factor"] == "chip_hours":
        return (
            quantities.chip_hours_span(factor["p05"], factor["p95"]),
            "90 % interval",
        )
    shown = f"{_value(factor['value'])} {unit}".strip()
    if factor["factor"] == "chip_hours":
        shown = quantities.chip_hours(factor["value"])
    return shown, parts.times(width(factor["p05"], factor["p95"]))


def _value(value: float) -> str:
    return quantities.count(value) if abs(value) >= 100 else quantities.significant(value)


def _factors(data: Data, run: Row) -> parts.Section:
    rows = []
    for factor in data.factors[run["run_id"]]:
        name, _, column = parts.FACTORS[factor["factor"]]
        value, width = _amount(factor, run)
        means = parts.meaning(column, factor["basis"])
        rows.append(
            (
                name,
                parts.Text(text=value, small=width),
                parts.Badge(factor["solidity"]),
                means or parts.words(column, factor["basis"]),
                _year(factor),
                parts.Cited(
                    source=parts.of_source(data, factor["source_id"]), locator=factor["source_locator"] or ""
                ),
            )
        )
    headers = ("Factor", "Value", "Solidity", "How it is known", "Year", "Source, and the place in it")
    return parts.Section(
        heading="Where each factor comes from",
        text=["The value is followed by the factor to each end of its 90 % interval."],
        table=parts.Table(caption="Factors", headers=headers, rows=rows, numeric={1}),
        anchor="factors",
    )


def _year(factor: Row) -> parts.Text:
    return parts.Text(
        text=f"{factor['factor_year'] or ''}", small="another year" if factor["is_other_year"] else ""
    )


def _published(data: Data, run: Row) -> parts.Section | None:
    rows = []
    for figure in data.published.get(run["run_id"], []):
        show = quantities.energy if figure["quantity"] == "energy_mwh" else quantities.mass
        kind = (
            "energy"
            if figure["quantity"] == "energy_mwh"
            else f"CO2e, {ACCOUNTING.get(figure['basis'], 'kind not stated')}"
        )
        computed = None if run["is_guess"] else show(figure["computed_value"])
        far = "" if run["is_guess"] else quantities.significant(figure["ratio"], 3)
        scope = (
            f"{parts.meaning('scope', figure['scope'])} {parts.meaning('derivation', figure['derivation'])}"
        )
        rows.append(
            (
                kind,
                show(figure["published_value"]),
                computed,
                far,
                "yes" if figure["inside_interval"] else "no",
                scope,
                parts.words("published_by", figure["published_by"]),
                parts.of_source(data, figure["source_id"]),
            )
        )
    if not rows:
        return None
    headers = (
        "Quantity",
        "Published",
        "Here",
        "Here / published",
        "Inside 90 %",
        "Covers",
        "Published by",
        "Source",
    )
    return parts.Section(
        heading="What others published",
        table=parts.Table(caption="Published figures", headers=headers, rows=rows, numeric={1, 2, 3}),
        anchor="published",
    )


def _rivals(data: Data, run: Row) -> parts.Section | None:
    rows = [
        (
            _fact(rival["column_name"]),
            _plain(rival["chosen_value"]),
            _plain(rival["rival_value"]),
            parts.meaning("rule", rival["rule"]),
            parts.of_source(data, rival["rival_source_id"]),
        )
        for rival in data.rivals.get(run["run_id"], [])
    ]
    if not rows:
        return None
    headers = ("Fact", "Chosen", "Other value", "Why not the other", "Its source")
    table = parts.Table(caption="Other values of facts", headers=headers, rows=rows, numeric={1, 2})
    return parts.Section(heading="Where sources disagree", table=table)


ACCOUNTING = {"gross_location": "gross", "net_hourly": "net", "net_annual": "net over a year"}
FACTS = {
    "chips": "accelerators",
    "training_hours": "duration, h",
    "training_flop": "FLOP",
    "parameters": "parameters",
    "reported_co2e_t": "published CO2e, t",
    "reported_energy_mwh": "published energy, MWh",
}


def _fact(column: str) -> str:
    """A fact with its unit."""
    return FACTS.get(column) or ", ".join(part for part in parts.FACTORS[column][:2] if part)


def _plain(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if abs(value) >= 1e12 else quantities.significant(value, 4).removesuffix(".0")


def _elsewhere(data: Data, run: Row) -> parts.Section | None:
    if run["chip_hours"] is None or run["watts_per_chip"] is None or not run["run_year"]:
        return None
    energy = run["chip_hours"] * run["watts_per_chip"] / 1e6  # Wh to MWh
    factors = {factor["factor"]: factor["gsd"] for factor in data.factors[run["run_id"]]}
    ln_gsd = math.hypot(math.log(factors["chip_hours"]), math.log(factors["watts_per_chip"]))
    groups = enumerate(data.elsewhere[run["run_year"]], start=1)
    rows = [_group(data, run, place, group, energy, ln_gsd) for place, group in groups]
    headers = ("Locations", *(["CO2e, life-cycle"] if not run["is_guess"] else []), "90 % interval")
    return parts.Section(
        heading="The same run elsewhere",
        text=[
            "The same accelerator-hours and power, with the PUE and the grid of other cloud regions in "
            f"{run['run_year']} or the nearest year (life-cycle intensities, before the operator's clean "
            "energy). Within a group, the differences are too uncertain for a ranking. The best of a group "
            "is better than the best of the next with 95 % probability."
        ],
        table=parts.Table(caption="Groups of cloud regions", headers=headers, rows=rows, numeric={1, 2}),
        anchor="elsewhere",
    )


def of_groups(data: Data) -> Iterator[parts.Page]:
    """For each year of a run, a page with all cloud regions, in groups that really differ."""
    for year, groups in data.elsewhere.items():
        sections = [
            parts.Section(
                heading=f"Group {place}", table=_regions(data, place, group), anchor=f"group-{place}"
            )
            for place, group in enumerate(groups, start=1)
        ]
        about = (
            f"Cloud regions by the life-cycle CO2e of a run in {year} or the nearest year, least first. "
            "Within a group, the differences are too uncertain for a ranking. The best of a group is better "
            "than the best of the next with 95 % probability."
        )
        yield parts.page(_groups_path(year), f"Groups of cloud regions, {year}", about, sections)


def _groups_path(year: int) -> str:
    return f"groups/{year}.html"


def _regions(data: Data, place: int, group: Group) -> parts.Table:
    rows = []
    for location in group:
        known = data.regions[location.region][0]
        country = data.countries.get(known["country"], known["country"])
        half = math.exp(Z_90 * location.ln_gsd)
        shown = f"{location.t / half:.3f} to {location.t * half:.3f}"  # t/MWh are kg/kWh
        rows.append(
            (
                parts.of_region(data, location.region),
                parts.Text(text=f"{location.t:.3f}", small=shown),
                known["provider"],
                country,
            )
        )
    headers = ("Region", "kg/kWh, with PUE", "Operator", "Country")
    return parts.Table(caption=f"Regions of group {place}", headers=headers, rows=rows, numeric={1})


def _group(data: Data, run: Row, place: int, group: Group, energy: float, ln_gsd: float) -> tuple[Any, ...]:
    best, worst = group[0], group[-1]
    low = energy * best.t * math.exp(-Z_90 * math.hypot(ln_gsd, best.ln_gsd))
    high = energy * worst.t * math.exp(Z_90 * math.hypot(ln_gsd, worst.ln_gsd))
    named = tuple(parts.of_region(data, location.region) for location in group[:NAMED])
    more = len(group) - NAMED
    whole = parts.Link(
        text=f"and {more} more of this group", href=f"{_groups_path(run['run_year'])}#group-{place}"
    )
    links = parts.Links((*named, whole) if more > 0 else named)
    interval = quantities.mass_span(low, high)
    if run["is_guess"]:
        return links, interval
    ends = energy * best.t, energy * worst.t
    return (
        links,
        quantities.mass(ends[0]) if best is worst else quantities.mass_span(*ends),
        interval,
    )


def _beside(data: Data, run: Row) -> parts.Section | None:
    """What is in no total: hardware, water, and the rest of the project of the run."""
    project = "experiments, failed runs and idle machines of the project"
    kinds = (
        ("embodied_t", "CO2e of making the hardware, its share", quantities.mass),
        ("water_site_m3", "water evaporated on site", quantities.volume),
        ("water_grid_m3", "water consumed in making the electricity", quantities.volume),
        ("left_out_mwh", f"energy of {project}", quantities.energy),
        ("left_out_t", f"CO2e of {project}, gross", quantities.mass),
    )
    rows = [
        (
            text,
            "" if run["is_guess"] else show(run[name]),
            f"{show(run[f'{name}_p05'])} to {show(run[f'{name}_p95'])}",
        )
        for name, text, show in kinds
        if run[name] is not None
    ]
    if not rows:
        return None
    basis = parts.meaning("overhead_basis", run["overhead_basis"])
    links = [parts.Link(text="What runs leave out", href="left-out.html")]
    if (source := parts.of_source(data, run["overhead_source_id"])) is not None:
        links.append(source)
    return parts.Section(
        heading="Not counted above",
        text=[f"These are not part of the energy and CO2e above. {basis}".strip()],
        links=links,
        table=parts.Table(
            caption="Hardware, water and the rest of the project",
            headers=("Quantity", "Estimate", "90 % interval"),
            rows=rows,
            numeric={1, 2},
        ),
        anchor="not-counted",
    )


RATES = (  # column, the unit that CO2e is divided by, and the column with the number of these units
    ("kg_per_billion_tokens", "billion training tokens", "training_tokens"),
    ("kg_per_billion_active_parameters", "billion active parameters", "active_parameters"),
    ("kg_per_billion_parameters", "billion parameters", "parameters"),
    ("kg_per_exaflop", "10¹⁸ operations (FLOP)", "training_flop"),
)


def _size(run: Row) -> parts.Section | None:
    """The size of the model, and its gross CO2e for each unit of that."""
    rows = [
        (
            unit,
            _plain(run[size]) if size == "training_flop" else quantities.count(run[size]),
            "" if run["is_guess"] else quantities.mass(run[column] / 1000),  # kg to t
            quantities.mass_span(run[f"{column}_p05"] / 1000, run[f"{column}_p95"] / 1000),
        )
        for column, unit, size in RATES
        if run[column] is not None and run[size] is not None
    ]
    if not rows:
        return None
    basis = parts.meaning("training_tokens_basis", run["training_tokens_basis"])
    return parts.Section(
        heading="Size, and CO2e for each unit of it",
        text=[f"Number of training tokens: {basis[0].lower()}{basis[1:]}"] if basis else [],
        links=[parts.Link(text="All runs by these rates", href="rates.html")],
        table=parts.Table(
            caption="Size and rates",
            headers=("Unit", "Number in this run", "Gross CO2e per unit", "90 % interval"),
            rows=rows,
            numeric={1, 2, 3},
        ),
        anchor="size",
    )


def _cite(data: Data, run: Row) -> parts.Section:
    return parts.Section(heading="How to cite", code=bibtex(data, run["model"], run["run_id"]), anchor="cite")


def bibtex(data: Data, model: str = "", run_id: str = "") -> str:
    """An entry for the dataset, or for a run in it."""
    escaped = "".join(disclosure.LATEX.get(mark, mark) for mark in model)
    title = f"{escaped}, in: {data.manifest['title']}" if model else data.manifest["title"]
    key = "-".join(part for part in (data.manifest["name"], run_id) if part)
    return (
        f"@misc{{{key},\n  author = {{{{{catalog.dataset().creator}}}}},\n"
        f"  title = {{{{{title}}}}},\n"
        f"  year = {{{data.released[:4]}}},\n  date = {{{data.released}}},\n"
        f"  version = {{{data.manifest['version']}}},\n"
        f"{_how_to_get(data)}"
        f"  note = {{License: {data.manifest['license']}}}\n}}"
    )


def citation(data: Data) -> str:
    """The dataset as a list of references names it."""
    where = catalog.public_url()
    found = f" {where}/{data.manifest['version']}/" if where else ""
    return (
        f"{catalog.dataset().creator} ({data.released[:4]}). {data.manifest['title']}, version "
        f"{data.manifest['version']}, released {data.released} [Data set]. "
        f"{data.manifest['license']}.{found}"
    )


def made_from(data: Data) -> str:
    """What names this release where it has no address: its commit and its checksum."""
    commit = f"Commit {data.manifest['commit']}; " if data.manifest["commit"] else ""
    changed = "with changes that are not committed; " if data.manifest["uncommitted"] else ""
    return f"{commit}{changed}SHA-256 of SHA256SUMS: {data.checksum}"


def _how_to_get(data: Data) -> str:
    """Where a reader of an entry finds this release: its address, else how to build it, and its checksum."""
    if url := catalog.public_url():
        return f"  url = {{{url}/{data.manifest['version']}/}},\n"
    return (
        "  howpublished = {Built from the repository of the dataset with ``make dataset''. "
        f"{made_from(data)}}},\n"
    )


def _dataset(data: Data, run: Row | None = None, answer: str = "") -> Row:
    """schema.org's Dataset for the release, or for a run in it with its answer."""
    whole: Row = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": data.manifest["title"],
        "description": catalog.dataset().description,
        "version": data.manifest["version"],
        "datePublished": data.released,
        "license": f"https://spdx.org/licenses/{data.manifest['license']}",
        "creator": {"@type": "Organization", "name": catalog.dataset().creator},
    }
    if run is None:
        return whole
    measured = [
        {"@type": "PropertyValue", "name": words, "unitText": unit, "minValue": low, "maxValue": high}
        | ({} if value is None else {"value": value})
        for words, unit, (value, low, high) in (
            ("energy", "MWh", _ends(run, "energy_mwh")),
            ("CO2e, gross", "t", _ends(run, "co2e_gross_t")),
        )
        if low is not None
    ]
    return whole | {
        "name": f"Energy and CO2e of training {run['model']}",
        "description": answer,
        "identifier": run["run_id"],
        "isPartOf": {"@type": "Dataset", "name": data.manifest["title"], "version": data.manifest["version"]},
        "variableMeasured": measured,
    }


def json_ld(content: Row) -> Markup:
    """JSON for a script element: nothing in it ends the element."""
    return Markup(json.dumps(content, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026"))
