"""`ote estimate`: a run of one's own, by the method and the factors of the dataset."""

import json
import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from ote.answers import batch
from ote.answers import estimate as estimating
from ote.answers.estimate import BadRunsError
from ote.answers.published import NoDatabaseError
from tests.conftest import Build, ote

TODAY = date(2025, 6, 1)
KNOWN = {"hardware": "V100", "chips": 8, "training_hours": 100, "site_country": "DE", "started": "2021-03"}


@pytest.fixture(scope="session")
def database(build: Build) -> Path:
    return build.directory / "emissions.duckdb"


def test_a_run_of_which_all_is_known_is_the_formula(database: Path) -> None:
    """512 chips x 300 h x 700 W x 1.1 / 1e6 = 118.272 MWh; at 400 g/kWh 47.3088 t."""
    run = estimating.estimate_run(
        {
            "chips": 512,
            "training_hours": 300,
            "watts_per_chip": 700,
            "pue": 1.1,
            "carbon_intensity_g_per_kwh": 400,
        },
        database,
        TODAY,
    )
    assert run["energy_mwh"] == pytest.approx(118.272)
    assert (run["co2e_gross_t"], run["co2e_net_t"]) == (pytest.approx(47.3088), None)
    # Uncertainties of hours, metering and grid as method states them: 1.01, 1.03, 1.02; of PUE - 1: 1.11.
    it = 1.645 * math.hypot(math.log(1.01), math.log(1.03))
    above, below = math.log((1 + 0.1 * 1.11**1.645) / 1.1), math.log(1.1 / (1 + 0.1 / 1.11**1.645))
    assert run["energy_mwh_p95"] == pytest.approx(118.272 * math.exp(math.hypot(it, above)))
    whole = math.hypot(it, below, 1.645 * math.log(1.02))
    assert run["co2e_gross_t_p05"] == pytest.approx(47.3088 * math.exp(-whole))
    assert estimating.narrowing(run, estimating.best_gsds(database)) is None


@pytest.mark.parametrize("provider", ["AWS", "Google", "Azure"])
def test_an_operator_without_a_region_is_the_mix_of_its_regions(
    build: Build, database: Path, provider: str
) -> None:
    known = {"hardware": "H100", "chips": 512, "training_hours": 300, "started": "2024"}
    run = estimating.estimate_run(known | {"provider": provider}, database, TODAY)
    ((value, ln_gsd),) = build.query(
        "select exp(avg(ln(grid.carbon_intensity_g_per_kwh))) / 1000, "  # g to kg
        "stddev_pop(ln(grid.carbon_intensity_g_per_kwh)) "
        "from regions inner join grid_intensity as grid on grid.region = regions.country "
        f"where regions.provider = '{run['provider']}' and not starts_with(regions.region, 'site:') "
        "and grid.scheme = 'country' and grid.intensity_basis = 'lifecycle' "
        f"and grid.year = {run['factors']['gross_kg_per_kwh']['factor_year']}"
    )
    ((country,),) = build.query(
        "select gsd from method where factor = 'gross_kg_per_kwh' and basis = 'country_year'"
    )
    about = run["factors"]["gross_kg_per_kwh"]
    assert (about["basis"], run["intensity_basis"]) == ("provider_regions", "lifecycle")
    assert about["value"] == pytest.approx(value)
    assert math.log(about["gsd"]) == pytest.approx(math.hypot(ln_gsd, math.log(country)))
    assert "cloud regions of the operator" in about["source_locator"]
    if provider == "Google":  # the one that publishes its supply, at every region
        assert run["net_basis"] == "operator_locations"
        assert run["co2e_net_t"] < run["co2e_gross_t"]
    else:
        assert (run["net_basis"], run["co2e_net_t"]) == (None, None)  # unknown is not gross
    narrowest = estimating.narrowing(run, estimating.best_gsds(database))
    assert narrowest is not None
    assert "--region" in narrowest.fact
    # what is known of the location still comes first
    for place, basis in (
        ({"site_country": "DE"}, "country_year"),
        ({"cloud_region": "us-central1"}, "region_year"),
    ):
        if "cloud_region" not in place or provider == "Google":
            better = estimating.estimate_run(known | {"provider": provider} | place, database, TODAY)
            assert better["gross_basis"] == basis


def test_a_carbon_free_share_that_is_given_counts_that_of_the_grid(build: Build, database: Path) -> None:
    """Net is gross x ((1 - CFE) / (1 - share of the grid)) ^ exponent, whoever the operator is."""
    run = estimating.estimate_run(
        {"energy_kwh": 1000, "pue": 1.2, "site_country": "DE", "cfe_fraction": 0.8, "started": "2023"},
        database,
        TODAY,
    )
    ((share, exponent),) = build.query(
        "select grid_cfe_fraction, exponent from support.grid_shares cross join support.net_fit "
        "where location_id = 'DE' and year = 2023"
    )
    ratio = (0.2 / (1 - share)) ** exponent
    assert run["co2e_net_t"] == pytest.approx(run["co2e_gross_t"] * ratio)
    assert (run["net_basis"], run["co2e_net_t"] < run["co2e_net_t_p95"]) == ("operator_hourly", True)
    assert "0.8" in run["factors"]["net_kg_per_kwh"]["source_locator"]


def test_a_market_based_intensity_is_as_given_else_of_contracts_else_of_the_residual_mix(
    database: Path,
) -> None:
    """1.2 MWh at 50 g/kWh are 0.06 t; else Germany's residual mix of 2023, 719.9 g/kWh (AIB)."""
    known = {"energy_kwh": 1000, "pue": 1.2, "site_country": "DE", "started": "2023"}
    given = estimating.estimate_run(known | {"market_g_per_kwh": 50}, database, TODAY)
    assert (given["market_basis"], given["co2e_market_t"]) == ("disclosed", pytest.approx(0.06))
    mix = estimating.estimate_run(known, database, TODAY)
    assert (mix["market_basis"], mix["co2e_market_t"]) == ("residual_mix", pytest.approx(1.2 * 0.7199))
    google = estimating.estimate_run(known | {"provider": "Google"}, database, TODAY)
    assert (google["market_basis"], google["market_kg_per_kwh"]) == ("operator_contracts", 0.135)
    aws = estimating.estimate_run(known | {"provider": "AWS"}, database, TODAY)
    assert (aws["market_basis"], aws["co2e_market_t"], aws["co2e_market_t_p95"]) == (None, None, None)


@pytest.mark.parametrize(
    ("place", "basis", "grid", "ratio"),
    [  # the grid whose intensity counts, and by what it is multiplied
        ({"cloud_region": "us-central1"}, "region_year", "us-central1", True),  # direct, in the USA
        ({"cloud_region": "Central US"}, "region_year", "centralus", True),  # as Azure shows it
        ({"site_state": "Iowa"}, "region_year", "US-IA", True),
        ({"cloud_region": "europe-west9"}, "country_year", "FR", False),  # direct, elsewhere
        ({"site_country": "FR"}, "country_year", "FR", False),
        ({"site_country": "FR", "carbon_intensity_g_per_kwh": 21}, "country_year", "FR", False),
        ({}, "world_year", "WORLD", False),
    ],
)
def test_a_life_cycle_figure_is_always_of_one_kind(
    build: Build, database: Path, place: dict[str, Any], basis: str, grid: str, ratio: bool
) -> None:
    """As core.grid_by_basis: a published life-cycle intensity, else in the USA a direct one x the ratio."""
    known = {"energy_kwh": 1000, "pue": 1.2, "started": "2023"}
    run = estimating.estimate_run(known | place, database, TODAY)
    ((intensity,),) = build.query(
        "select arg_max(carbon_intensity_g_per_kwh, year) from grid_intensity "
        f"where scheme = 'us_state' and 'US-' || region = '{grid}' group by region "
        "union all select value * 1000 from support.location_factors "
        f"where factor = 'gross_kg_per_kwh' and location_id = '{grid}' and period = '2023'"
    )
    ((factor, gsd, convert),) = build.query(
        "select (select lifecycle_to_direct_ratio from support.lifecycle_ratio), "
        f"(select gsd from method where factor = 'gross_kg_per_kwh' and basis = '{basis}'), "
        "(select gsd from method where basis = 'direct_to_lifecycle')"
    )
    assert run["lifecycle_basis"] == basis
    assert run["co2e_lifecycle_t"] == pytest.approx(1.2 * intensity / 1000 * (factor if ratio else 1))
    above = math.log(run["energy_mwh_p95"] / run["energy_mwh"])
    whole = math.hypot(above, 1.645 * math.log(gsd), 1.645 * math.log(convert) if ratio else 0)
    assert run["co2e_lifecycle_t_p95"] == pytest.approx(run["co2e_lifecycle_t"] * math.exp(whole))


def test_an_intensity_without_a_location_gives_no_life_cycle_figure(database: Path) -> None:
    known = {"energy_kwh": 1000, "pue": 1.2, "carbon_intensity_g_per_kwh": 500}
    run = estimating.estimate_run(known, database, TODAY)
    names = ("co2e_lifecycle_t", "co2e_lifecycle_t_p05", "co2e_lifecycle_t_p95", "lifecycle_basis")
    assert {name: run[name] for name in names} == dict.fromkeys(names)
    command = ("estimate", "--energy", "1000", "--intensity", "500", "--database", database)
    assert "the given intensity may be direct or life-cycle" in " ".join(ote(*command).stdout.split())
    assert "not the given intensity" in " ".join(ote(*command, "--country", "FR").stdout.split())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"cfe_fraction": 80, "site_country": "DE"}, "--cfe 80.0: it looks like percent; write 0.8"),
        ({"cfe_fraction": "80 %", "site_country": "DE"}, "expected a share from 0 to 1, such as 0.9"),
        ({"cfe_fraction": -0.1, "site_country": "DE"}, "expected a share from 0 to 1"),
        ({"cfe_fraction": 0.9}, "--cfe needs the carbon-free share of the grid"),
        ({"market_g_per_kwh": 5000}, "no grid emits more than 1400 g CO2e per kWh"),
        ({"market_g_per_kwh": "low"}, "expected a number of g CO2e per kWh, such as 20"),
    ],
)
def test_a_share_or_an_intensity_that_cannot_be_is_refused(
    database: Path, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(estimating.BadRunsError) as refused:
        estimating.estimate_run({"energy_kwh": 1000, **given}, database, TODAY)
    assert says in str(refused.value)


NUMBERS = sorted(set(estimating.COLUMNS) - {*batch.TEXTS, "started"})
NO_NUMBERS = ("x", "-1")


@pytest.mark.parametrize("column", NUMBERS)
@pytest.mark.parametrize("cell", NO_NUMBERS)
def test_a_number_that_cannot_be_is_refused_in_every_column(database: Path, column: str, cell: str) -> None:
    run = {"hardware": "H100", "chips": "8", "training_hours": "100", column: cell}
    with pytest.raises(estimating.BadRunsError) as refused:
        estimating.estimate_run(run, database, TODAY, estimating.BY_COLUMN)
    assert f"{column}: '{cell}': expected" in str(refused.value)


def test_a_batch_refuses_a_number_that_cannot_be_in_every_column(database: Path, tmp_path: Path) -> None:
    """By the row and the column; of twice as many rows the other half is estimated."""
    good = {"hardware": "H100", "chips": "8", "training_hours": "100", "chip_hours": "800"}
    bad = [(column, cell) for cell in NO_NUMBERS for column in NUMBERS]
    rows = [row for column, cell in bad for row in ({**good, column: ""}, {**good, column: cell})]
    file, rejects = tmp_path / "runs.csv", tmp_path / "rejects.csv"
    pl.DataFrame(rows, schema=dict.fromkeys([*good, *NUMBERS], pl.String)).write_csv(file)
    done = batch.estimate_batch(str(file), str(tmp_path / "out.csv"), database, rejects=str(rejects))
    assert done.estimated == len(bad)
    refused = [
        f"row {row['row']}, {row['column']}: {row['reason']}" for row in pl.read_csv(rejects).to_dicts()
    ]
    for number, (column, cell) in enumerate(bad, 1):
        begins = f"row {2 * number}, {column}: '{cell}': expected"
        assert any(says.startswith(begins) for says in refused), begins


def test_a_grid_without_emissions_leaves_nothing_to_narrow(database: Path) -> None:
    given = {"hardware": "H100", "chips": 8, "training_hours": 100, "carbon_intensity_g_per_kwh": 0}
    run = estimating.estimate_run(given, database, TODAY)
    assert (run["co2e_gross_t"], run["co2e_gross_t_p95"]) == (0, 0)
    assert estimating.narrowing(run, estimating.best_gsds(database)) is None


def test_a_measured_energy_needs_pue_and_grid_alone(database: Path) -> None:
    given = {"energy_kwh": 1000, "pue": 1.2, "carbon_intensity_g_per_kwh": 500}
    run = estimating.estimate_run(given, database, TODAY)
    assert (run["energy_mwh"], run["co2e_gross_t"]) == (pytest.approx(1.2), pytest.approx(0.6))
    assert (run["energy_basis"], run["watts_per_chip"], run["chip_hours"]) == ("measured", None, None)


def test_a_run_of_the_dataset_described_again_gets_the_same_factors(build: Build, database: Path) -> None:
    """Every run with a basis that a description can stand on; the year of the run, without its month."""
    rows = build.query(
        "select runs.run_id, runs.hardware_id, runs.chip_hours, runs.cloud_region, runs.site_country, "
        "emissions.run_year from emissions inner join training_runs as runs using (run_id) "
        "where emissions.run_year between 2009 and 2024 and emissions.energy_basis = 'computed'"
    )
    names = ("model", "hardware", "chip_hours", "cloud_region", "site_country", "started")
    frame = pl.DataFrame(
        [dict(zip(names, (*row[:5], None), strict=True)) for row in rows], infer_schema_length=None
    )
    frame = frame.with_columns(
        pl.col("chip_hours").fill_null(1.0), started=pl.Series([f"{row[5]}-06" for row in rows])
    )
    estimates = estimating.estimate(frame, database, TODAY)
    assert isinstance(estimates, pl.DataFrame)
    compared = 0
    lifecycle = {
        run: row
        for run, *row in build.query(
            "select run_id, gross_kg_per_kwh, gross_basis, factor_year from support.gross_by_basis "
            "where intensity_basis = 'lifecycle' and gross_basis in ('region_year', 'country_year')"
        )
    }
    for row in estimates.iter_rows(named=True):
        if row["lifecycle_basis"] == lifecycle.get(row["model"], [None] * 2)[1]:
            value, basis, year = lifecycle.pop(row["model"])
            assert row["lifecycle_kg_per_kwh"] == pytest.approx(value), row
            assert row["lifecycle_factor_year"] == year, row
            assert row["co2e_lifecycle_t"] == pytest.approx(row["energy_mwh"] * value), row
            compared += basis == "region_year"
    assert compared >= 10
    compared = 0
    factors = {
        (run, factor): (value, basis, year)
        for run, factor, value, basis, year in build.query(
            "select run_id, factor, value, basis, factor_year from emission_factors "
            "where basis in ('site_year', 'provider_year', 'industry_year', 'region_year', 'country_year', "
            "'operator_hourly')"
        )
    }
    for row in estimates.iter_rows(named=True):
        for factor, prefix in (
            ("pue", "pue"),
            ("gross_kg_per_kwh", "gross"),
            ("net_kg_per_kwh", "net"),
        ):
            value, basis, year = factors.get((row["model"], factor), (None, None, None))
            if basis == row[f"{prefix}_basis"]:
                compared += 1
                assert (row[factor], row[f"{prefix}_factor_year"]) == (pytest.approx(value), year), row
    assert compared >= 20


def test_a_location_has_the_factors_that_a_run_there_gets(build: Build, database: Path) -> None:
    """One look-up for `locations`, what_if, `ote where` and `ote estimate`, wider where the PUE is older."""
    known = build.query(
        "select region, factor_year, pue, pue_basis, pue_gsd, gross_kg_per_kwh, gross_basis, net_kg_per_kwh "
        "from locations where factor_year < 2026"
    )
    runs = {
        "energy_kwh": [1000.0] * len(known),
        "cloud_region": [region for region, *_ in known],
        "started": [f"{year}" for _, year, *_ in known],
    }
    estimates = estimating.estimate(pl.DataFrame(runs), database, date(2026, 6, 1))
    assert isinstance(estimates, pl.DataFrame)
    names = ("pue", "pue_basis", "pue_gsd", "gross_kg_per_kwh", "gross_basis", "net_kg_per_kwh")
    for row, (region, year, *factors) in zip(estimates.iter_rows(named=True), known, strict=True):
        assert [row[name] for name in names] == pytest.approx(factors), (region, year)
    assert {"unpublished_operator", "provider_year", "site_year"} <= {row[3] for row in known}


def test_a_month_that_changes_nothing_is_said_to_be_unused(build: Build) -> None:
    described = ("estimate", "--hardware", "A100", "--chips", "64", "--hours", "200")
    database = ("--database", build.directory / "emissions.duckdb")
    for options, is_said in (
        (("--country", "SE", "--start", "2024-05"), True),
        (("--country", "SE", "--start", "2024"), False),
        (("--country", "DE", "--start", "2020-05"), False),  # its mean of the month is used
        (("--intensity", "20", "--start", "2024-05"), False),
    ):
        stated = ote(*described, *options, *database).stdout
        assert ("Of --start only the year counts" in stated) == is_said, options


def test_the_answer_has_the_names_of_the_dataset(build: Build, database: Path) -> None:
    run = estimating.estimate_run(KNOWN, database, TODAY)
    columns = {name for (name,) in build.query("select column_name from (describe emissions)")}
    assert set(run) - columns == {
        "factors",
        "dataset_version",
        "hardware_name",
        "is_ambiguous_hardware",
        "is_assumed_provider",
        "energy_kwh",
        *(f"lifecycle_{part}" for part in ("kg_per_kwh", "basis", "gsd", "factor_year")),
        *("lifecycle_source_url", "lifecycle_source_locator"),  # of the table support.gross_by_basis
        *(f"overhead_ratio{end}" for end in ("", "_p05", "_p95")),  # of the table left_out
    }
    assert set(run["factors"]) == {
        "chip_hours",
        "watts_per_chip",
        "pue",
        "gross_kg_per_kwh",
        "net_kg_per_kwh",
    }
    for factor, about in run["factors"].items():
        assert about["value"] == run[factor]
        given = about["basis"] in ("chips_x_hours", None)
        assert given or (about["source_url"] and about["source_locator"]), factor


@pytest.mark.parametrize(
    ("place", "advised", "known"),
    [
        ({}, ("--region", "--country", "--intensity"), ()),
        ({"site_country": "DE"}, ("--region", "--intensity"), ("--country",)),
        (
            {"site_country": "CA", "site_state": "CA-QC"},
            ("--intensity",),
            ("--country", "--state", "--region"),
        ),
        ({"cloud_region": "us-central1"}, ("--intensity",), ("--country", "--region")),
    ],
)
def test_what_is_given_already_is_not_advised(
    database: Path, place: dict[str, str], advised: tuple[str, ...], known: tuple[str, ...]
) -> None:
    run = estimating.estimate_run({"energy_kwh": 100, **place}, database, TODAY)
    narrowest = estimating.narrowing(run, estimating.best_gsds(database))
    assert narrowest is not None
    if narrowest.factor == "gross_kg_per_kwh":
        assert all(option in narrowest.fact for option in advised)
    assert not any(option in narrowest.fact for option in known)


def test_the_fact_that_narrows_most_does_so(database: Path) -> None:
    """What is announced is what comes out once the fact is given."""
    run = estimating.estimate_run({"training_flop": 1e23, "hardware": "A100"}, database, TODAY)
    best = estimating.narrowing(run, estimating.best_gsds(database))
    assert best is not None
    assert best.factor == "gross_kg_per_kwh"
    given = run["gross_kg_per_kwh"] * 1000  # kg to g
    known = estimating.estimate_run(
        {"training_flop": 1e23, "hardware": "A100", "carbon_intensity_g_per_kwh": given}, database, TODAY
    )
    assert known["co2e_gross_t_p95"] == pytest.approx(best.co2e_gross_t_p95)
    assert known["co2e_gross_t_p05"] == pytest.approx(best.co2e_gross_t_p05)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"hardware": "V100", "chip_hours": 1e5}, {"training_flop": 1e21, "hardware": "V100"}),
        ({"training_flop": 1e21, "hardware": "V100"}, {"training_flop": 1e21}),
        ({**KNOWN, "site_country": "DE"}, {**KNOWN, "site_country": None}),
        ({**KNOWN, "hardware": "nvidia-v100-sxm2-32gb"}, {**KNOWN, "hardware": "A100"}),
    ],
)
def test_who_knows_less_gets_a_wider_interval(
    database: Path, better: dict[str, Any], worse: dict[str, Any]
) -> None:
    def width(run: dict[str, Any]) -> float:
        answer = estimating.estimate_run(run, database, TODAY)
        return float(answer["co2e_gross_t_p95"] / answer["co2e_gross_t_p05"])

    assert width(better) < width(worse)


@pytest.mark.parametrize(
    ("spelling", "hardware_id"),
    [
        ("tesla v100-sxm2-32gb", "nvidia-v100-sxm2-32gb"),
        ("H100 SXM5 80GB", "nvidia-h100-sxm5-80gb"),
        ("80 GB A100 (PCIe)", "nvidia-a100-pcie-80gb"),
        ("nvidia-a100-sxm4-80gb", "nvidia-a100-sxm4-80gb"),
        ("TPU-v4", "google-tpu-v4"),
    ],
)
def test_hardware_is_known_by_any_spelling(database: Path, spelling: str, hardware_id: str) -> None:
    run = estimating.estimate_run(KNOWN | {"hardware": spelling}, database, TODAY)
    assert run["hardware_id"] == hardware_id


@pytest.mark.parametrize(
    ("country", "code"),
    [("United States of America", "US"), ("Czech Republic", "CZ"), ("uk", "GB"), ("DEU", "DE")],
)
def test_a_country_is_known_by_any_name(database: Path, country: str, code: str) -> None:
    run = estimating.estimate_run(KNOWN | {"site_country": country}, database, TODAY)
    assert run["site_country"] == code
    assert run["gross_basis"] in {"country_month", "country_year"}


def test_a_year_is_enough(database: Path) -> None:
    run = estimating.estimate_run(KNOWN | {"started": "2019"}, database, TODAY)
    assert (run["run_year"], run["factors"]["gross_kg_per_kwh"]["factor_year"]) == (2019, 2019)


@pytest.mark.parametrize("year", [2009, 2012, 2014])
def test_an_early_run_takes_the_pue_of_its_own_time(build: Build, database: Path, year: int) -> None:
    ((nearest, value),) = build.query(
        "select cast(left(period, 4) as integer) as factor_year, pue from datacenter_pue "
        "where provider = 'Industry average (Uptime Institute)' "
        f"order by abs(factor_year - {year}), factor_year limit 1"
    )
    about = estimating.estimate_run(KNOWN | {"started": str(year)}, database, TODAY)["factors"]
    assert (about["pue"]["basis"], about["pue"]["factor_year"]) == ("industry_year", nearest)
    assert (about["pue"]["value"], about["pue"]["is_other_year"]) == (pytest.approx(value), nearest != year)
    stated = ote("estimate", "--energy", "100", "--start", str(year), "--database", database).stdout
    assert (f"No data for {year}, so the nearest known year is used: " in stated) == any(
        factor["is_other_year"] for factor in about.values()
    )


@pytest.mark.parametrize("provider", [None, "CoreWeave"])
def test_an_operator_that_publishes_no_pue_has_that_of_such_runs(
    build: Build, database: Path, provider: str | None
) -> None:
    known = {"hardware": "H100", "chips": 8, "training_hours": 100, "started": "2023"}
    about = estimating.estimate_run(known | ({"provider": provider} if provider else {}), database, TODAY)
    runs = build.query(
        "select distinct value, gsd from emission_factors join training_runs using (run_id) "
        "where factor = 'pue' and basis = 'unpublished_operator' and run_year = 2023"
    )
    pue = about["factors"]["pue"]
    assert pue["basis"] == "unpublished_operator"
    assert (pytest.approx(pue["value"]), pytest.approx(pue["gsd"])) in runs
    assert 1.15 < pue["value"] < 1.3


def test_a_tpu_without_an_operator_is_google_s(database: Path) -> None:
    run = {"hardware": "TPU v4", "chips": 8, "training_hours": 100, "started": "2021-03"}
    alone = estimating.estimate_run(run, database, TODAY)
    named = estimating.estimate_run(run | {"provider": "Google"}, database, TODAY)
    assert alone | {"is_assumed_provider": False} == named
    assert alone["is_assumed_provider"]
    options = ("--hardware", "TPU v4", "--chips", "8", "--hours", "100", "--database", database)
    printed = " ".join(ote("estimate", *options).stdout.split())
    assert "provider Google, since TPUs run in its data centers only" in printed
    assert "provider Google, since" not in ote("estimate", *options, "--provider", "Google").stdout
    assert not estimating.estimate_run(KNOWN, database, TODAY)["is_assumed_provider"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chips": -8}, "--chips '-8': expected more than 0"),
        ({"chips": 0}, "--chips '0': expected more than 0"),
        ({"chips": 1.5}, "--chips '1.5': expected a whole number"),
        ({"chips": "eight"}, "--chips 'eight': expected a whole number"),
        ({"training_hours": "nan"}, "--hours 'nan': expected a number"),
        ({"training_hours": "1e400"}, "--hours '1e400': expected a number"),
        ({"training_hours": "inf"}, "--hours 'inf': expected a number"),
        ({"training_hours": "12,5"}, "--hours '12,5': a comma"),
        (
            {"training_hours": "12d"},
            "--hours '12d': expected a number of hours, such as 300; 12d is 288",
        ),
        (
            {"energy_kwh": "535 MWh"},
            "--energy '535 MWh': expected a number of kilowatt-hours, such as 1500; 535 MWh is 535000",
        ),
        ({"training_hours": "a week"}, "--hours 'a week': expected a number of hours, such as 300"),
        ({"pue": "good"}, "--pue 'good': expected a number, such as 1.1"),
        ({"watts_per_chip": "400W"}, "--power '400W': expected a number of watts, such as 700; 400W is 400"),
        ({"training_hours": " "}, "--hours ' ': empty"),
        ({"pue": "110%"}, "--pue '110%': a percentage; expected a ratio such as 1.1"),
        ({"pue": 110}, "it looks like percent; write 1.1"),
        ({"pue": 0.9}, "expected 1 or more: energy of the data center"),
        ({"pue": 3}, "expected at most 2.5"),
        ({"carbon_intensity_g_per_kwh": 0.4}, "it looks like kg per kWh; write 400"),
        ({"carbon_intensity_g_per_kwh": 400000}, "is it per MWh?"),
        ({"carbon_intensity_g_per_kwh": -1}, "expected 0 or more, in g CO2e per kWh"),
        ({"watts_per_chip": 2400}, "It looks like the power of all chips together"),
        ({"watts_per_chip": 0.3}, "It looks like kW"),
        ({"watts_per_chip": 300, "energy_kwh": 240}, "give only one of them"),
        ({"energy_kwh": 240e3}, "is 300000 W per accelerator"),
        ({"chip_hours": 100}, "It looks like the hours alone"),
        ({"chip_hours": 900}, "are 800. Give"),
        ({"training_flop": 1e30}, "of its peak"),
        ({"training_flop": 300}, "not FLOP/s"),
        ({"training_flop": 9.99e8}, "not FLOP/s"),
        ({"training_hours": 1e15}, "--hours 1e+15: more than ten years"),
        ({"training_hours": None, "chip_hours": 1e9}, "more than ten years"),
        ({"training_flop": "9e307"}, "all accelerators of the world can do"),
        ({"chips": "99999999999999"}, "expected a whole number"),
        ({"chips": 10**7, "training_hours": 87600}, "8.76e+11 chip-hours: more than all accelerators"),
        ({"hardware": "V1000"}, "The nearest: "),
        ({"hardware": "nvidia 4090"}, "NVIDIA GeForce RTX 4090"),
        ({"hardware": "NVIDIA GB300-NVL72"}, "is a rack of 72 GB300; give --hardware GB300 --chips 72"),
        ({"hardware": "XY900 NVL72"}, "is not a known accelerator. The nearest: "),
        ({"hardware": "8x A100"}, "holds a number; give --hardware A100 --chips 8"),
        ({"hardware": "4 x A100, 4 x H100"}, "names several accelerators; give a row for each kind"),
        ({"hardware": "A100 + H100"}, "names several accelerators; give a row for each kind"),
        ({"hardware": "???"}, "is not a known accelerator. The nearest: "),
        ({"cloud_region": "us-centrall1"}, "The nearest: us-central1"),
        (
            {"cloud_region": "frankfurt"},
            "--region 'frankfurt' is a location, not a region. The cloud regions there: "
            "eu-central-1 (Amazon Web Services), eu-frankfurt-1 (Oracle Cloud), europe-west3 (Google), "
            "germanywestcentral (Microsoft Azure)",
        ),
        ({"cloud_region": "US East (N. Virginia)"}, "there: us-east-1 (Amazon Web Services), us-east4"),
        ({"cloud_region": "US West (Oregon)"}, "us-west-2 (Amazon Web Services)"),
        ({"cloud_region": "Iowa"}, "centralus (Microsoft Azure), us-central1 (Google)"),
        (
            {"cloud_region": "Ireland"},
            "is a country, not a region: give it as the country (in a command: --country). "
            "Its cloud regions: Amazon Web Services: eu-west-1; Microsoft Azure: northeurope",
        ),
        ({"cloud_region": "us-central1"}, "--country 'DE', but us-central1 is in US"),
        ({"cloud_region": "us-central1", "site_country": None, "provider": "aws"}, "is a region of Google"),
        ({"provider": "Gogle"}, "Known: AIST, ALCF, Alibaba Cloud, Amazon Web Services"),
        ({"site_country": "Germoney"}, "DE (Germany)"),
        ({"site_country": None, "site_state": "Foo"}, "and Ontario, Quebec. Leave it out"),
        ({"site_country": "Koreas Republic of"}, "such as KR (Korea, Republic of), SK ("),
        (
            {"site_country": "Monaco"},
            "--country 'Monaco': the intensity of its grid is not known; give --intensity",
        ),
        ({"started": "2025-06-02"}, "in the future; today is 2025-06-01"),
        ({"started": "03/2024"}, "expected a date as YYYY-MM-DD, a month as YYYY-MM, or a year"),
        ({"started": "2026"}, "--start 2026: in the future"),
        ({"started": "20240301"}, "expected a date as YYYY-MM-DD"),
        ({"started": "1821-01"}, "before 2009, the first year that the dataset has factors for"),
        ({"training_hours": None}, "--hours missing: give --energy"),
        (
            {"chips": None, "training_hours": None},
            "--chip-hours missing: give --energy, or --chip-hours, or --chips with --hours, or",
        ),
        ({"hours": 5}, "did you mean training_hours?"),
        ({"energy (MWh)": 5}, "did you mean energy_kwh = 1,000 x MWh?"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(database: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRunsError) as refused:
        estimating.estimate_run(KNOWN | change, database, TODAY)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_small_training_is_no_speed(database: Path) -> None:
    """Twice the FLOP are twice the hours, from 1e9 on; less is refused."""
    small = {"hardware": "H100", "started": "2024-05"}
    one, two = (
        estimating.estimate_run(small | {"training_flop": flop}, database, TODAY) for flop in (1e9, 2e9)
    )
    assert 0 < 2 * one["chip_hours"] == pytest.approx(two["chip_hours"])


def test_every_problem_is_named_at_once(database: Path) -> None:
    with pytest.raises(BadRunsError) as refused:
        estimating.estimate_run({"hardware": "X9", "chips": "many", "pue": 0.5}, database, TODAY)
    lines = str(refused.value).splitlines()
    assert sorted(line.split()[0] for line in lines) == ["--chips", "--hardware", "--pue"]


@pytest.mark.parametrize("ending", ["csv", "parquet", "json", "jsonl"])
def test_a_batch_is_each_run_by_itself(database: Path, tmp_path: Path, ending: str) -> None:
    runs = [
        KNOWN | {"model": "one"},
        {"model": "two, with a comma", "energy_kwh": 12.5, "cloud_region": "europe-west4"},
        {"model": "three", "training_flop": 3e22, "started": "2023-01-31"},
    ]
    source, target = tmp_path / f"runs.{ending}", tmp_path / "estimates.parquet"
    frame = pl.DataFrame(runs, infer_schema_length=None)
    if ending == "csv":
        frame.write_csv(source)
    elif ending == "parquet":
        frame.write_parquet(source)
    else:
        lines = [json.dumps(run) for run in runs]
        source.write_text("\n".join(lines) if ending == "jsonl" else f"[{','.join(lines)}]", encoding="utf-8")
    assert batch.estimate_file(source, target, database, TODAY) == 3
    together = pl.read_parquet(target).to_dicts()
    for run, row in zip(runs, together, strict=True):
        alone = estimating.estimate_run(run, database, TODAY)
        for column in ("model", "energy_mwh", "co2e_gross_t", "co2e_net_t_p95", "pue_basis", "gross_basis"):
            assert row[column] == pytest.approx(alone[column]), column


def test_a_batch_with_a_fault_names_it_and_writes_nothing(database: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "runs.csv", tmp_path / "estimates.csv"
    source.write_text("hardware,chips,training_hours\nV100,8,100\nV100,8,-1\nV900,8,1\n", encoding="utf-8")
    target.write_text("an earlier one\n", encoding="utf-8")
    with pytest.raises(BadRunsError) as refused:
        batch.estimate_file(source, target, database, TODAY)
    assert "runs.csv, line 3, row 2, training_hours: '-1': expected more than 0" in str(refused.value)
    assert "runs.csv, line 4, row 3, hardware: 'V900' is not a known accelerator" in str(refused.value)
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["estimates.csv", "runs.csv"]
    assert target.read_text(encoding="utf-8") == "an earlier one\n"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            "Llama 3, 8B,V100,8,100\nb,V100,8,1\n",
            "line 2, row 1: 5 cells, expected 4 as in the header; a cell that holds ','",
        ),
        ("a,V100,8,100\n\nb,V100,8\n", "line 4, row 2: 3 cells, expected 4"),
        ("a,V100,8,100\n" * 30 + "b,V100\n", "line 32, row 31: 2 cells, expected 4"),
    ],
)
def test_an_uneven_row_of_a_batch_is_named(database: Path, tmp_path: Path, rows: str, says: str) -> None:
    source = tmp_path / "runs.csv"
    source.write_text("model,hardware,chips,training_hours\n" + rows, encoding="utf-8")
    with pytest.raises(BadRunsError) as refused:
        batch.estimate_file(source, tmp_path / "out.csv", database, TODAY)
    assert f"{source}, {says}" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("command", [("estimate", "--batch"), ("report",)])
def test_a_file_without_a_run_is_refused(database: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    file, out = tmp_path / "runs.csv", tmp_path / "out.csv"
    file.write_text("hardware,chips,training_hours\n")
    more = ("--out", out) if "--batch" in command else ()
    done = ote(*command, file, *more, "--database", database)
    assert done.returncode == 2
    assert "no run" in done.stderr
    assert not out.exists()


def test_a_batch_may_be_as_spreadsheets_write_it(database: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "runs.csv", tmp_path / "out.parquet"
    source.write_bytes(b'\xef\xbb\xbfmodel;energy_kwh\r\n"a ""b"", c";12\r\nd;13.5\r\n')
    assert batch.estimate_file(source, target, database, TODAY) == 2
    assert pl.read_parquet(target)["model"].to_list() == ['a "b", c', "d"]


def test_a_batch_never_becomes_its_own_estimates(database: Path, tmp_path: Path) -> None:
    source, link = tmp_path / "runs.csv", tmp_path / "link.csv"
    source.write_text("energy_kwh\n12\n", encoding="utf-8")
    link.symlink_to(source)
    for target in (source, link, tmp_path / ".." / tmp_path.name / "runs.csv"):
        refused = ote("estimate", "--batch", source, "--out", target, "--database", database)
        assert refused.returncode == 2
        assert "the file of the runs itself" in refused.stderr
    assert source.read_text(encoding="utf-8") == "energy_kwh\n12\n"


def test_where_estimates_cannot_be_written_is_reported(database: Path, tmp_path: Path) -> None:
    source = tmp_path / "runs.csv"
    source.write_text("energy_kwh\n12\n", encoding="utf-8")
    for target in (tmp_path / "nowhere" / "out.csv", tmp_path / "runs.csv" / "out.csv"):
        refused = ote("estimate", "--batch", source, "--out", target, "--database", database)
        assert refused.returncode == 2
        assert f"{target}: cannot be written" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_frames_hold_numbers_and_days_as_they_do(database: Path) -> None:
    """Whole numbers beside a gap are floats, and a day has a time, in frames of either kind."""
    frame = pl.DataFrame(
        {
            "hardware": ["V100", None],
            "chips": [8.0, None],
            "training_hours": [100, None],
            "training_flop": [None, 1e21],
            "started": [datetime(2021, 3, 1, 12), datetime(2022, 4, 2)],
        },
        schema_overrides={"hardware": pl.Categorical},
    )
    alone = estimating.estimate_run(KNOWN | {"site_country": None, "started": "2021-03-01"}, database, TODAY)
    for runs in (frame, frame.to_pandas(), frame.with_columns(pl.col("started").dt.date())):
        estimates = estimating.estimate(runs, database, TODAY)
        assert type(estimates) is type(runs)
        assert estimates["energy_mwh"][0] == pytest.approx(alone["energy_mwh"])
        assert estimates["run_year"].to_list() == [2021, 2022]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("runs.xlsx", "x", "expected a file that ends in .csv"),
        ("runs.csv", "gpu,hours\nV100,1\n", "there is no column 'gpu'"),
        ("runs.csv", "", "runs.csv: empty; expected a header such as hardware,chips"),
        ("runs.csv", "chips,chips\n1,1\n", "'chips' stands twice in the header"),
        ("runs.json", "[{", "cannot be read"),
        ("runs.parquet", "no parquet", "cannot be read"),
    ],
)
def test_a_file_that_is_none_of_runs_is_refused(
    database: Path, tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadRunsError, match=says):
        batch.estimate_file(tmp_path / name, tmp_path / "out.csv", database, TODAY)


def test_a_database_that_will_not_do_is_named(tmp_path: Path) -> None:
    older = tmp_path / "older.duckdb"
    with duckdb.connect(str(older)) as connection:
        connection.execute("create table emissions as select 1 as run_id")
    corrupt = tmp_path / "corrupt.duckdb"
    corrupt.write_bytes(b"no database" * 1000)
    for file, says in (
        (older, "not a database of this version"),
        (corrupt, "not a database"),
        (tmp_path / "none.duckdb", "missing"),
    ):
        with pytest.raises(NoDatabaseError, match=says):
            estimating.estimate_run(KNOWN, file, TODAY)


def test_the_command_line_answers_and_refuses(database: Path) -> None:
    options = ("--hardware", "H100", "--chips", "512", "--hours", "300", "--region", "us-central1")
    answer = ote("estimate", *options, "--database", database)
    assert answer.returncode == 0, answer.stderr
    for part in (
        "Gross CO2e",
        "x/÷",
        "power per accelerator (watts_per_chip)",
        "Assumed:",
        "To narrow the interval most, give",
        "Dataset:",
    ):
        assert part in answer.stdout
    machine = json.loads(ote("estimate", *options, "--database", database, "--json").stdout)
    assert machine["hardware_id"] == "nvidia-h100-sxm5-80gb"
    assert machine["narrow_most"]["factor"] in machine["factors"]
    for wrong, says in (
        (("--chips", "8", "--hours", "nan"), "--hours 'nan'"),
        (("--chips", ""), "--chips: empty"),
        ((), "Nothing to estimate"),
        (("--batch", "x.csv"), "--batch FILE: give --out FILE as well"),
        (("--batch", "none.csv", "--out", "o.csv"), "there is no such file"),
    ):
        refused = ote("estimate", *wrong, "--database", database)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert says in refused.stderr
        assert "Traceback" not in refused.stderr


def test_hours_beside_an_energy_are_shown_and_not_used(database: Path) -> None:
    done = ote(
        "estimate", "--energy", "100", "--chip-hours", "153600", "--start", "2024", "--database", database
    )
    assert done.returncode == 0, done.stderr
    (hours,) = [line.split() for line in done.stdout.splitlines() if line.startswith("accelerator-hours ")]
    assert hours == ["accelerator-hours", "153,600", "h", "given,", "not", "used"]


def test_a_bad_row_costs_itself(database: Path, tmp_path: Path) -> None:
    """The third line has a cell too many, the fifth an unknown chip; both have their reasons in a file."""
    source, target = tmp_path / "runs.csv", tmp_path / "estimates.csv"
    source.write_text(
        "model,hardware,chips,training_hours\na,V100,8,1\nb,c,V100,8,1\n\nd,V900,8,1\ne,V100,8,2\n",
        encoding="utf-8",
    )
    done = ote("estimate", "--batch", source, "--out", target, "--database", database)
    assert done.stdout == f"2 runs estimated: {target}\n"
    assert pl.read_csv(target)["model"].to_list() == ["a", "e"]
    rejects = pl.read_csv(tmp_path / "estimates.rejects.csv").select("line", "column", "reason").rows()
    assert [(line, column) for line, column, _ in rejects] == [(3, None), (5, "hardware")]
    assert "5 cells, expected 4" in rejects[0][2]
    assert "'V900' is not a known accelerator" in rejects[1][2]
    refused = ote(
        "estimate", "--batch", source, "--out", tmp_path / "no.csv", "--strict", "--database", database
    )
    assert refused.returncode == 2
    assert not (tmp_path / "no.csv").exists()
    source.write_text("energy_kwh\n12\n", encoding="utf-8")
    done = ote("estimate", "--batch", source, "--out", target, "--database", database)
    assert done.stdout == f"1 run estimated: {target}\n"
    assert not (tmp_path / "estimates.rejects.csv").exists()


def test_the_mix_widens_the_power_where_hours_are_known(database: Path) -> None:
    """Hours from FLOP carry the uncertainty of the accelerators of a run; known hours do not."""
    unnamed = {"site_country": "DE", "started": "2024-03"}
    of_flop = estimating.estimate_run(unnamed | {"training_flop": 1e21}, database, TODAY)
    of_hours = estimating.estimate_run(unnamed | {"chips": 8, "training_hours": 100}, database, TODAY)
    flop, hours = (run["factors"]["watts_per_chip"] for run in (of_flop, of_hours))
    assert flop["value"] == hours["value"]
    with duckdb.connect(str(database), read_only=True) as connection:
        ((mix, ln_gsd),) = connection.execute(
            """
            select any_value(method.gsd), stddev_pop(ln(power.watts_per_chip))
            from training_runs
            inner join hardware_power as power using (hardware_id)
            inner join method on method.factor = 'watts_per_chip' and method.basis = 'hardware_mix'
            where training_runs.run_year between 2023 and 2025 and power.sustained_flop_per_s is not null
            """
        ).fetchall()
    assert flop["gsd"] == pytest.approx(mix)
    assert hours["gsd"] == pytest.approx(math.exp(math.hypot(math.log(mix), ln_gsd)))
