"""core.run_relations: runs with equal figures are decided, distinguished by size, or marked."""

from datetime import date
from typing import Any

import pytest

from tests.conftest import Build, Model, by

RUN: dict[str, Any] = {"covers": "one_run", "hardware_id": "chip", "run_year": 2024}
FIRST = RUN | by("G;S") | {"run_id": "z", "chip_hours": 100.0, "published_date": date(2024, 1, 1)}
LATER = (
    RUN | by("X;S") | {"run_id": "a", "chips": 10, "training_hours": 10.0, "published_date": date(2024, 5, 1)}
)
FLOP: dict[str, Any] = {"chip_hours": None, "chips": None, "hardware_id": None, "training_flop": 1e24}


@pytest.mark.parametrize(
    ("first", "later", "relation"),
    [
        ({}, {}, "undecided"),
        ({"parameters": 100}, {"parameters": 101}, "undecided"),
        ({"parameters": 100}, {"parameters": 103}, "distinct"),
        ({}, {"training_hours": 10.1}, None),
        ({}, {"hardware_id": "other"}, None),
        ({}, by("X;Y"), None),
        ({}, {"covers": "hypothetical"}, None),
        (FLOP, FLOP, "undecided"),
        (FLOP | {"parameters": 100}, FLOP | {"parameters": 103}, None),
        (FLOP, FLOP | {"run_year": 2025}, None),
    ],
)
def test_runs_with_equal_figures_are_related(
    model: Model, first: dict[str, Any], later: dict[str, Any], relation: str | None
) -> None:
    rows = {"core.training_runs": [FIRST | first, LATER | later]}
    found = model("core.run_relations", rows).select("run_id", "other_run_id", "relation").rows()
    assert found == ([("a", "z", relation)] if relation else [])


@pytest.mark.parametrize(("one", "other"), [("a", "z"), ("z", "a")])
def test_a_decision_stands_whichever_way_it_is_written(model: Model, one: str, other: str) -> None:
    decided = {"run_id": one, "other_run_id": other, "relation": "distinct"}
    rows = {"core.training_runs": [FIRST, LATER], "raw.run_relations": [decided]}
    assert model("core.run_relations", rows).select("run_id", "relation").rows() == [(one, "distinct")]


def test_the_names_of_a_merged_run_are_names_of_the_other(model: Model) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "raw.run_relations": [{"run_id": "old", "other_run_id": "new", "relation": "merged"}],
        "core.model_ids": [{"upstream_name": "Old (2023)", "run_id": "old", "identity_rule": "registered"}],
        "raw.run_identifiers": [
            {"run_id": run_id, "identifier_scheme": "arxiv", "identifier": number}
            for run_id, number in (("old", "1"), ("new", "1"), ("old", "2"))
        ],
    }
    aliases = model("support.model_aliases", rows).select("upstream_name", "run_id", "identity_rule").rows()
    assert sorted(aliases) == [("Old (2023)", "new", "registered"), ("old", "new", "merged")]
    papers = model("out.run_identifiers", rows).select("run_id", "identifier").rows()
    assert sorted(papers) == [("new", "1"), ("new", "2")]


def test_no_two_runs_of_one_organisation_have_equal_energy_without_a_reason(build: Build) -> None:
    pairs = build.query(
        "select a.run_id, b.run_id from emissions as a inner join emissions as b "
        "on a.run_id < b.run_id and abs(a.energy_mwh / b.energy_mwh - 1) < 1e-5 "
        "and list_has_any(string_split(a.organisations, ';'), string_split(b.organisations, ';')) "
        "where 'hypothetical' not in (a.covers, b.covers)"
    )
    known = {frozenset(pair) for pair in build.query("select run_id, other_run_id from run_relations")}
    assert pairs
    assert [pair for pair in pairs if frozenset(pair) not in known] == []


def test_one_training_is_counted_once(build: Build) -> None:
    """Whoever shares an energy leads, in some steps, to a run that is counted."""
    shared = dict(build.query("select run_id, energy_shared_with from emissions"))
    assert shared["gpt-4-jun-2023"] == "gpt-4-mar-2023"
    assert shared["gpt-4-mar-2023"] is None
    assert shared["s1-1"] is None  # another training with the same hours
    for run_id in shared:
        seen, last = {run_id}, run_id
        while (other := shared.get(last)) is not None:
            assert other not in seen
            seen.add(other)
            last = other


def test_a_merged_run_is_found_under_its_old_id(build: Build) -> None:
    merged = build.query("select run_id, other_run_id from run_relations where relation = 'merged'")
    assert dict(merged)["flan-t5-xxl-blip-2"] == "blip-2"
    for table in ("emissions", "training_runs", "models_without_estimate", "run_identifiers"):
        assert not set(build.query(f"select run_id from {table}")) & {(old,) for old, _ in merged}
    assert set(merged) <= set(build.query("select upstream_name, run_id from support.model_aliases"))
