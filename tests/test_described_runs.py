"""One run that is described to `ote estimate`, `ote report` and `ote where`: one energy, one interval."""

import json
import math

import pytest

from ote.answers.estimate import estimate_run
from tests.conftest import Build, ote


@pytest.mark.parametrize("hardware", ["H100", "H100 SXM", "A100", "TPU v3-8", "K80 GPU"])
def test_estimate_report_and_where_agree(build: Build, hardware: str) -> None:
    """The same energy before PUE, the same interval of it, and the same word on an unnamed variant."""
    database = build.directory / "emissions.duckdb"
    run = estimate_run({"hardware": hardware, "chips": 1, "training_hours": 72}, database)
    options = ("--hardware", hardware, "--hours", "72", "--database", database)
    first = json.loads(ote("where", *options, "--json").stdout)[0]
    ((pue, pue_gsd),) = build.query(
        "select pue, pue_gsd from locations "
        "where region = '{region}' and factor_year = {factor_year} "
        "and intensity_basis = '{intensity_basis}'".format(**first)
    )
    widths = [1.645 * math.log(run["factors"][name]["gsd"]) for name in ("chip_hours", "watts_per_chip")]
    pue_above = math.log((1 + (pue - 1) * pue_gsd**1.645) / pue)  # the part above 1 is lognormal
    half = math.hypot(*widths, pue_above)
    assert math.log(first["energy_mwh_p95"] / first["energy_mwh"]) == pytest.approx(half)
    assert first["energy_mwh"] / pue == pytest.approx(run["energy_mwh"] / run["pue"])
    is_vague = hardware in ("H100", "A100")
    where = " ".join(ote("where", *options).stdout.split())
    estimated = ote(
        "estimate", "--hardware", hardware, "--chips", "1", "--hours", "72", "--database", database
    )
    assert run["is_ambiguous_hardware"] == is_vague
    for text in (where, " ".join(estimated.stdout.split())):
        assert ("can mean several variants" in text) == is_vague
