"""What a training run must be beyond its single cells: no unit slip, contradiction or impossible speed.

Each rule is one function of a row that returns what is wrong and what to do, or None.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from ote import catalog, hardware_units
from ote.ingestion.facts import (
    File,
    Problem,
    Row,
    cell_problems,
    judged,
    read_text,
    unknown,
    verdict,
)
from ote.ingestion.spelling import spelling_key

CHIP_HOURS_TOLERANCE = 0.02  # printed hours are rounded; the facts differ by up to 1.9 %
LEAST = {
    "parameters": (1000, "It looks like billions"),
    "active_parameters": (1000, "It looks like billions"),
    "training_flop": (1e9, "It looks like another unit than FLOP"),
    "chip_hours": (0.01, "It looks like another unit than hours"),
}
RUN_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?")  # also the name of a page
SLIPS = {
    24: "days for hours",
    60: "minutes for hours",
    1000: "a factor of a thousand",
    3600: "seconds for hours",
}


# Cards of exercises carry energies and tonnes of trainings that nobody ran.
INVENTED = re.compile(
    r"\b(home ?work|course ?work|(course|class|student|school) (project|exercise|assignment)s?|exercise|dummy"
    r"|placeholder|fictitious|made[- ]up|lorem ipsum|carbon accounting audit)\b",
    re.IGNORECASE,
)
SAME = (
    "model", "hardware", "chips", "training_hours", "chip_hours", "site", "source_url", "source_locator"
)  # fmt: skip
COUNTRIES, PROVIDERS = "countries.csv", "provider_aliases.csv"
Rule = Callable[[], str | None]
Names = dict[str, tuple[str, str]]  # key that names are compared by, to spelling and what is written for it


def location_key(name: str) -> str:
    """The words of a name in alphabetical order, without accents and articles, as sql/macros.sql has it.

    A code may be such a word: AND is Andorra.
    """
    skipped = ("the", "of") if name.strip().lower() == "and" else ("the", "of", "and")
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark)).lower()
    return " ".join(sorted(word for word in re.findall(r"[a-z0-9]+", plain) if word not in skipped))


def regions_at(name: str, regions: Sequence[Row]) -> list[Row]:
    """The cloud regions at a location: those whose own location has each word of its name."""
    meant = set(location_key(name).split())
    cloud = (row for row in regions if not row["region"].startswith("site:"))
    return [row for row in cloud if meant and meant <= set(location_key(row["location"]).split())]


def at_place(name: str, regions: Sequence[Row]) -> str:
    """A sentence that names the cloud regions at a location, such as Frankfurt; empty if there are none."""
    found = [f"{row['region']} ({row['provider']})" for row in regions_at(name, regions)]
    return f"The cloud regions there: {', '.join(found)}" if found else ""


def _spellings(directory: Path) -> Names:
    """Spelling key to spelling and hardware_id, from hardware.csv and hardware_aliases.csv."""
    tables = catalog.tables()
    spellings = {}
    for row in read_text(directory, tables["raw.hardware_aliases"]).rows:
        spellings[spelling_key(row["alias"])] = (row["alias"], row["hardware_id"])
    for row in read_text(directory, tables["raw.hardware"]).rows:
        spellings[spelling_key(row["hardware_id"])] = (row["hardware_id"], row["hardware_id"])
        spellings[spelling_key(row["name"])] = (row["name"], row["hardware_id"])
    return spellings


def provider_names(directory: Path) -> Names:
    """Every name of an operator, by its spelling key, from provider_aliases.csv."""
    rows = read_text(directory, catalog.tables()["raw.provider_aliases"]).rows
    return {spelling_key(row["alias"]): (row["alias"], row["provider"]) for row in rows}


def country_names(directory: Path) -> Names:
    """Every name and code of a country, by its place key, from countries.csv."""
    rows = read_text(directory, catalog.tables()["raw.countries"]).rows
    return {
        location_key(row[column]): (row[column], row["country"])
        for row in rows
        for column in ("country", "iso3", "alias")
    }


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What other files know: spellings and rows of accelerators, operators, countries and regions."""

    spellings: Names
    hardware: dict[str, Row]
    providers: Names
    countries: Names
    regions: Sequence[Row]

    def chip(self, row: Row) -> Row | None:
        """The accelerator of a run."""
        return self.hardware.get(self.spellings.get(spelling_key(row["hardware"]), ("", ""))[1])


def _known(directory: Path) -> _Known:
    table = catalog.tables()["raw.hardware"]
    hardware = read_text(directory, table)
    sound = judged(hardware, cell_problems(hardware, table))
    regions = read_text(directory, catalog.tables()["raw.regions"]).rows
    return _Known(
        spellings=_spellings(directory),
        hardware={row["hardware_id"]: row for row in sound.rows if "hardware_id" in row},
        providers=provider_names(directory),
        countries=country_names(directory),
        regions=regions,
    )


def training_run_problems(file: File, directory: Path) -> list[Problem]:
    """What a training run must be beyond its single cells; a rule that needs a wrong cell is not judged."""
    known, today = _known(directory), datetime.now(UTC).date()
    problems = []
    seen: dict[tuple[str, ...], int] = {}
    for line, row in file:
        checks = _checks(row, known, today) | {"model": partial(_seen, row, line, seen)}
        problems += [
            Problem(line, column, row.get("run_id", ""), says)
            for column, rule in checks.items()
            if (says := verdict(rule))
        ]
    return problems


def _checks(row: Row, known: _Known, today: date) -> dict[str, Rule]:
    """The rules of a row, by the column that they are about."""
    return {
        **{c: partial(_too_small, row, c, *least) for c, least in LEAST.items()},
        "run_id": lambda: _id_problem(row["run_id"]),
        "source_title": lambda: _invented_problem(row),
        "hardware": lambda: _hardware_problem(row, known.spellings),
        "developer_country": lambda: countries_problem(row["developer_country"], known.countries),
        "chip_hours": lambda: verdict(lambda: _chip_hours_problem(row)) or _mfu_problem(row, known.chip(row)),
        "watts_per_chip": lambda: _watts_problem(row, known.chip(row)),
        "started_month": lambda: _start_problem(row, today),
        "published_date": lambda: _date_problem(row, today),
        **{column: partial(rule, row) for column, rule in _location_rules(known).items()},
        "net_kg_per_kwh": lambda: _net_problem(row),
    }


def _location_rules(known: _Known) -> dict[str, Callable[[Row], str | None]]:
    """The rules of what a row states of a location, by the column that they are about."""
    return {
        "site_country": lambda row: (
            verdict(partial(_country_problem, row, known)) or _elsewhere_problem(row, known.regions)
        ),
        "provider": lambda row: (
            verdict(partial(_provider_problem, row, known)) or _operator_problem(row, known.regions)
        ),
        "cloud_region": lambda row: _region_problem(row["cloud_region"], row["cloud_region"], known.regions),
        "site": lambda row: _region_problem(row["site"], f"site:{row['site']}", known.regions),
    }


def _country_problem(row: Row, known: _Known) -> str | None:
    country = row["site_country"]
    return _name_problem(country, location_key(country), known.countries, COUNTRIES)


def _provider_problem(row: Row, known: _Known) -> str | None:
    return _name_problem(row["provider"], spelling_key(row["provider"]), known.providers, PROVIDERS)


def location_checks(directory: Path) -> dict[str, Callable[[Row], str | None]]:
    """The same rules, for other files that name locations."""
    return _location_rules(_known(directory))


def _seen(row: Row, line: int, seen: dict[tuple[str, ...], int]) -> str | None:
    """An earlier line with the same facts, of those that are seen; the row is then one of them."""
    facts = tuple(row[column] for column in SAME)
    earlier = seen.setdefault(facts, line)
    return f"the same facts as line {earlier} under another run_id. Remove one." if earlier != line else None


def _id_problem(cell: str) -> str | None:
    if RUN_ID.fullmatch(cell):
        return None
    return f"{cell!r} is not an id: expected a-z, 0-9, dots and hyphens, such as llama-3.1-8b."


def _too_small(row: Row, column: str, least: float, slip: str) -> str | None:
    cell = row[column]
    if not cell or float(cell) >= least:
        return None
    return f"{cell} is less than any run with facts has ({least:g}). {slip}. Check the unit."


def _invented_problem(row: Row) -> str | None:
    texts = (row["model"], row["source_title"], row["source_locator"])
    found = next((match[0] for text in texts if (match := INVENTED.search(text))), None)
    if found is None:
        return None
    return (
        f"{found!r} names an exercise, not a training that took place. Only runs that were made belong here. "
        "If this one was, cite where its developer describes it."
    )


def _hardware_problem(row: Row, spellings: Names) -> str | None:
    if not row["hardware"] or spelling_key(row["hardware"]) in spellings:
        return None
    if counting := hardware_units.named(row["hardware"]):
        return (
            f"{row['hardware']!r} counts parts of a chip, and the facts count chips ({counting.says}). "
            f"Write {counting.model}, and {counting.chips_each:g} chips for each"
        )
    return unknown(
        row["hardware"], {s for s, _ in spellings.values()}, "hardware.csv or hardware_aliases.csv"
    )


def _name_problem(cell: str, key: str, names: Names, file: str) -> str | None:
    """A name that is none, or another one than is written here: what joins on it would find nothing."""
    if not cell:
        return None
    if key not in names:
        return unknown(cell, {spelling for spelling, _ in names.values()}, file)
    written = names[key][1]
    return None if cell == written else f"{cell!r} is written {written!r} here."


def countries_problem(cell: str, names: Names) -> str | None:
    """The first of several codes, separated by semicolons, that is none."""
    problems = (_name_problem(part, location_key(part), names, COUNTRIES) for part in cell.split(";"))
    return next((says for says in problems if says), None)


def _chip_hours_problem(row: Row) -> str | None:
    if not (row["chips"] and row["training_hours"] and row["chip_hours"]):
        return None
    product = float(row["chips"]) * float(row["training_hours"])
    ratio = float(row["chip_hours"]) / product
    if abs(ratio - 1) <= CHIP_HOURS_TOLERANCE:
        return None
    slips = {**SLIPS, int(row["chips"]): "chips multiplied twice, or hours of one chip given as all"}
    factor = max(ratio, 1 / ratio)
    slip = next(
        (f" It looks like {why}." for n, why in slips.items() if n > 1 and abs(factor / n - 1) < 0.05), ""
    )
    return (
        f"{row['chip_hours']} contradicts {row['chips']} chips x {row['training_hours']} h = {product:g} "
        f"(more than {CHIP_HOURS_TOLERANCE:.0%} apart).{slip} Correct one of the three, or leave out the one "
        "that the source does not state."
    )


def _mfu_problem(row: Row, chip: Row | None) -> str | None:
    peaks = (
        [float(chip[p]) for p in ("peak_fp16_tflops", "peak_fp8_tflops", "peak_fp32_tflops") if chip[p]]
        if chip
        else []
    )
    hours = float(row["chip_hours"] or 0) or float(row["chips"] or 0) * float(row["training_hours"] or 0)
    if not (peaks and hours and row["training_flop"]):
        return None
    mfu = float(row["training_flop"]) / (hours * 3600 * max(peaks) * 1e12)  # hours to s, TFLOP to FLOP
    if mfu <= 1:
        return None
    return (
        f"{row['training_flop']} FLOP in {hours:g} chip-hours is {mfu:.1f} times the peak of the chip. "
        "Check chip_hours (all chips, not one) and training_flop."
    )


def _watts_problem(row: Row, chip: Row | None) -> str | None:
    if bool(row["watts_per_chip"]) != bool(row["power_basis"]):
        return "watts_per_chip and power_basis go together. Say how the power was obtained."
    if not (row["watts_per_chip"] and chip and chip["tdp_w"]):
        return None
    fraction = float(row["watts_per_chip"]) / float(chip["tdp_w"])
    possible = catalog.column("rated_fraction")
    if possible.allows(fraction):
        return None
    return (
        f"{row['watts_per_chip']} W is {fraction:.2f} times the {chip['tdp_w']} W that {chip['name']} "
        f"is rated at; {possible.range} is possible. Check the unit, and that it is per chip."
    )


def _start_problem(row: Row, today: date) -> str | None:
    month = row["started_month"]
    if not month:
        return None
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        return f"{month!r} is not a month as YYYY-MM."
    if month > (row["published_date"] or today.isoformat())[:7]:
        return f"{month} lies after the publication or in the future."
    return None


def _date_problem(row: Row, today: date) -> str | None:
    computable = (row["hardware"] and (row["chips"] or row["chip_hours"])) or row["training_flop"]
    if computable and not (row["published_date"] or row["started_month"]):
        return "empty, as is started_month. One of them is needed to find the PUE and the grid of its year."
    if row["published_date"] > today.isoformat():
        return f"{row['published_date']} lies in the future."
    return None


def _region_problem(cell: str, region: str, regions: Sequence[Row]) -> str | None:
    known = {row["region"] for row in regions}
    if not cell or region in known:
        return None
    if region == cell and (there := at_place(cell, regions)):
        return f"{cell!r} is a location, not a cloud region. {there}."
    return unknown(cell, {name.removeprefix("site:") for name in known}, "regions.csv")


def _elsewhere_problem(row: Row, regions: Sequence[Row]) -> str | None:
    """A region or site that lies in another country than the row says."""
    stated = {row["cloud_region"], f"site:{row['site']}"}
    countries = {region["region"]: region["country"] for region in regions if region["region"] in stated}
    return next(
        (
            f"{row['site_country']!r}, but {region.removeprefix('site:')} lies in {country}. Correct one."
            for region, country in countries.items()
            if row["site_country"] not in ("", country)
        ),
        None,
    )


def _operator_problem(row: Row, regions: Sequence[Row]) -> str | None:
    """A cloud region of another operator than the row says."""
    operators = {region["region"]: region["provider"] for region in regions}
    operator = operators.get(row["cloud_region"])
    if not (row["provider"] and operator) or operator == row["provider"]:
        return None
    return f"{row['provider']!r}, but {row['cloud_region']} is a region of {operator}. Correct one."


def _net_problem(row: Row) -> str | None:
    if (
        row["net_kg_per_kwh"]
        and row["gross_kg_per_kwh"]
        and float(row["net_kg_per_kwh"]) > float(row["gross_kg_per_kwh"])
    ):
        return f"net {row['net_kg_per_kwh']} exceeds gross {row['gross_kg_per_kwh']}. Are they swapped?"
    return None
