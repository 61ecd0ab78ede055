"""Runs of the dataset by words, developer, year and how well they are known.

Belongs here: reading and filtering the published runs, and their order. Does not belong here: which one run a
name means (names.py), or printing (cli/answers.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ote import sql_files
from ote.answers import names, quantities

COLUMNS = (
    "run_id",
    "model",
    "developer",
    "organisation",
    "organisations",
    "developer_country",
    "published_date",
    "domain",
    "hardware_id",
    "covers",
    "energy_mwh",
    "energy_mwh_p05",
    "energy_mwh_p95",
    "co2e_gross_t",
    "co2e_gross_t_p05",
    "co2e_gross_t_p95",
    "co2e_lifecycle_t",
    "co2e_lifecycle_t_p05",
    "co2e_lifecycle_t_p95",
    "chip_hours_basis",
    "hours_stated_by",
    "energy_basis",
    "solidity",
    "source_url",
)
PUBLISHED = ("disclosed", "chips_x_hours")  # bases of hours that are published, or follow by one product
PROBE = f"select {', '.join(COLUMNS)}, site_country from emissions limit 0"
RUNS = f"select {', '.join(COLUMNS)}, site_country from emissions"
ALIASES = """
select run_id, list(distinct upstream_name order by upstream_name) from support.model_aliases group by run_id
"""
HARDWARE = """
select hardware_id, list(distinct name order by name)
from (
    select hardware_id, name from hardware
    union all select hardware_id, manufacturer from hardware
    union all select hardware_id, alias from support.hardware_aliases
)
group by hardware_id
"""
FACTS = ("hours", "power", "location", "pue")  # that a developer may have published of a run
SORTS = ("energy", "co2e", "interval", "published", "name")

Run = dict[str, Any]  # the columns above, `interval_factor` and `is_guess`


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What runs must have; what is empty is not asked for.

    words: each begins a word of a name, an alias, a developer or its organisation.
    developer: begins a word of a developer or its organisation.
    years: first and last year of publication.
    bases: values of chip_hours_basis; a run whose energy was reported has `reported`.
    within: 90 % of the true energy is within this factor of the estimate.
    """

    words: Sequence[str] = ()
    developer: str = ""
    country: str = ""
    years: tuple[int, int] | None = None
    hardware: str = ""
    domain: str = ""
    covers: str = ""
    bases: Sequence[str] = ()
    min_energy_mwh: float | None = None
    within: float | None = None


def search(connection: duckdb.DuckDBPyConnection, wanted: Wanted, sort: str = "energy") -> list[Run]:
    """The runs with an estimate that are wanted, in an order of SORTS; guesses always after the others."""
    aliases = dict(connection.execute(ALIASES).fetchall())
    hardware = dict(connection.execute(HARDWARE).fetchall())
    cursor = connection.execute(RUNS)
    columns = [column[0] for column in cursor.description or []]
    rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    found = [
        _with_width(row)
        for row in _named(rows, aliases, wanted.words)
        if _is_like(row, hardware.get(row["hardware_id"], []), wanted) and _is_known_so_well(row, wanted)
    ]
    return sorted(found, key=lambda row: (row["is_guess"], _rank(row, sort), row["run_id"]))


def of_runs(connection: duckdb.DuckDBPyConnection, run_ids: Sequence[str]) -> tuple[list[Run], list[str]]:
    """Those of some runs that have an estimate, guesses last, and the others."""
    found = {row["run_id"]: row for row in search(connection, Wanted())}
    known = [found[run_id] for run_id in run_ids if run_id in found]
    return sorted(known, key=lambda row: row["is_guess"]), [r for r in run_ids if r not in found]


def spellings(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    """The names of the hardware or the developers (kind) of runs with an estimate, for suggestions."""
    if kind == "developer":
        query = (
            "select distinct unnest(string_split(developer, ';')) from emissions where developer is not null"
        )
    else:
        query = "select distinct name from hardware inner join emissions using (hardware_id)"
    return [name for (name,) in connection.execute(f"{query} order by 1").fetchall()]


def disclosures(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """For each organisation, how many of its runs have which published fact; who published most first.

    A run of several organisations counts for each. Runs without an estimate count too.
    """
    query = sql_files.text("site.disclosed")
    cursor = connection.execute(
        f"""
        with runs as (
            select *, trim(unnest(string_split(organisations, ';'))) as organisation from ({query})
        ),
        counted as (
            select organisation, count(*) as runs,
                {", ".join(f"count(*) filter (where {name}) as {name}" for name in FACTS)}
            from runs group by organisation
        )
        select *, {" + ".join(FACTS)} as facts from counted order by facts desc, runs, organisation
        """
    )
    columns = [column[0] for column in cursor.description or []]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def without_guesses(runs: Sequence[Run]) -> list[Run]:
    """Runs for programs: an energy or a mass that is a guess is null, and `null_because` says so."""
    central = ("energy_mwh", "co2e_gross_t", "co2e_lifecycle_t")
    return [quantities.without_guesses(run, central) for run in runs]


def without_estimate(connection: duckdb.DuckDBPyConnection, words: Sequence[str]) -> list[str]:
    """The models that have these words in a name, and no estimate."""
    rows = connection.execute("select model, run_id from models_without_estimate order by model").fetchall()
    return [model for model, run_id in rows if names.has_word(model, " ".join(words)) or run_id in words]


def hours_basis(row: Run) -> tuple[str, str]:
    """The column and the value that say how the hours of a run are known."""
    if row["energy_basis"] == "reported":
        return "energy_basis", "reported"
    return "chip_hours_basis", row["chip_hours_basis"]


def _named(rows: list[Run], aliases: dict[str, list[str]], words: Sequence[str]) -> list[Run]:
    """The runs that have each of the words somewhere; those of a model or family, side by side in a name."""
    known = [
        (row, [row["model"], row["run_id"], *aliases.get(row["run_id"], []), *_developers(row)])
        for row in rows
    ]
    phrase = " ".join(words)
    is_name = any(names.is_of(name, phrase) for _, own in known for name in own)
    wanted = [phrase] if is_name else words
    return [
        row for row, own in known if all(any(names.has_word(name, word) for name in own) for word in wanted)
    ]


def _developers(row: Run) -> list[str]:
    return [*(row["developer"] or "").split(";"), *(row["organisations"] or "").split(";")]


def _is_like(row: Run, spellings: list[str], wanted: Wanted) -> bool:
    countries = [*(row["developer_country"] or "").split(";"), row["site_country"]]
    domains = (row["domain"] or "").lower().split(",")
    published = row["published_date"]
    hardware = [row["hardware_id"] or "", *spellings]
    return (
        (not wanted.developer or any(names.has_word(name, wanted.developer) for name in _developers(row)))
        and (not wanted.country or wanted.country in countries)
        and (not wanted.domain or wanted.domain.lower() in domains)
        and (not wanted.covers or wanted.covers == row["covers"])
        and (not wanted.hardware or any(names.has_word(name, wanted.hardware) for name in hardware))
        and (wanted.years is None or bool(published and wanted.years[0] <= published.year <= wanted.years[1]))
    )


def _is_known_so_well(row: Run, wanted: Wanted) -> bool:
    return (
        (not wanted.bases or hours_basis(row)[1] in wanted.bases)
        and (wanted.min_energy_mwh is None or row["energy_mwh"] >= wanted.min_energy_mwh)
        and (wanted.within is None or _interval_factor(row) <= wanted.within)
    )


def _interval_factor(row: Run) -> float:
    """How far the ends of the 90 % interval of the energy are from the estimate, as a factor."""
    return math.sqrt(row["energy_mwh_p95"] / row["energy_mwh_p05"])


def _with_width(row: Run) -> Run:
    return {name: row[name] for name in COLUMNS} | {
        "interval_factor": _interval_factor(row),
        "is_guess": quantities.is_guess(row["energy_mwh_p05"], row["energy_mwh_p95"]),
    }


def _rank(row: Run, sort: str) -> Any:
    """What runs are sorted by: the largest and the newest first, else the least."""
    if sort == "co2e":
        tonnes = row["co2e_lifecycle_t"]
        is_known = tonnes is not None and not quantities.is_guess(
            row["co2e_lifecycle_t_p05"], row["co2e_lifecycle_t_p95"]
        )
        return -tonnes if is_known else 0
    if sort == "published":
        return -row["published_date"].toordinal() if row["published_date"] else 0
    if sort == "interval":
        return row["interval_factor"]
    return row["model"].lower() if sort == "name" else -row["energy_mwh"]
