"""Where the numbers of a run come from: its derivation as a tree, from the published database alone.

Belongs here: reading the tree, proving that it multiplies out, and writing it as text. Does not belong here:
any estimate (sql/), or options and exit codes (cli/answers.py).
"""

import difflib
import math
import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import duckdb

from pipelines.answers import inputs
from pipelines.answers.published import Z_90
from pipelines.ingestion.training_run_rules import spelling_key

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
SHOWN_RUNS = 8  # of those that a name may mean
SHOWN_INPUTS = 3  # of those that a factor is the mean of
# Fails on a database that is older than this module.
PROBE = """
    select factors.gsd, factors.flop_confidence, sources.sha256, draws.mfu, power.measured_at,
        embodied.embodied_t, water.water_grid_m3
    from emission_factors as factors left join sources using (source_id), hardware_draws as draws,
        system_power as power, embodied_emissions as embodied, water_use as water
    limit 0
"""
# What is in no total: table, quantity, unit, formula over the columns of the table, its source.
BESIDE = (
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

Tree = dict[str, Any]


class UnknownRunError(Exception):
    """There is no such run, or there are several; the message says what to give instead.

    run_ids: the runs that may be meant.
    """

    def __init__(self, message: str, run_ids: Sequence[str] = ()) -> None:
        """Take the message, and the runs that it names or would."""
        super().__init__(message)
        self.run_ids = list(run_ids)


class BrokenDatabaseError(Exception):
    """A published result is not the product of its factors, or a factor is not the mean of its inputs."""


def find(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The run_id that a person means: itself or a model's name here or upstream, in any case and punctuation.

    Raises:
        UnknownRunError: nothing has that name, or several runs do. It names these, or the largest of those
            whose names begin with it or have a word that does, or else the nearest names.
    """
    if not name.strip():
        raise UnknownRunError(f"{name!r} is empty: expected a run_id or the name of a model, such as gpt-3.")
    name = unicodedata.normalize("NFKC", name)  # full width letters are those of half width
    names = connection.execute("""
        with names (run_id, name) as (
            select run_id, model from emissions
            union all select run_id, run_id from emissions
            union all select run_id, model from models_without_estimate
            union all select run_id, run_id from models_without_estimate
            union all select run_id, upstream_name from model_aliases
        )
        select names.run_id, names.name from names left join emissions on names.run_id = emissions.run_id
        order by emissions.energy_mwh desc nulls last, names.run_id
    """).fetchall()
    meant = spelling_key(name) or name  # without Latin letters and digits nothing is left of a name

    def runs(test: Callable[[str, str], bool]) -> list[str]:
        return list(dict.fromkeys(run_id for run_id, known in names if test(run_id, known)))

    for found in (
        runs(lambda run_id, _: run_id == name),
        runs(lambda _, known: known.lower() == name.lower()),
        runs(lambda _, known: spelling_key(known) == meant),
    ):
        if len(found) == 1:
            return found[0]
        if found:
            several = _shown(sorted(found))
            raise UnknownRunError(
                f"{name!r} names {len(found)} runs: {several}. Give one run_id.", sorted(found)
            )
    begun = runs(lambda _, known: spelling_key(known).startswith(meant))
    held = begun or runs(lambda _, known: any(key.startswith(meant) for key in _from_each_word(known)))
    if held:
        raise UnknownRunError(f"{name!r} is no run here. Runs with that in their name: {_shown(held)}.", held)
    near = difflib.get_close_matches(name.lower(), sorted(runs(lambda *_: True)), n=3, cutoff=0)
    raise UnknownRunError(f"{name!r} is no run here. The nearest: {', '.join(near)}.", near)


def _from_each_word(name: str) -> list[str]:
    """The keys of a name from each of its words on: a part of a name begins with a word, not within one."""
    return [spelling_key(name[word.start() :]) for word in re.finditer(r"[A-Za-z0-9]+", name)]


def _shown(run_ids: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(run_ids) - SHOWN_RUNS
    return ", ".join(run_ids[:SHOWN_RUNS]) + (f" and {more} more" if more > 0 else "")


def _rows(connection: duckdb.DuckDBPyConnection, query: str, run_id: str) -> list[Tree]:
    cursor = connection.execute(query, [run_id])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def tree(connection: duckdb.DuckDBPyConnection, run_id: str) -> Tree:
    """The derivation of a run: results, factors with spread, source and inputs, and what others say.

    Raises:
        BrokenDatabaseError: a result is not the product of its factors, or a factor is not the mean of its
            inputs.
    """
    run = _rows(connection, "from emissions where run_id = ?", run_id)
    if not run:
        (absent,) = _rows(connection, "from models_without_estimate where run_id = ?", run_id)
        return {"run_id": run_id, "model": absent["model"], "without_estimate": absent["reason"]} | {
            "source": {k: absent[f"source_{k}"] for k in ("id", "title", "url", "locator")}
        }
    (row,) = run
    factors = {factor["factor"]: factor for factor in map(_factor, _factors(connection, run_id))}
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
                f"{run_id}: {result['name']} is {result['value']!r}, but its factors give {product!r}: "
                "the database is damaged. Build it anew."
            )
    _add_inputs(connection, run_id, factors)
    return {
        "run_id": run_id,
        "model": row["model"],
        "run_year": row["run_year"],
        "energy_mwh": row["energy_mwh"],
        "energy_basis": row["energy_basis"],
        "covers": row["covers"],
        "results": results,
        "factors": factors,
        "beside": [found for beside in BESIDE if (found := _beside(connection, run_id, *beside))],
        "reported": {
            "energy_mwh": row["reported_energy_mwh"],
            "energy_scope": row["reported_energy_scope"],
            "co2e_t": row["reported_co2e_t"],
        },
        "source": {k: row[f"source_{k}"] for k in ("id", "title", "url", "locator")},
        "rivals": _rows(
            connection,
            "select column_name, chosen_value, rival_value, rule, rival_source_id, rival_source_locator "
            "from conflicts where subject_kind = 'training_run' and subject = ? order by all",
            run_id,
        ),
        "published": _rows(
            connection,
            "select quantity, basis, published_value, computed_value, inside_interval, scope, derivation, "
            "source_url, source_locator from agreement where run_id = ? order by all",
            run_id,
        ),
    }


def _add_inputs(connection: duckdb.DuckDBPyConnection, run_id: str, factors: dict[str, Tree]) -> None:
    """What each averaged factor is the mean of; net has the inputs of gross where it is equal to it."""
    found = inputs.of_run(connection, run_id, {name: factor["basis"] for name, factor in factors.items()})
    for name, factor in factors.items():
        origin = "gross_kg_per_kwh" if factor["basis"] == "equals_gross" else name
        factor["inputs"] = found.get(origin)
        if factor["inputs"] is None:
            continue
        given = inputs.value_of(factor["inputs"])
        if not math.isclose(given, factor["value"], rel_tol=TOLERANCE, abs_tol=1e-300):
            raise BrokenDatabaseError(
                f"{run_id}: {name} is {factor['value']!r}, but its inputs give {given!r}: "
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
        terms = {k: _short(v) if isinstance(v, float) else v for k, v in row.items()}
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
    spread = Z_90 * math.log(row["gsd"])
    return {
        "factor": row["factor"],
        "value": row["value"],
        "unit": FACTORS[row["factor"]],
        "p05": row["value"] * math.exp(-spread),
        "p95": row["value"] * math.exp(spread),
        "gsd": row["gsd"],
        "basis": row["basis"],
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
    terms = [f"{_short(values[part])} {FACTORS.get(part, 'MWh')}" for part in of]
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


def _short(value: float) -> str:
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e12 else f"{value:.4g}"


def render(found: Tree) -> str:
    """The tree as lines of text, ASCII but for names."""
    if "without_estimate" in found:
        source = found["source"]
        return "\n".join(
            [
                f"{found['model']} ({found['run_id']}): no estimate",
                f"`- {found['without_estimate']}",
                f"   {source['title']}, {source['locator']}, {source['url']}",
            ]
        )
    lines = [f"{found['model']} ({found['run_id']}, {found['covers']}, year {found['run_year']})"]
    for result in found["results"]:
        interval = f"({_short(result['p05'])} to {_short(result['p95'])})"
        lines.append(f"|- {result['name']} = {_short(result['value'])} {result['unit']} {interval}")
        lines.append(f"|     = {result['formula']}")
    if found["energy_basis"] == "reported":
        told = found["source"]
        energy, reported = found["energy_mwh"], found["reported"]["energy_mwh"]
        pue = "" if energy == reported else f" x {_short(energy / reported)} PUE"
        lines.append("|- energy_mwh is the reported one: nothing to compute it from was published")
        scope = found["reported"]["energy_scope"]
        lines.append(f"|     = {_short(reported)} MWh ({scope}){pue} = {_short(energy)} MWh")
        lines.append(f"|     {told['title']}, {told['locator']}, {told['url']}")
    for factor in found["factors"].values():
        lines += _factor_lines(factor)
    for beside in found["beside"]:
        interval = f"({_short(beside['p05'])} to {_short(beside['p95'])})"
        lines += [
            f"|- {beside['name']} = {_short(beside['value'])} {beside['unit']} {interval}, in no total",
            f"|     = {beside['formula']}",
            *_told(beside["source"], "|     "),
        ]
    reported = {name: value for name, value in found["reported"].items() if isinstance(value, float)}
    if found["energy_basis"] == "reported":
        del reported["energy_mwh"]  # it is the energy, as told above
    for name, value in reported.items():
        lines.append(f"|- reported {name}: {_short(value)}, which replaces nothing")
    for other in found["published"]:
        inside = "inside" if other["inside_interval"] else "outside"
        lines.append(
            f"|- published {other['quantity']} ({other['basis']}, {other['scope']}, {other['derivation']}): "
            f"{_short(other['published_value'])}, {inside} the interval"
        )
        lines.append(f"|     {other['source_locator']}, {other['source_url']}")
    for rival in found["rivals"]:
        lines.append(
            f"|- {rival['column_name']}: another source says {_short(rival['rival_value'])} "
            f"instead of {_short(rival['chosen_value'])}; rule: {rival['rule']}"
        )
        lines.append(f"|     {rival['rival_source_id']}, {rival['rival_source_locator']}")
    last = max(i for i, line in enumerate(lines) if line.startswith("|-"))
    tail = [f"`{line[1:]}" if i == 0 else f" {line[1:]}" for i, line in enumerate(lines[last:])]
    return "\n".join([*lines[:last], *tail])


def _factor_lines(factor: Tree) -> list[str]:
    source = factor["source"]
    year = "" if factor["factor_year"] is None else f", {factor['factor_year']}"
    year += ", not the year of the run" if factor["is_other_year"] else ""
    grid = f", {factor['intensity_basis']}" if factor["intensity_basis"] else ""
    fitted = f"{factor['fitted_on']} (n = {factor['n_observations']})"
    lines = [
        f"|- {factor['factor']} = {_short(factor['value'])} {factor['unit']} "
        f"({_short(factor['p05'])} to {_short(factor['p95'])}), {factor['basis']}{grid}{year}",
        f"|     spread {factor['gsd']:.3f}: {fitted}",
        *_flop_lines(factor),
        f"|     {source['title']}, {source['verified']}",
        f"|     {source['locator']}",
        f"|     {source['url']}",
    ]
    if source["sha256"]:
        when = f", retrieved {source['retrieved_at']}" if source["retrieved_at"] else ""
        lines.append(f"|     sha256 {source['sha256'][:16]}...{when}")
    if factor["inputs"] and factor["basis"] == "equals_gross":
        lines.append("|     the same inputs as gross_kg_per_kwh")
    elif factor["inputs"]:
        lines += _input_lines(factor["inputs"])
    return lines


def _input_lines(found: inputs.Inputs) -> list[str]:
    """The heaviest inputs of a mean, and how many more there are."""
    times, of = found["times"], found["of"]
    lines = []
    if times:
        lines += [
            f"|     {times['name']}: {_short(times['value'])} {times['unit']}, times",
            *_told(times["source"]),
        ]
    noun = "input" if len(of) == 1 else "inputs"
    lines.append(f"|     {found['mean']} mean of {len(of)} {noun}, each with its weight:")
    for one in of[:SHOWN_INPUTS]:
        lines.append(
            f"|     {one['weight_fraction']:.3f} x {_short(one['value'])} {one['unit']}: {one['name']}"
        )
        lines += _told(one["source"])
    if len(of) > SHOWN_INPUTS:
        lines.append(f"|     and {len(of) - SHOWN_INPUTS} more, all with --json")
    return lines


def _told(source: Tree, indent: str = "|         ") -> list[str]:
    text = textwrap.wrap(f"{source['title']}, {source['locator']}", 120, break_long_words=False)
    return [indent + line for line in [*text, source["url"]]]


def _flop_lines(factor: Tree) -> list[str]:
    """What FLOP that are not sure add to the spread of the hours that come from them."""
    flop = factor["flop"]
    if flop["confidence"] is None:
        return []
    return [f"|     with {flop['gsd']:.3f} of the FLOP, {flop['confidence']}: {flop['fitted_on']}"]
