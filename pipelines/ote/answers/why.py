"""Where the numbers of a run come from: its derivation as a tree, from the published database alone.

Belongs here: reading the tree and proving that it multiplies out. Does not belong here: any estimate (sql/),
which run a name means (names.py), or printing (cli/derivation.py).
"""

import math
from typing import Any

import duckdb

from ote.answers import inputs, quantities
from ote.errors import Error

FACTORS = {
    "chip_hours": "chip-hours",
    "watts_per_chip": "W",
    "pue": "PUE",
    "gross_kg_per_kwh": "kg/kWh",
    "net_kg_per_kwh": "kg/kWh",
}
# A result is the product of these, over 1e6 where hours and watts become MWh.
RESULTS = {
    "co2e_net_t": ("t", ("energy_mwh", "net_kg_per_kwh")),
    "co2e_gross_t": ("t", ("energy_mwh", "gross_kg_per_kwh")),
    "energy_mwh": ("MWh", ("chip_hours", "watts_per_chip", "pue")),
}
TOLERANCE = 1e-9
# Fails on a database that is older than this module.
PROBE = """
    select factors.p05, factors.flop_confidence, emissions.hours_stated_by, by_kind.co2e_gross_t,
        sources.sha256, power.mfu, power.measured_at,
        embodied.embodied_t, water.water_grid_m3, market.co2e_market_t, left_out.left_out_t
    from emission_factors as factors left join sources using (source_id), hardware_power as power,
        system_power as power, embodied_emissions as embodied, water_use as water, emissions,
        support.gross_by_basis as by_kind, support.market_based as market, left_out
    limit 0
"""
# What is in no total: table, quantity, unit, formula over the columns of the table, its source.
BESIDE = (
    (
        "left_out",
        "left_out_t",
        "t",
        "gross CO2e x ({overhead_ratio} - 1), the whole project over its final run ({overhead_basis}): "
        "experiments, failed runs and idle machines",
        "source",
    ),
    (
        "support.market_based",
        "co2e_market_t",
        "t",
        "{energy_mwh} MWh x {market_kg_per_kwh} kg/kWh ({market_basis}, {market_year}), market-based: after "
        "contracts and certificates of the year",
        "source",
    ),
    (
        "embodied_emissions",
        "embodied_t",
        "t",
        "{chip_hours} chip-hours / ({lifetime_years} years x 8766 h x {in_use_fraction} in use) "
        "x ({accelerator_kg_per_chip} kg of the accelerator + {host_kg_per_chip} kg of its host) / 1000",
        "source",
    ),
    (
        "water_use",
        "water_site_m3",
        "m3",
        "{energy_mwh} MWh / PUE x {wue_l_per_kwh} l/kWh ({wue_basis}, {wue_year})",
        "wue_source",
    ),
    (
        "water_use",
        "water_grid_m3",
        "m3",
        "{energy_mwh} MWh x {grid_water_l_per_kwh} l/kWh ({grid_water_basis})",
        "source",
    ),
)
# Columns of emissions that a derivation begins with.
ABOUT = (
    "run_id",
    "model",
    "developer",
    "published_date",
    "run_year",
    "energy_mwh",
    "energy_mwh_p05",
    "energy_mwh_p95",
    "energy_basis",
    "covers",
    "solidity",
    "hours_stated_by",
    "assumption",
)
LIFECYCLE = """
select co2e_gross_t as value, co2e_gross_t_p05 as p05, co2e_gross_t_p95 as p95,
    gross_kg_per_kwh as kg_per_kwh, gross_basis as basis, factor_year,
    source_title as title, source_url as url, source_locator as locator
from support.gross_by_basis where run_id = ? and intensity_basis = 'lifecycle'
"""
RIVALS = """
select column_name, chosen_value, rival_value, rule, rival_source_id, rival_source_locator
from conflicts where subject_kind = 'training_run' and subject = ? order by all
"""
PUBLISHED = """
select quantity, basis, published_value, computed_value, inside_interval, cause_reason, scope, derivation,
    source_url, source_locator
from agreement where run_id = ? order by all
"""
# Figures of several runs, or of a whole project, that cover the run.
TOGETHER = """
select figures.run_id as published_id, figures.quantity, figures.basis, figures.value, figures.scope,
    figures.derivation, figures.source_url, figures.source_locator
from footprint_runs as covered
inner join published_footprints as figures on covered.published_id = figures.run_id
where covered.run_id = ? order by all
"""

Tree = dict[str, Any]


class BrokenDatabaseError(Error):
    """A published result is not the product of its factors, or a factor is not the mean of its inputs."""


def _rows(connection: duckdb.DuckDBPyConnection, query: str, run_id: str) -> list[Tree]:
    cursor = connection.execute(query, [run_id])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def tree(connection: duckdb.DuckDBPyConnection, run_id: str) -> Tree:
    """The derivation of a run: results, factors with gsd, source and inputs, and what others published.

    Raises:
        BrokenDatabaseError: a result is not the product of its factors, or a factor is not the mean of its
            inputs.
    """
    run = _rows(connection, "from emissions where run_id = ?", run_id)
    if not run:
        (absent,) = _rows(connection, "from models_without_estimate where run_id = ?", run_id)
        return {
            "run_id": run_id,
            "model": absent["model"],
            "without_estimate": absent["reason"],
            "source": _source(absent),
        }
    (row,) = run
    factors = {factor["factor"]: factor for factor in map(_factor, _factors(connection, run_id))}
    results = _results(row, factors)
    _add_inputs(connection, run_id, factors)
    return {
        **{name: row[name] for name in ABOUT},
        "results": results,
        "lifecycle": _lifecycle(connection, run_id, row["co2e_gross_t"]),
        "factors": factors,
        "beside": [found for beside in BESIDE if (found := _beside(connection, run_id, *beside))],
        "reported": {
            "energy_mwh": row["reported_energy_mwh"],
            "energy_scope": row["reported_energy_scope"],
            "co2e_t": row["reported_co2e_t"],
        },
        "source": _source(row),
        "rivals": _rows(connection, RIVALS, run_id),
        "published": _rows(connection, PUBLISHED, run_id),
        "published_together": _rows(connection, TOGETHER, run_id),
    }


def _source(row: Tree) -> Tree:
    return {part: row[f"source_{part}"] for part in ("id", "title", "url", "locator")}


def _lifecycle(connection: duckdb.DuckDBPyConnection, run_id: str, gross_t: float | None) -> Tree | None:
    """The life-cycle CO2e of a run, that runs are compared by; None where no such intensity is known."""
    for row in _rows(connection, LIFECYCLE, run_id):
        source = {part: row.pop(part) for part in ("title", "url", "locator")}
        is_below = gross_t is not None and row["value"] < gross_t
        return {"name": "co2e_lifecycle_t", "unit": "t", **row, "is_below_gross": is_below, "source": source}
    return None


def _results(row: Tree, factors: dict[str, Tree]) -> list[Tree]:
    """The results that are products of factors.

    Raises:
        BrokenDatabaseError: one is not.
    """
    values = {name: factor["value"] for name, factor in factors.items()} | {"energy_mwh": row["energy_mwh"]}
    results = [
        _result(name, unit, of, row, values)
        for name, (unit, of) in RESULTS.items()
        if row[name] is not None and (name != "energy_mwh" or row["energy_basis"] == "computed")
    ]
    for result in results:
        product = math.prod(values[name] for name in result["of"]) / result["over"]
        if not math.isclose(product, result["value"], rel_tol=TOLERANCE, abs_tol=1e-300):
            raise BrokenDatabaseError(
                f"{row['run_id']}: {result['name']} is {result['value']!r}, but its factors give "
                f"{product!r}: the database is damaged. Build it anew."
            )
    return results


def without_guesses(found: Tree) -> Tree:
    """A derivation for programs: guesses are null, and `null_because` next to them says why."""
    if "without_estimate" in found:
        return found
    known = quantities.without_guesses(found, ("energy_mwh",))
    is_guess = known["null_because"] is not None
    results = [_without_guess(result) for result in found["results"]]
    hidden = {result["name"] for result in results if result["value"] is None}
    return {
        **known,
        "results": results,
        "lifecycle": found["lifecycle"] and _without_guess(found["lifecycle"], is_guess=is_guess),
        "factors": {
            name: _without_guess(factor, is_guess=hides(found, name))
            for name, factor in found["factors"].items()
        },
        "beside": [_without_guess(beside, is_guess=is_guess) for beside in found["beside"]],
        "published": [
            {**other, "computed_value": None} if _computed(other) in hidden else other
            for other in found["published"]
        ],
    }


def hides(found: Tree, factor: str) -> bool:
    """Whether only the interval of a factor is shown: a guess, and the hours of a run whose energy is one."""
    of, energy = found["factors"][factor], (found["energy_mwh_p05"], found["energy_mwh_p95"])
    is_of_guess = factor == "chip_hours" and quantities.is_guess(*energy)
    return is_of_guess or quantities.is_guess(of["p05"], of["p95"])


def _computed(other: Tree) -> str:
    """The result that a published figure is compared with."""
    if other["quantity"] == "energy_mwh":
        return "energy_mwh"
    return "co2e_net_t" if other["basis"].startswith("net") else "co2e_gross_t"


def _without_guess(item: Tree, *, is_guess: bool = False) -> Tree:
    if not (is_guess or quantities.is_guess(item["p05"], item["p95"])):
        return {**item, "null_because": None}
    hidden = [name for name in ("value", "formula", "unbounded_value") if name in item]
    return {**item, **dict.fromkeys(hidden), "null_because": quantities.GUESS}


def _add_inputs(connection: duckdb.DuckDBPyConnection, run_id: str, factors: dict[str, Tree]) -> None:
    """What each averaged factor is the mean of."""
    found = inputs.of_run(connection, run_id, {name: factor["basis"] for name, factor in factors.items()})
    for name, factor in factors.items():
        factor["inputs"] = found.get(name)
        if factor["inputs"] is None:
            continue
        given = inputs.value_of(factor["inputs"])
        value = factor["value"] if factor["unbounded_value"] is None else factor["unbounded_value"]
        if not math.isclose(given, value, rel_tol=TOLERANCE, abs_tol=1e-300):
            raise BrokenDatabaseError(
                f"{run_id}: {name} is {value!r}, but its inputs give {given!r}: "
                "the database is damaged. Build it anew."
            )


def _beside(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    table: str,
    name: str,
    unit: str,
    formula: str,
    of: str,
) -> Tree | None:
    """A quantity that is in no total; None where it is not known of the run."""
    query = f"select * from {table} where run_id = ? and {name} is not null"
    for row in _rows(connection, query, run_id):
        terms = {k: short(v) if isinstance(v, float) else v for k, v in row.items()}
        return {
            "name": name,
            "value": row[name],
            "p05": row[f"{name}_p05"],
            "p95": row[f"{name}_p95"],
            "unit": unit,
            "formula": formula.format(**terms),
            "source": {part: row[f"{of}_{part}"] for part in ("title", "url", "locator")},
        }
    return None


def _factors(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[Tree]:
    query = """
        select factors.*, method.fitted_on, method.n_observations, sources.sha256, sources.status,
            cast(sources.retrieved_at as varchar) as retrieved_at, flop.gsd as flop_gsd,
            flop.fitted_on as flop_fitted_on
        from emission_factors as factors
        inner join method on factors.factor = method.factor and factors.basis = method.basis
        left join method as flop on flop.factor = 'training_flop' and factors.flop_confidence = flop.basis
        left join sources on factors.source_id = sources.source_id
        where factors.run_id = ?
    """
    order = list(FACTORS)
    return sorted(_rows(connection, query, run_id), key=lambda row: order.index(row["factor"]))


def _factor(row: Tree) -> Tree:
    return {
        "factor": row["factor"],
        "value": row["value"],
        "unit": FACTORS[row["factor"]],
        "p05": row["p05"],
        "p95": row["p95"],
        "gsd": row["gsd"],
        "distribution": row["distribution"],
        "upper_bound": row["upper_bound"],
        "below_bound_fraction": row["below_bound_fraction"],
        "unbounded_value": row["unbounded_value"],
        "basis": row["basis"],
        "solidity": row["solidity"],
        "intensity_basis": row["intensity_basis"],
        "factor_year": row["factor_year"],
        "is_other_year": row["is_other_year"],
        "fitted_on": row["fitted_on"],
        "n_observations": row["n_observations"],
        "flop": {name: row[f"flop_{name}"] for name in ("confidence", "gsd", "fitted_on")},
        "source": {
            "id": row["source_id"],
            "title": row["source_title"],
            "url": row["source_url"],
            "locator": row["source_locator"],
            "verified": row["verified"],
            "status": row["status"],
            "sha256": row["sha256"],
            "retrieved_at": row["retrieved_at"],
        },
    }


def _result(name: str, unit: str, of: tuple[str, ...], row: Tree, values: dict[str, float]) -> Tree:
    over = 1e6 if name == "energy_mwh" else 1.0  # Wh to MWh; MWh x kg/kWh is t
    terms = [f"{short(values[part])} {FACTORS.get(part, 'MWh')}" for part in of]
    return {
        "name": name,
        "value": row[name],
        "p05": row[f"{name}_p05"],
        "p95": row[f"{name}_p95"],
        "unit": unit,
        "of": of,
        "over": over,
        "formula": " x ".join(terms) + (" / 1e6" if over > 1 else ""),
    }


def short(value: float) -> str:
    """A number in four significant digits, or whole with separators for thousands."""
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e12 else f"{value:.4g}"
