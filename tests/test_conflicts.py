"""`conflicts`: where sources disagree, all values are kept with the rule that chose one."""

import pytest

from tests.conftest import Build, ote

# chosen, rival, rule: read in published_footprints.csv and rival_hours.csv, and ordered by hand.
PUBLISHED = {
    ("gpt-3-175b", "reported_co2e_t"): [(552.1, 502, "whole_systems_first")],
    ("bloom-176b", "reported_energy_mwh"): [(433, 475, "developer_first")],
    ("bloom-176b", "reported_co2e_t"): [
        (30, 24.69, "whole_systems_first"),
        (30, 25, "whole_systems_first"),
        (30, 27, "whole_systems_first"),
        (30, 50.5, "operation_without_life_cycle"),
        (30, 183, "whole_systems_first"),
    ],
    ("dalle-mini", "reported_co2e_t"): [(0.03016, 0.00754, "current_figure_first")],
    ("transformer-big-p100", "reported_energy_mwh"): [(0.316, 0.201, "measured_power_first")],
    ("phi-1.5", "chip_hours"): [(32 * 8 * 24, 1500, "first_statement")],
}


@pytest.mark.parametrize(("subject", "column"), PUBLISHED)
def test_published_totals_that_disagree_are_kept_with_the_rule_that_chose_one(
    build: Build, subject: str, column: str
) -> None:
    rows = build.query(
        "select chosen_value, rival_value, rule from conflicts "
        f"where subject = '{subject}' and column_name = '{column}' order by rival_value"
    )
    assert rows == PUBLISHED[subject, column]


def test_no_published_total_of_a_run_is_lost(build: Build) -> None:
    """Each is the chosen one, within its rounding, or in `conflicts`."""
    lost = build.query(
        """
        with totals as (
            select run_id, 'energy_mwh' as quantity, reported_energy_mwh as chosen from emissions
            union all
            select run_id, 'co2e_t' as quantity, reported_co2e_t as chosen from emissions
        )
        select figures.run_id, figures.quantity, figures.value
        from published_footprints as figures
        inner join totals on figures.run_id = totals.run_id and figures.quantity = totals.quantity
        left join conflicts
            on figures.run_id = conflicts.subject
            and conflicts.column_name = 'reported_' || figures.quantity
            and conflicts.rival_value = figures.value
            and conflicts.chosen_value = totals.chosen
        where figures.covers = 'one_run' and figures.basis in ('gross_location', 'unspecified')
            and totals.chosen is not null
            and abs(figures.value / totals.chosen - 1) > 0.005
            and conflicts.rule is null
        """
    )
    assert lost == []


def test_why_shows_the_rule(build: Build) -> None:
    done = ote("why", "gpt-3-175b", "--full", "--database", build.directory / "emissions.duckdb")
    stated = "reported_co2e_t: 552.1 was chosen, another source gives 502."
    assert stated in " ".join(done.stdout.split())
