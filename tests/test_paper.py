"""The numbers and claims of Patterson et al. 2021, against values worked out by hand from its text."""

import math
from datetime import date
from statistics import fmean

import duckdb
import pytest

from tests.conftest import Build, Model

# Table, system, metric: as printed, and as a pocket calculator has it from the printed inputs.
BY_HAND = {
    ("Section 2.1", "Evolved Transformer vs Transformer (Big)", "fewer_flops_factor"): (1.6, 1.61 / 1.03),
    ("Section 2.2", "TPU v2 vs P100, Transformer (Big)", "speedup"): (4.3, 28.8 / 6.7),
    ("Section 2.2", "TPU v2 vs P100, Evolved Transformer", "performance_per_watt_factor"): (
        6.2,
        24 / 4.7 * 271 / 227,
    ),
    ("Section 2.3", "US average vs Google Iowa", "pue_improvement_factor"): (1.4, 1.59 / 1.11),
    ("Section 2.4", "Google Iowa gross vs net", "energy_mix_improvement_factor"): (6, 0.478 / 0.080),
    ("Section 3", "GShard-600B vs GPT-3", "fewer_processor_years_factor"): (
        45,
        10000 * 14.8 / (1024 * 3.1),
    ),
    ("Section 3", "GShard-600B vs GPT-3", "net_co2e_factor"): (
        130,
        # kg/kWh x PUE x W x chips x days, of GPT-3 and of GShard-600B
        0.429 * 1.10 * 330 * 10000 * 14.8 / (0.177 * 1.09 * 288 * 1024 * 3.1),
    ),
    ("Section 4.1", "Evolved Transformer NAS", "estimate_too_high_average_factor"): (18.7, 626155 / 33544),
    ("Section 4.1", "Evolved Transformer vs Transformer (Big)", "fewer_parameters_percent"): (
        37,
        100 * (1 - 131 / 210),
    ),
    ("Section 4.3", "TPU v3 vs V100", "performance_per_watt_factor"): (
        2.0,
        (45.6 / 310 + 42.3 / 289 + 48 / 288 + 34.4 / 245) / 4 / (24.6 / 330),
    ),
    ("Table 3", "TPU v3", "average_system_power_w"): (283, (310 + 289 + 288 + 245) / 4),
    ("Table 3", "TPU v2", "standard_deviation_percent"): (5, 5.2365),
    ("Table 4", "GPT-3", "training_days"): (14.8, 3.14e23 / (10000 * 24.6e12 * 86400)),
    ("Appendix C", "Evolved Transformer NAS", "estimate_2019_lb"): (
        626155,
        8 * 979e6 * 84 / 300000 * 0.2855296,
    ),
    ("Appendix D", "Evolved Transformer NAS", "performance_per_watt_factor"): (
        3.3,
        117780 / 32633 * 189 / 208,
    ),
    ("Appendix D", "Evolved Transformer NAS", "iowa_t"): (
        0.6,
        6.8 * 24 * 200 * 208 * 1.10 / 1e6 * 0.080,
    ),
    ("Footnote 36", "Evolved Transformer NAS", "passenger_round_trips"): (3, 3.2187 / 1.2),
}
# What the paper's own inputs do not give, with the reason.
DIFFERENT = {
    ("Footnote 24", "net_tco2e"),
    ("Section 4.8", "share_of_world_percent"),
    ("Appendix C", "emission_lb_per_chip_hour"),
    ("Footnote 5", "tpu_v3_saving_over_v2_factor"),
}


@pytest.mark.parametrize("number", BY_HAND, ids=lambda number: f"{number[0]} {number[2]}")
def test_a_number_of_the_paper(build: Build, number: tuple[str, str, str]) -> None:
    printed, by_hand = BY_HAND[number]
    table, system, metric = (cell.replace("'", "''") for cell in number)
    ((shown, computed),) = build.query(
        "select printed_value, computed_value from paper_reproduction "
        f"where paper_table = '{table}' and system = '{system}' and metric = '{metric}'"
    )
    assert shown == printed
    assert computed == pytest.approx(by_hand, rel=2e-3)


def test_every_other_number_is_within_rounding(build: Build) -> None:
    rows = build.query(
        "select paper_table, metric, difference_reason from paper_reproduction where not is_within_rounding"
    )
    assert {(table, metric) for table, metric, _ in rows} == DIFFERENT
    assert all(reason for _, _, reason in rows)


def test_each_number_is_had_by_its_one_query(build: Build) -> None:
    rows = build.query("select query, computed_value from paper_reproduction")
    assert len(rows) > 120
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as published:
        for query, computed in rows:
            ((value,),) = published.execute(query).fetchall()
            assert value == pytest.approx(computed, rel=1e-9), query


def test_later_values_are_means_over_groups(build: Build) -> None:
    """Of the location, by hand from the table: each operator counts once, however many years it has."""
    logarithms: dict[str, list[float]] = {}
    for operator, ratio in build.query(
        "select case_group, case_ratio from paper_claim_evidence "
        "where claim_id = 'carbon-by-location' and is_counted"
    ):
        logarithms.setdefault(operator, []).append(math.log(ratio))
    assert set(logarithms) == {"Amazon Web Services", "Google", "Microsoft Azure"}
    ((later, low, high, groups),) = build.query(
        "select later_ratio, later_ratio_p05, later_ratio_p95, later_groups_count from paper_claims "
        "where claim_id = 'carbon-by-location'"
    )
    assert groups == 3
    assert later == pytest.approx(math.exp(fmean(fmean(years) for years in logarithms.values())))
    assert low < later < high


def test_verdicts_follow_from_the_later_values(build: Build) -> None:
    rows = build.query(
        "select verdict, holds, coalesce(paper_low, paper_high), paper_low is null, later_ratio_p05, "
        "later_ratio_p95 from paper_claims where later_ratio is not null"
    )
    assert len(rows) >= 5
    for verdict, holds, needed, is_bound, low, high in rows:
        # Of one limit, a one-sided 95 % and the near end of a 90 % interval are the same.
        is_sure, is_refuted = (high <= needed, low >= needed) if is_bound else (low >= needed, high <= needed)
        expected = (
            "supported_by_later_data" if is_sure else "not_supported" if is_refuted else "cannot_be_told"
        )
        assert verdict == expected
        assert (
            holds
            is {"supported_by_later_data": True, "not_supported": False, "cannot_be_told": None}[verdict]
        )


def test_the_evidence_names_the_share_of_the_later_values_that_agree(model: Model) -> None:
    """The geometric mean of 1, 2 and 4 is 2: half of its distribution is above the 2 of the paper."""
    cases = [
        {"claim_id": "datacenter-efficiency", "case_id": group, "case_group": group, "case_ratio": ratio}
        | {"interval_meaning": "spread", "is_counted": True}
        for group, ratio in (("a", 1.0), ("b", 2.0), ("c", 4.0))
    ]
    printed = [{"metric": "energy_efficiency_factor_low", "value": 2.0}]
    frame = model("out.paper_claims", {"out.paper_claim_evidence": cases, "core.paper_numbers": printed})
    ((verdict, says),) = frame.filter(claim_id="datacenter-efficiency").select("verdict", "evidence").rows()
    assert verdict == "cannot_be_told"
    assert "from 3 operators. The claim needs at least 2; 50 % of the distribution agrees" in says


def test_only_whole_runs_are_evidence_on_sparse_models(model: Model) -> None:
    """A sparse model against a dense one of equal score, and a part of a run that has the same score."""
    dense = {
        "model": "dense", "organisation": "x", "published_date": date(2023, 1, 1), "covers": "one_run",
        "energy_mwh": 10.0, "energy_mwh_p05": 9.0, "energy_mwh_p95": 11.0, "solidity": "disclosed",
        "parameters": 1e9, "active_parameters": 1e9,
    }  # fmt: skip
    sparse = dense | {"model": "sparse", "energy_mwh": 5.0, "active_parameters": 1e8}
    runs = {"dense": dense, "sparse": sparse, "part": sparse | {"covers": "part"}}
    frame = model(
        "out.paper_claim_evidence",
        {
            "out.emissions": [row | {"run_id": run} for run, row in runs.items()],
            "raw.capability_benchmarks": [{"benchmark": "b", "equal_within": 1.0}],
            "raw.capability_scores": [{"run_id": run, "benchmark": "b", "score": 50.0} for run in runs],
        },
    )
    cases = frame.filter(claim_id="sparse-against-dense-energy").select("case_id", "case_ratio").rows()
    assert cases == [("sparse", pytest.approx(0.5))]


def test_an_accelerator_for_machine_learning_is_compared_with_the_newest_gpu_of_its_day(model: Model) -> None:
    chips = {"tpu": ("tpu", 2021), "new": ("gpu", 2020), "old": ("gpu", 2017), "later": ("gpu", 2023)}
    frame = model(
        "out.paper_claim_evidence",
        {
            "out.hardware": [
                {"hardware_id": chip, "name": chip, "kind": kind, "released_date": date(year, 5, 1)}
                | {"peak_fp16_tflops": 100.0}
                for chip, (kind, year) in chips.items()
            ],
            "out.hardware_power": [
                {"hardware_id": chip, "watts_per_chip": 400.0, "watts_gsd": 1.1}
                | {"watts_basis": "measured_same_chip"}
                for chip in chips
            ],
            "core.throughput": [
                {"hardware_id": chip, "sustained_flop_per_s": 1e14, "n_observations": 3} for chip in chips
            ],
            "core.method": [{"factor": "chip_hours", "basis": "flop_over_throughput", "gsd": 1.5}],
        },
    )
    cases = frame.filter(claim_id="accelerator-efficiency", case_id="tpu")["compared_with"].to_list()
    assert cases == ["over new, the newest GPU of its day with measured power"]


def test_no_counted_case_is_of_the_paper_itself(build: Build) -> None:
    rows = build.query(
        "select claim_id, case_id, evidence_year from paper_claim_evidence "
        "where is_counted and (evidence_year < 2021 or case_group = 'the paper')"
    )
    assert rows == []


def test_the_search_is_judged_by_the_printed_number_alone(build: Build) -> None:
    ((printed, computed, verdict),) = build.query(
        "select paper_low, reproduced_low, verdict from paper_claims "
        "where claim_id = 'architecture-search-overestimate'"
    )
    assert printed == 88
    assert computed == pytest.approx(284 / 3.2187, rel=1e-3)
    assert verdict == "reproduced"


def test_the_frontier_is_not_beaten_and_all_others_are(build: Build) -> None:
    rows = build.query("select benchmark, run_id, score, energy_mwh, is_on_frontier from energy_by_quality")
    assert len(rows) > 200
    for benchmark, run_id, score, energy, is_on in rows:
        better = [
            other
            for name, other, its_score, its_energy, _ in rows
            if name == benchmark
            and other != run_id
            and its_score >= score
            and (its_energy < energy or (its_energy == energy and its_score > score))
        ]
        assert is_on is (not better), (benchmark, run_id, better)


def test_scores_are_those_of_the_source(build: Build) -> None:
    """MMLU of GPT-3 and of Llama 2 70B as the paper of Llama 2 prints them."""
    rows = dict(
        build.query(
            "select run_id, max(score) from capability_scores where benchmark = 'MMLU' "
            "and run_id in ('llama-2-70b', 'falcon-40b') and scored_url like '%2307.09288' group by run_id"
        )
    )
    assert rows["llama-2-70b"] == pytest.approx(0.689, abs=0.001)
    assert rows["falcon-40b"] == pytest.approx(0.554, abs=0.001)
