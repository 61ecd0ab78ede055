"""The grids of the sources in one table, and the locations that a run could move to, by hand."""

import math
from datetime import date

import pytest

from tests.conftest import Model, Rows

SHARES = {
    f"{source}_fraction": share
    for source, share in (
        ("nuclear", 0.1),
        ("hydro", 0.02),
        ("biomass", 0.03),
        ("wind", 0.04),
        ("solar", 0.05),
        ("geothermal", 0.06),
    )
}


def test_the_low_carbon_share_is_the_sum_of_its_sources(model: Model) -> None:
    """The sources of eGRID make 0.3; OWID has 30 % renewables, and 20 of 100 TWh nuclear."""
    egrid = {"region": "SUB", "location": "Somewhere", "year": 2020, "co2_lb_per_mwh": 1000.0} | SHARES
    owid = {"entity": "Aland", "year": 2020, "carbon_intensity_g_per_kwh": 300.0}
    owid |= {"renewables_fraction": 0.3, "nuclear_twh": 20.0, "generation_twh": 100.0}
    countries = [{"country": "AA", "alias": "Aland"}]
    tables: Rows = {"raw.epa_egrid": [egrid], "raw.owid_electricity": [owid], "raw.countries": countries}
    found = {row["region"]: row for row in model("core.upstream_grids", tables).to_dicts()}
    assert found["SUB"]["cfe_fraction"] == pytest.approx(0.3)
    assert found["SUB"]["carbon_intensity_g_per_kwh"] == pytest.approx(453.59237)
    assert found["AA"]["cfe_fraction"] == pytest.approx(0.5)


def test_a_region_without_a_grid_of_its_own_has_that_of_its_country(model: Model) -> None:
    """The gsd of 1.1 is of what the PUE of 1.5 has above 1: from 1 + 0.5 / f to 1 + 0.5 x f."""
    country = {"scheme": "country", "region": "AA", "year": 2020, "intensity_basis": "lifecycle"}
    own = {"region": "own", "factor_year": 2020, "intensity_basis": "lifecycle"}
    average = {"provider": "Industry average (Uptime Institute)", "pue": 1.5, "is_average": True}
    gsds = {
        ("pue", "industry_year"): 1.1,
        ("gross_kg_per_kwh", "region_year"): 1.1,
        ("gross_kg_per_kwh", "country_year"): 1.3,
    }
    tables: Rows = {
        "raw.regions": [
            {"region": name, "provider": "P", "country": "AA"} for name in ("own", "bare", "site:x")
        ],
        "core.region_intensity": [own | {"carbon_intensity_g_per_kwh": 100.0}],
        "core.grid_intensity": [country | {"carbon_intensity_g_per_kwh": 300.0}],
        "core.pue_years": [average | {"factor_year": 2020}],
        "core.method": [{"factor": f, "basis": b, "gsd": gsd} for (f, b), gsd in gsds.items()],
    }
    ends = [1 + 0.5 * 1.1 ** (sign * 1.645) for sign in (-1, 1)]
    ln_pue = math.log(ends[1] / ends[0]) / 2 / 1.645
    tables["support.location_factors"] = model("support.location_factors", tables).to_dicts()
    found = {row["region"]: row for row in model("out.locations", tables).to_dicts()}
    assert set(found) == {"own", "bare"}
    for region, kg, basis, gsd in (("own", 0.1, "region_year", 1.1), ("bare", 0.3, "country_year", 1.3)):
        place = found[region]
        assert (place["gross_basis"], place["net_basis"]) == (basis, None)
        assert (place["gross_kg_per_kwh"], place["net_kg_per_kwh"]) == (pytest.approx(kg), None)
        ln_gsd = math.sqrt(ln_pue**2 + math.log(gsd) ** 2)
        assert math.log(place["gross_gsd"]) == pytest.approx(ln_gsd)


def test_a_direct_figure_of_a_us_grid_region_gives_its_life_cycle_one(model: Model) -> None:
    """0.4 x 1.1 = 0.44 kg/kWh; the uncertainties of the region and of the ratio add up."""
    source = {
        "source_title": "t",
        "source_url": "https://a.example",
        "source_locator": "l",
        "verified": "primary",
    }
    known: Rows = {
        "core.training_runs": [{"run_id": "r", "run_year": 2020, "site_country": "US"}],
        "core.lifecycle_ratio": [{"lifecycle_to_direct_ratio": 1.1, "n_observations": 14}],
        "core.method": [
            {"factor": "gross_kg_per_kwh", "basis": "region_year", "fallback_rank": 1, "gsd": 1.2},
            {"factor": "gross_kg_per_kwh", "basis": "direct_to_lifecycle", "gsd": 1.1},
        ],
        "core.gross_candidates": [
            {"run_id": "r", "factor_year": 2020, "basis": "region_year", "value": 0.4}
            | {"intensity_basis": "direct"}
            | source
        ],
    }
    direct, lifecycle = model("core.grid_by_basis", known).sort("intensity_basis").to_dicts()
    assert (direct["value"], direct["gsd"]) == (0.4, pytest.approx(1.2))
    assert lifecycle["value"] == pytest.approx(0.44)
    assert math.log(lifecycle["gsd"]) == pytest.approx(math.hypot(math.log(1.2), math.log(1.1)))
    known["core.training_runs"][0]["site_country"] = "SE"  # the ratio is of US grids
    assert [row["value"] for row in model("core.grid_by_basis", known).to_dicts()] == [0.4]


def test_a_start_that_is_not_stated_is_as_uncertain_as_the_grid_of_its_country_moved(model: Model) -> None:
    """The one known lag is 365 days; France went from 50 to 60 g/kWh, Poland from 700 to 800."""
    lag = {"run_id": "dated", "started_month": "2020-01", "published_date": date(2020, 12, 31)}
    french = {"run_id": "fr", "published_date": date(2021, 6, 1), "run_year": 2021, "site_country": "FR"}
    polish, undated = french | {"run_id": "pl", "site_country": "PL"}, french | {"run_id": "undated"}
    grids = [
        {"scheme": "country", "intensity_basis": basis, "region": region, "year": year,
         "carbon_intensity_g_per_kwh": value}
        for region, year, value, basis in (
            ("FR", 2020, 50.0, "lifecycle"), ("FR", 2021, 60.0, "lifecycle"), ("FR", 2020, 10.0, "direct"),
            ("PL", 2020, 700.0, "lifecycle"), ("PL", 2021, 800.0, "lifecycle"),
        )
    ]  # fmt: skip
    tables: Rows = {
        "core.disclosed_runs": [lag],
        "core.training_runs": [lag | {"run_year": 2020}, french, polish, undated | {"published_date": None}],
        "core.grid_intensity": grids,
    }
    found = dict(model("core.gross_uncertainty", tables).select("run_id", "start_ln_variance").iter_rows())
    variances = {"dated": 0, "fr": math.log(60 / 50) ** 2, "pl": math.log(800 / 700) ** 2, "undated": 0}
    assert found == pytest.approx(variances)
