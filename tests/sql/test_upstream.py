"""Models of upstream become runs: one id for ever, checks before estimates, curated facts first."""

from datetime import date
from typing import Any

import pytest

from tests.conftest import Model, Rows

DAY = date(2023, 1, 2)
PAGE = "https://example.org/paper"


def listed(name: str, day: date | None = DAY, link: str | None = PAGE) -> dict[str, Any]:
    return {"model": name, "published_date": day, "source_link": link}


def registered(name: str, run_id: str, day: date | None = DAY, url: str | None = PAGE) -> dict[str, Any]:
    return {"upstream_name": name, "run_id": run_id, "published_date": day, "source_url": url}


def ids(model: Model, **tables: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    names = {"names": "raw.model_names", "models": "raw.epoch_models", "quarantine": "raw.quarantine"}
    extra = {"runs": "raw.training_runs", "footprints": "raw.published_footprints"}
    frame = model("core.model_ids", {(names | extra)[key]: rows for key, rows in tables.items()})
    columns = ("upstream_name", "run_id", "identity_rule")
    return {name: (run_id, rule) for name, run_id, rule in frame.select(columns).iter_rows()}


def test_a_registered_name_keeps_its_id_also_with_another_day_and_address(model: Model) -> None:
    found = ids(model, names=[registered("A", "a-first")], models=[listed("A", date(2024, 5, 5), None)])
    assert found == {"A": ("a-first", "registered")}


def test_a_new_name_with_the_day_and_address_of_one_that_is_gone_is_a_rename(model: Model) -> None:
    found = ids(
        model, names=[registered("Old", "old")], models=[listed("New", link=f"{PAGE}\nhttps://b.org")]
    )
    assert found == {"New": ("old", "renamed")}


def test_a_new_name_with_the_letters_of_one_that_is_gone_is_a_rename_also_on_a_page_of_two(
    model: Model,
) -> None:
    names = [registered("GLM 4.5", "glm-4-5"), registered("GLM 4.6", "glm-4-6"), registered("Old_1", "old")]
    models = [listed("GLM-4.5"), listed("GLM-4.6"), listed("Old 1", day=None, link=None)]
    assert ids(model, names=names, models=models) == {
        "GLM-4.5": ("glm-4-5", "renamed"), "GLM-4.6": ("glm-4-6", "renamed"), "Old 1": ("old", "renamed"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "models"),
    [
        ([registered("Old", "old")], [listed("New", day=date(2023, 1, 3))]),
        ([registered("Old", "old")], [listed("New", link="https://example.org/other")]),
        ([registered("Old", "old")], [listed("New", link=None)]),
        ([registered("Old", "old"), registered("Older", "older")], [listed("New")]),
        ([registered("Old", "old")], [listed("New"), listed("Old")]),
    ],
    ids=["another day", "another page", "no page", "two that are gone", "one that is not gone"],
)
def test_what_is_no_sure_rename_is_a_new_model(
    model: Model, names: list[dict[str, Any]], models: list[dict[str, Any]]
) -> None:
    assert ids(model, names=names, models=models)["New"] == ("new", "new")


def test_two_new_names_for_one_that_is_gone_are_no_rename(model: Model) -> None:
    found = ids(model, names=[registered("Old", "old")], models=[listed("One"), listed("Two")])
    assert found == {"One": ("one", "new"), "Two": ("two", "new")}


def test_an_id_that_is_taken_gets_a_checksum_and_one_without_letters_a_name(model: Model) -> None:
    found = ids(
        model,
        names=[registered("gpt", "gpt-4", url=None)],
        models=[
            listed("GPT 4", link=None),
            listed("GPT-5", link=None),
            listed("GPT 5", link=None),
            listed("智"),
        ],
        runs=[{"run_id": "other"}],
    )
    run_ids = {name: run_id for name, (run_id, _) in found.items()}
    assert run_ids["GPT 4"].startswith("gpt-4-")
    assert run_ids["GPT-5"].startswith("gpt-5-")
    assert run_ids["GPT 5"].startswith("gpt-5-")
    assert run_ids["智"].startswith("model-")
    assert len(set(run_ids.values())) == 4


def test_a_name_that_only_the_quarantine_has_keeps_an_id_too(model: Model) -> None:
    bad = {"source": "epoch_models", "row_key": "Bad", "check_name": "range"}
    twice = {"source": "epoch_models", "row_key": "Twice", "check_name": "key"}
    found = ids(
        model, names=[registered("Bad", "bad-one")], models=[listed("Twice")], quarantine=[bad, bad, twice]
    )
    assert found == {"Bad": ("bad-one", "registered"), "Twice": ("twice", "new")}


LARGE = {
    "file": "all_ai_models.csv",
    "model": "First",
    "organizations": "Lab",
    "published_date": DAY,
    "source_link": PAGE,
    "reference_title": "Report",
    "upstream_parameters": 1e11,
    "upstream_training_flop": 1e24,
    "hardware": "Chip",
    "chip_hours": 1e6,
}


def runs(model: Model, *models: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What each model of Epoch's covers, and where it says so."""
    names = [{"upstream_name": row["model"], "run_id": row["model"].lower()} for row in models]
    upstream = [{"source": "epoch_models", "title": "Epoch", "url": PAGE}]
    tables = {"raw.epoch_models": list(models), "core.model_ids": names, "raw.upstreams": upstream}
    frame = model("core.upstream_runs", tables)
    assert len(frame) == len(models)
    return {
        name: (covers, place) for name, covers, place in frame["model", "covers", "source_locator"].rows()
    }


def test_a_training_that_is_listed_again_under_a_second_name_is_no_run_of_its_own(model: Model) -> None:
    found = runs(model, LARGE | {"model": "Again", "published_date": date(2023, 5, 5)}, LARGE)
    assert found["First"][0] == "one_run"
    assert found["Again"][0] == "upper_bound"
    assert found["Again"][1].endswith("; the same facts as Model = First")


@pytest.mark.parametrize(
    "other",
    [
        {"upstream_parameters": 1e10},
        {"upstream_training_flop": 1.1e24},
        {"hardware": None},
        {"chips": 512},
        {"training_hours": 99.0},
        {"chip_hours": 2e6},
        {"organizations": "Another lab"},
        {"source_link": "https://example.org/other"},
        {"reference_title": "Second report"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_models_that_differ_in_any_fact_of_their_training_are_two_runs(
    model: Model, other: dict[str, Any]
) -> None:
    found = runs(model, LARGE, LARGE | {"model": "Other"} | other)
    assert [covers for covers, _ in found.values()] == ["one_run", "one_run"]


@pytest.mark.parametrize("unknown", ["upstream_parameters", "upstream_training_flop", "source_link"])
def test_models_of_which_too_little_is_known_are_two_runs(model: Model, unknown: str) -> None:
    found = runs(model, LARGE | {unknown: None}, LARGE | {"model": "Other", unknown: None})
    assert [covers for covers, _ in found.values()] == ["one_run", "one_run"]


def test_small_models_of_one_paper_and_one_size_are_runs_of_their_own(model: Model) -> None:
    small = LARGE | {"upstream_training_flop": 1e17, "chip_hours": 28.0}
    found = runs(model, small, small | {"model": "Second"})
    assert [covers for covers, _ in found.values()] == ["one_run", "one_run"]


@pytest.mark.parametrize(
    ("own", "covers"),
    [
        ({}, "upper_bound"),
        ({"chip_hours": None, "chips": 1000, "training_hours": 1000.0}, "upper_bound"),
        ({"finetune_flop": 1e20}, "upper_bound"),
        ({"chip_hours": 1e4}, "part_of_run"),
        ({"hardware": "Other chip"}, "part_of_run"),
        ({"upstream_training_flop": 1.1e24}, "part_of_run"),
    ],
)
def test_chip_hours_that_are_those_of_the_base_model_are_no_part_of_a_run(
    model: Model, own: dict[str, Any], covers: str
) -> None:
    tuned = LARGE | {"model": "Tuned", "base_model": "First", "source_link": "https://example.org/tuned"}
    found = runs(model, tuned | own, LARGE)
    assert (found["Tuned"][0], found["First"][0]) == (covers, "one_run")


def test_the_peak_of_a_chip_is_that_of_its_tensor_cores_where_it_has_them(model: Model) -> None:
    """The A100 does 312 TFLOP/s with them and 78 without; of the second chip one figure is known."""
    chips = [
        {"name": "A", "peak_tensor_fp16_flop_per_s": 312e12, "peak_fp16_flop_per_s": 78e12},
        {"name": "B", "peak_fp16_flop_per_s": 26e12},
    ]
    upstreams = [{"source": "epoch_hardware"}]
    frame = model("core.hardware", {"raw.epoch_hardware": chips, "raw.upstreams": upstreams})
    assert dict(frame.select("name", "peak_fp16_tflops").rows()) == {"A": 312.0, "B": 26.0}


CHIP = {"hardware_id": "chip", "peak_fp16_tflops": 1000.0}
ALIAS = {"alias_key": "chip", "hardware_id": "chip"}


def row_checks(model: Model, **run: Any) -> dict[str, float]:
    frame = model(
        "core.model_checks",
        {
            "core.upstream_runs": [{"run_id": "a", "model": "A", "hardware": "Chip", **run}],
            "core.hardware_aliases": [ALIAS],
            "core.hardware": [CHIP],
        },
    )
    return dict(frame.select("check_name", "value").iter_rows())


@pytest.mark.parametrize(
    ("stated", "fails"),
    [
        (1000.0, False),
        (1500.0, False),
        (1501.0, True),
        (1000 / 1.5 + 0.1, False),
        (666.0, True),
        (8000.0, True),
    ],
)
def test_stated_chip_hours_agree_with_chips_times_hours_within_half(
    model: Model, stated: float, fails: bool
) -> None:
    found = row_checks(model, chips=10, training_hours=100.0, chip_hours=stated)
    assert ("chip_hours_contradict" in found) is fails


@pytest.mark.parametrize(("flop", "fails"), [(3.59e21, False), (3.61e21, True)])
def test_no_run_does_more_than_its_chips_can(model: Model, flop: float, fails: bool) -> None:
    """1,000 chip-hours at 1e15 FLOP/s are 3.6e21 FLOP."""
    assert ("mfu_above_one" in row_checks(model, chip_hours=1000.0, training_flop=flop)) is fails


def disclosed(model: Model, **tables: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    names = {"curated": "raw.training_runs", "upstream": "core.upstream_runs", "gates": "core.model_checks"}
    frame = model("core.disclosed_runs", {names[key]: rows for key, rows in tables.items()})
    return {row["run_id"]: row for row in frame.iter_rows(named=True)}


def test_curated_facts_win_whole_and_upstream_only_describes(model: Model) -> None:
    curated = {"run_id": "a", "chips": 8, "chip_hours": None, "developer": None}
    upstream = {"run_id": "a", "chips": 16, "chip_hours": 99.0, "developer": "Lab", "training_flop": 1e20}
    row = disclosed(model, curated=[curated], upstream=[upstream])["a"]
    assert (row["chips"], row["chip_hours"], row["training_flop"]) == (8, None, None)
    assert row["developer"] == "Lab"


@pytest.mark.parametrize(
    ("confidence", "hours_confidence"),
    [
        ("Confident", "confident"),
        ("Likely", "likely"),
        ("Speculative", "speculative"),
        ("Unknown", "speculative"),
        (None, "speculative"),
    ],
)
def test_hours_that_only_epoch_gives_are_a_third_party_s(
    model: Model, confidence: str | None, hours_confidence: str | None
) -> None:
    record = {"chip_hours": 99.0, "confidence": confidence}
    found = disclosed(
        model,
        curated=[{"run_id": "a", "chip_hours": 99.0}],
        upstream=[record | {"run_id": "a"}, record | {"run_id": "b"}],
    )
    assert (found["a"]["hours_confidence"], found["b"]["hours_confidence"]) == (None, hours_confidence)


@pytest.mark.parametrize(
    ("confirmed", "hours_confidence"), [(99.0, None), (100.0, None), (50.0, "confident"), (None, "confident")]
)
def test_hours_are_stated_while_upstream_has_what_was_read_in_the_developer_s_words(
    model: Model, confirmed: float | None, hours_confidence: str | None
) -> None:
    """A later list of upstream with other hours is a third party's again."""
    tables: Rows = {
        "core.upstream_runs": [
            {"run_id": "a", "chips": 3, "training_hours": 33.0, "confidence": "Confident"}
        ],
        "raw.note_decisions": [
            {"run_id": "a", "note_subject": "hours", "confirmed_chip_hours": confirmed},
            {"run_id": "a", "note_subject": "date"},  # no second row of the run
        ],
    }
    (row,) = model("core.disclosed_runs", tables).to_dicts()
    assert row["hours_confidence"] == hours_confidence


@pytest.mark.parametrize(
    ("confidence", "flop_basis", "flop_confidence"),
    [
        ("Confident", "counted", None),
        ("Confident", "from_hardware", "confident"),
        ("Confident", "estimated", "confident"),
        ("Confident", None, "confident"),
        ("Likely", "counted", "likely"),
        ("Speculative", "estimated", "speculative"),
        ("Unverified", "counted", "speculative"),
    ],
)
def test_flop_are_sure_where_they_were_counted_with_confidence(
    model: Model, confidence: str, flop_basis: str | None, flop_confidence: str | None
) -> None:
    record = {"training_flop": 1e24, "confidence": confidence, "flop_basis": flop_basis}
    found = disclosed(
        model,
        curated=[{"run_id": "a", "training_flop": 2e24}],
        upstream=[record | {"run_id": "a"}, record | {"run_id": "b"}],
    )
    assert (found["a"]["flop_confidence"], found["b"]["flop_confidence"]) == (None, flop_confidence)


def test_a_record_without_hours_or_flop_says_nothing_of_them(model: Model) -> None:
    row = disclosed(model, curated=[], upstream=[{"run_id": "a", "confidence": "Likely"}])["a"]
    assert (row["hours_confidence"], row["flop_confidence"]) == (None, None)


def test_a_gate_turns_an_upstream_model_away_but_no_curated_run(model: Model) -> None:
    found = disclosed(
        model,
        curated=[{"run_id": "a", "chips": 8}],
        upstream=[{"run_id": "a"}, {"run_id": "b"}, {"run_id": "c"}],
        gates=[{"run_id": "a"}, {"run_id": "b"}],
    )
    assert set(found) == {"a", "c"}


@pytest.mark.parametrize(
    ("dates_run", "day", "words"),
    [
        (True, date(2016, 6, 1), "; date: month of its arXiv number"),  # not its version of 2023
        (False, date(2023, 6, 6), ""),
        (None, date(2023, 6, 6), ""),
    ],
)
def test_a_revision_of_a_paper_does_not_date_the_run(
    model: Model, dates_run: bool | None, day: date, words: str
) -> None:
    tables: Rows = {
        "raw.epoch_models": [{"file": "f.csv", "model": "A", "published_date": date(2023, 6, 6)}],
        "core.model_ids": [{"upstream_name": "A", "run_id": "a"}],
        "raw.upstreams": [{"source": "epoch_models"}],
        "raw.run_identifiers": [
            {"run_id": "a", "identifier_scheme": "arxiv", "identifier": "1606.08415"},
            {"run_id": "a", "identifier_scheme": "huggingface", "identifier": "lab/a"},
        ],
        "raw.paper_dates": [] if dates_run is None else [{"run_id": "a", "dates_run": dates_run}],
    }
    frame = model("core.upstream_runs", tables)
    assert frame.select("published_date", "source_locator").rows() == [(day, f"f.csv, Model = A{words}")]


@pytest.mark.parametrize(
    ("organizations", "developer"),
    [
        ("Lab A,Lab B", "Lab A;Lab B"),
        ("X,Booz Allen Hamilton, McLean,Y", "X;Booz Allen Hamilton, McLean;Y"),
        ("Some Technology Co., Ltd. (Brand)", "Some Technology Co., Ltd. (Brand)"),
        ("Software Co.,Ltd.,Incubator", "Software Co., Ltd.;Incubator"),
        ("Lab A ,Institute of\nTechnology", "Lab A;Institute of Technology"),
    ],
)
def test_a_comma_in_the_name_of_an_organisation_does_not_part_it(
    model: Model, organizations: str, developer: str
) -> None:
    tables = {
        "raw.epoch_models": [{"model": "A", "organizations": organizations}],
        "core.model_ids": [{"upstream_name": "A", "run_id": "a"}],
        "raw.upstreams": [{"source": "epoch_models"}],
    }
    assert model("core.upstream_runs", tables)["developer"].to_list() == [developer]
