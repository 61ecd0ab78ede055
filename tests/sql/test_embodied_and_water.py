"""What stands beside the total: against published figures and ones worked out by hand."""

from typing import Any

import pytest

from tests.conftest import Model

SOURCE = {
    "source_title": "Paper",
    "source_url": "https://example.org/paper",
    "source_locator": "Table 1",
    "verified": "secondary",
}
METHOD: list[dict[str, Any]] = [
    {"factor": factor, "basis": basis, "fallback_rank": fallback_rank, "gsd": 1.0}
    for factor, basis, fallback_rank in [
        ("accelerator_kg_per_chip", "published_chip", 1),
        ("accelerator_kg_per_chip", "typical_chip", 2),
        ("host_kg_per_chip", "typical_host", 1),
        ("busy_hours", "published_lives", 1),
        ("wue_l_per_kwh", "site_year", 1),
        ("wue_l_per_kwh", "provider_year", 2),
        ("grid_water_l_per_kwh", "country", 1),
        ("grid_water_l_per_kwh", "developer_country", 2),
        ("grid_water_l_per_kwh", "world", 3),
    ]
]
A100 = "nvidia-a100-sxm4-80gb"


def kilograms(component: str, kg: float, chips: int, **more: Any) -> dict[str, Any]:
    figure = {"embodied_id": f"{component}-{kg}", "component": component, "embodied_kg": kg, "chips": chips}
    return figure | SOURCE | more


def embodied(model: Model, method: list[dict[str, Any]] = METHOD, hours_gsd: float = 1.0) -> dict[str, Any]:
    chip = {"hardware_id": A100, "basis": "published_chip", "accelerator_kg_per_chip": 150.0, **SOURCE}
    hours = {"run_id": "bloom", "factor": "chip_hours", "value": 1_082_990.0, "gsd": hours_gsd}
    frame = model(
        "out.embodied_emissions",
        {
            "core.training_runs": [{"run_id": "bloom", "hardware_id": A100}],
            "core.chip_embodied": [chip, chip | {"basis": "typical_chip", "accelerator_kg_per_chip": 900.0}],
            "core.method": method,
            "raw.embodied_carbon": [kilograms("host", 2500.0, 8)],
            "raw.hardware_lifetimes": [{"lifetime_id": "l", "lifetime_years": 6.0, "in_use_fraction": 0.85}],
            "out.emission_factors": [hours],
        },
    )
    return frame.row(0, named=True)


def test_bloom_comes_out_as_its_authors_published_it_from_their_own_inputs(model: Model) -> None:
    row = embodied(model)
    # Luccioni et al. 2022: 11.2 t; servers 7.57 t and GPUs 3.64 t
    assert row["embodied_t"] == pytest.approx(11.2, abs=0.05)
    assert row["embodied_hosts_t"] == pytest.approx(7.57, abs=0.02)
    assert row["embodied_accelerators_t"] == pytest.approx(3.64, abs=0.02)
    assert row["embodied_t_p05"] == pytest.approx(row["embodied_t"])


def test_the_uncertainty_weighs_each_part_by_its_share(model: Model) -> None:
    method = [row | {"gsd": 2.0} if row["factor"] == "host_kg_per_chip" else row for row in METHOD]
    row = embodied(model, method, hours_gsd=1.3)
    # host 312.5 of 462.5 kg: sqrt((0.6757 ln 2)^2 + (ln 1.3)^2) = 0.5369; exp(1.645 x 0.5369) = 2.4185
    assert row["embodied_t_p95"] / row["embodied_t"] == pytest.approx(2.4185, abs=1e-3)
    assert row["embodied_t"] / row["embodied_t_p05"] == pytest.approx(2.4185, abs=1e-3)


def test_a_generation_takes_its_own_sources_once_each_and_others_their_mean(model: Model) -> None:
    figures = [
        kilograms("accelerator", 800.0, 8, embodied_id="a", hardware_id=A100),
        kilograms("accelerator", 400.0, 1, embodied_id="b", hardware_id="nvidia-a100-pcie-40gb"),
        kilograms("accelerator", 50.0, 1, embodied_id="c", hardware_id=A100, source_url="https://b.org"),
        kilograms("accelerator", 400.0, 1, embodied_id="d", hardware_id="google-tpu-v6e"),
        kilograms("host", 9000.0, 1, embodied_id="e"),
    ]
    chips = [
        {"hardware_id": A100, "kind": "gpu"},
        {"hardware_id": "google-tpu-v3", "kind": "tpu"},
        {"hardware_id": "cerebras-cs2", "kind": "wafer"},
    ]
    frame = model("core.chip_embodied", {"raw.embodied_carbon": figures, "core.hardware": chips})
    found = {
        (chip, basis): kg
        for chip, basis, kg in frame.select("hardware_id", "basis", "accelerator_kg_per_chip").iter_rows()
    }
    assert found == {
        (A100, "published_chip"): pytest.approx(100.0),  # sqrt(sqrt(100 x 400) x 50)
        (A100, "typical_chip"): pytest.approx(200.0),  # sqrt(100 x 400)
        ("google-tpu-v3", "typical_chip"): pytest.approx(200.0),
    }


def water(model: Model, run: dict[str, Any]) -> dict[str, Any]:
    wue = {"provider": "Operator", "pue": 1.1, "pue_basis": "annual", **SOURCE}
    grid = {"country": "AA", **SOURCE}
    frame = model(
        "out.water_use",
        {
            "core.training_runs": [{"run_id": "run", "run_year": 2021} | run],
            "core.method": METHOD,
            "core.datacenter_pue": [
                wue | {"site": "fleet average", "period": "2022", "wue_l_per_kwh": 0.5},
                wue | {"site": "fleet average", "period": "2015", "wue_l_per_kwh": 9.0},
                wue | {"site": "Town", "cloud_region": "r1", "period": "2021", "wue_l_per_kwh": 0.2},
            ],
            "raw.grid_water": [
                grid | {"region": "AA", "grid_water_l_per_kwh": 2.0},
                grid | {"region": "BB", "grid_water_l_per_kwh": 8.0},
                grid | {"region": "WORLD", "grid_water_l_per_kwh": 3.0},
            ],
            "out.emissions": [{"run_id": "run", "energy_mwh": 110.0, "energy_mwh_p95": 110.0, "pue": 1.1}],
        },
    )
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("run", "site", "grid"),
    [
        # 110 MWh of the building are 100 MWh of the computers
        ({"provider": "Operator", "region": "r1", "site_country": "BB"}, 20.0, 880.0),
        ({"provider": "Operator", "developer_country": "AA;BB"}, 50.0, 440.0),  # sqrt(2 x 8) = 4
        ({"provider": "Other", "region": "r1"}, None, 330.0),
        ({"developer_country": "ZZ"}, None, 330.0),
    ],
)
def test_water_on_site_and_of_the_grid(
    model: Model, run: dict[str, Any], site: float | None, grid: float
) -> None:
    row = water(model, run)
    assert row["water_site_m3"] == (None if site is None else pytest.approx(site))
    assert row["water_grid_m3"] == pytest.approx(grid)
