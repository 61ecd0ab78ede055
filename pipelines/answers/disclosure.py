"""What authors must hand in on the energy of a training run, written from one estimate.

Belongs here: the wording and the format of each disclosure; every number comes from the estimate, and each
names the version of the dataset. Does not belong here: estimating (estimate.py).
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines import documents
from pipelines.answers.published import Z_90
from pipelines.names import shown

TRAINING_TYPES = ("pre-training", "fine-tuning")
METHOD = "Patterson et al. 2021 (arXiv:2104.10350)"
EXPECTED = "expected what `ote estimate --json` prints"
NEEDED = (
    "energy_mwh",
    "co2e_gross_t",
    "co2e_net_t",
    "factors",
    "dataset_version",
    "energy_basis",
    "net_basis",
    "intensity_basis",
)
ABSENT = type(None)
AMOUNT, TEXT = (int, float, ABSENT), (str, ABSENT)
FACTOR = {"value": AMOUNT, "gsd": AMOUNT, "basis": TEXT}
# What is read of an estimate.
ESTIMATE = {
    **{
        f"{total}{end}": documents.NUMBER
        for total in ("energy_mwh", "co2e_gross_t", "co2e_net_t")
        for end in ("", "_p05", "_p95")
    },
    "factors": {"pue": FACTOR, "gross_kg_per_kwh": FACTOR, "*": FACTOR},
    **dict.fromkeys(("dataset_version", "energy_basis", "net_basis", "intensity_basis"), str),
    **dict.fromkeys(("model", "provider"), TEXT),
    **{f"{name}?": TEXT for name in ("chip_hours_basis", "watts_basis", "pue_basis", "gross_basis")},
    **{f"{name}?": TEXT for name in ("hardware_name", "cloud_region", "site_country")},
    **{f"{name}?": AMOUNT for name in ("chips", "training_hours", "training_flop", "chip_hours")},
}
# Bases of what was given, not estimated.
GIVEN = {"measured", "disclosed", "chips_x_hours", "disclosed_measured"}
# What the intensity of the grid counts, in a sentence; direct and lifecycle tonnes cannot be compared.
INTENSITIES = {
    "direct": "a direct intensity (emissions of the power plants alone)",
    "lifecycle": "a lifecycle intensity (fuel supply and building of the power plants included)",
    "unspecified": "an intensity that is not stated to be direct or lifecycle",
}
# RFC 4122: an identifier that depends on the content alone, so that equal estimates give equal files.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://arxiv.org/abs/2104.10350")

LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%_#${}"},
}

Run = Mapping[str, Any]


class NotAnEstimateError(Exception):
    """The text is not what `ote estimate --json` prints; the message says what to do."""


def parse(text: str) -> Run:
    """An estimate, as `ote estimate --json` prints it.

    Raises:
        NotAnEstimateError: it is no JSON, or not of one run.
    """
    try:
        run: dict[str, Any] = documents.parse(text, documents.ANYTHING, EXPECTED)
    except documents.MalformedError as error:
        raise NotAnEstimateError(str(error)) from None
    missing = [key for key in NEEDED if not isinstance(run, dict) or key not in run]
    if missing:
        raise NotAnEstimateError(f"{EXPECTED}; {', '.join(missing)} missing")
    if says := documents.mismatch(run, ESTIMATE):
        raise NotAnEstimateError(f"{EXPECTED}; {says}")
    if run["intensity_basis"] not in INTENSITIES:
        raise NotAnEstimateError(
            f"intensity_basis {shown(run['intensity_basis'])}, expected one of {', '.join(INTENSITIES)}"
        )
    return run


def markdown(run: Run) -> str:
    """A paragraph and a table for a paper, in Markdown."""
    lines = ["| quantity | value | 90 % interval | basis |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cells)} |" for cells in _rows(run)]
    return f"{_paragraph(run)}\n\n" + "\n".join(lines) + "\n"


def latex(run: Run) -> str:
    """A paragraph and a table for a paper, in LaTeX without packages."""
    rows = "".join(f"    {' & '.join(map(_latex, cells))} \\\\\n" for cells in _rows(run))
    return (
        f"{_latex(_paragraph(run))}\n\n"
        "\\begin{table}[h]\n  \\centering\n"
        f"  \\caption{{{_latex('Energy and operational CO2e of training.')}}}\n"
        "  \\begin{tabular}{llll}\n    \\hline\n"
        f"    quantity & value & {_latex('90 % interval')} & basis \\\\\n    \\hline\n"
        f"{rows}    \\hline\n  \\end{{tabular}}\n\\end{{table}}\n"
    )


def model_card(run: Run, training_type: str) -> str:
    """The block `co2_eq_emissions` of a model card's YAML header: gross emissions in grams."""
    block: dict[str, Any] = {
        "emissions": round(run["co2e_gross_t"] * 1e6),  # t to g
        "source": f"Open Training Emissions {run['dataset_version']}, location-based estimate on "
        f"{INTENSITIES[run['intensity_basis']]} after {METHOD}",
        "training_type": training_type,
    }
    if place := _place(run):
        block["geographical_location"] = place
    if hardware := _hardware(run):
        block["hardware_used"] = hardware
    body = "".join(f"  {key}: {json.dumps(cell, ensure_ascii=False)}\n" for key, cell in block.items())
    return f"co2_eq_emissions:\n{body}"


def cyclonedx(run: Run) -> str:
    """A CycloneDX 1.6 bill of materials whose model card holds the energy and CO2e of training."""
    grid = (
        f"{_value(run, 'gross_kg_per_kwh')} kg CO2e per kWh ({run['gross_basis']}), "
        f"{INTENSITIES[run['intensity_basis']]}"
    )
    consumption = {
        "activity": "training",
        "energyProviders": [
            {
                "description": f"Grid: {grid}",
                "organization": {"name": run["provider"] or "not stated"},
                "energySource": "unknown",
                "energyProvided": {"value": round(run["energy_mwh"] * 1000, 3), "unit": "kWh"},  # MWh to kWh
            }
        ],
        "activityEnergyCost": {"value": round(run["energy_mwh"] * 1000, 3), "unit": "kWh"},  # MWh to kWh
        "co2CostEquivalent": {"value": round(run["co2e_gross_t"], 6), "unit": "tCO2eq"},
        "properties": [{"name": name, "value": cell} for name, cell in _properties(run)],
    }
    component = {
        "type": "machine-learning-model",
        "name": run["model"] or "model",
        "modelCard": {
            "considerations": {"environmentalConsiderations": {"energyConsumptions": [consumption]}}
        },
    }
    return _json(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{_identity(run)}",
            "version": 1,
            "components": [component],
        }
    )


def spdx(run: Run) -> str:
    """An SPDX 3.0.1 document with an AI package that states the energy of training."""
    base = f"urn:uuid:{_identity(run)}"
    kwh = run["energy_mwh"] * 1000  # MWh to kWh
    about = {"creationInfo": "_:creation"}
    package = {
        "type": "ai_AIPackage",
        "spdxId": f"{base}#model",
        **about,
        "name": run["model"] or "model",
        "comment": "; ".join(f"{name}: {cell}" for name, cell in _properties(run)),
        "ai_energyConsumption": {
            "type": "ai_EnergyConsumption",
            "ai_trainingEnergyConsumption": [
                {
                    "type": "ai_EnergyConsumptionDescription",
                    "ai_energyQuantity": round(kwh, 3),
                    "ai_energyUnit": "kilowattHour",
                }
            ],
        },
    }
    graph = [
        {
            "type": "CreationInfo",
            "@id": "_:creation",
            "specVersion": "3.0.1",
            "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "createdBy": [f"{base}#tool"],
        },
        {
            "type": "SoftwareAgent",
            "spdxId": f"{base}#tool",
            **about,
            "name": f"Open Training Emissions {run['dataset_version']}",
        },
        package,
        {
            "type": "SpdxDocument",
            "spdxId": f"{base}#document",
            **about,
            "profileConformance": ["core", "ai"],
            "rootElement": [f"{base}#model"],
            "element": [f"{base}#model", f"{base}#tool"],
        },
    ]
    return _json({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph})


def eu(run: Run) -> str:
    """Compute and energy for the documentation of a general-purpose AI model.

    Items of Regulation (EU) 2024/1689, Annex XI, section 1, point 2 (d) and (e); what an estimate does not
    know is left to be filled in.
    """
    measured = "measured" if run["energy_basis"] == "measured" else "estimated"
    flop, hours = run.get("training_flop"), run.get("training_hours")
    rows = [
        ("Model", (run["model"] or "to be filled in").replace("|", "\\|")),
        ("Computational resources: operations (FLOP)", exact(flop) if flop else "to be filled in"),
        ("Computational resources: hardware", _hardware(run) or "to be filled in"),
        ("Computational resources: accelerator-hours", _chip_hours(run) or "to be filled in"),
        ("Training time (hours)", exact(hours) if hours else "to be filled in"),
        ("Energy consumption of training (MWh)", number(run["energy_mwh"])),
        ("Known or estimated", f"{measured}, 90 % interval {_interval(run, 'energy_mwh')} MWh"),
        (
            "CO2e of that energy (t), which Annex XI does not ask for",
            f"{number(run['co2e_gross_t'])}, 90 % interval {_interval(run, 'co2e_gross_t')} t; "
            f"location-based, on {INTENSITIES[run['intensity_basis']]}",
        ),
        ("Methodology", f"{METHOD}; {_how(run)}"),
        ("Dataset of factors", f"Open Training Emissions {run['dataset_version']}"),
    ]
    table = "\n".join(f"| {name} | {cell} |" for name, cell in rows)
    return (
        "Compute and energy of training\n"
        "(Regulation (EU) 2024/1689, Annex XI, section 1, point 2 (d) and (e))\n\n"
        f"| item | entry |\n|---|---|\n{table}\n"
    )


def _paragraph(run: Run) -> str:
    """What the 2021 paper asks authors to state, in sentences."""
    what = run["model"] or "The model"
    chips = _hardware(run)
    trained = (
        f"{what} was trained{f' on {chips}' if chips else ''}{f' in {_place(run)}' if _place(run) else ''}"
    )
    hours = f" for {exact(run['training_hours'])} hours" if run.get("training_hours") else ""
    net = (
        "The operator's supply of carbon-free energy is not known, so net emissions are taken as gross."
        if run["net_basis"] == "equals_gross"
        else f"Net of the operator's hourly-matched carbon-free energy it is {number(run['co2e_net_t'])} t "
        f"({_interval(run, 'co2e_net_t')} t)."
    )
    return (
        f"{trained}{hours}. Training used {number(run['energy_mwh'])} MWh "
        f"(90 % interval {_interval(run, 'energy_mwh')} MWh, PUE {_value(run, 'pue')} included) and caused "
        f"{number(run['co2e_gross_t'])} t CO2e ({_interval(run, 'co2e_gross_t')} t), location-based, at "
        f"{_value(run, 'gross_kg_per_kwh')} kg CO2e per kWh, {INTENSITIES[run['intensity_basis']]}. {net} "
        f"Method: {METHOD}; {_how(run)}; "
        f"factors and intervals of Open Training Emissions {run['dataset_version']}. Operational emissions "
        "of the run described, without hardware manufacturing, failed runs, or experiments before it."
    )


def _rows(run: Run) -> list[list[str]]:
    rows = [
        ["energy", f"{number(run['energy_mwh'])} MWh", _interval(run, "energy_mwh"), run["energy_basis"]],
        [
            "CO2e, gross",
            f"{number(run['co2e_gross_t'])} t",
            _interval(run, "co2e_gross_t"),
            f"location-based, {run['intensity_basis']} intensity",
        ],
        [
            "CO2e, net",
            f"{number(run['co2e_net_t'])} t",
            _interval(run, "co2e_net_t"),
            f"{run['net_basis']}, {run['intensity_basis']} intensity",
        ],
    ]
    for factor, about in run["factors"].items():
        if about["value"] is not None and about["gsd"] is not None:
            rows.append([factor, value_of(about), f"x/÷ {about['gsd'] ** Z_90:.2f}", about["basis"]])
    return rows


def _properties(run: Run) -> list[tuple[str, str]]:
    """What a bill of materials has no field for: intervals, net, accounting, dataset."""
    return [
        ("energy_mwh 90 % interval", _interval(run, "energy_mwh")),
        ("co2e_gross_t 90 % interval", _interval(run, "co2e_gross_t")),
        ("co2e accounting", f"operational, location-based, on {INTENSITIES[run['intensity_basis']]}"),
        ("co2e_net_t", f"{number(run['co2e_net_t'])} ({run['net_basis']})"),
        ("method", f"{METHOD}; {_how(run)}"),
        ("dataset", f"Open Training Emissions {run['dataset_version']}"),
    ]


def _value(run: Run, factor: str) -> str:
    return value_of(run["factors"][factor])


def value_of(about: dict[str, Any]) -> str:
    """A factor's value: as it was given, or rounded where it is an estimate."""
    is_given = about["basis"] in GIVEN or about["basis"] is None  # none: given, and not used beside an energy
    return exact(about["value"]) if is_given else number(about["value"])


def _chip_hours(run: Run) -> str:
    """Accelerator-hours; beside a measured energy they may be known from chips and hours alone."""
    if run.get("chip_hours"):
        return _value(run, "chip_hours")
    given = run.get("chips") and run.get("training_hours")
    return exact(run["chips"] * run["training_hours"]) if given else ""


def _how(run: Run) -> str:
    if run["energy_basis"] == "measured":
        return "energy measured at the machines x PUE"
    return f"chip-hours ({run['chip_hours_basis']}) x power ({run['watts_basis']}) x PUE ({run['pue_basis']})"


def _hardware(run: Run) -> str:
    if not run.get("hardware_name"):
        return ""
    return f"{run['chips']:,} x {run['hardware_name']}" if run.get("chips") else str(run["hardware_name"])


def _place(run: Run) -> str:
    return ", ".join(str(part) for part in (run.get("cloud_region"), run.get("site_country")) if part)


def _interval(run: Run, column: str) -> str:
    return f"{number(run[f'{column}_p05'])} to {number(run[f'{column}_p95'])}"


def number(value: float) -> str:
    """Three significant digits, thousands with a comma."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"


def exact(value: float) -> str:
    """All digits of a given number, and of a product of such, without the noise of floating point."""
    return f"{value:,.12g}"


def _latex(text: str) -> str:
    escaped = "".join(LATEX.get(mark, mark) for mark in text)
    return escaped.replace("x/÷", "$\\times/\\div$").replace("CO2e", "CO$_2$e").replace(" x ", " $\\times$ ")


def _identity(run: Run) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, json.dumps(run, sort_keys=True))


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
