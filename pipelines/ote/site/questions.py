"""The pages on which a reader asks: Query (SQL) and Your run, both answered by DuckDB in the browser.

Belongs here: what these pages hold before a question is asked. Does not belong here: asking
(static/engine.js), or getting the engine (engine.py).
"""

import json
from collections.abc import Iterator
from typing import Any

from ote import catalog, hardware_units, sql_files
from ote.answers import disclosure, locations, quantities, words
from ote.answers import estimate as estimating
from ote.releases import release_files
from ote.site import engine, evidence, parts
from ote.site.data import Data

EXAMPLES = (
    (
        "Largest runs",
        "Whole runs alone. Guesses are left out: their interval spans more than a factor of 100.",
        "select model, organisations, published_date, energy_mwh, energy_mwh_p05, energy_mwh_p95\n"
        "from emissions\nwhere covers = 'one_run' and solidity <> 'guessed'\n"
        "order by energy_mwh desc\nlimit 20",
    ),
    (
        "Factors of one run",
        "Each with its uncertainty, its basis and its source.",
        "select factor, value, gsd, basis, factor_year, source_url, source_locator\n"
        "from emission_factors\nwhere run_id = 'gpt-3-175b'",
    ),
    (
        "Runs by year",
        "How many runs have an estimate, and on how many of them the energy was measured or disclosed.",
        "select\n  year(published_date) as year,\n  count(*) as runs,\n"
        "  count(*) filter (where solidity in ('measured', 'disclosed')) as solid_runs\n"
        "from emissions\ngroup by year\norder by year",
    ),
    (
        "Computed and published energy",
        "The ratio of the estimate to what the developer or others published.",
        "select run_id, computed_value, published_value, ratio, inside_interval\n"
        "from agreement\nwhere quantity = 'energy_mwh'\norder by ratio desc, run_id, published_value",
    ),
    (
        "Cleanest Google Cloud regions",
        "Carbon intensity of the grid of each region, in the latest year that is known.",
        "select region, year, carbon_intensity_g_per_kwh, intensity_basis, cfe_fraction\n"
        "from grid_intensity\nwhere scheme = 'google_cloud'\n"
        "qualify row_number() over (partition by region order by year desc) = 1\n"
        "order by carbon_intensity_g_per_kwh, region\nlimit 20",
    ),
    (
        "Power of accelerators",
        "Average power of the whole system per accelerator, and the rated power.",
        "select hardware.name, hardware_power.watts_per_chip, hardware.tdp_w, hardware_power.watts_basis\n"
        "from hardware_power\ninner join hardware using (hardware_id)\n"
        "order by hardware_power.watts_per_chip desc, hardware.name",
    ),
    (
        "Columns of a table",
        "What each column means, with its unit.",
        "select column_name, data_type, comment\nfrom duckdb_columns()\n"
        "where database_name = 'dataset' and table_name = 'emissions'\norder by column_index",
    ),
)
QUERIES = (
    *("names", "starts", "gsds", "powers", "runs", "bounds", "slices"),
    *("problems", "settings", "estimates"),
)
# The fields of Your run: legend, whether it is open at first, and its columns with their labels and hints. A
# column of a run that is not in them gets a field, too (_fields).
FIELDS = (
    (
        "The run",
        True,
        (
            ("hardware", "Accelerator", "in any spelling, such as H100"),
            ("chips", "Number of accelerators", "such as 512"),
            ("training_hours", "Hours", "wall-clock hours, such as 300"),
            ("site_country", "Country", "code or English name"),
            ("cloud_region", "Cloud region", "such as us-central1"),
            ("started", "Start", "YYYY-MM-DD, YYYY-MM or YYYY; today if it is empty"),
        ),
    ),
    (
        "Instead of accelerators and hours",
        False,
        (
            ("chip_hours", "Accelerator-hours", "accelerators x hours, such as 153600"),
            ("training_flop", "Operations", "floating-point operations in all, such as 3e23"),
            ("energy_kwh", "Measured energy", "kWh of the machines, before PUE"),
            ("metering", "Metering", "how that energy was measured, and what it leaves out"),
        ),
    ),
    (
        "More about power and place",
        False,
        (
            (
                "watts_per_chip",
                "Power",
                "measured average of the whole system, W per accelerator, before PUE",
            ),
            ("pue", "PUE", "energy of the data center over energy of its computers, such as 1.1"),
            ("provider", "Provider", "operator of the data center, such as AWS"),
            ("site_state", "State or province", "such as Texas or CA-QC"),
            ("carbon_intensity_g_per_kwh", "Grid intensity", "location-based, g CO2e per kWh"),
            ("cfe_fraction", "Carbon-free share", "of your consumption, matched by the hour: 0 to 1"),
            ("market_g_per_kwh", "Market-based intensity", "after contracts of the year, g CO2e per kWh"),
            ("model", "Name of the model", "for the text to copy"),
        ),
    ),
)
MISSING = (
    f"The query engine is not in this copy of the site: to add it, run “{engine.HOW}” and then “make site” "
    "in a checkout of the project."
)


def pages(data: Data) -> Iterator[parts.Page]:
    """The pages of questions."""
    yield _query(data)
    yield _run(data)


def _fields() -> list[tuple[str, bool, tuple[tuple[str, str, str], ...]]]:
    """FIELDS; a column that is not in it comes last, with the name and the text of its option."""
    *first, (legend, is_open, last) = FIELDS
    named = {column for _, _, fields in FIELDS for column, _, _ in fields}
    others = (
        (column, option.removeprefix("--").replace("-", " ").capitalize(), says)
        for column, (option, says) in estimating.COLUMNS.items()
        if column not in named
    )
    return [*first, (legend, is_open, (*last, *others))]


def method() -> str:
    """estimate.json: what the page Your run needs besides the database, from where `ote estimate` has it.

    Its queries are the files of sql/estimate, and its words are those of `ote report`.
    """
    known: dict[str, Any] = {
        "columns": {column: label for _, _, fields in _fields() for column, label, _ in fields},
        "names": estimating.NAMES,
        "tables": estimating.TABLES,
        "states": locations.STATES.read_text(encoding="utf-8"),
        "queries": {name: sql_files.text(f"estimate.{name}") for name in QUERIES}
        | {"macros": sql_files.text("macros")},
        "slice": hardware_units.SLICE,
        "generations": {word: hardware_units.generation(word) for word in hardware_units.GENERATIONS},
        "makers": sorted(hardware_units.MAKERS),
        "units": [
            {
                "name": unit.name,
                "model": unit.model,
                "noun": unit.noun,
                "perChip": unit.per_chip,
                "countedBy": unit.counted_by,
                "hardwareId": unit.hardware_id,
                "hint": hardware_units.hint(unit.hardware_id),
            }
            for unit in hardware_units.units()
        ],
        "personal": hardware_units.PERSONAL_NAMES,
        "personalHint": f"The accelerator is {hardware_units.PERSONAL.replace('--pue 1', 'a PUE of 1')}",
        "guessRatio": quantities.GUESS_RATIO,
        "words": _words(),
    }
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def _words() -> dict[str, Any]:
    """What the dataset calls things, for the text to copy."""
    return {
        "bases": words.bases(),
        "otherYear": words.OTHER_YEAR,
        "factors": words.FACTORS,
        "given": sorted(disclosure.GIVEN),
        "metered": disclosure.METERED,
        "intensities": disclosure.INTENSITIES,
        "unknown": disclosure.UNKNOWN,
        "ambiguous": disclosure.AMBIGUOUS,
        "sentences": disclosure.SENTENCES,
        "scope": disclosure.SCOPE,
        "method": disclosure.METHOD,
        "countries": locations.country_names(),
        "states": locations.state_names(),
    }


def _run(data: Data) -> parts.Page:
    about = (
        "Energy and CO2e of a training run of your own, with 90 % intervals. The estimate is made in your "
        "browser, as the command ote estimate makes it."
    )
    fields = [
        {
            "legend": legend,
            "is_open": is_open,
            "fields": [{"name": name, "label": label, "hint": hint} for name, label, hint in columns],
        }
        for legend, is_open, columns in _fields()
    ]
    lists = {
        "hardware": sorted({row["name"] for row in data.hardware.values()}, key=str.lower),
        "cloud_region": sorted(region for region in data.regions if not region.startswith("site:")),
        "site_country": sorted(locations.country_names().values()),
    }
    context = _engine(data) | {"lead": about, "groups": fields, "lists": lists}
    return parts.Page(
        path="your-run.html", template="your-run.html", title="Your run", about=about, context=context
    )


def _query(data: Data) -> parts.Page:
    tables = [
        (table.stem, " ".join(table.description.split()), f"{data.manifest['tables'][table.stem]:,}")
        for table in catalog.public_tables()
        if table.stem in data.manifest["tables"]
    ]
    about = "Ask the dataset in SQL, in your browser: the answer as a table and as CSV."
    context = _engine(data) | {
        "lead": about,
        "examples": [
            {"title": title, "about": says, "sql": sql, "name": f"example-{number}"}
            for number, (title, says, sql) in enumerate(EXAMPLES, 1)
        ],
        "tables": parts.Table(
            caption="Tables",
            headers=("Table", "What it holds", "Rows"),
            rows=tables,
            numeric={2},
        ),
    }
    return parts.Page(path="query.html", template="query.html", title="Query", about=about, context=context)


def _engine(data: Data) -> dict[str, object]:
    """Where the engine and the database are, and what they weigh."""
    database = data.folder / release_files.DATABASE
    weight = sum(file.stat().st_size for file in (*engine.contents().values(), database))
    return {
        "uses_wasm": True,
        "has_engine": bool(engine.contents()),
        "missing": MISSING,
        "duckdb": engine.DUCKDB,
        "engine": f"duckdb-wasm {engine.VERSION}",
        "size": f"{weight / 1e6:.1f} MB",
        "database": evidence.file_address(data.manifest["version"], release_files.DATABASE),
    }
