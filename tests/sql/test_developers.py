"""core.developers: which organisations are behind a developer, by the published mapping alone."""

from typing import Any

import pytest

from tests.conftest import Model

MAPPING: list[dict[str, Any]] = [
    {"developer_name": "Lab One", "organisation": "Company", "developer_country": "GB"},
    {"developer_name": "Company", "organisation": "Company", "developer_country": "US"},
    {"developer_name": "Institute", "organisation": "Institute", "developer_country": "FR;US"},
    {"developer_name": "Nowhere", "organisation": "Nowhere", "developer_country": None},
]


@pytest.mark.parametrize(
    ("developer", "organisation", "organisations", "country"),
    [
        ("Lab One", "Company", "Company", "GB"),
        ("Company;Lab One", "Company", "Company", "GB;US"),
        ("Institute;Lab One", "Institute", "Institute;Company", "FR;GB;US"),  # joint work is the first's
        ("Lab One;Institute;Company", "Company", "Company;Institute", "FR;GB;US"),
        ("Company Ventures", "Company Ventures", "Company Ventures", None),  # not in the mapping: not guessed
        ("Company;Stranger", "Company", "Company;Stranger", None),
        ("Nowhere", "Nowhere", "Nowhere", None),
    ],
)
def test_a_developer_has_the_organisations_of_the_mapping(
    model: Model, developer: str, organisation: str, organisations: str, country: str | None
) -> None:
    runs: list[dict[str, Any]] = [{"run_id": name, "developer": developer} for name in "ab"] + [
        {"run_id": "c", "developer": None}
    ]
    found = model("core.developers", {"core.disclosed_runs": runs, "raw.organisations": MAPPING})
    assert found.rows() == [(developer, organisation, organisations, country)]


def test_a_developer_without_a_row_is_published_as_its_own_organisation(model: Model) -> None:
    developers = [{"developer": "Lab One;Stranger"}, {"developer": "Stranger"}]
    found = model("out.organisations", {"core.developers": developers, "raw.organisations": MAPPING})
    own = found.filter(developer_name="Stranger")
    assert own.select("organisation", "developer_country", "source_url").rows() == [("Stranger", None, None)]
    assert found.height == len(MAPPING) + 1


@pytest.mark.parametrize(
    ("curated", "upstream", "expected"), [("FR", "DE", "FR"), (None, "DE", "GB"), (None, None, "GB")]
)
def test_the_country_is_the_run_s_own_then_that_of_the_mapping(
    model: Model, curated: str | None, upstream: str | None, expected: str
) -> None:
    run = {"run_id": "a", "developer": "Lab One", "developer_country": curated or upstream}
    mapped = {"developer": "Lab One", "organisation": "Company", "organisations": "Company"}
    found = model(
        "core.training_runs",
        {
            "core.disclosed_runs": [run],
            "raw.training_runs": [{"run_id": "a", "developer_country": curated}],
            "core.developers": [mapped | {"developer_country": "GB"}],
        },
    )
    assert found.select("organisation", "developer_country").rows() == [("Company", expected)]
