"""out.emissions and its intervals against figures worked out by hand or published."""

import math
from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest

from ote.warehouse import connect
from tests.conftest import Model, Rows

RUN = {
    "run_id": "example",
    "model": "Example",
    "run_year": 2020,
    "is_ambiguous_hardware": False,
    "source_url": "https://example.org/paper",
    "source_title": "Paper",
    "source_locator": "Table 1",
    "verified": "primary",
}
FACTORS = {
    "chip_hours": 2_000.0,
    "watts_per_chip": 500.0,
    "pue": 1.5,
    "gross_kg_per_kwh": 0.4,
    "net_kg_per_kwh": 0.1,
}
Z = 1.645


def spread(factor: str, value: float, gsd: float) -> dict[str, float]:
    """The interval and the mean of a factor: what is above its least value is lognormal."""
    least, ln_gsd = (1.0 if factor == "pue" else 0.0), math.log(gsd)
    above = {"p05": math.exp(-Z * ln_gsd), "p95": math.exp(Z * ln_gsd), "mean": math.exp(ln_gsd**2 / 2)}
    return {name: least + (value - least) * ratio for name, ratio in above.items()}


METHOD = [{"factor": "energy_mwh", "basis": "reported", "gsd": 1.5, "solidity": "disclosed"}]


def rows(gsd: float | dict[str, float] = 1.1, reported: float | None = None, **factors: float | None) -> Rows:
    """One run with plain round factors; a factor given as None is missing."""
    values = {name: value for name, value in (FACTORS | factors).items() if value is not None}
    return {
        "core.training_runs": [RUN],
        "core.method": METHOD,
        "core.run_relations": [],
        "core.grid_by_basis": [
            {"run_id": "example", "intensity_basis": "direct", "value": 0.4, "gsd": 1.2},
            {"run_id": "example", "intensity_basis": "lifecycle", "value": 0.44, "gsd": 1.3},
        ],
        "core.market_based": [
            {"run_id": "example", "market_kg_per_kwh": 0.5, "market_basis": "residual_mix"}
        ],
        "core.reported_totals": (
            [{"run_id": "example", "reported_energy_mwh": reported, "reported_energy_scope": "servers_x_pue"}]
            if reported is not None
            else []
        ),
        "out.emission_factors": [
            {
                "run_id": "example",
                "factor": name,
                "value": value,
                "basis": "disclosed",
                "intensity_basis": "direct" if "kwh" in name else None,
            }
            | spread(name, value, gsd[name] if isinstance(gsd, dict) else gsd)
            for name, value in values.items()
        ],
    }


def test_each_step_of_the_formula(model: Model) -> None:
    row = model("out.emissions", rows()).row(0, named=True)
    assert row["energy_mwh"] == pytest.approx(1.5)  # 2,000 h x 500 W = 1,000 kWh; x 1.5 = 1,500 kWh
    assert row["co2e_gross_t"] == pytest.approx(0.6)  # 1,500 kWh x 0.4 kg = 600 kg
    assert row["co2e_net_t"] == pytest.approx(0.15)  # 1,500 kWh x 0.1 kg = 150 kg
    assert row["co2e_market_t"] == pytest.approx(0.75)  # 1,500 kWh x 0.5 kg = 750 kg


def test_reproduces_gpt_3(model: Model) -> None:
    """Patterson et al. 2021, Table 4: 1,287 MWh and 552.1 t from 3,552,000 V100-hours at 330 W, PUE 1.10."""
    facts = {
        "chip_hours": 10_000 * 14.8 * 24,
        "watts_per_chip": 330.0,
        "pue": 1.10,
        "gross_kg_per_kwh": 0.429,
        "net_kg_per_kwh": 0.429,
    }
    row = model("out.emissions", rows(**facts)).row(0, named=True)
    assert row["energy_mwh"] == pytest.approx(1287, rel=0.01)
    assert row["co2e_gross_t"] == pytest.approx(552.1, rel=0.02)


def test_reproduces_bloom_176b(model: Model) -> None:
    """Luccioni et al. 2023, JMLR 24(253): 433,196 kWh and 24.7 t for 1,082,990 h at 400 W and 57 g/kWh."""
    facts = {"chip_hours": 1_082_990.0, "watts_per_chip": 400.0, "pue": 1.0, "gross_kg_per_kwh": 0.057}
    row = model("out.emissions", rows(**facts)).row(0, named=True)
    assert row["energy_mwh"] == pytest.approx(433.196, rel=1e-6)
    assert row["co2e_gross_t"] == pytest.approx(24.7, rel=1e-3)


def test_the_interval_is_the_closed_form(model: Model) -> None:
    gsd = {
        "chip_hours": 1.01,
        "watts_per_chip": 1.2,
        "pue": 1.05,
        "gross_kg_per_kwh": 1.3,
        "net_kg_per_kwh": 1.5,
    }
    row = model("out.emissions", rows(gsd)).row(0, named=True)
    others = {"energy_mwh": [], "co2e_gross_t": [1.3], "co2e_net_t": [1.5]}
    for name, more in others.items():
        squares = sum((Z * math.log(each)) ** 2 for each in (1.01, 1.2, *more))
        above = math.hypot(math.sqrt(squares), math.log((1 + 0.5 * 1.05**Z) / 1.5))  # a PUE of 1 + 0.5
        below = math.hypot(math.sqrt(squares), math.log(1.5 / (1 + 0.5 / 1.05**Z)))
        assert row[f"{name}_p05"] == pytest.approx(row[name] * math.exp(-below))
        assert row[f"{name}_p95"] == pytest.approx(row[name] * math.exp(above))


def test_the_mean_is_the_product_of_the_means_of_independent_factors(model: Model) -> None:
    """A lognormal has median x exp(ln^2 gsd / 2), and a PUE of 1.5 has 1 + 0.5 x that; each gsd is 2."""
    row = model("out.emissions", rows(2.0)).row(0, named=True)
    each = math.exp(math.log(2) ** 2 / 2)
    energy = 2_000 * each * 500 * each * (1 + 0.5 * each) / 1e6
    assert row["energy_mwh_mean"] == pytest.approx(energy)
    assert row["co2e_gross_t_mean"] == pytest.approx(energy * 0.4 * each)
    assert row["co2e_net_t_mean"] == pytest.approx(energy * 0.1 * each)
    assert row["co2e_lifecycle_t_mean"] == pytest.approx(energy * 0.44 * math.exp(math.log(1.3) ** 2 / 2))


@pytest.mark.parametrize("pue", [1.05, 1.12, 1.57])
@pytest.mark.parametrize(("hours", "power"), [(1.01, 1.05), (1.25, 1.25), (4.0, 1.3)])
def test_the_interval_agrees_with_drawn_factors(model: Model, pue: float, hours: float, power: float) -> None:
    """The halves of the intervals add in squares: exact without a PUE, else within 3 % of the exact ends."""
    gsd = {
        "chip_hours": hours,
        "watts_per_chip": power,
        "pue": 1.9 if pue > 1.5 else 1.75,
        "gross_kg_per_kwh": 1.25,
    }
    gsd |= {"gross_kg_per_kwh": 1.25, "net_kg_per_kwh": 1.25}
    row = model("out.emissions", rows(gsd, pue=pue)).row(0, named=True)
    random = np.random.Generator(np.random.Philox(20211104))
    drawn = {f: np.exp(random.normal(0, math.log(gsd[f]), 1_000_000)) for f in list(FACTORS)[:4]}
    it = FACTORS["chip_hours"] * FACTORS["watts_per_chip"] * drawn["chip_hours"] * drawn["watts_per_chip"]
    energy = it * (1 + (pue - 1) * drawn["pue"]) / 1e6  # Wh to MWh
    for name, draws in (
        ("energy_mwh", energy),
        ("co2e_gross_t", energy * FACTORS["gross_kg_per_kwh"] * drawn["gross_kg_per_kwh"]),
    ):
        low, high = np.quantile(draws, [0.05, 0.95])
        assert row[f"{name}_p05"] == pytest.approx(low, rel=0.03)
        assert row[f"{name}_p95"] == pytest.approx(high, rel=0.03)
        assert row[f"{name}_mean"] == pytest.approx(draws.mean(), rel=0.015)


def test_no_pue_is_below_1_however_uncertain(model: Model) -> None:
    candidates = [{"run_id": "example", "basis": "training_locations", "value": 1.05, "factor_year": 2020}]
    method = {"factor": "pue", "basis": "training_locations", "fallback_rank": 1, "solidity": "inferred"}
    facts: Rows = {
        "core.training_runs": [RUN],
        "core.pue_candidates": candidates,
        "core.method": [method | {"gsd": 3.0}],
    }
    facts["core.method"].append({"factor": "watts_per_chip", "basis": "ambiguous_variant", "gsd": 1.1})
    row = model("out.emission_factors", facts).row(0, named=True)
    assert (row["lower_bound"], row["distribution"]) == (1, "one_plus_lognormal")
    assert row["p05"] == pytest.approx(1 + 0.05 / 3**Z)
    assert row["p95"] == pytest.approx(1 + 0.05 * 3**Z)
    assert row["mean"] == pytest.approx(1 + 0.05 * math.exp(math.log(3) ** 2 / 2))


@pytest.mark.parametrize(
    ("basis", "factor_year", "variance"),
    [
        ("provider_year", 2020, 0.0),  # the run's year
        ("provider_year", 2023, 3 * math.log(1.1) ** 2),  # three years later
        ("site_year", 2018, 2 * math.log(1.1) ** 2),  # two years earlier
        ("training_locations", 2018, 0.0),  # a mean has it in its fit
        ("disclosed", 2020, 0.0),
    ],
)
def test_a_pue_of_another_year_is_less_certain(
    model: Model, basis: str, factor_year: int, variance: float
) -> None:
    facts: Rows = {
        "core.training_runs": [RUN | {"run_year": 2020}],
        "core.pue_candidates": [
            {"run_id": "example", "basis": basis, "value": 1.1, "factor_year": factor_year}
        ],
        "core.method": [
            {"factor": "pue", "basis": basis, "fallback_rank": 1, "solidity": "inferred", "gsd": 1.3},
            {"factor": "pue", "basis": "other_year", "gsd": 1.1},
            {"factor": "watts_per_chip", "basis": "ambiguous_variant", "gsd": 1.1},
        ],
    }
    row = model("out.emission_factors", facts).row(0, named=True)
    assert math.log(row["gsd"]) ** 2 == pytest.approx(math.log(1.3) ** 2 + variance)


def bounded(model: Model, bound_mwh: float, basis: str = "flop_by_era") -> dict[str, Any]:
    """The hours of a run of 2,000 h at 500 W and a PUE of 1.25, 1.25 MWh, whose gsd is 4."""
    values = {"chip_hours": (2_000.0, 4.0), "watts_per_chip": (500.0, 1.2), "pue": (1.25, 1.5)}
    candidates = {
        name: [{"run_id": "example", "basis": basis, "value": value, "factor_year": 2020}]
        for name, (value, _) in values.items()
    }
    facts: Rows = {
        "core.training_runs": [RUN],
        "core.chip_hours_candidates": candidates["chip_hours"],
        "core.watts_candidates": candidates["watts_per_chip"],
        "core.pue_candidates": candidates["pue"],
        "core.capacity_bounds": [{"run_id": "example", "bound_mwh": bound_mwh}],
        "core.method": [
            {"factor": name, "basis": basis, "fallback_rank": 1, "solidity": "inferred", "gsd": gsd}
            for name, (_, gsd) in values.items()
        ]
        + [{"factor": "watts_per_chip", "basis": "ambiguous_variant", "gsd": 1.1}],
    }
    return model("out.emission_factors", facts).filter(factor="chip_hours").row(0, named=True)


@pytest.mark.parametrize("bound_mwh", [0.5, 1.25, 3.0, 12.5])
def test_hours_are_cut_off_where_no_site_could_have_run_them(model: Model, bound_mwh: float) -> None:
    """Draws above the bound are thrown away; what is left has these ends, this median and this mean."""
    row = bounded(model, bound_mwh)
    most = bound_mwh * 1e6 / (500 * 1.25)
    random = np.random.Generator(np.random.Philox(20211104))
    draws = 2_000 * np.exp(random.normal(0, math.log(4), 4_000_000))
    kept = draws[draws < most]
    assert (row["distribution"], row["upper_bound"]) == ("bounded_lognormal", pytest.approx(most))
    assert row["below_bound_fraction"] == pytest.approx(len(kept) / len(draws), rel=3e-3)
    low, middle, high = np.quantile(kept, [0.05, 0.5, 0.95])
    found = row["p05"], row["value"], row["p95"], row["mean"]
    assert found == pytest.approx((low, middle, high, kept.mean()), rel=0.01)
    assert row["unbounded_value"] == 2_000


@pytest.mark.parametrize(("bound_mwh", "basis"), [(1.25, "disclosed"), (1e6, "flop_by_era")])
def test_published_hours_and_far_bounds_change_nothing(model: Model, bound_mwh: float, basis: str) -> None:
    row = bounded(model, bound_mwh, basis)
    assert (row["value"], row["upper_bound"], row["distribution"]) == (2_000, None, "lognormal")
    assert row["p95"] == pytest.approx(2_000 * 4**Z)


def test_the_normal_distribution_of_the_queries_is_that_of_the_textbooks() -> None:
    with connect() as connection:
        found = connection.execute(
            "select z, normal_below(z), normal_quantile(normal_below(z)) "
            "from (select unnest(range(-60, 61)) / 10 as z)"
        ).fetchall()
        assert connection.execute("select normal_quantile(1e-300::double)").fetchall() == [
            (pytest.approx(NormalDist().inv_cdf(1e-300), rel=1e-13),)
        ]
    for z, below, back in found:
        assert below == pytest.approx(NormalDist().cdf(z), rel=1e-10, abs=1e-15)
        assert back == pytest.approx(z, rel=1e-6, abs=1e-9)


def test_the_bound_of_a_run_is_that_of_its_site_or_of_the_largest_of_its_time(model: Model) -> None:
    """Site: 10 MW for 100 days, then 20 MW for 50, 48 GWh, and the longest training: 2,000 h."""
    site = {"site": "s", "site_title": "S"}
    facts: Rows = {
        "raw.epoch_data_centers": [
            site | {"status_date": date(2024, 1, 1), "power_mw": 10.0},
            site | {"status_date": date(2024, 4, 10), "power_mw": 20.0},
            site | {"status_date": date(2026, 1, 1), "power_mw": 900.0},  # a plan
            {"site": "l", "site_title": "L", "status_date": date(2024, 2, 1), "power_mw": 50.0},
            {"site": "f", "site_title": "F", "status_date": date(2023, 2, 1), "power_mw": 0.5},
            {"site": "n", "site_title": "N", "status_date": date(2023, 1, 1), "power_mw": 0.0},  # not yet
        ],
        "raw.training_sites": [{"run_id": run, "site_title": "S"} for run in ("early", "late")],
        "core.training_runs": [
            {"run_id": "early", "published_date": date(2024, 2, 20)},  # 50 days x 24 h x 10 MW
            {"run_id": "late", "published_date": date(2024, 5, 30)},  # 20 MW x 2,000 h, less than 48 GWh
            {"run_id": "unplaced", "published_date": date(2024, 5, 30)},  # 50 MW x 2,000 h
            {"run_id": "old", "published_date": date(2012, 1, 1)},  # the first site: 0.5 MW x 2,000 h
            {"run_id": "long", "training_flop": 1e24, "training_hours": 2_000.0, "covers": "one_run"},
            {"run_id": "slow", "training_flop": 1e20, "training_hours": 9_000.0, "covers": "one_run"},
        ],
    }
    found = dict(model("core.capacity_bounds", facts).select("run_id", "bound_mwh").rows())
    assert found == pytest.approx({"early": 12_000, "late": 40_000, "unplaced": 100_000, "old": 1_000})


def test_an_unknown_intensity_is_unknown_not_zero(model: Model) -> None:
    row = model("out.emissions", rows(gross_kg_per_kwh=None, net_kg_per_kwh=None)).row(0, named=True)
    assert row["energy_mwh"] == pytest.approx(1.5)
    assert row["co2e_gross_t"] is None
    assert row["co2e_net_t"] is None


def test_a_reported_energy_never_replaces_a_computed_one(model: Model) -> None:
    row = model("out.emissions", rows(reported=9.0)).row(0, named=True)
    assert (row["energy_mwh"], row["energy_basis"]) == (pytest.approx(1.5), "computed")
    assert row["reported_energy_mwh"] == 9.0


def test_a_reported_energy_stands_in_where_nothing_else_is_known(model: Model) -> None:
    facts = rows(reported=9.0, chip_hours=None, watts_per_chip=None, pue=None)
    row = model("out.emissions", facts).row(0, named=True)
    assert (row["energy_mwh"], row["energy_basis"]) == (9.0, "reported")
    assert row["energy_mwh_mean"] == pytest.approx(9 * math.exp(math.log(1.5) ** 2 / 2))  # lognormal
    assert row["co2e_gross_t"] == pytest.approx(3.6)  # 9,000 kWh x 0.4 kg
    assert row["energy_mwh_p95"] == pytest.approx(9.0 * math.exp(1.645 * math.log(1.5)))


@pytest.mark.parametrize(
    ("includes_pue", "own_pue", "energy_mwh"),
    [(True, None, 9.0), (None, 1.2, 9.0), (False, None, 13.5), (False, 1.2, 10.8)],
)
def test_a_reported_energy_of_the_computers_is_taken_to_the_data_center(
    model: Model, includes_pue: bool | None, own_pue: float | None, energy_mwh: float
) -> None:
    """By the PUE of its authors, else by that of the run: 1.5."""
    facts = rows(reported=9.0, chip_hours=None, watts_per_chip=None)
    facts["core.reported_totals"][0] |= {"reported_includes_pue": includes_pue, "reported_pue": own_pue}
    row = model("out.emissions", facts).row(0, named=True)
    assert (row["energy_mwh"], row["reported_energy_mwh"]) == (pytest.approx(energy_mwh), 9.0)


def test_a_run_of_which_nothing_is_known_has_no_row(model: Model) -> None:
    assert model("out.emissions", rows(chip_hours=None)).is_empty()


@pytest.mark.parametrize(
    ("hours", "watts", "gsd", "solidity"),
    [
        ("disclosed", "measured", 1.1, "measured"),
        ("disclosed", "inferred", 1.1, "disclosed"),
        ("inferred", "measured", 1.1, "inferred"),
        (
            "inferred",
            "inferred",
            3.0,
            "guessed",
        ),  # hours and power of gsd 3, and a PUE of which 0.5 has gsd 3: p95 / p05 is 204
        ("inferred", "inferred", 2.5, "inferred"),  # 83
        ("inferred", "inferred", 2.6, "guessed"),  # 101
    ],
)
def test_how_solid_a_run_is(model: Model, hours: str, watts: str, gsd: float, solidity: str) -> None:
    """The hours decide; measured needs measured power as well; above a factor of 100 it is a guess."""
    facts = rows(gsd)
    for factor in facts["out.emission_factors"]:
        factor["solidity"] = {"chip_hours": hours, "watts_per_chip": watts}.get(factor["factor"], "inferred")
    assert model("out.emissions", facts).row(0, named=True)["solidity"] == solidity


@pytest.mark.parametrize(
    ("is_metered", "solidity"), [(True, "measured"), (False, "disclosed"), (None, "disclosed")]
)
def test_how_solid_a_reported_energy_is(model: Model, is_metered: bool | None, solidity: str) -> None:
    facts = rows(reported=9.0, chip_hours=None, watts_per_chip=None, pue=None)
    facts["core.reported_totals"][0]["reported_is_metered"] = is_metered
    assert model("out.emissions", facts).row(0, named=True)["solidity"] == solidity


def test_tonnes_with_the_life_cycle_of_the_grid_stand_beside_the_gross_ones(model: Model) -> None:
    """1.5 MWh at a life-cycle 0.44 kg/kWh; the direct figure of the run's region is the gross one."""
    row = model("out.emissions", rows()).row(0, named=True)
    squares = (Z * math.log(1.3)) ** 2 + 2 * (Z * math.log(1.1)) ** 2
    below = math.exp(math.sqrt(squares + math.log(1.5 / (1 + 0.5 / 1.1**Z)) ** 2))
    above = math.exp(math.sqrt(squares + math.log((1 + 0.5 * 1.1**Z) / 1.5) ** 2))
    assert (row["co2e_gross_t"], row["co2e_lifecycle_t"]) == (pytest.approx(0.6), pytest.approx(0.66))
    assert row["co2e_lifecycle_t_p05"] == pytest.approx(0.66 / below)
    assert row["co2e_lifecycle_t_p95"] == pytest.approx(0.66 * above)


def test_a_run_has_one_gross_on_each_basis_that_its_grid_is_known_on(model: Model) -> None:
    """1.5 MWh at the region's direct 0.4, the country's lifecycle 0.44; its direct 0.373 is a lower basis."""
    source = {name: RUN[name] for name in ("source_title", "source_url", "source_locator", "verified")}
    run = RUN | {"site_country": "US"}
    candidates = {"run_id": "example", "factor_year": 2020} | source
    known: Rows = {
        "core.training_runs": [run],
        "core.method": [
            {"factor": "gross_kg_per_kwh", "basis": basis, "fallback_rank": fallback_rank, "gsd": 1.2}
            for fallback_rank, basis in enumerate(("disclosed", "region_year", "country_year"))
        ],
        "core.gross_candidates": [
            candidates | {"basis": "disclosed", "value": 0.39, "intensity_basis": "unspecified"},
            candidates | {"basis": "region_year", "value": 0.4, "intensity_basis": "direct"},
            candidates
            | {"basis": "country_year", "value": 0.44, "intensity_basis": "lifecycle", "factor_year": 2019},
        ],
        "core.grid_intensity": [
            source
            | {"scheme": "country", "region": "US", "year": 2020, "intensity_basis": "direct"}
            | {"carbon_intensity_g_per_kwh": 373.0}
        ],
    }
    emissions = {"run_id": "example", "run_year": 2020, "energy_mwh": 1.5}
    emissions |= {"energy_mwh_p05": 1.5 / 1.1**Z, "energy_mwh_p95": 1.5 * 1.1**Z}

    def gross_by_basis() -> list[dict[str, object]]:
        grids = model("core.grid_by_basis", known).to_dicts()
        found = model("support.gross_by_basis", {"core.grid_by_basis": grids, "out.emissions": [emissions]})
        return found.sort("intensity_basis").to_dicts()

    direct, lifecycle = gross_by_basis()
    assert (direct["gross_basis"], lifecycle["gross_basis"]) == ("region_year", "country_year")
    assert direct["co2e_gross_t"] == pytest.approx(0.6)  # 1.5 MWh x 0.4 kg/kWh
    assert lifecycle["co2e_gross_t"] == pytest.approx(0.66)  # 1.5 MWh x 0.44 kg/kWh
    ln_gsd = math.exp(1.645 * math.hypot(math.log(1.1), math.log(1.2)))
    assert direct["co2e_gross_t_p95"] == pytest.approx(0.6 * ln_gsd)
    assert direct["co2e_gross_t_p05"] == pytest.approx(0.6 / ln_gsd)
    assert (direct["is_other_year"], lifecycle["is_other_year"]) == (False, True)
    del known["core.gross_candidates"][1]  # the region is not known: the country's direct figure stands in
    direct, _ = gross_by_basis()
    assert (direct["gross_basis"], direct["co2e_gross_t"]) == ("country_year", pytest.approx(1.5 * 0.373))


def what_if(model: Model, known: Rows) -> pl.DataFrame:
    """The table what_if over inline rows, by way of the tables that it is a view of."""
    for name in ("support.what_if_runs", "support.what_if_locations", "support.what_if_chips"):
        known = known | {name: model(name, known).to_dicts()}
    return model("out.what_if", known)


def three_digits(value: float) -> float:
    """A value as what_if publishes it."""
    return float(f"{value:.3g}")


def test_another_place_is_compared_on_the_basis_of_its_own_grid(model: Model) -> None:
    """1 MWh at PUE 1.1 and lifecycle 0.44 kg; the location: PUE 1.1, direct 0.2 kg, half of it net."""
    base = {"run_id": "example", "run_year": 2022, "hardware_id": "chip", "energy_basis": "computed"}
    run = base | {"chip_hours": 2_000.0, "watts_per_chip": 500.0, "pue": 1.1, "energy_mwh": 1.1}
    gross = {"gross_kg_per_kwh": 0.44, "co2e_gross_t": 0.484}
    place = {"provider": "Google", "region": "there", "factor_year": 2022, "pue": 1.1}
    place |= {"gross_gsd": 1.15, "net_gsd": 1.2, "pue_gsd": 1.2}
    known: Rows = {
        "out.emissions": [run | gross | {"intensity_basis": "lifecycle"}],
        "out.emission_factors": [
            {"run_id": "example", "factor": name, "value": 1.1, "p05": 1.05, "p95": 1.2, "gsd": 1.1}
            for name in ("chip_hours", "watts_per_chip", "pue", "gross_kg_per_kwh")
        ],
        "out.locations": [
            place | {"gross_kg_per_kwh": 0.2, "net_kg_per_kwh": 0.1, "intensity_basis": "direct"}
        ],
        "support.gross_by_basis": [
            {"run_id": "example", "intensity_basis": "direct", "co2e_gross_t": 0.4},
            {"run_id": "example", "intensity_basis": "lifecycle", "co2e_gross_t": 0.484},
        ],
    }
    (row,) = what_if(model, known).rows(named=True)
    assert row["co2e_net_t"] == pytest.approx(0.11)  # 1.1 MWh x 0.1 kg/kWh
    assert row["co2e_gross_t"] == pytest.approx(0.22)  # 1.1 MWh x 0.2 kg/kWh
    assert row["ratio_to_actual"] == pytest.approx(0.55)  # 0.22 t over direct 0.4 t
    for basis, middle, gsd in (
        ("gross", 0.22, 1.15),
        ("net", 0.11, 1.2),
    ):  # hours and power 1.1 each, and the place
        pue_above, pue_below = math.log((1 + 0.1 * 1.2**Z) / 1.1), math.log(1.1 / (1 + 0.1 / 1.2**Z))
        grid = (Z * math.log(gsd)) ** 2 - ((pue_above + pue_below) / 2) ** 2  # without the PUE
        rest = 2 * (Z * math.log(1.1)) ** 2 + grid
        above, below = (math.exp(math.sqrt(rest + pue**2)) for pue in (pue_above, pue_below))
        ends = row[f"co2e_{basis}_t_p05"], row[f"co2e_{basis}_t_p95"]
        assert ends == (three_digits(middle / below), three_digits(middle * above))
    del known["support.gross_by_basis"][0]
    (row,) = what_if(model, known).rows(named=True)
    assert row["ratio_to_actual"] is None
    elsewhere = place | {"gross_kg_per_kwh": 0.3, "net_kg_per_kwh": None, "intensity_basis": "lifecycle"}
    known["out.locations"].append(elsewhere | {"region": "elsewhere"})
    ranks = {row["intensity_basis"]: row for row in what_if(model, known).rows(named=True)}
    assert {basis: (row["gross_rank"], row["net_rank"]) for basis, row in ranks.items()} == {
        "direct": (1, 1),
        "lifecycle": (1, None),
    }


@pytest.mark.parametrize(
    ("hours_basis", "speeds"),
    [
        ("flop_over_throughput", 0),  # hours = FLOP / speed of the other chip: one speed, that of the hours
        ("disclosed", 1),  # these hours x a ratio of speeds
    ],
)
def test_the_speed_of_another_chip_counts_once(model: Model, hours_basis: str, speeds: int) -> None:
    base = {"run_id": "example", "run_year": 2022, "hardware_id": "slow", "energy_basis": "computed"}
    run = base | {"chip_hours": 2_000.0, "watts_per_chip": 500.0, "pue": 1.0, "intensity_basis": "direct"}
    net = {"gross_kg_per_kwh": 0.4, "net_kg_per_kwh": 0.4, "co2e_gross_t": 0.4, "co2e_net_t": 0.4}
    other = {"run_id": "other", "hardware_id": "fast", "run_year": 2022, "energy_basis": "computed"}
    names = ("chip_hours", "watts_per_chip", "pue", "gross_kg_per_kwh", "net_kg_per_kwh")
    known: Rows = {
        "out.emissions": [run | net, other],
        "out.emission_factors": [
            {
                "run_id": run_id,
                "factor": name,
                "gsd": 1.5 if name == "chip_hours" else 1.1,
                "value": 1.5,
                "p05": 1.4,
                "p95": 1.6,
                "basis": hours_basis,
            }
            for run_id in ("example", "other")
            for name in names
        ],
        "core.method": [
            {"factor": "chip_hours", "basis": "flop_over_throughput", "gsd": 1.4},
        ],
        "core.throughput": [
            {"hardware_id": chip, "kind": "gpu", "peak_fp16_tflops": 100.0, "sustained_flop_per_s": speed}
            for chip, speed in (("slow", 1e14), ("fast", 4e14))
        ],
        "out.hardware_power": [
            {"hardware_id": chip, "watts_per_chip": 800.0, "watts_gsd": 1.3, "own_watts_gsd": 1.2}
            for chip in ("slow", "fast")
        ],
    }
    (row,) = what_if(model, known).filter(run_id="example").rows(named=True)
    assert row["energy_mwh"] == pytest.approx(0.4)  # 2,000 h / 4 x 800 W
    squares = math.log(1.5) ** 2 + speeds * math.log(1.4) ** 2 + math.log(1.3) ** 2 + math.log(1.1) ** 2
    squares += (math.log(1.6 / 1.5) / Z) ** 2  # the PUE
    p95 = three_digits(0.16 * math.exp(1.645 * math.sqrt(squares)))
    assert (row["co2e_gross_t_p95"], row["co2e_net_t_p95"]) == (p95, p95)
