"""Each factor's fallback order finds the basis that the facts allow, with the value worked out by hand."""

import math
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.conftest import Model, by

SOURCE = {"source_title": "Paper", "source_url": "https://example.org", "source_locator": "Table 1"}
RUN = {"run_id": "example", "run_year": 2020, "hardware_id": "chip", "provider": "Example Cloud", **SOURCE}
CHIP = {"hardware_id": "chip", "kind": "gpu", "tdp_w": 400.0}
RUNGS = [
    {"factor": "gross_kg_per_kwh", "basis": basis, "fallback_rank": fallback_rank}
    for fallback_rank, basis in enumerate(
        ("disclosed", "region_year", "country_year", "developer_country_year", "world_year"), 1
    )
]


def fallback_rank(frame: pl.DataFrame, basis: str) -> dict[str, Any] | None:
    """The row of one basis, if the fallback order has it."""
    found = frame.filter(pl.col("basis") == basis)
    assert found.height <= 1
    return found.row(0, named=True) if found.height else None


def values(frame: pl.DataFrame) -> dict[str, float]:
    """Value by basis."""
    return dict(frame.select("basis", "value").iter_rows())


# chip_hours


def test_chip_hours_are_disclosed_or_chips_times_hours_or_flop_over_throughput(model: Model) -> None:
    run = RUN | {"chip_hours": 990.0, "chips": 10, "training_hours": 100.0, "training_flop": 3.6e21}
    throughput = [{"hardware_id": "chip", "sustained_flop_per_s": 1e15}]
    candidates = model(
        "core.chip_hours_candidates", {"core.training_runs": [run], "core.throughput": throughput}
    )
    assert values(candidates) == {
        "disclosed": 990.0,
        "chips_x_hours": 1_000.0,
        "flop_over_throughput": pytest.approx(1_000.0),  # 3.6e21 / 1e15 per s = 3.6e6 s
    }


@pytest.mark.parametrize(
    ("facts", "hours"),
    [
        ({"chips": 10, "training_hours": 100.0}, 1_000.0),
        ({"chips": 10, "training_hours": 100.0, "chip_hours": 990.0}, 990.0),  # stated before multiplied
    ],
)
def test_hours_that_only_a_third_party_states_are_not_disclosed(
    model: Model, facts: dict[str, float], hours: float
) -> None:
    for confidence in ("confident", "likely", "speculative"):
        run = RUN | facts | {"hours_confidence": confidence}
        candidates = model("core.chip_hours_candidates", {"core.training_runs": [run]})
        assert values(candidates) == {f"third_party_{confidence}": hours}
    without = model(
        "core.chip_hours_candidates", {"core.training_runs": [RUN | {"hours_confidence": "likely"}]}
    )
    assert values(without) == {}


MIX: list[dict[str, Any]] = [
    {"run_id": "example", "hardware_id": chip, "share_fraction": 0.5, "developer_run_count": 0}
    for chip in ("slow", "fast")
]


def test_without_a_named_chip_hours_and_power_are_those_of_the_chips_it_may_have_used(model: Model) -> None:
    run = RUN | {"hardware_id": None, "training_flop": 3.6e21}
    tables: dict[str, list[dict[str, Any]]] = {
        "core.training_runs": [run],
        "core.hardware_mix": MIX,
        "core.throughput": [
            {"hardware_id": "slow", "sustained_flop_per_s": 1e15},
            {"hardware_id": "fast", "sustained_flop_per_s": 4e15},
        ],
        "core.chip_power": [
            {"hardware_id": "slow", "watts_per_chip": 200.0},
            {"hardware_id": "fast", "watts_per_chip": 800.0},
        ],
    }
    assert values(model("core.chip_hours_candidates", tables)) == {
        "flop_by_era": pytest.approx(500.0)  # geometric mean of 1,000 h and 250 h
    }
    assert values(model("core.watts_candidates", tables)) == {"hardware_mix": pytest.approx(400.0)}
    tables["core.hardware_mix"] = [row | {"developer_run_count": 3} for row in MIX]
    assert values(model("core.chip_hours_candidates", tables)) == {"flop_by_developer": pytest.approx(500.0)}


@pytest.mark.parametrize(
    "known",
    [{"training_flop": 1e20}, {"chip_hours": 900.0}, {"chips": 8, "training_hours": 112.5}, {"chips": 8}],
)
def test_a_run_without_a_chip_takes_those_of_its_developer_and_years(
    model: Model, known: dict[str, float]
) -> None:
    runs = [
        {"run_id": run_id, "run_year": year, "hardware_id": chip, **known} | by(developer)
        for run_id, developer, year, chip in (
            ("example", "Lab", 2020, None),
            ("own", "Lab", 2021, "a"),
            ("other", "Else", 2019, "b"),
            ("early", "Lab", 2017, "c"),
        )
    ]
    chips = [{"hardware_id": chip} for chip in "abc"]
    frame = model(
        "core.hardware_mix",
        {"core.training_runs": runs, "core.throughput": chips, "core.chip_power": chips},
    )
    shares = dict(frame.select("hardware_id", "share_fraction").iter_rows())
    # one run of its own, and two imagined ones shared out as all two runs of these years are
    is_enough = known != {"chips": 8}  # without a time there is nothing to multiply
    assert shares == ({"a": pytest.approx(2 / 3), "b": pytest.approx(1 / 3)} if is_enough else {})


def test_throughput_is_the_dense_peak_times_the_usual_utilisation(model: Model) -> None:
    frame = model(
        "core.throughput",
        {
            "core.hardware": [
                CHIP | {"peak_fp16_tflops": 300.0},
                CHIP | {"hardware_id": "other", "peak_fp16_tflops": 100.0},
            ],
            "core.flop_observations": [
                {"hardware_id": "chip", "kind": "gpu", "mfu": 0.2},
                {"hardware_id": "chip", "kind": "gpu", "mfu": 0.45},
            ],
        },
    )
    sustained = dict(frame.select("hardware_id", "sustained_flop_per_s").iter_rows())
    assert sustained["chip"] == pytest.approx(90e12)  # median of the logarithms: 0.3 of 300 TFLOP/s
    assert sustained["other"] == pytest.approx(30e12)  # borrows 0.3 from its kind


def test_a_generation_with_few_observations_is_drawn_to_its_kind(model: Model) -> None:
    frame = model(
        "core.throughput",
        {
            "core.hardware": [
                {"hardware_id": "nvidia-v100-sxm2-16gb", "kind": "gpu", "peak_fp16_tflops": 100.0},
                {"hardware_id": "nvidia-v100-pcie-16gb", "kind": "gpu", "peak_fp16_tflops": 100.0},
            ],
            "core.flop_observations": [
                {"hardware_id": "nvidia-v100-sxm2-16gb", "kind": "gpu", "mfu": 0.1},
                *({"hardware_id": f"other-{i}", "kind": "gpu", "mfu": 0.4} for i in range(4)),
            ],
        },
    )
    # the kind's median is 0.4: (ln 0.1 + 2 ln 0.4) / 3, for every form factor of the generation
    assert frame["mfu"].to_list() == [pytest.approx((0.1 * 0.4**2) ** (1 / 3))] * 2


def test_utilisation_is_published_or_counted_never_worked_out_from_the_hours(model: Model) -> None:
    seen = {"hardware_id": "chip", "mfu_set": "training_run", "mfu_basis": "model_flops", **SOURCE}
    counted = {"covers": "one_run", "training_flop": 3.6e21, "chip_hours": 1e4}
    runs = [
        {"run_id": run_id, "hardware_id": "chip", **counted}
        for run_id in ("counted", "worked-out", "published", "guessed")
    ]
    runs[-1]["hours_confidence"] = "likely"
    frame = model(
        "core.flop_observations",
        {
            "core.hardware": [CHIP | {"peak_fp16_tflops": 1000.0}],
            "core.training_runs": runs,
            "core.upstream_runs": [
                {"run_id": "counted", "flop_basis": "counted", **counted},
                {"run_id": "guessed", "flop_basis": "counted", **counted},
                {"run_id": "worked-out", "flop_basis": "from_hardware", **counted},
            ],
            "raw.mfu": [
                seen | {"model": "P", "run_id": "published", "mfu": 0.3},
                seen | {"model": "Q", "mfu": 0.9, "mfu_set": "suspect"},
                seen | {"model": "R", "mfu": 0.9, "mfu_basis": "hardware_flops", "verified": "primary"},
                seen | {"model": "S", "mfu": 0.1, "precision": "fp8"},
            ],
        },
    )
    found = {run: (mfu, basis) for run, mfu, basis in frame.select("run_id", "mfu", "mfu_basis").iter_rows()}
    # 3.6e21 FLOP in 3.6e7 chip-seconds at 1e15 FLOP/s
    assert found == {"counted": (pytest.approx(0.1), "counted"), "published": (0.3, "published")}


@pytest.mark.parametrize(
    ("mfu", "informs"),
    [(0.3, False), (0.2995, False), (0.33, False), (0.4, False), (0.41, True), (0.31, True), (0.35, True)],
)
def test_flop_at_exactly_a_utilisation_that_is_assumed_inform_nothing(
    model: Model, mfu: float, informs: bool
) -> None:
    facts = {"run_id": "a", "covers": "one_run", "chip_hours": 1e4, "training_flop": mfu * 1e4 * 3600 * 1e15}
    frame = model(
        "core.flop_observations",
        {
            "core.hardware": [CHIP | {"peak_fp16_tflops": 1000.0}],
            "core.training_runs": [facts | {"hardware_id": "chip"}],
            "core.upstream_runs": [facts | {"flop_basis": "counted"}],
        },
    )
    assert frame["mfu"].to_list() == ([pytest.approx(mfu)] if informs else [])


# watts_per_chip


def power(**row: Any) -> dict[str, Any]:
    """A whole-system measurement on the chip."""
    return {
        "run_id": "other",
        "hardware_id": "chip",
        "kind": "gpu",
        "provider": "Example Cloud",
        "watts_per_chip": 300.0,
        "rated_fraction": 0.75,
        **SOURCE,
    } | row


def watts(model: Model, run: dict[str, Any], *observations: dict[str, Any]) -> pl.DataFrame:
    """The fallback order of one run on a chip rated at 400 W."""
    return model(
        "core.watts_candidates",
        {
            "core.training_runs": [RUN | run],
            "core.power_observations": list(observations),
            "core.hardware": [CHIP],
        },
    )


def test_a_measured_power_is_the_first_basis(model: Model) -> None:
    run = {"watts_per_chip": 310.0, "power_basis": "measured_system"}
    assert values(watts(model, run, power()))["disclosed_measured"] == 310.0


@pytest.mark.parametrize("basis", ["stated_tdp", "stated", "measured_components"])
def test_only_a_measurement_of_the_whole_system_is_a_measured_power(model: Model, basis: str) -> None:
    candidates = watts(model, {"watts_per_chip": 400.0, "power_basis": basis}, power())
    assert fallback_rank(candidates, "disclosed_measured") is None
    assert values(candidates)["measured_same_chip"] == pytest.approx(300.0)


def test_a_run_does_not_inform_its_own_lower_bases(model: Model) -> None:
    candidates = watts(
        model, {}, power(run_id="example", watts_per_chip=390.0, rated_fraction=0.975), power()
    )
    assert values(candidates)["measured_same_chip"] == pytest.approx(300.0)
    assert values(candidates)["measured_ratio"] == pytest.approx(400.0 * 0.75)


def test_rated_power_is_scaled_by_what_was_measured_in_its_class(model: Model) -> None:
    gpus = [
        power(hardware_id="a", rated_fraction=0.8),
        power(hardware_id="a", rated_fraction=0.8),
        power(hardware_id="b", rated_fraction=1.25),
    ]
    candidates = watts(model, {}, *gpus, power(hardware_id="c", kind="tpu", rated_fraction=0.5))
    # each chip counts once: sqrt(0.8 x 1.25) = 1
    assert values(candidates) == {"measured_ratio": pytest.approx(400.0)}


@pytest.mark.parametrize(
    ("measured_by", "run_by", "suffix"),
    [
        (["Example Cloud", "Another"], "Example Cloud", ""),
        (["Another"], "Example Cloud", "_elsewhere"),
        ([None], "Example Cloud", "_elsewhere"),
        (["Example Cloud"], None, "_elsewhere"),
        ([None], None, "_elsewhere"),
    ],
)
def test_a_power_that_its_operator_did_not_measure_stands_on_a_basis_of_its_own(
    model: Model, measured_by: list[str | None], run_by: str | None, suffix: str
) -> None:
    here = [power(provider=name) for name in measured_by]
    candidates = values(watts(model, {"provider": run_by}, *here))
    assert candidates == {f"measured_{by}{suffix}": pytest.approx(300.0) for by in ("same_chip", "ratio")}
    like = [power(provider=name, hardware_id="like") for name in measured_by]
    candidates = values(watts(model, {"provider": run_by}, *like))
    assert candidates == {f"measured_ratio{suffix}": pytest.approx(300.0)}


@pytest.mark.parametrize("run_by", ["Example Cloud", None])
def test_a_class_without_a_measurement_borrows_from_all_on_a_basis_of_its_own(
    model: Model, run_by: str | None
) -> None:
    other = power(hardware_id="c", kind="tpu", rated_fraction=0.5, provider="Example Cloud")
    candidates = watts(model, {"provider": run_by}, other)
    assert values(candidates) == {"measured_ratio_other_class": pytest.approx(200.0)}


def test_observations_are_independent_whole_system_measurements(model: Model) -> None:
    row = {
        "hardware_id": "chip",
        "system": "server",
        "workload": "x",
        "watts_per_chip": 300.0,
        "power_basis": "measured_system",
        "observation": "independent",
    }
    frame = model(
        "core.power_observations",
        {
            "core.hardware": [CHIP],
            "raw.system_power": [
                row,
                row | {"observation": "aggregate"},
                row | {"observation": "same_run"},
                row | {"observation": "extreme"},
                row | {"power_basis": "measured_components"},
                row | {"power_basis": "stated_tdp"},
                row | {"power_basis": "max_rating"},
            ],
        },
    )
    assert frame["rated_fraction"].to_list() == [0.75]


def test_a_power_behind_the_power_supply_is_taken_to_the_mains(model: Model) -> None:
    """Systems read on both sides drew 1.02 and 1.04 times as much at the mains: sqrt(1.02 x 1.04)."""
    both: dict[str, Any] = {"hardware_id": "chip", "power_basis": "measured_system", "power_scope": "server"}
    rows = [
        both
        | {"system": system, "workload": "x", "measured_at": side, "watts_per_chip": watts}
        | {"observation": "independent" if side == "AC" else "same_run"}
        for system, side, watts in (
            ("a", "AC", 306.0),
            ("a", "DC", 300.0),
            ("b", "AC", 208.0),
            ("b", "DC", 200.0),
        )
    ]
    alone = both | {"system": "c", "workload": "x", "measured_at": "DC", "watts_per_chip": 250.0}
    tables: dict[str, list[dict[str, Any]]] = {
        "core.hardware": [CHIP],
        "raw.system_power": [*rows, alone | {"observation": "independent"}],
    }
    frame = model("core.power_observations", tables)
    assert dict(frame.select("system", "watts_per_chip").rows()) == {
        "a": 306.0,
        "b": 208.0,
        "c": pytest.approx(250 * math.sqrt(1.02 * 1.04)),
    }


# pue


def pue(model: Model, run: dict[str, Any], *years: dict[str, Any]) -> pl.DataFrame:
    """The fallback order of one run at a site of Operator."""
    base = {"provider": "Operator", "region": "site:Here", "is_average": False, "factor_year": 2020}
    run = RUN | {"provider": "Operator", "region": "site:Here"} | run
    return model(
        "core.pue_candidates",
        {"core.training_runs": [run], "core.pue_years": [base | SOURCE | year for year in years]},
    )


def test_the_quarter_of_the_run_comes_before_its_year(model: Model) -> None:
    candidates = pue(
        model,
        {"started_month": "2020-05"},
        {"quarter": "2020-Q2", "pue": 1.08},
        {"quarter": "2020-Q3", "pue": 1.2},
        {"pue": 1.1},
    )
    assert values(candidates) == {"site_quarter": 1.08, "site_year": 1.1}


def test_the_nearest_year_stands_in_the_earlier_first_and_says_which_it_is(model: Model) -> None:
    candidates = pue(model, {}, {"factor_year": 2018, "pue": 1.2}, {"factor_year": 2022, "pue": 1.1})
    found = fallback_rank(candidates, "site_year")
    assert found is not None
    assert (found["value"], found["factor_year"]) == (1.2, 2018)


def test_an_unknown_site_takes_the_fleet_and_an_unknown_operator_the_industry(model: Model) -> None:
    fleet = {"region": "site:fleet average", "is_average": True, "pue": 1.12}
    survey = {"provider": "Industry average (Uptime Institute)", "is_average": True, "pue": 1.59}
    assert values(pue(model, {"region": None}, fleet, survey)) == {
        "provider_year": 1.12,
        "industry_year": 1.59,
    }
    assert values(pue(model, {"provider": None, "region": None}, fleet, survey)) == {"industry_year": 1.59}


def test_years_prefer_annual_figures_and_never_take_a_design(model: Model) -> None:
    row = {"provider": "Operator", "site": "Here", **SOURCE}
    frame = model(
        "core.pue_years",
        {
            "core.datacenter_pue": [
                row | {"period": "2020", "pue": 1.10, "pue_basis": "annual"},
                row | {"period": "2020-Q1", "pue": 1.20, "pue_basis": "quarterly"},
                row | {"period": "2021-Q1", "pue": 1.10, "pue_basis": "quarterly"},
                row | {"period": "2021-Q2", "pue": 1.20, "pue_basis": "quarterly"},
                row | {"period": "2022", "pue": 1.05, "pue_basis": "design"},
            ]
        },
    )
    by_period = dict(frame.select("period", "pue").iter_rows())
    assert by_period == {
        "2020": 1.10,
        "2020-Q1": 1.20,
        "2021": pytest.approx(1.15),
        "2021-Q1": 1.10,
        "2021-Q2": 1.20,
    }


# gross_kg_per_kwh


def country(region: str, year: int, intensity: float) -> dict[str, Any]:
    """A country's lifecycle intensity in a year."""
    return {
        "scheme": "country",
        "region": region,
        "year": year,
        "carbon_intensity_g_per_kwh": intensity,
        "intensity_basis": "lifecycle",
        **SOURCE,
    }


def test_the_place_is_as_fine_as_the_facts_allow(model: Model) -> None:
    run = RUN | {"region": "r1", "site_country": "AA", "developer_country": "BB;CC"}
    region = {
        "region": "r1",
        "factor_year": 2020,
        "carbon_intensity_g_per_kwh": 100.0,
        "intensity_basis": "direct",
        **SOURCE,
    }
    candidates = model(
        "core.gross_candidates",
        {
            "core.training_runs": [run | {"gross_kg_per_kwh": 0.05}],
            "core.region_intensity": [region],
            "core.grid_intensity": [
                country("AA", 2020, 200.0),
                country("BB", 2020, 300.0),
                country("CC", 2020, 500.0),
                country("WORLD", 2020, 480.0),
            ],
        },
    )
    assert values(candidates) == {
        "disclosed": 0.05,
        "region_year": pytest.approx(0.1),  # g to kg
        "country_year": pytest.approx(0.2),
        "developer_country_year": pytest.approx(0.4),  # mean of 300 and 500
        "world_year": pytest.approx(0.48),
    }
    bases = dict(candidates.select("basis", "intensity_basis").iter_rows())
    assert (bases["region_year"], bases["country_year"]) == ("direct", "lifecycle")


def months_of(place: str, ratios: dict[str, float], basis: str = "lifecycle") -> list[dict[str, Any]]:
    return [
        {"location_id": place, "month": month, "intensity_basis": basis, "month_to_year_ratio": ratio}
        for month, ratio in ratios.items()
    ]


@pytest.mark.parametrize(
    ("hours", "months", "weighed"),
    [
        (100.0, {"2020-11": 1.2}, 0.24),  # 200 g/kWh x 1.2
        (1000.0, {"2020-11": 1.2, "2020-12": 1.4}, 0.26),  # 1 November and 42 days: into December
        (1000.0, {"2020-11": 1.2}, None),  # December is not known
        (
            2000.0,
            {"2020-11": 1.2, "2020-12": 1.4, "2021-01": 1.0},
            None,
        ),  # the year's figure is not January's
        (100.0, {"2021-11": 1.2}, None),
    ],
)
def test_a_yearly_figure_is_weighed_with_the_months_of_the_run(
    model: Model, hours: float, months: dict[str, float], weighed: float | None
) -> None:
    run = RUN | {"site_country": "AA", "started_month": "2020-11", "training_hours": hours}
    candidates = model(
        "core.gross_candidates",
        {
            "core.training_runs": [run],
            "core.grid_intensity": [country("AA", 2020, 200.0)],
            "core.grid_months": months_of("AA", months) + months_of("AA", {"2020-11": 9.0}, "direct"),
        },
    )
    found = fallback_rank(candidates, "country_month")
    assert (found and found["value"]) == (pytest.approx(weighed) if weighed else None)
    assert (fallback_rank(candidates, "country_year") or {})["value"] == pytest.approx(0.2)


def test_months_come_from_the_grid_of_the_place_alone(model: Model) -> None:
    """A month of 150 g/kWh in a year of 100 is 1.5 of it; a month that is not known has no row."""
    year = {
        "source": "s",
        "zone": "Z",
        "year": 2020,
        "carbon_intensity_direct_g_per_kwh": 100.0,
        "direct_by_month": "[150.0, null" + ", 90.0" * 10 + "]",
    }
    zones = [
        {"zone": "Z", "scheme": "us_egrid_subregion", "region": "SUB", "coverage": "same"},
        {"zone": "Z", "scheme": "country", "region": "AA", "coverage": "part_of"},
    ]
    places = [
        {"region": "inside", "egrid_subregion": "SUB", "country": "AA"},
        {"region": "elsewhere", "egrid_subregion": "OTHER", "country": "AA"},
    ]
    months = model(
        "core.grid_months",
        {"raw.hourly_grid_years": [year], "raw.hourly_zones": zones, "raw.regions": places},
    )
    assert set(months["location_id"]) == {"inside"}
    found = dict(months.select("month", "month_to_year_ratio").iter_rows())
    assert (found["2020-01"], "2020-02" in found, len(found)) == (1.5, False, 11)


def test_the_year_of_the_run_is_taken_not_the_newest(model: Model) -> None:
    years = [country("AA", 2019, 540.0), country("AA", 2020, 500.0), country("AA", 2023, 400.0)]
    candidates = model(
        "core.gross_candidates",
        {"core.training_runs": [RUN | {"site_country": "AA"}], "core.grid_intensity": years},
    )
    found = fallback_rank(candidates, "country_year")
    assert found is not None
    assert (found["value"], found["factor_year"]) == (pytest.approx(0.5), 2020)


# net_kg_per_kwh


def net(model: Model, run: dict[str, Any], **mix: Any) -> pl.DataFrame:
    """The net fallback order of one run at a region of Google that leaves 0.5 of a gross intensity of 0.4."""
    gross = {
        "run_id": "example",
        "basis": "region_year",
        "value": 0.4,
        "intensity_basis": "direct",
        "factor_year": 2020,
        **SOURCE,
    }
    source = SOURCE | {"verified": "primary", "factor_year": 2019}
    supply = {"region": "r1", "provider": "Google", "residual_fraction": 0.4, "rounding_ln_gsd": 0.01}
    of_locations = {"run_id": "example", "supplied_fraction": 0.2, "rounding_ln_gsd": 0.0, "apart_years": 2}
    return model(
        "core.net_candidates",
        {
            "core.training_runs": [RUN | {"provider": "Google", "region": "r1"} | run],
            "core.gross_candidates": [gross, gross | {"basis": "world_year", "value": 0.48}],
            "core.region_supply": [supply | source | {"net_to_gross_ratio": 0.5}],
            "core.location_nets": [of_locations | {"mix_ln_variance": 0.1} | source | mix] if mix else [],
            "raw.method_bases": RUNGS,
        },
    )


def test_net_is_gross_times_what_the_supply_of_the_nearest_year_leaves(model: Model) -> None:
    candidates = net(model, {})
    assert values(candidates) == {"operator_hourly": pytest.approx(0.2)}
    row = candidates.row(0, named=True)
    assert (row["supplied_fraction"], row["apart_years"]) == (pytest.approx(0.6), 1)  # 2019 for 2020


def test_matching_counts_only_for_the_operator_it_belongs_to(model: Model) -> None:
    """Of another one nothing is known, and unknown is not gross."""
    assert values(net(model, {"provider": "Other"})) == {}


@pytest.mark.parametrize(("gross_basis", "found"), [("region_year", {0.3}), ("provider_regions", set())])
def test_the_mean_over_locations_needs_gross_of_the_same_locations(
    model: Model, gross_basis: str, found: set[float]
) -> None:
    candidates = net(model, {"region": None}, gross_basis=gross_basis, value=0.3)
    assert set(values(candidates).values()) == found


def published_net(net_id: str, location: str, net_kg_per_kwh: float, **more: Any) -> dict[str, Any]:
    """A published net intensity where gross is 0.4."""
    row = {"net_id": net_id, "region": location, "location": location, "year": 2020, **SOURCE}
    return row | {"gross_kg_per_kwh": 0.4, "net_kg_per_kwh": net_kg_per_kwh, "verified": "primary"} | more


def share(region: str, operator: float, grid: float, year: int = 2020) -> dict[str, Any]:
    """The carbon-free shares of an operator and its grid."""
    shares = {"operator_cfe_fraction": operator, "grid_cfe_fraction": grid}
    row = {"region": region, "factor_year": year, "intensity_basis": "direct", **shares, **SOURCE}
    return row | {"carbon_intensity_g_per_kwh": 400.0, "verified": "primary"}


def test_the_exponent_is_fitted_on_logarithms_with_each_location_once(model: Model) -> None:
    """Residuals 0.25 twice at a, and 0.5 at b; net over gross 0.25 and 0.5 at a, 0.5 at b.

    At a: squares 4 and 4 (mean 4), products 4 and 2 (mean 3), in units of ln(2) ^ 2. At b: 1 and 1. So the
    exponent is (3 + 1) / (4 + 1) = 0.8; without b 0.75, without a 1.
    """
    frame = model(
        "core.net_pairs",
        {
            "raw.net_intensities": [
                published_net("a1", "a", 0.1), published_net("a2", "a", 0.2), published_net("b1", "b", 0.2),
            ],
            "core.region_intensity": [share("a", 0.9, 0.6), share("b", 0.7, 0.4)],
        },
    )  # fmt: skip
    rows = {row["net_id"]: row for row in frame.to_dicts()}
    assert [rows[name]["residual_fraction"] for name in ("a1", "b1")] == [
        pytest.approx(0.25),
        pytest.approx(0.5),
    ]
    assert [row["exponent"] for row in rows.values()] == pytest.approx([0.8] * 3)
    assert rows["a1"]["held_out_exponent"] == pytest.approx(1)
    assert rows["b1"]["held_out_exponent"] == pytest.approx(0.75)
    # b without itself: 0.5 ^ 0.75 instead of 0.5, so 0.25 x ln(2) too high
    assert rows["b1"]["log_ratio"] == pytest.approx(0.25 * math.log(2))
    assert rows["a2"]["log_ratio"] == pytest.approx(-math.log(2))


def test_a_published_net_without_its_gross_takes_that_of_the_region_and_the_nearest_supply(
    model: Model,
) -> None:
    rows = [
        published_net("a1", "a", 0.1, gross_kg_per_kwh=None, year=2022),
        published_net("b1", "b", 0.2),
    ]
    shares = [share("a", 0.9, 0.6), share("a", 0.95, 0.6, 2019), share("b", 0.7, 0.4)]
    frame = model("core.net_pairs", {"raw.net_intensities": rows, "core.region_intensity": shares})
    row = frame.filter(net_id="a1").row(0, named=True)
    assert (row["supply_year"], row["gross_kg_per_kwh"], row["is_gross_printed"]) == (
        2020,
        pytest.approx(0.4),
        False,
    )


def test_what_the_supply_leaves_is_a_power_of_what_comes_from_the_grid(model: Model) -> None:
    """(1 - 0.9) / (1 - 0.6) = 0.25, to the power of 0.5: 0.5. Less than the grid's own share leaves all."""
    pair = {"net_id": "x", "exponent": 0.5}
    frame = model(
        "core.region_supply",
        {
            "core.region_intensity": [share("r1", 0.9, 0.6), share("r2", 0.2, 0.4), share("aws", 0.9, 0.6)],
            "core.net_pairs": [pair],
            "raw.regions": [
                {"region": "r1", "provider": "Google"},
                {"region": "r2", "provider": "Google"},
                {"region": "aws", "provider": "Amazon Web Services"},
            ],
        },
    )
    found = {row["region"]: (row["residual_fraction"], row["net_to_gross_ratio"]) for row in frame.to_dicts()}
    assert found == {"r1": (pytest.approx(0.25), pytest.approx(0.5)), "r2": (1.0, 1.0)}


def test_supply_changes_from_year_to_year_and_each_region_counts_once(model: Model) -> None:
    """What it leaves halves and doubles again at a, and at b it is divided by four; a gap is no change."""
    left = {"a": {2020: 0.4, 2021: 0.2, 2022: 0.4}, "b": {2020: 0.4, 2021: 0.1, 2023: 0.9}}
    rows = [
        {"region": region, "factor_year": year, "net_to_gross_ratio": ratio}
        for region, years in left.items()
        for year, ratio in years.items()
    ]
    frame = model("core.net_fits", {"core.region_supply": rows}).filter(basis="supply_other_year")
    ((gsd, n),) = frame.select("fitted_gsd", "n_observations").rows()
    assert n == 3
    assert math.log(gsd) ** 2 == pytest.approx((math.log(2) ** 2 + math.log(4) ** 2) / 2)


@pytest.mark.parametrize(
    ("supplied", "rounding", "years", "ln_gsd"),
    [
        (1.0, 0.0, 0, math.log(2)),  # a gsd of 2 where the operator supplies everything
        (0.5, 0.0, 0, math.log(2) / 2),
        (0.0, 0.0, 0, 0.0),  # net is gross
        (0.0, 0.3, 0, 0.3),
        (0.0, 0.0, 2, math.sqrt(2) * math.log(1.5)),  # two steps of a random walk
        (0.0, 0.0, 9, math.sqrt(3) * math.log(1.5)),
    ],
)
def test_net_is_less_sure_the_more_is_supplied_and_the_older_the_figure(
    database: duckdb.DuckDBPyConnection, supplied: float, rounding: float, years: int, ln_gsd: float
) -> None:
    query = "select sqrt(net_ln_variance(?::double, ?::double, ?::bigint, 2.0, 1.5))"
    ((found,),) = database.execute(query, [supplied, rounding, years]).fetchall()
    assert found == pytest.approx(ln_gsd)


def mixed(model: Model, *supplied: str) -> pl.DataFrame:
    """Net of two locations of equal weight and gross 0.4 and 0.1; the supply, if known, leaves 0.25."""
    mix = {"run_id": "r", "basis": "provider_locations", "weight_fraction": 0.5, "run_year": 2020}
    supply = {"provider": "Google", "factor_year": 2021, "net_to_gross_ratio": 0.25, **SOURCE}
    supply |= {"residual_fraction": 0.2, "rounding_ln_gsd": 0.1, "verified": "primary"}
    return model(
        "core.location_nets",
        {
            "core.provider_mixes": [
                mix | {"location_id": "a", "provider": "Google", "value": 0.4},
                mix | {"location_id": "b", "provider": "Google", "value": 0.1},
            ],
            "core.region_supply": [supply | {"region": region} for region in supplied],
        },
    )


def test_net_of_several_locations_is_their_geometric_mean_and_null_if_one_is_unknown(model: Model) -> None:
    """0.1 and 0.025: the mean is 0.05, each a factor of 2 away."""
    row = mixed(model, "a", "b").row(0, named=True)
    assert (row["value"], row["supplied_fraction"]) == (pytest.approx(0.05), pytest.approx(0.8))
    assert row["mix_ln_variance"] == pytest.approx(math.log(2) ** 2)
    assert (row["factor_year"], row["apart_years"]) == (2021, 1)
    assert mixed(model, "a").is_empty()


# the choice


def test_the_best_basis_wins_and_a_bare_name_widens_the_power(model: Model) -> None:
    candidates = {"run_id": "example", "factor_year": 2018, **SOURCE}
    method: list[dict[str, Any]] = [
        {"factor": "watts_per_chip", "basis": "measured_same_chip", "fallback_rank": 2, "gsd": 1.1},
        {"factor": "watts_per_chip", "basis": "measured_ratio", "fallback_rank": 3, "gsd": 1.3},
        {"factor": "watts_per_chip", "basis": "ambiguous_variant", "fallback_rank": None, "gsd": 1.2},
    ]
    frame = model(
        "out.emission_factors",
        {
            "core.training_runs": [RUN | {"is_ambiguous_hardware": True}],
            "core.method": method,
            "core.watts_candidates": [
                candidates | {"basis": "measured_ratio", "value": 400.0},
                candidates | {"basis": "measured_same_chip", "value": 300.0},
            ],
        },
    )
    row = frame.row(0, named=True)
    assert (row["basis"], row["value"], row["is_other_year"]) == ("measured_same_chip", 300.0, True)
    assert row["gsd"] == pytest.approx(1.228, abs=5e-4)  # exp(sqrt(ln(1.1)^2 + ln(1.2)^2))
    assert row["source_id"] == "example-org"


@pytest.mark.parametrize(
    ("basis", "confidence", "gsd"),
    [
        ("flop_over_throughput", None, 1.5),
        ("flop_over_throughput", "likely", 4.239),  # exp(sqrt(ln(1.5)^2 + ln(4)^2))
        ("chips_x_hours", "likely", 1.01),  # its hours do not come from the FLOP
    ],
)
def test_hours_from_uncertain_flop_carry_the_uncertainty_of_the_flop(
    model: Model, basis: str, confidence: str | None, gsd: float
) -> None:
    method: list[dict[str, Any]] = [
        {"factor": "chip_hours", "basis": "chips_x_hours", "fallback_rank": 2, "gsd": 1.01},
        {"factor": "chip_hours", "basis": "flop_over_throughput", "fallback_rank": 5, "gsd": 1.5},
        {"factor": "training_flop", "basis": "likely", "fallback_rank": None, "gsd": 4.0},
        {"factor": "watts_per_chip", "basis": "ambiguous_variant", "fallback_rank": None, "gsd": 1.2},
    ]
    frame = model(
        "out.emission_factors",
        {
            "core.training_runs": [RUN | {"flop_confidence": confidence}],
            "core.method": method,
            "core.chip_hours_candidates": [{"run_id": "example", "basis": basis, "value": 1e6, **SOURCE}],
        },
    )
    row = frame.row(0, named=True)
    assert row["gsd"] == pytest.approx(gsd, abs=5e-4)
    assert row["flop_confidence"] == (confidence if basis == "flop_over_throughput" else None)


REGIONS = [
    {"region": region, "provider": provider, "country": code}
    for region, provider, code in (
        ("a1", "A", "DE"), ("a2", "A", "DE"), ("a3", "A", "FR"), ("a4", "A", "PL"),
        ("site:a5", "A", "FR"),  # a building in a region that is counted already
        ("b1", "B", "FR"), ("b2", "B", "DE"),  # two: no uncertainty to speak of
    )
]  # fmt: skip


def test_an_operators_grid_is_the_mix_of_its_regions_and_its_uncertainty_theirs(model: Model) -> None:
    grids = [
        country("DE", 2020, 400.0),
        country("FR", 2020, 100.0),
        country("PL", 2020, 800.0),
        country("FR", 2020, 60.0)
        | {"intensity_basis": "direct"},  # another quantity: never in one mean with lifecycle figures
        country("DE", 2021, 380.0),
        country("FR", 2021, 90.0),  # no figure of PL yet: half an operator is none
    ]
    frame = model("core.provider_grids", {"raw.regions": REGIONS, "core.grid_intensity": grids})
    (row,) = frame.to_dicts()
    assert (row["provider"], row["factor_year"], row["region_count"]) == ("A", 2020, 4)
    assert row["intensity_basis"] == "lifecycle"
    logs = [math.log(grams) for grams in (400.0, 400.0, 100.0, 800.0)]
    mean = sum(logs) / 4
    assert row["carbon_intensity_g_per_kwh"] == pytest.approx(math.exp(mean))
    assert math.log(row["region_gsd"]) == pytest.approx(math.sqrt(sum((x - mean) ** 2 for x in logs) / 4))


def test_place_factors_of_an_operator_add_the_uncertainty_of_a_regions_own_figure(model: Model) -> None:
    """Its ln gsd is sqrt(ln(2)^2 + ln(1.3)^2), whatever the basis of all operators has."""
    mix = {"provider": "A", "factor_year": 2020, "carbon_intensity_g_per_kwh": 300.0, "region_gsd": 2.0}
    gsds = {"country_year": 1.3, "provider_regions": 2.2}
    frame = model(
        "support.location_factors",
        {
            "core.provider_grids": [mix | SOURCE | {"intensity_basis": "lifecycle", "verified": "primary"}],
            "core.method": [
                {"factor": "gross_kg_per_kwh", "basis": basis, "gsd": gsd} for basis, gsd in gsds.items()
            ],
        },
    )
    rows = {row["period"]: row for row in frame.to_dicts() if row["location_id"] == "A"}
    assert rows["2024"]["basis"] == "provider_regions"
    assert (rows["2024"]["value"], rows["2024"]["factor_year"]) == (pytest.approx(0.3), 2020)
    assert math.log(rows["2024"]["gsd"]) == pytest.approx(math.hypot(math.log(2), math.log(1.3)))


def test_place_factors_take_the_nearest_year_and_the_operators_share(model: Model) -> None:
    """The supply leaves 0.2 of the average; a year without a figure takes the nearest."""
    source = SOURCE | {"verified": "primary"}
    region = {
        "region": "r1",
        "factor_year": 2020,
        "carbon_intensity_g_per_kwh": 400.0,
        "intensity_basis": "direct",
        **source,
    }
    supply = {"provider": "Google", "factor_year": 2020, "net_to_gross_ratio": 0.2, **source}
    supply |= {"residual_fraction": 0.2, "rounding_ln_gsd": 0.0}
    pue = {"provider": "Google", "region": "r1", "is_average": False, "pue": 1.1, **source}
    bases = (
        ("gross_kg_per_kwh", "region_year"),
        ("net_kg_per_kwh", "operator_hourly"),
        ("net_kg_per_kwh", "operator_locations"),
        ("net_kg_per_kwh", "supply_other_year"),
        ("pue", "site_year"),
        ("pue", "site_quarter"),
    )
    frame = model(
        "support.location_factors",
        {
            "core.region_intensity": [
                region,
                region | {"factor_year": 2023, "carbon_intensity_g_per_kwh": 300.0},
            ],
            "core.region_supply": [
                supply | {"region": "r1"},
                supply | {"region": "r2", "net_to_gross_ratio": 0.8},
            ],
            "core.pue_years": [
                pue | {"factor_year": 2021},
                pue | {"factor_year": 2021, "quarter": "2021-Q3", "pue": 1.2},
            ],
            "raw.regions": [{"region": "r1", "provider": "Google"}],
            "core.method": [{"factor": factor, "basis": basis, "gsd": 1.1} for factor, basis in bases],
        },
    )
    found = {(row["factor"], row["period"]): row for row in frame.to_dicts() if row["location_id"] == "r1"}
    assert found["gross_kg_per_kwh", "2021"]["value"] == pytest.approx(0.4)
    assert found["gross_kg_per_kwh", "2022"]["factor_year"] == 2023
    assert found["gross_kg_per_kwh", "2027"]["value"] == pytest.approx(0.3)
    assert found["net_to_gross_ratio", "2020"]["value"] == pytest.approx(0.2)
    # 2 years off, and four fifths are supplied: each has a gsd of 1.1
    assert found["net_to_gross_ratio", "2022"]["gsd"] == pytest.approx(
        math.exp(math.hypot(0.8 * math.log(1.1), math.sqrt(2) * math.log(1.1)))
    )
    of_operator = frame.filter(location_id="Google", period="2020").row(0, named=True)
    assert (of_operator["basis"], of_operator["value"]) == ("operator_locations", pytest.approx(0.4))
    # the two regions are a factor of 2 away from their mean
    assert of_operator["gsd"] == pytest.approx(math.exp(math.hypot(math.log(2), 0.8 * math.log(1.1))))
    assert (found["pue", "2021"]["value"], found["pue", "2021-Q3"]["value"]) == (1.1, 1.2)


@pytest.mark.parametrize(
    ("operator", "grid", "residual", "ln_gsd"),
    [
        (0.9, 0.5, 0.2, 0.005 / math.sqrt(3) / 0.1),
        (1.0, 0.5, 0.005, 1 / math.sqrt(3)),  # 0.995 to 1: 0.0025 is left, give or take as much
        (0.3, 0.5, 1.0, 0.0),  # less than the grid's own share: net is gross, whatever the digits
        (None, 0.5, None, None),
    ],
)
def test_what_is_left_from_the_grid_and_what_the_printed_digits_leave_open(
    database: duckdb.DuckDBPyConnection,
    operator: float | None,
    grid: float,
    residual: float | None,
    ln_gsd: float | None,
) -> None:
    query = "select grid_residual(?::double, ?::double), cfe_rounding_ln_gsd(?::double, ?::double)"
    (found,) = database.execute(query, [operator, grid] * 2).fetchall()
    assert found == (pytest.approx(residual), pytest.approx(ln_gsd))


# region_intensity


def shares(model: Model, zone: str, figure: dict[str, Any], *grids: dict[str, Any]) -> dict[int, float]:
    """The grid's own carbon-free share of a region by year, from its figure and what is published."""
    place = {
        "region": "r",
        "provider": "Google",
        "country": "CA",
        "grid_zone": zone,
        "egrid_subregion": "SUB",
    }
    operator = {"scheme": "google_cloud", "region": "r", "intensity_basis": "direct", "year": 2021} | figure
    frame = model(
        "core.region_intensity", {"raw.regions": [place], "core.grid_intensity": [operator, *grids]}
    )
    return dict(frame.select("factor_year", "grid_cfe_fraction").rows())


CANADA = country("CA", 2021, 160.0) | {"cfe_fraction": 0.8}


def test_the_share_of_a_zone_follows_its_intensity(model: Model) -> None:
    """A fifth of the country is not carbon-free, at 160 g/kWh; a zone at 8 g has a twentieth of that: 1 %."""
    assert shares(model, "CA-QC", {"carbon_intensity_g_per_kwh": 8.0}, CANADA) == {2021: pytest.approx(0.99)}
    dirty = {"carbon_intensity_g_per_kwh": 900.0}
    assert shares(model, "CA-AB", dirty, CANADA) == {2021: 0.0}  # never below none


def test_a_whole_country_has_its_own_share(model: Model) -> None:
    assert shares(model, "CA", {"carbon_intensity_g_per_kwh": 120.0}, CANADA) == {2021: 0.8}


def test_a_subregion_comes_before_the_country_and_another_year_before_another_grid(model: Model) -> None:
    subregion = {
        "scheme": "us_egrid_subregion",
        "region": "SUB",
        "intensity_basis": "direct",
        "cfe_fraction": 0.6,
    }
    years = [subregion | {"year": year, "carbon_intensity_g_per_kwh": 200.0} for year in (2019, 2023)]
    figure = {"carbon_intensity_g_per_kwh": 50.0, "year": 2024}
    found = shares(model, "US-NW", figure, CANADA | {"year": 2024}, *years)
    assert found == {2019: 0.6, 2023: 0.6, 2024: pytest.approx(0.9)}  # 1 - 0.4 x 50 / 200


def test_a_region_s_pue_is_the_mean_of_its_sites_in_the_year_as_in_its_quarters(model: Model) -> None:
    row = {"provider": "Operator", "cloud_region": "region", **SOURCE}
    frame = model(
        "core.pue_years",
        {
            "core.datacenter_pue": [
                row | {"site": "A", "period": "2024", "pue": 1.06, "pue_basis": "annual"},
                row | {"site": "A", "period": "2024-Q1", "pue": 1.08, "pue_basis": "quarterly"},
                row | {"site": "B", "period": "2024-Q1", "pue": 1.12, "pue_basis": "quarterly"},
                row | {"site": "B", "period": "2024-Q2", "pue": 1.16, "pue_basis": "quarterly"},
            ]
        },
    ).filter(pl.col("region") == "region")
    assert dict(frame.select("period", "pue").rows()) == {
        "2024": pytest.approx((1.06 + 1.14) / 2),  # A's year, B's mean of quarters
        "2024-Q1": pytest.approx(1.10),
        "2024-Q2": 1.16,
    }


def inferred_pue(
    model: Model, runs: list[dict[str, Any]], years: list[dict[str, Any]] | None = None
) -> pl.DataFrame:
    """The PUE fallback order of the run `new` among others."""
    rows = {"core.training_runs": runs, "core.pue_years": years or []}
    rows["core.stated_pues"] = model("core.stated_pues", rows).to_dicts()
    return model("core.pue_candidates", rows).filter(pl.col("run_id") == "new")


def test_runs_of_one_organisation_inform_each_other_and_count_once_for_others(model: Model) -> None:
    """G counts once with 1.1; X and Y have 1.2 and 1.4. Work of W with G and X informs neither of them."""
    stated = [
        RUN | by(organisations) | {"run_id": name, "provider": None, "pue": pue}
        for name, organisations, pue in (
            ("a", "G", 1.05), ("b", "G;S", 1.21 / 1.05), ("x", "X", 1.2), ("y", "Y", 1.4), ("w", "W;G;X", 1.3)
        )
    ]  # fmt: skip

    def means(organisations: str | None) -> dict[str, float]:
        unknown = RUN | by(organisations) | {"run_id": "new", "provider": None}
        return values(inferred_pue(model, [*stated, unknown]))

    four = pytest.approx((1.1 * 1.2 * 1.4 * 1.3) ** (1 / 4))
    assert means("Z") == means(None) == {"training_locations": four}
    assert means("G") == {"developer_locations": pytest.approx(1.1)}  # only X and Y are strangers
    assert means("X;Z") == {"developer_locations": pytest.approx(1.2)}
    assert means("Z;X") == {}


def test_a_place_where_a_run_was_not_made_tells_nothing_of_others(model: Model) -> None:
    """The run as it would be elsewhere, at a PUE of 1.6 and 700 g/kWh, is no location of its developer."""
    real = RUN | by("X") | {"run_id": "real", "pue": 1.1, "site_country": "AA", "covers": "one_run"}
    elsewhere = real | {"run_id": "if", "pue": 1.6, "site_country": "BB", "covers": "hypothetical"}
    unknown = RUN | by("X") | {"run_id": "new", "provider": None, "site_country": None}
    tables: dict[str, list[dict[str, Any]]] = {
        "core.training_runs": [real, elsewhere, unknown],
        "core.grid_intensity": [country("AA", 2020, 200.0), country("BB", 2020, 700.0)],
    }
    tables["core.stated_pues"] = model("core.stated_pues", tables).to_dicts()
    for candidates, expected in (("core.pue_candidates", 1.1), ("core.gross_candidates", 0.2)):
        found = values(model(candidates, tables).filter(pl.col("run_id") == "new"))
        assert found["developer_locations"] == pytest.approx(expected)


def test_known_hours_leave_the_uncertainty_of_a_mix_to_the_power(model: Model) -> None:
    """Two accelerators of one share each, at 100 and 400 W: ln 2 around their geometric mean."""
    mix = [{"run_id": "example", "hardware_id": name, "share_fraction": 0.5} for name in ("a", "b")]
    power = [{"hardware_id": "a", "watts_per_chip": 100.0}, {"hardware_id": "b", "watts_per_chip": 400.0}]

    def gsd(hours: str) -> float:
        frame = model(
            "out.emission_factors",
            {
                "core.training_runs": [RUN | {"is_ambiguous_hardware": False}],
                "core.chip_hours_candidates": [{"run_id": "example", "basis": hours, "value": 1.0, **SOURCE}],
                "core.watts_candidates": [
                    {"run_id": "example", "basis": "hardware_mix", "value": 200.0, **SOURCE}
                ],
                "core.method": [
                    {"factor": "watts_per_chip", "basis": "hardware_mix", "fallback_rank": 7, "gsd": 1.4},
                    {"factor": "watts_per_chip", "basis": "ambiguous_variant", "gsd": 1.3},
                    {"factor": "chip_hours", "basis": hours, "fallback_rank": 1, "gsd": 1.01},
                ],
                "core.hardware_mix": mix,
                "core.chip_power": power,
            },
        )
        return float(dict(frame.select("factor", "gsd").rows())["watts_per_chip"])

    assert gsd("flop_by_era") == pytest.approx(1.4)
    assert gsd("disclosed") == pytest.approx(math.exp(math.hypot(math.log(1.4), math.log(2))))


def test_of_several_sources_one_is_named_with_its_own_address_and_locator(
    database: duckdb.DuckDBPyConnection,
) -> None:
    sources = (
        "(values ('B', 'a.org', '1'), ('A', 'z.org', '3'), ('A', 'y.org', '4')) as s (title, url, locator)"
    )
    ((found,),) = database.execute(f"select first_source(title, url, locator) from {sources}").fetchall()
    assert found == ["A", "y.org", "4"]


def other_run(run_id: str, year: int, **about: Any) -> dict[str, Any]:
    """Another run of the developer of `new`, in a paper of its own."""
    paper = {"source_url": f"https://example.org/{run_id}"}
    return RUN | by("X") | {"run_id": run_id, "run_year": year, "provider": None} | paper | about


NEW = other_run("new", 2022)


def test_the_grid_of_a_developers_locations_is_that_of_the_run_s_own_year(model: Model) -> None:
    """AA told by two papers, one of them in two variants, and BB by one: (300 x 300 x 900)^(1/3) in 2022."""
    runs = [
        NEW,
        other_run("a1", 2020, site_country="AA", source_url="https://example.org/a"),
        other_run("a2", 2020, site_country="AA", source_url="https://example.org/a"),
        other_run("b", 2021, site_country="BB"),
        other_run("c", 2022, site_country="AA"),
        other_run("old", 2019, site_country="CC"),
    ]
    years = {2020: (500.0, 1000.0), 2022: (300.0, 900.0)}
    grids = [country(c, y, g[i]) for y, g in years.items() for i, c in enumerate(("AA", "BB"))]

    def found(grids: list[dict[str, Any]]) -> tuple[Any, int]:
        frame = model("core.gross_candidates", {"core.training_runs": runs, "core.grid_intensity": grids})
        row = fallback_rank(frame.filter(pl.col("run_id") == "new"), "developer_locations")
        assert row is not None
        return row["value"], row["factor_year"]

    assert found(grids) == (pytest.approx((0.3 * 0.3 * 0.9) ** (1 / 3)), 2022)
    without = [row for row in grids if (row["region"], row["year"]) != ("BB", 2022)]
    # what stands in for another year is reported, though two of the three are of the run's own
    assert found(without) == (pytest.approx((0.3 * 0.3 * 1.0) ** (1 / 3)), 2020)


def test_the_pue_of_a_developers_locations_is_that_of_the_run_s_own_year(model: Model) -> None:
    """A site of 1.2 that has 1.1 in 2022, and what a run of 2021 stated of a place not known else."""
    runs = [
        NEW,
        other_run("a", 2020, provider="Operator", region="site:Here", pue=1.2),
        other_run("a2", 2020, provider="Operator", region="site:Here", source_url="https://example.org/a"),
        other_run("b", 2021, pue=1.3),
    ]
    site = {"provider": "Operator", "region": "site:Here", "is_average": False, **SOURCE}
    years = [site | {"factor_year": 2020, "pue": 1.2}, site | {"factor_year": 2022, "pue": 1.1}]
    row = fallback_rank(inferred_pue(model, runs, years), "developer_locations")
    assert row is not None
    assert (row["value"], row["factor_year"]) == (pytest.approx(math.sqrt(1.1 * 1.3)), 2021)
    row = fallback_rank(inferred_pue(model, runs[:3], years), "developer_locations")
    assert row is not None
    assert (row["value"], row["factor_year"]) == (pytest.approx(1.1), 2022)


def test_what_a_run_states_counts_before_its_operators_average_in_its_own_year_only(model: Model) -> None:
    runs = [other_run("a", 2021, provider="Operator", pue=1.3)]
    fleet = {"provider": "Operator", "region": "site:fleet average", "is_average": True, **SOURCE}
    years = [fleet | {"factor_year": 2022, "pue": 1.1}]
    frame = model("core.stated_pues", {"core.training_runs": runs, "core.pue_years": years})
    assert sorted(frame.select("year", "pue", "factor_year").rows()) == [
        (2019, 1.1, 2022),
        (2020, 1.1, 2022),
        (2021, 1.3, 2021),
        (2022, 1.1, 2022),
        (2023, 1.1, 2022),
    ]
