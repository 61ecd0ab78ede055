"""Where a run would have emitted least: locations ranked for a run of the dataset or a described one.

Belongs here: reading the published database and ranking. Does not belong here: how PUE, grid and net of a
location come about (sql/out/locations.sql), or printing (cli/answers.py).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import duckdb

from ote.answers import quantities
from ote.answers.published import Z_90, ends
from ote.errors import Error

# Fails on a database that is older than this module.
PROBE = """
select locations.net_basis, locations.gross_gsd, locations.pue_gsd, power.watts_gsd
from locations, hardware_power as power limit 0
"""

# A location may be known on one basis in one year, and on the other in another year.
NEAREST = """
with nearest as (
    select * from locations
    where
        provider = coalesce($provider, provider)
        and country = coalesce($country, country)
        and intensity_basis = coalesce($basis, intensity_basis)
    qualify row_number() over (
        partition by region order by abs(factor_year - $year), factor_year
    ) = 1
)
"""
# A location of which net is not known is ranked by gross.
PLACES = f"""{NEAREST}
select region, provider, country, factor_year, intensity_basis, pue, gross_kg_per_kwh,
    pue_gsd, ln(gross_gsd) as gross_ln_gsd,
    net_kg_per_kwh is not null as has_net, net_kg_per_kwh as net, ln(net_gsd) as net_ln_gsd,
    pue * if(has_net, net_kg_per_kwh, gross_kg_per_kwh) as ranked_value,
    if(has_net, net_ln_gsd, gross_ln_gsd) as ranked_ln_gsd
from nearest
order by abs(factor_year - $year), factor_year, ranked_value, region
"""
# The basis of the run's own location, else of its own grid, else of most locations in the nearest year.
USUAL_BASIS = f"""{NEAREST}
select intensity_basis
from nearest
group by intensity_basis
order by
    coalesce(bool_or(region = $region), false) desc,
    intensity_basis = $own_basis desc nulls last,
    count(*) filter (factor_year = $year) desc,
    count(*) desc,
    intensity_basis
limit 1
"""
# The run on one basis of intensities; one that is stated without its basis counts as both, as in what_if.
OWN = """
select coalesce(e.cloud_region, e.site), e.provider, e.site_country, if(is_own, e.gross_basis, g.gross_basis),
    if(is_own, [e.co2e_gross_t, e.co2e_gross_t_p05, e.co2e_gross_t_p95],
        [g.co2e_gross_t, g.co2e_gross_t_p05, g.co2e_gross_t_p95]),
    if(is_own, [e.co2e_net_t, e.co2e_net_t_p05, e.co2e_net_t_p95], [null, null, null])
from (select *, intensity_basis in ('unspecified', $basis) as is_own from emissions) as e
left join support.gross_by_basis as g on e.run_id = g.run_id and g.intensity_basis = $basis
where e.run_id = $run_id and (is_own or g.co2e_gross_t is not null)
"""

Row = dict[str, Any]  # of PLACES


class NotFoundError(Error):
    """No location is known of the run, accelerator or provider; the message says what to give."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """One location for one run: MWh with PUE, and tonnes with 90 % intervals.

    rank: from 1 on, by net where it is known, else by gross; None where the factors are of another year than
        those of the ranked locations.
    co2e_net_t: None where nothing is known of the operator's carbon-free energy.
    ratio_to_actual: its gross CO2e over that of the run where it is now; None where this is not known.
    chance_to_beat_next: probability that its emissions are below those of the next in the list, from the
        uncertainty of the two locations alone, since hours and power are the same at both; None for the last
        one, where only one of the two has a known net, and where both have the same emissions.
    """

    region: str
    provider: str
    country: str
    rank: int | None
    factor_year: int
    intensity_basis: str
    energy_mwh: float
    energy_mwh_p05: float
    energy_mwh_p95: float
    co2e_gross_t: float
    co2e_gross_t_p05: float
    co2e_gross_t_p95: float
    co2e_net_t: float | None
    co2e_net_t_p05: float | None
    co2e_net_t_p95: float | None
    chance_to_beat_next: float | None
    ratio_to_actual: float | None = None


@dataclass(frozen=True, kw_only=True)
class Own:
    """Where the run is now, for comparison.

    place: cloud region or site, as far as it is known.
    gross_basis: how its grid is known; None of a region in the list, whose factors are those of the list.
    gross, net: tonnes with p05 and p95; None where net is not known.
    """

    place: str | None
    provider: str | None
    country: str | None
    gross_basis: str | None
    gross: tuple[float, float, float]
    net: tuple[float | None, float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is to be placed: energy before PUE, its uncertainty, and the year that factors are wanted for.

    hours: wall-clock time; None where a run does not state it.
    region, intensity_basis: where the run was, and what its grid's intensity is; None where not known.
    run_id: of a run of the dataset that is where it was.
    """

    name: str
    it_energy_mwh: float
    ln_gsd: float
    year: int
    hours: float | None
    region: str | None = None
    intensity_basis: str | None = None
    run_id: str | None = None


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
        run_id=run_id,
    )


def load_of_estimate(run: Mapping[str, Any]) -> Load:
    """A run that is described, from its estimate: the same energy and the same uncertainty, before PUE."""
    widths = (run["factors"][name]["gsd"] for name in ("chip_hours", "watts_per_chip"))
    chips = run["chip_hours"] / run["training_hours"]
    return Load(
        name=f"{chips:,.12g} x {run['hardware_name']} for {quantities.duration(run['training_hours'])}",
        it_energy_mwh=run["energy_mwh"] / run["pue"],
        ln_gsd=math.hypot(*map(math.log, widths)),
        year=run["run_year"],
        hours=run["training_hours"],
    )


def years(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """The first and the last year that factors of locations are known of."""
    ((first, last),) = connection.execute(
        "select min(factor_year), max(factor_year) from locations"
    ).fetchall()
    return first, last


def in_year(connection: duckdb.DuckDBPyConnection, load: Load, year: int) -> Load:
    """The load in another year, whose factors are wanted.

    Raises:
        NotFoundError: no location has factors of it.
    """
    first, last = years(connection)
    if not first <= year <= last:
        raise NotFoundError(
            f"--year {year}: expected {first} to {last}, the years that factors of locations are known for."
        )
    return replace(load, year=year)


def at_region(connection: duckdb.DuckDBPyConnection, load: Load, region: str) -> Load:
    """The load with another location as its own.

    Raises:
        NotFoundError: the region is not among the locations.
    """
    if not connection.execute("select 1 from locations where region = ? limit 1", [region]).fetchall():
        raise NotFoundError(f"--region {region}: no grid or no PUE is known of it, so it cannot be ranked.")
    return replace(load, region=region, intensity_basis=None, run_id=None)


def usual_basis(
    connection: duckdb.DuckDBPyConnection,
    load: Load,
    provider: str | None = None,
    country: str | None = None,
) -> str:
    """The intensities to rank a load's locations on, where nobody chooses: direct or lifecycle.

    Raises:
        NotFoundError: the provider has no location, or none in the country (of two letters).
    """
    given = {
        "year": load.year,
        "provider": provider,
        "country": country,
        "basis": None,
        "region": load.region,
        "own_basis": load.intensity_basis,
    }
    rows = connection.execute(USUAL_BASIS, given).fetchall()
    if not rows:
        of = f" of {provider}" if provider and country else ""
        known = connection.execute(
            f"select distinct {'country' if country else 'provider'} from locations "
            "where ? or provider = ? order by 1",
            [not of, provider],
        ).fetchall()
        names = ", ".join(name for (name,) in known)
        raise NotFoundError(f"{country or repr(provider)}: no location{of} here. Known: {names}.")
    return str(rows[0][0])


def ranked(
    connection: duckdb.DuckDBPyConnection,
    load: Load,
    basis: str,
    provider: str | None = None,
    year: int | None = None,
    country: str | None = None,
) -> list[Location]:
    """Every location on one basis of intensities; those of one year are ranked, least emissions first.

    That year is the load's, or the nearest to it that any location has. After them, and not ranked, come the
    locations of which only factors of other years are known.

    Raises:
        NotFoundError: the provider has no location on this basis, or none in the year that was given.
    """
    cursor = connection.execute(
        PLACES, {"year": load.year, "provider": provider, "country": country, "basis": basis}
    )
    names = [column[0] for column in cursor.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if not rows:
        raise NotFoundError(
            f"--basis {basis}: {provider or 'nobody'} has no location that is known on {basis} intensities; "
            "leave --basis out."
        )
    if year is not None and rows[0]["factor_year"] != year:
        raise NotFoundError(
            f"--year {year}: none of these locations has {basis} intensities of that year; the nearest year "
            f"is {rows[0]['factor_year']}."
        )
    of_year = [row for row in rows if row["factor_year"] == rows[0]["factor_year"]]
    chances = [_chance(one, other) for one, other in pairwise(of_year)]
    unranked = [_location(load, row, None, None) for row in rows[len(of_year) :]]
    ranks = zip(of_year, [*chances, None], strict=True)
    found = [_location(load, row, rank, beats) for rank, (row, beats) in enumerate(ranks, start=1)] + unranked
    now = own(connection, load, basis, found)
    if now is None or not now.gross[0]:
        return found
    return [replace(each, ratio_to_actual=each.co2e_gross_t / now.gross[0]) for each in found]


def own(
    connection: duckdb.DuckDBPyConnection, load: Load, basis: str, locations: Sequence[Location]
) -> Own | None:
    """Where the run is now: as published, else its region as ranked; None where neither is known."""
    if load.run_id is not None:
        names = ("place", "provider", "country", "gross_basis")
        rows = connection.execute(OWN, {"run_id": load.run_id, "basis": basis}).fetchall()
        for *named, gross, net in rows:
            return Own(**dict(zip(names, named, strict=True)), gross=tuple(gross), net=tuple(net))
        return None
    ranked = (each for each in locations if each.rank is not None)  # the others have factors of other years
    here = next((each for each in ranked if each.region == load.region), None)
    if here is None:
        return None
    return Own(
        place=here.region,
        provider=here.provider,
        country=here.country,
        gross_basis=None,
        gross=(here.co2e_gross_t, here.co2e_gross_t_p05, here.co2e_gross_t_p95),
        net=(here.co2e_net_t, here.co2e_net_t_p05, here.co2e_net_t_p95),
    )


def _location(load: Load, row: Row, rank: int | None, chance_to_beat_next: float | None) -> Location:
    energy = load.it_energy_mwh * row["pue"]
    net = None if row["net"] is None else energy * row["net"]  # MWh x kg/kWh is t
    pue = Spread.of(row["pue"], row["pue_gsd"])
    return Location(
        **{name: row[name] for name in ("region", "provider", "country", "factor_year", "intensity_basis")},
        **_interval("energy_mwh", energy, load.ln_gsd, pue, None),
        **_interval("co2e_gross_t", energy * row["gross_kg_per_kwh"], load.ln_gsd, pue, row["gross_ln_gsd"]),
        **_interval("co2e_net_t", net, load.ln_gsd, pue, row["net_ln_gsd"]),
        rank=rank,
        chance_to_beat_next=chance_to_beat_next,
    )


@dataclass(frozen=True)
class Spread:
    """How far the ends of the 90 % interval of a PUE are below and above it, as logarithms."""

    below: float
    above: float

    @classmethod
    def of(cls, pue: float, gsd: float) -> "Spread":
        """The spread of a PUE whose part above 1 has this gsd."""
        low, high = ends("pue", pue, gsd)
        return cls(math.log(pue / low), math.log(high / pue))


def _interval(
    name: str, value: float | None, ln_gsd: float, pue: Spread, with_pue_ln_gsd: float | None
) -> dict[str, Any]:
    """A value with the ends of its 90 % interval, by their names; what is not known has none.

    Args:
        name: what the value is.
        value: energy, or tonnes; both with the PUE.
        ln_gsd: of the energy before PUE.
        pue: its spread.
        with_pue_ln_gsd: of PUE x intensity, as `locations` has it; None for the PUE alone.
    """
    if value is None:
        return dict.fromkeys((name, f"{name}_p05", f"{name}_p95"))
    grid = 0.0
    if with_pue_ln_gsd is not None:
        like = (pue.above + pue.below) / 2 / Z_90  # of a lognormal distribution as wide
        grid = math.sqrt(max(with_pue_ln_gsd**2 - like**2, 0))
    below = math.hypot(Z_90 * ln_gsd, pue.below, Z_90 * grid)
    above = math.hypot(Z_90 * ln_gsd, pue.above, Z_90 * grid)
    return {name: value, f"{name}_p05": value * math.exp(-below), f"{name}_p95": value * math.exp(above)}


def _chance(one: Row, other: Row) -> float | None:
    """The chance that one location is below another; None where net is known of one, or both are equal."""
    names = ("ranked_value", "ranked_ln_gsd")
    if one["has_net"] != other["has_net"] or all(one[name] == other[name] for name in names):
        return None
    return chance(one["ranked_value"], one["ranked_ln_gsd"], other["ranked_value"], other["ranked_ln_gsd"])


def chance(one: float, one_ln_gsd: float, other: float, other_ln_gsd: float) -> float:
    """Probability that one lognormal quantity with a known median is below another, independent one."""
    if one == 0 or other == 0:
        return 1.0 if one < other else 0.5
    between = math.log(other / one) / math.hypot(one_ln_gsd, other_ln_gsd)
    return 0.5 * (1 + math.erf(between / math.sqrt(2)))
