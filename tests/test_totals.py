"""Sums of runs against a second implementation in NumPy, and what `ote total` does with what it is given."""

import json
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

from ote.answers import totals
from ote.catalog import ROOT
from tests.conftest import Build, ote

CHUNK, CHUNKS = 20_000, 20  # 400,000 draws
RUNS = """
select e.run_id, e.energy_mwh, e.gross_kg_per_kwh, e.co2e_lifecycle_t / e.energy_mwh as lifecycle_kg_per_kwh,
    if(e.energy_basis = 'computed', e.pue, 1) as pue,
    ln(f.gsd) as ln_gsd, f.below_bound_fraction, f.unbounded_value / f.value as unbounded_ratio
from emissions as e left join emission_factors as f
    on e.run_id = f.run_id and f.factor = 'chip_hours' and f.upper_bound is not null
where e.covers = 'one_run' and e.energy_shared_with is null and ({condition})
"""


@pytest.fixture
def published(build: Build) -> Path:
    return build.directory / "emissions.duckdb"


def monte_carlo(database: Path, condition: str) -> dict[str, tuple[float, float, float, float]]:
    """p05, p50, p95 and mean of the sum of runs, by 400,000 pseudorandom draws of every error."""
    with duckdb.connect(str(database), read_only=True) as connection:
        runs = connection.execute(RUNS.format(condition=condition)).fetchall()
        loads: dict[str, list[tuple[str, str, float]]] = {}
        for run, factor, error, ln_gsd in connection.execute(
            "select run_id, factor, error_id, ln_gsd from error_loads"
        ).fetchall():
            loads.setdefault(run, []).append((factor, error, ln_gsd))
    random = np.random.Generator(np.random.Philox(20211104))
    sums: dict[str, list[np.ndarray]] = {name: [] for name in totals.QUANTITIES}
    for _ in range(CHUNKS):
        errors: dict[str, np.ndarray] = {}
        energy_mwh, co2e_gross_t, co2e_lifecycle_t = np.zeros((3, CHUNK))
        for run, energy, gross, lifecycle, pue, ln_gsd, below, ratio in runs:
            logs: dict[str, np.ndarray | float] = {}
            for factor, error, load in loads[run]:
                if error not in errors:
                    errors[error] = random.standard_normal(CHUNK)
                logs[factor] = logs.get(factor, 0.0) + load * errors[error]
            hours = logs.get("chip_hours", 0.0)
            if below is not None:
                hours = np.log(ratio) + ln_gsd * ndtri(below * ndtr(hours / ln_gsd))
            others = logs.get("watts_per_chip", 0.0) + logs.get("energy_mwh", 0.0)
            drawn = energy * np.exp(hours + others) * (1 + (pue - 1) * np.exp(logs.get("pue", 0.0))) / pue
            energy_mwh += drawn
            co2e_gross_t += drawn * gross * np.exp(logs.get("gross_kg_per_kwh", 0.0))
            co2e_lifecycle_t += drawn * lifecycle * np.exp(logs.get("lifecycle_kg_per_kwh", 0.0))
        sums["energy_mwh"].append(energy_mwh)
        sums["co2e_gross_t"].append(co2e_gross_t)
        sums["co2e_lifecycle_t"].append(co2e_lifecycle_t)
    found = {name: np.concatenate(each) for name, each in sums.items()}
    return {name: (*np.quantile(each, [0.05, 0.5, 0.95]), each.mean()) for name, each in found.items()}


@pytest.mark.parametrize(
    ("condition", "group"),
    [
        ("year(published_date) = 2023", ("published_year", "2023")),
        ("organisation = 'xAI'", ("organisation", "xAI")),
    ],
)
def test_a_sum_is_that_of_400_000_pseudorandom_draws(
    published: Path, condition: str, group: tuple[str, str]
) -> None:
    """Within three of the errors that the sum states itself; the mean by formula within that of the draws.

    The table totals has more draws: its p50 is within 1 %, its p05 and p95 within 2 %.
    """
    found, expected = totals.total_where([condition], published), monte_carlo(published, condition)
    with duckdb.connect(str(published), read_only=True) as connection:
        table = connection.sql("from totals").pl()
    (row,) = table.filter(group_kind=group[0], group_value=group[1]).to_dicts()
    for name, (p05, p50, p95, mean) in expected.items():
        assert row[f"{name}_p50"] == pytest.approx(p50, rel=0.01)
        assert (row[f"{name}_p05"], row[f"{name}_p95"]) == pytest.approx((p05, p95), rel=0.02)
        assert row[f"{name}_mean"] == pytest.approx(mean, rel=0.015)
    for name, each in found.sums.items():
        p05, p50, p95, mean = expected[name]
        within = 3 * each.error_fraction + 0.005  # and that of 400,000 draws
        assert (each.p05, each.p50, each.p95) == pytest.approx((p05, p50, p95), rel=within)
        assert each.mean == pytest.approx(mean, rel=0.015)
        assert each.error_fraction < 0.03
        assert each.sum_of_values < each.p50 < each.mean


def test_a_sum_is_equal_whatever_selects_its_runs(published: Path) -> None:
    condition = "organisation = 'BigScience' or run_id = 'gpt-3-175b'"
    found = totals.total_where([condition], published)
    with duckdb.connect(str(published), read_only=True) as connection:
        frame = connection.sql(f"from emissions where {condition}").pl()
    assert totals.total(frame, published) == found
    assert totals.total_of(frame["run_id"], published) == found
    done = ote("total", "--where", condition, "--database", published, "--json")
    assert json.loads(done.stdout)["sums"]["energy_mwh"]["p95"] == found.sums["energy_mwh"].p95


def test_more_common_judgement_widens_a_sum_and_leaves_its_mean(published: Path) -> None:
    condition = "year(published_date) = 2024"
    stated = totals.total_where([condition], published)
    again, none, more = (totals.total_where([condition], published, share) for share in (0.2, 0.0, 0.6))
    energy = [each.sums["energy_mwh"] for each in (stated, again, none, more)]
    assert energy[1].p95 == pytest.approx(energy[0].p95, rel=1e-9)
    assert energy[2].p95 < energy[0].p95 < energy[3].p95
    assert len({each.mean for each in energy}) == 1
    done = ote("total", "--year", "2022", "--judgement", "1.2", "--database", published)
    assert (done.returncode, "expected a share from 0 to 1" in done.stderr) == (2, True)


def test_a_sum_says_how_much_of_it_is_guessed(published: Path) -> None:
    found = totals.total_where(["year(published_date) = 2023"], published)
    with duckdb.connect(str(published), read_only=True) as connection:
        ((guessed,),) = connection.execute(
            "select sum(energy_mwh_mean) filter (solidity = 'guessed') / sum(energy_mwh_mean) from emissions "
            "where covers = 'one_run' and energy_shared_with is null and year(published_date) = 2023"
        ).fetchall()
    assert sum(found.solidity_share_fractions.values()) == pytest.approx(1)
    assert found.solidity_share_fractions["guessed"] == pytest.approx(guessed)
    done = ote("total", "--year", "2023", "--database", published)
    assert f"guessed {guessed:.0%}" in done.stdout


def test_the_command_says_what_is_summed(published: Path) -> None:
    printed = " ".join(ote("total", "--year", "2024", "--database", published).stdout.split())
    assert "Selected: published in 2024. The sum is of runs in this dataset" in printed
    assert "median of the sum 90 % interval mean of the sum" in printed


def test_figures_of_the_page_on_sums_are_those_of_the_command(published: Path) -> None:
    page = (ROOT / "docs" / "method" / "sums.md").read_text(encoding="utf-8")
    found = [totals.total_where([where], published) for where in ("year(published_date) = 2024", "true")]
    energies = [each.sums["energy_mwh"] for each in found]

    def gwh(mwh: float) -> str:
        return f"{float(f'{mwh / 1000:.3g}'):,.0f}"

    cells = [f"{gwh(each.p50)} ({gwh(each.p05)} to {gwh(each.p95)})" for each in energies]
    assert f"| **0.2**, used | {' | '.join(cells)} |" in page
    assert f"The means, {' and '.join(gwh(each.mean) for each in energies)} GWh," in page
    with duckdb.connect(str(published), read_only=True) as connection:
        ((net, whole),) = connection.execute(
            "select count(net_kg_per_kwh), count(*) from emissions "
            "where covers = 'one_run' and energy_shared_with is null"
        ).fetchall()
    assert f"Only {net} of {whole:,} whole runs" in page


def test_runs_that_are_no_whole_trainings_are_left_out_and_counted(published: Path) -> None:
    found = totals.total_where(["true"], published)
    with duckdb.connect(str(published), read_only=True) as connection:
        ((rows, whole),) = connection.execute(
            "select count(*), count(*) filter (covers = 'one_run' and energy_shared_with is null) "
            "from emissions"
        ).fetchall()
    assert found.runs == whole
    assert found.runs + found.left_out_parts + found.left_out_bounds + found.left_out_shared == rows


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("nope = 1", "has no column nope"),
        ("domain = Language", "single quotes ('Language')"),
        ("nope(domain)", "DuckDB cannot read it (Scalar Function with name nope does not exist)"),
        ("1 = 1) select (1", "syntax error"),
        ("true)); select ((true", "syntax error"),
        ("1 = 1) or (1 = 1", "syntax error"),
        ("2024", "Expected a comparison"),
        ("year(published_date)", "Expected a comparison"),
        ("energy_mwh", "Expected a comparison"),
        ("1 = 1, 2 = 2", "only a single expression"),
        ("", "empty"),
        ("  ", "empty"),
        ("run_id in (select column0 from read_csv('/etc/passwd'))", "disabled by configuration"),
        ("true) union all by name (from read_text('/etc/hostname')", "syntax error"),
        ("false", "no whole run"),
    ],
)
def test_a_condition_that_is_none_is_refused_in_one_line(published: Path, condition: str, says: str) -> None:
    done = ote("total", "--where", condition, "--database", published)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_empty_organisation_is_not_everybody(published: Path) -> None:
    done = ote("total", "--organisation", "", "--database", published)
    assert (done.returncode, done.stderr) == (2, "--organisation: empty; leave it out to add up all runs.\n")


def test_an_organisation_that_is_none_is_answered_with_the_nearest(published: Path) -> None:
    done = ote("total", "--organisation", "Open AI", "--database", published)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "--organisation Open AI: no run with an estimate has it. The nearest: OpenAI"
    )


def test_a_frame_without_runs_is_refused(published: Path) -> None:
    with pytest.raises(totals.BadSelectionError, match="no column run_id"):
        totals.total({"model": ["x"]}, published)
    with pytest.raises(totals.BadSelectionError, match="no such run"):
        totals.total(pl.DataFrame({"run_id": ["no-such-run"]}), published)
