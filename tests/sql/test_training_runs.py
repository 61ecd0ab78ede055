"""core.training_runs resolves chip, operator, location and year without changing a disclosed value."""

from datetime import date
from typing import Any

from tests.conftest import Model, Rows

RUN = {"run_id": "a", "model": "A", "hardware": "Maker X-1", "published_date": date(2020, 3, 1)}


def rows(*runs: dict[str, Any], **tables: list[dict[str, Any]]) -> Rows:
    """Runs on one GPU and one TPU that are known."""
    return {
        "core.disclosed_runs": list(runs),
        "core.hardware": [{"hardware_id": "maker-x1", "kind": "gpu"}, {"hardware_id": "tpu", "kind": "tpu"}],
        "core.hardware_aliases": [
            {"alias_key": "makerx1", "hardware_id": "maker-x1", "is_ambiguous": False},
            {"alias_key": "tpu", "hardware_id": "tpu", "is_ambiguous": True},
        ],
    } | {f"raw.{name}": given for name, given in tables.items()}


def test_spellings_differ_in_case_spaces_and_punctuation_only(model: Model) -> None:
    spellings = ["Maker X-1", "maker x1", "MAKER_X1"]
    runs = [RUN | {"run_id": s, "hardware": s} for s in spellings]
    found = model("core.training_runs", rows(*runs, RUN | {"run_id": "z", "hardware": "Maker X-2"}))
    ids = dict(found.select("run_id", "hardware_id").iter_rows())
    assert ids == {s: "maker-x1" for s in spellings} | {"z": None}


def test_a_run_without_a_start_begins_the_usual_lag_before_publication(model: Model) -> None:
    dated = RUN | {"run_id": "d", "started_month": "2019-01", "published_date": date(2019, 7, 20)}  # 200 days
    undated = RUN | {"run_id": "u", "published_date": date(2020, 3, 1)}
    years = dict(model("core.training_runs", rows(dated, undated)).select("run_id", "run_year").iter_rows())
    assert years == {"d": 2019, "u": 2019}


def test_a_run_without_any_date_has_no_year(model: Model) -> None:
    found = model("core.training_runs", rows(RUN | {"published_date": None}))
    assert found["run_year"].to_list() == [None]


def test_a_tpu_runs_at_google_and_a_region_tells_operator_and_country(model: Model) -> None:
    region = {"region": "r-1", "provider": "Operator", "country": "AA", "egrid_subregion": None}
    found = model(
        "core.training_runs",
        rows(
            RUN | {"run_id": "tpu", "hardware": "TPU"},
            RUN | {"run_id": "region", "cloud_region": "r-1"},
            RUN | {"run_id": "stated", "cloud_region": "r-1", "provider": "Stated", "site_country": "BB"},
            RUN | {"run_id": "unknown"},
            regions=[region],
        ),
    )
    providers = dict(found.select("run_id", "provider").iter_rows())
    assert providers == {"tpu": "Google", "region": "Operator", "stated": "Stated", "unknown": None}
    countries = dict(found.select("run_id", "site_country").iter_rows())
    assert countries == {"tpu": None, "region": "AA", "stated": "BB", "unknown": None}


def test_of_several_accelerators_the_first_with_a_rating_counts(model: Model) -> None:
    """One that is not known here keeps its place: it is reported, not passed over."""
    named = ["Unrated, Maker X-1", "Maker X-1, TPU", "Unrated", "Unheard, Maker X-1"]
    tables = rows(*(RUN | {"run_id": names, "hardware": names} for names in named))
    tables["core.hardware"] = [
        {"hardware_id": "unrated", "kind": "asic"},
        {"hardware_id": "maker-x1", "kind": "gpu", "tdp_w": 300.0},
        {"hardware_id": "tpu", "kind": "tpu", "tdp_w": 200.0},
    ]
    unrated = {"alias_key": "unrated", "hardware_id": "unrated", "is_ambiguous": False}
    tables["core.hardware_aliases"] = [*tables["core.hardware_aliases"], unrated]
    found = model("core.training_runs", tables)
    assert dict(found.select("run_id", "hardware_id").iter_rows()) == dict(
        zip(named, ["maker-x1", "maker-x1", "unrated", None], strict=True)
    )
    ambiguous = dict(found.select("run_id", "is_ambiguous_hardware").iter_rows())
    assert ambiguous == dict(zip(named, [True, True, False, True], strict=True))
