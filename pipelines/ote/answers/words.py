"""The names of the dataset in words, for what people read: factors with their units, and bases.

Belongs here: the only translation of code names. Does not belong here: what a basis is in full
(catalog.yaml, docs/method).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from ote import catalog

KINDS = {"direct": "direct", "lifecycle": "life-cycle", "unspecified": "not stated"}  # of intensities
# Life-cycle to direct intensity is 1.094 with a gsd of 1.19 (docs/method/grid.md); more needs a reason.
USUAL_RATIO = 1.3
OTHER_YEAR = ", nearest known year"
FACTORS = {
    "energy_kwh": ("measured energy", "kWh"),
    "chip_hours": ("accelerator-hours", "h"),
    "watts_per_chip": ("power per accelerator", "W"),
    "pue": ("PUE", ""),
    "gross_kg_per_kwh": ("grid intensity, gross", "kg/kWh"),
    "net_kg_per_kwh": ("grid intensity, net", "kg/kWh"),
}
# How a sentence on a run begins, and how it puts an amount, by what the row covers.
COVERS = {
    "one_run": ("Training {run} used", "about"),
    "part_of_run": ("A part of the training of {run} used", "about"),
    "several_runs": ("Several training runs of {run} together used", "about"),
    "upper_bound": ("Training {run} used", "at most about"),
    "lower_bound": ("Training {run} used", "at least about"),
    "hypothetical": ("Training {run} like this, which did not happen, would have used", "about"),
}
LIMITS = {  # what an amount and its interval mean where only a limit of the run is known
    "upper_bound": (
        "Only an upper limit is known: the published facts cover more than this run, or are a maximum "
        "themselves. The interval is the uncertainty of that limit. The run may have used less."
    ),
    "lower_bound": (
        "Only a lower limit is known: the published facts cover less than this run, or are a minimum "
        "themselves. The interval is the uncertainty of that limit. The run may have used more."
    ),
}
# Which column has the basis of a factor.
BASIS_COLUMNS = {
    "chip_hours": "chip_hours_basis",
    "watts_per_chip": "watts_basis",
    "pue": "pue_basis",
    "gross_kg_per_kwh": "gross_basis",
    "net_kg_per_kwh": "net_basis",
}
# What a basis is called in the estimate of a run, where its label in catalog.yaml is too short for that.
BASES = {
    "measured": "measured",
    "partly_measured": "partly metered",
    "computed": "computed from the factors",
    "reported": "as published by the developer",
    "several": "measured or computed, by run",
    "disclosed": "as stated",
    "chips_x_hours": "accelerators x hours",
    "third_party_confident": "computed by a third party from stated facts",
    "third_party_likely": "stated by a third party that is fairly sure",
    "third_party_speculative": "stated by a third party that is not sure",
    "flop_over_throughput": "from the FLOP, at the usual speed of the accelerator",
    "flop_by_developer": "from the FLOP, at the usual speed of the developer's accelerators",
    "flop_by_era": "from the FLOP, at the usual speed of the accelerators of that time",
    "disclosed_measured": "measured",
    "measured_same_chip": "measured on other runs on the same accelerator",
    "measured_same_chip_elsewhere": "measured on the same accelerator at other operators",
    "measured_ratio": "rated power x the usual ratio of measured to rated power",
    "measured_ratio_elsewhere": "rated power x the ratio of measured to rated power at other operators",
    "measured_ratio_other_class": "rated power x the ratio of measured to rated power of other kinds",
    "stated_tdp": "rated power",
    "hardware_mix": "mean over the accelerators of that time",
    "site_quarter": f"the data center, in the quarter of the run{OTHER_YEAR}",
    "site_year": f"the data center{OTHER_YEAR}",
    "provider_year": f"average of the operator's data centers{OTHER_YEAR}",
    "developer_locations": "the locations of the organisation's other runs",
    "site_claimed": "claimed for the site",
    "organisation_provider_year": "average of the named operator",
    "unpublished_operator": "weighted mean of training sites and other data centers",
    "training_locations": "mean over locations where models are trained",
    "industry_year": "industry survey of the year",
    "given_hours": "the given hours of the run",
    "missing_hours": "not known: the given series lacks an hour of the run",
    "region_month": "the grid of the region or state in these months",
    "region_year": f"the grid of the region or state{OTHER_YEAR}",
    "country_month": "the country's grid in these months",
    "country_year": f"the country's grid{OTHER_YEAR}",
    "developer_country_year": "the grid of the developer's country in that year",
    "provider_locations": "mean over the operator's locations that a source names",
    "provider_regions": "mean over the operator's regions",
    "world_year": "world average in that year",
    "operator_hourly": "after the operator's hourly-matched carbon-free energy",
    "operator_locations": "mean over the operator's locations after its hourly-matched carbon-free energy",
    "operator_contracts": "the operator's contracts and certificates of the year",
    "residual_mix": "the residual mix of the grid (what is left after the contracts of others)",
    "operator_annual": "after the operator's annually matched carbon-free energy",
}


def factor(name: str) -> str:
    """A factor, without its unit."""
    return FACTORS[name][0]


def unit(name: str) -> str:
    """The unit of a factor."""
    return FACTORS[name][1]


def stated_by(who: str | None, assumption: str | None) -> str:
    """Who stated the hours of a run, and what was assumed for it; empty if neither is known."""
    by = "" if who is None else catalog.column("hours_stated_by").values[who].means
    return " ".join(part for part in (by, f"Assumption: {assumption}" if assumption else "") if part)


def differs_from_gross(gross: tuple[float, str], lifecycle: tuple[float, str]) -> str:
    """Why the life-cycle CO2e of a run is not a little above its gross CO2e; empty if it is.

    Args:
        gross: the gross intensity in kg/kWh and its basis.
        lifecycle: the life-cycle intensity in kg/kWh and its basis.
    """
    ratio = lifecycle[0] / gross[0] if gross[0] else 1
    if 1 <= ratio <= USUAL_RATIO:
        return ""
    shown = [
        f"{kg_per_kwh:.3f} kg/kWh ({catalog.label('gross_basis', name)})"
        for kg_per_kwh, name in (gross, lifecycle)
    ]
    return (
        f"Life-cycle CO2e is {'below' if ratio < 1 else 'far above'} gross here because the two use "
        f"different figures for the grid: gross {shown[0]}, life-cycle {shown[1]}."
    )


def basis_of(factor: Mapping[str, Any]) -> str:
    """The basis of a factor of a run; no other year is named where the figure is of the run's own year."""
    says = basis(factor["basis"])
    return says.removesuffix(OTHER_YEAR) if factor.get("is_other_year") is False else says


def basis(name: str | None) -> str:
    """A basis; of what was given and is not used beside an energy there is none."""
    if name is None:
        return "given, not used"
    return BASES[name] if name in BASES else _labels()[name]


def bases() -> dict[str, str]:
    """The words for each basis of a factor."""
    return _labels() | BASES


@cache
def _labels() -> dict[str, str]:
    """The label of each basis of a factor."""
    return {
        value: catalog.label(column, value)
        for column in BASIS_COLUMNS.values()
        for value in catalog.column(column).values
    }
