"""Market-based intensities: contracts of an operator, residual mixes of grids, and what stays unknown."""

from typing import Any

import pytest

from tests.conftest import Model

SOURCE = {
    "source_title": "Report",
    "source_url": "https://example.org/report",
    "source_locator": "Table 1",
    "verified": "secondary",
}
REGIONS = [
    {"region": "cloud-1", "provider": "Cloud", "country": "DE"},
    {"region": "site:Mill", "provider": "Institute", "country": "US", "egrid_subregion": "SRTV"},
]


def figure(kg: float, year: int, **of: str) -> dict[str, Any]:
    """A market-based intensity of an operator or a grid."""
    kind = "operator_contracts" if "provider" in of else "residual_mix"
    row = {"market_id": f"{of}-{year}", "market_kind": kind, "market_kg_per_kwh": kg, "year": year}
    return row | SOURCE | of


FIGURES = [
    figure(0.1, 2023, provider="Buyer"),
    figure(0.05, 2025, provider="Buyer"),
    figure(0.7, 2023, grid_region="DE"),
    figure(0.4, 2023, grid_region="SRTV"),
]


def test_contracts_are_of_the_year_or_one_next_to_it(model: Model) -> None:
    frame = model("core.market_locations", {"raw.market_intensities": FIGURES, "raw.regions": REGIONS})
    of_buyer = {
        row["year"]: (row["market_kg_per_kwh"], row["market_year"])
        for row in frame.filter(location_id="Buyer").to_dicts()
    }
    assert of_buyer[2021] == (None, None)  # two years before the first figure
    assert of_buyer[2022] == (0.1, 2023)
    assert of_buyer[2024] == (0.1, 2023)  # of two figures as near, the earlier one
    assert of_buyer[2026] == (0.05, 2025)


def test_a_residual_mix_is_of_countries_and_sites_but_not_of_cloud_regions(model: Model) -> None:
    frame = model("core.market_locations", {"raw.market_intensities": FIGURES, "raw.regions": REGIONS})
    mixes = frame.filter(year=2023, market_basis="residual_mix")
    # The site takes the mix of its eGRID subregion; a cloud buys certificates, and nobody knows how many.
    assert dict(mixes.select("location_id", "market_kg_per_kwh").rows()) == {"DE": 0.7, "site:Mill": 0.4}
    assert frame.filter(location_id="Cloud", year=2023)["market_kg_per_kwh"].to_list() == [None]


def test_a_site_with_its_own_plants_has_no_residual_mix_from_their_first_year(model: Model) -> None:
    plants = [{"site": "Mill", "from_year": 2024}]
    frame = model(
        "core.market_locations",
        {"raw.market_intensities": FIGURES, "raw.regions": REGIONS, "raw.onsite_generation": plants},
    )
    # From then on, an unknown part of its electricity is not bought, and is of no residual mix.
    assert frame.filter(location_id="site:Mill").sort("year")["year"].to_list() == [2022, 2023]


def based(
    model: Model, run: dict[str, Any], *providers: str, published: bool = False
) -> tuple[Any, ...] | None:
    """Basis and intensity of a run of 2023 in Germany."""
    known = {"run_id": "r", "run_year": 2023, "site_country": "DE"} | run
    location = {"year": 2023, "market_year": 2023, **SOURCE}
    tonnes = {"run_id": "r", "quantity": "co2e_t", "basis": "net_annual", "value": 0.0, **SOURCE}
    frame = model(
        "core.market_based",
        {
            "core.training_runs": [known],
            "core.run_providers": [{"run_id": "r", "provider": provider} for provider in providers],
            "core.market_locations": [
                location
                | {"location_id": "Buyer", "market_basis": "operator_contracts", "market_kg_per_kwh": 0.1},
                location
                | {"location_id": "Cloud", "market_basis": "operator_contracts", "market_kg_per_kwh": None},
                location | {"location_id": "DE", "market_basis": "residual_mix", "market_kg_per_kwh": 0.7},
            ],
            "raw.published_footprints": [tonnes] if published else [],
        },
    )
    return None if frame.is_empty() else frame.select("market_basis", "market_kg_per_kwh").row(0)


@pytest.mark.parametrize(
    ("providers", "found"),
    [
        (["Buyer"], ("operator_contracts", 0.1)),
        (["Institute"], ("residual_mix", 0.7)),
        ([], ("residual_mix", 0.7)),
        (["Cloud"], None),  # it buys certificates, but does not say how many
        (["Buyer", "Institute"], None),  # which of the two is not known
    ],
)
def test_contracts_come_before_the_residual_mix(
    model: Model, providers: list[str], found: tuple[str, float] | None
) -> None:
    assert based(model, {}, *providers) == found


def test_a_developer_s_own_zero_comes_first(model: Model) -> None:
    assert based(model, {}, "Buyer", published=True) == ("disclosed", 0.0)


def test_nothing_is_known_without_a_location(model: Model) -> None:
    assert based(model, {"site_country": None}) is None
