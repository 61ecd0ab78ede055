"""What the fallback orders take for a location: one figure each, whatever the order of the rows."""

from typing import Any

import pytest

from tests.conftest import Model

YEAR = {"is_average": False, "factor_year": 2024, "source_url": "u", "verified": "primary"}
GOOGLE = YEAR | {"provider": "Google", "region": "site:Singapore", "pue": 1.13}
MICROSOFT = YEAR | {"provider": "Microsoft Azure", "region": "site:Singapore", "pue": 1.3}


@pytest.mark.parametrize("both", [[GOOGLE, MICROSOFT], [MICROSOFT, GOOGLE]])
@pytest.mark.parametrize("quarter", [None, "2024-Q1"])
def test_a_site_that_two_operators_name_alike_is_that_of_the_map(
    model: Model, both: list[dict[str, Any]], quarter: str | None
) -> None:
    basis = "site_quarter" if quarter else "site_year"
    rows = {
        "core.pue_years": [row | {"quarter": quarter} for row in both],
        "raw.regions": [{"region": "site:Singapore", "provider": "Google"}],
        "core.method": [{"factor": "pue", "basis": basis, "gsd": 1.01}],
    }
    assert set(model("support.location_factors", rows)["value"]) == {1.13}
