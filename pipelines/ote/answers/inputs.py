"""What an averaged factor of a run is the mean of: each input with its value, weight and source.

Belongs here: which query of sql/why finds the inputs of which basis, and the mean that they give. Does not
belong here: the tree around them (why.py), or any estimate: the power and mixes come from the queries of the
build (sql/core), over the public tables.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ote import sql_files

SCRATCH = "inputs_of_factors"
# What the queries of sql/why and those of sql/core that they build on read, from the public tables.
VIEWS = {
    "raw.system_power": "system_power",
    "raw.organisations": "organisations",
    "core.training_runs": (
        "(select *, coalesce(cloud_region, 'site:' || site) as region from {}.training_runs)"
    ),
    "core.datacenter_pue": "datacenter_pue",
    "core.hardware": "hardware",
    "core.throughput": "(select * from {}.hardware_power where sustained_flop_per_s is not null)",
    "core.chip_power": "hardware_power",
    "out.training_runs": "training_runs",
    "out.emission_factors": "emission_factors",
    "out.hardware": "hardware",
    "out.hardware_power": "hardware_power",
    "support.location_factors": "support.location_factors",
    "support.location_mixes": "support.location_mixes",
    "support.run_providers": "support.run_providers",
    "out.grid_intensity": "grid_intensity",
}
DRAWS = ("scaling_pairs", "power_observations")
MIXES = ("own_accelerators", "maker_mixes", "hardware_mix")
PUES = ("pue_years", "stated_pues")


@dataclass(frozen=True, kw_only=True)
class Average:
    """How the inputs of some bases are found: those of a factor whose names begin alike."""

    factor: str
    begins: str
    inputs: str
    mean: str = "geometric"
    times: str | None = None
    builds_on: tuple[str, ...] = ()


AVERAGES = (
    Average(factor="watts_per_chip", begins="measured_same_chip", inputs="measured_power", builds_on=DRAWS),
    Average(
        factor="watts_per_chip",
        begins="measured_ratio",
        inputs="measured_power",
        times="rated_power",
        builds_on=DRAWS,
    ),
    Average(factor="watts_per_chip", begins="hardware_mix", inputs="mix_power", builds_on=MIXES),
    Average(factor="chip_hours", begins="flop_by_", inputs="mix_hours", builds_on=MIXES),
    Average(factor="pue", begins="developer_locations", inputs="pues_of_runs", builds_on=PUES),
    Average(factor="pue", begins="training_locations", inputs="pues_of_runs", builds_on=PUES),
    Average(factor="gross_kg_per_kwh", begins="provider_", inputs="grids_of_operators"),
    Average(factor="net_kg_per_kwh", begins="operator_locations", inputs="nets_of_operators"),
    Average(factor="gross_kg_per_kwh", begins="developer_locations", inputs="grids_of_runs"),
    Average(
        factor="gross_kg_per_kwh",
        begins="developer_country_year",
        inputs="developer_countries",
        mean="arithmetic",
    ),
)

Inputs = dict[str, Any]


def of_run(connection: duckdb.DuckDBPyConnection, run_id: str, bases: Mapping[str, str]) -> dict[str, Inputs]:
    """The inputs of each averaged factor of a run, the heaviest first.

    Args:
        connection: the published database.
        run_id: the run.
        bases: the basis of each of its factors.

    Returns:
        For each factor that is an average: the `mean` (geometric or arithmetic) of `of`, which are name,
        value, unit, weight_fraction and source of each input; and `times`, what it is multiplied by, or None.
    """
    averages = [a for a in AVERAGES if bases.get(a.factor, "").startswith(a.begins)]
    if not averages:
        return {}
    builds_on = list(dict.fromkeys(name for average in averages for name in average.builds_on))
    with _opened(connection, builds_on) as scratch:
        scratch.execute("set variable run_id = cast(? as varchar)", [run_id])
        return {average.factor: _inputs(scratch, average, bases[average.factor]) for average in averages}


def _inputs(scratch: duckdb.DuckDBPyConnection, average: Average, basis: str) -> Inputs:
    scratch.execute("set variable basis = cast(? as varchar)", [basis])
    (times,) = _rows(scratch, average.times) if average.times else (None,)
    found = sorted(_rows(scratch, average.inputs), key=lambda row: (-row["weight_fraction"], row["name"]))
    return {"mean": average.mean, "times": times, "of": found}


def value_of(inputs: Inputs) -> float:
    """What the inputs give."""
    terms = [(row["weight_fraction"], row["value"]) for row in inputs["of"]]
    if inputs["mean"] == "arithmetic":
        mean = math.fsum(weight * value for weight, value in terms)
    elif any(value == 0 for _, value in terms):
        mean = 0.0
    else:
        mean = math.exp(math.fsum(weight * math.log(value) for weight, value in terms))
    return mean * (inputs["times"]["value"] if inputs["times"] else 1)


def _opened(connection: duckdb.DuckDBPyConnection, builds_on: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """The tables of the published database under the names that they have in a build (out.emissions)."""
    ((published,),) = connection.execute("select current_database()").fetchall()
    scratch = connection.cursor()
    if not scratch.execute("from duckdb_databases() where database_name = ?", [SCRATCH]).fetchall():
        scratch.execute(f"attach ':memory:' as {SCRATCH} (read_write)")
        scratch.execute(f"use {SCRATCH}")
        macros = sql_files.text("macros").replace("create or replace temp macro", "create macro")
        scratch.execute(macros)  # for every cursor
        for schema in ("raw", "core", "support", "out"):
            scratch.execute(f"create schema {schema}")
        for name, table in VIEWS.items():
            origin = table.format(f'"{published}"') if "{}" in table else f'"{published}".{table}'
            scratch.execute(f"create view {name} as select * from {origin}")
        # Runs that name their accelerator are held out from the mixes only to score these.
        scratch.execute("create table core.flop_observations (run_id varchar)")
    scratch.execute(f"use {SCRATCH}")
    made = scratch.execute("select table_name from duckdb_tables() where database_name = ?", [SCRATCH])
    missing = set(builds_on) - {name for (name,) in made.fetchall()}
    for name in (name for name in builds_on if name in missing):
        with sql_files.named(sql_files.path_of(f"core.{name}")):
            scratch.execute(f"create table core.{name} as {sql_files.text(f'core.{name}')}")
    return scratch


def _rows(scratch: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """The rows of a query of sql/why, with the columns of the source under `source`."""
    sql_files.run(scratch, f"why.{name}")
    names = [column[0] for column in scratch.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in scratch.fetchall()]
    return [
        {name: cell for name, cell in row.items() if not name.startswith("source_") and name != "verified"}
        | {
            "source": {part: row[f"source_{part}"] for part in ("id", "title", "url", "locator")}
            | {"verified": row["verified"]}
        }
        for row in rows
    ]
