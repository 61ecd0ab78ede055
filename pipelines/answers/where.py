"""Where a run would have emitted least: places ranked for a run of the dataset, or for one that is described.

Belongs here: reading the published database and ranking. Does not belong here: how PUE, grid and net of a
place come about (sql/out/places.sql), or printing (cli/answers.py).
"""

import math
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from pipelines.answers.published import Z_90

# Fails on a database that is older than this module.
PROBE = "select places.net_gsd, draws.watts_gsd from places, hardware_draws as draws limit 0"

# A place may be known on one basis in one year, and on the other in another year.
NEAREST = """
with nearest as (
    select * from places
    where provider = coalesce($provider, provider) and intensity_basis = coalesce($basis, intensity_basis)
    qualify row_number() over (
        partition by region order by abs(factor_year - $year), factor_year
    ) = 1
)
"""
PLACES = f"""{NEAREST}
select region, provider, country, factor_year, intensity_basis, pue, gross_kg_per_kwh, net_kg_per_kwh,
    ln(net_gsd)
from nearest
order by pue * net_kg_per_kwh, region
"""
# That of the run's own place, else of its own grid, else of most places in the year nearest to it.
USUAL_BASIS = f"""{NEAREST}
select intensity_basis
from nearest
group by intensity_basis
order by
    coalesce(bool_or(region = $region), false) desc,
    intensity_basis = $own_basis desc nulls last,
    count(*) desc,
    intensity_basis
limit 1
"""


class NotFoundError(Exception):
    """The run, the accelerator or the provider has no place here; the message says what to give instead."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place for one run: tonnes with the 90 % interval, and how sure it is that it beats the next one.

    chance_to_beat_next: probability that its net emissions are below those of the next in the list, from
    the spreads of the two places alone, since hours and power are the same at both; None for the last, and
    where the two are known of different years, since no spread says how a grid changes between these.
    """

    region: str
    provider: str
    country: str
    factor_year: int
    intensity_basis: str
    energy_mwh: float
    co2e_gross_t: float
    co2e_net_t: float
    co2e_net_t_p05: float
    co2e_net_t_p95: float
    chance_to_beat_next: float | None


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is to be placed: energy before PUE, its spread, and the year that factors are wanted for.

    hours: wall-clock time; None where a run does not state it.
    region, intensity_basis: where the run was, and what its grid's intensity is; None where not known.
    """

    name: str
    it_energy_mwh: float
    ln_gsd: float
    year: int
    hours: float | None
    region: str | None = None
    intensity_basis: str | None = None


def load_of_run(connection: duckdb.DuckDBPyConnection, run_id: str) -> Load:
    """A run of the dataset.

    Raises:
        NotFoundError: there is no estimate of it, or only its total energy is known.
    """
    rows = connection.execute(
        """
        select model, chip_hours * watts_per_chip / 1e6, run_year,
            (select sqrt(sum(ln(gsd) * ln(gsd))) from emission_factors as factors
             where factors.run_id = emissions.run_id and factor in ('chip_hours', 'watts_per_chip')),
            coalesce(training_hours, chip_hours / chips), cloud_region, intensity_basis
        from emissions where run_id = ?
        """,
        [run_id],
    ).fetchall()
    if not rows:
        raise NotFoundError(
            f"{run_id} has no estimate, so it cannot be ranked. `ote why {run_id}` shows the reason."
        )
    ((model, energy, year, ln_gsd, hours, region, basis),) = rows
    if energy is None or year is None:
        raise NotFoundError(
            f"{run_id} cannot be ranked: only its total energy is known, or its year is unknown."
        )
    return Load(
        name=model,
        it_energy_mwh=energy,
        ln_gsd=ln_gsd,
        year=year,
        hours=hours,
        region=region,
        intensity_basis=basis,
    )


def load_of_hardware(
    connection: duckdb.DuckDBPyConnection, hardware_id: str, chips: int, hours: float, year: int
) -> Load:
    """A run that is described: chips of one kind for some hours.

    Raises:
        NotFoundError: the accelerator is neither rated nor measured.
    """
    rows = connection.execute(
        """
        select hardware.name, draws.watts_per_chip, draws.watts_gsd
        from hardware
        inner join hardware_draws as draws on hardware.hardware_id = draws.hardware_id
        where hardware.hardware_id = ?
        """,
        [hardware_id],
    ).fetchall()
    if not rows:
        raise NotFoundError(
            f"{hardware_id}: its power is unknown, because it is neither rated nor measured here."
        )
    ((name, watts, gsd),) = rows
    return Load(
        name=f"{chips:,} x {name} for {hours:g} hours",
        it_energy_mwh=chips * hours * watts / 1e6,  # Wh to MWh
        ln_gsd=math.log(gsd),
        year=year,
        hours=hours,
    )


def in_year(connection: duckdb.DuckDBPyConnection, load: Load, year: int) -> Load:
    """The load in another year, whose factors are wanted.

    Raises:
        NotFoundError: it lies before the factors of any place, or in the future.
    """
    ((first,),) = connection.execute("select min(factor_year) from places").fetchall()
    if not first <= year <= date.today().year:
        raise NotFoundError(
            f"--year {year}: expected {first}, the first year that factors of places are known of, "
            f"to {date.today().year}."
        )
    return replace(load, year=year)


def usual_basis(connection: duckdb.DuckDBPyConnection, load: Load, provider: str | None = None) -> str:
    """The intensities to rank a load's places on, where nobody chooses: direct or lifecycle.

    Raises:
        NotFoundError: the provider has no place.
    """
    given = {
        "year": load.year,
        "provider": provider,
        "basis": None,
        "region": load.region,
        "own_basis": load.intensity_basis,
    }
    rows = connection.execute(USUAL_BASIS, given).fetchall()
    if not rows:
        known = connection.execute("select distinct provider from places order by 1").fetchall()
        raise NotFoundError(
            f"{provider!r} has no place here. Providers: {', '.join(name for (name,) in known)}."
        )
    return str(rows[0][0])


def ranked(
    connection: duckdb.DuckDBPyConnection, load: Load, basis: str, provider: str | None = None
) -> list[Place]:
    """Every place on one basis of intensities, least net first, at factors of the year nearest to the load's.

    Raises:
        NotFoundError: the provider has no place on this basis.
    """
    rows = connection.execute(PLACES, {"year": load.year, "provider": provider, "basis": basis}).fetchall()
    if not rows:
        raise NotFoundError(
            f"--basis {basis}: {provider or 'nobody'} has no place that is known on {basis} intensities; "
            "leave --basis out."
        )
    spreads = [row[8] for row in rows]
    per_kwh = [row[5] * row[7] for row in rows]
    places = []
    for i, (region, operator, country, factor_year, _, pue, gross, net, spread) in enumerate(rows):
        energy = load.it_energy_mwh * pue
        half = Z_90 * math.hypot(load.ln_gsd, spread)
        is_alone = i + 1 == len(rows) or rows[i + 1][3] != factor_year
        places.append(
            Place(
                region=region,
                provider=operator,
                country=country,
                factor_year=factor_year,
                intensity_basis=basis,
                energy_mwh=energy,
                co2e_gross_t=energy * gross,  # MWh x kg/kWh is t
                co2e_net_t=energy * net,
                co2e_net_t_p05=energy * net * math.exp(-half),
                co2e_net_t_p95=energy * net * math.exp(half),
                chance_to_beat_next=None
                if is_alone
                else chance(per_kwh[i], spread, per_kwh[i + 1], spreads[i + 1]),
            )
        )
    return places


def chance(one: float, one_ln_gsd: float, other: float, other_ln_gsd: float) -> float:
    """Probability that one lognormal quantity with a known median is below another, independent one."""
    if one == 0 or other == 0:
        return 1.0 if one < other else 0.5
    between = math.log(other / one) / math.hypot(one_ln_gsd, other_ln_gsd)
    return 0.5 * (1 + math.erf(between / math.sqrt(2)))
