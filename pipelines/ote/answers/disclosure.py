"""What authors must hand in on the energy of training, written from the estimate of a run or of several.

Belongs here: the wording and the format of each disclosure; every number comes from the estimates, and each
names the version of the dataset. Does not belong here: estimating (estimate.py), or what a code name means
(words.py).
"""

import json
import math
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ote import documents
from ote.answers import delimited, locations, quantities, tables, words
from ote.answers.published import width_of
from ote.catalog import ROOT
from ote.names import one_line, shown

TRAINING_TYPES = ("pre-training", "fine-tuning")
DATASET, PAPER = "open-training-emissions", "patterson2021carbon"  # keys of the BibTeX entries
METHOD = "Patterson et al. 2021 (arXiv:2104.10350)"
Run = Mapping[str, Any]
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
FACTOR = {"value": AMOUNT, "gsd": AMOUNT, "basis": TEXT, "factor_year?": (int, ABSENT)}
# What is read of an estimate.
ESTIMATE = {
    **{
        f"{total}{end}": AMOUNT if total == "co2e_net_t" else documents.NUMBER
        for total in ("energy_mwh", "co2e_gross_t", "co2e_net_t")
        for end in ("", "_p05", "_p95")
    },
    "factors": {"pue": FACTOR, "gross_kg_per_kwh": FACTOR, "*": FACTOR},
    **dict.fromkeys(("dataset_version", "energy_basis", "intensity_basis"), str),
    **dict.fromkeys(("model", "provider", "net_basis"), TEXT),
    **{f"{name}?": TEXT for name in ("chip_hours_basis", "watts_basis", "pue_basis", "gross_basis")},
    **{f"{name}?": TEXT for name in ("hardware_name", "cloud_region", "site_country")},
    "metering?": TEXT,
    "within_country?": TEXT,
    "market_basis?": TEXT,
    **{f"overhead_ratio{end}?": AMOUNT for end in ("", "_p05", "_p95")},
    **{f"co2e_{kind}_t{end}?": AMOUNT for kind in ("lifecycle", "market") for end in ("", "_p05", "_p95")},
    "is_ambiguous_hardware?": (bool, ABSENT),
    **{f"{name}?": AMOUNT for name in ("chips", "training_hours", "training_flop", "chip_hours")},
}
# Bases of what was given, not estimated.
GIVEN = {"measured", "partly_measured", "disclosed", "chips_x_hours", "disclosed_measured", "given_hours"}
METERED = ("measured", "partly_measured")
# What the intensity of the grid counts, in a sentence; direct and lifecycle tonnes cannot be compared.
INTENSITIES = {
    "direct": "a direct intensity (emissions of the power plants alone)",
    "lifecycle": "a life-cycle intensity (fuel supply and building of the power plants included)",
    "unspecified": "an intensity that is not stated to be direct or life-cycle",
}
# How the energy of a run of several is known, in the sentence on their method.
WAYS: dict[str, Callable[[Run], bool]] = {
    "metered energy": lambda run: run["energy_basis"] == "measured" and bool(run.get("metering")),
    "measured energy (how is not stated)": lambda run: (
        run["energy_basis"] == "measured" and not run.get("metering")
    ),
    "partly metered energy": lambda run: run["energy_basis"] == "partly_measured",
    "accelerator-hours x power": lambda run: run["energy_basis"] not in METERED,
}
EXPECTED = "expected what ote import, ote estimate --batch or ote estimate with --json writes"
NAMED = 10  # reasons why rows are left out
ADVICE = r"(?:; |\. )(?:expected|give|Known|The nearest|The cloud regions)\b|\. Its cloud regions"
SUMMED = ("energy_mwh", "co2e_gross_t", "co2e_lifecycle_t", "co2e_net_t", "co2e_market_t")
UNKNOWN = {
    "co2e_lifecycle_t": "no location is given, and the given intensity may be direct or life-cycle",
    "co2e_net_t": "nothing is known of the operator's carbon-free energy",
    "co2e_market_t": "too little is published for this operator or location",
}
SHARED = (
    "The interval of the total assumes that all runs have the same errors, which do not average out: "
    "its ends are the sums of the ends of the runs' intervals."
)
AMBIGUOUS = (
    "The name of the accelerator can mean several variants (SXM, PCIe, memory); "
    "the interval includes the differences between them."
)
SCOPE = "These are operational emissions: manufacturing of the hardware is not included."
# The sentences on one run; the page Your run fills them as well (site/static/disclosure.js).
SENTENCES = {
    "paragraph": (
        "{trained}{hours}. {training} used {estimated}{energy} (90 % interval {energy_interval}, PUE {pue} "
        "included) and caused an estimated {gross} CO2e ({gross_interval}), location-based, at {intensity} "
        "kg CO2e per kWh ({grid}{year}), {kind}. {lifecycle}{market} {net} {limits}Method: {method}; {how}; "
        "factors and intervals of Open Training Emissions {version}. {scope} {overhead}"
    ),
    "estimated": "an estimated ",
    "lifecycle": "Life-cycle CO2e, by which runs are compared, is {lifecycle}. ",
    "market": "Market-based CO2e is {market}.",
    "no_market": "Market-based emissions are not known: {why}.",
    "net": "Net of the operator's hourly-matched carbon-free energy, it is {net}.",
    "no_net": "Net emissions are not known: {why}.",
    "no_hours": "no carbon-free energy of the operator, matched by the hour, is known{of}",
    "overhead": (
        "Other runs of the project, such as experiments and failed runs, are not included. Projects that "
        "published their total used about {ratio} times the energy of their final run (90 % interval: "
        "{low} to {high} times)."
    ),
    "no_overhead": "Other runs of the project, such as experiments and failed runs, are not included.",
    "unnamed": "{chips} (kind not stated)",
    "variant": " (assumed, as the variant was not stated)",
    "partly_metered": "partly metered energy x PUE, with the uncertainty of energies of accelerators alone",
    "metered": "metered energy x PUE",
    "measured": "measured energy (how is not stated) x PUE",
    "computed": "accelerator-hours ({hours}) x power ({watts}) x PUE ({pue})",
}
# RFC 4122: an identifier that depends on the content alone, so that equal estimates give equal files.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://arxiv.org/abs/2104.10350")

# Of the columns of a table in LaTeX, by their number; the rest of the line is the space between them.
SHARES = {4: (0.2, 0.17, 0.22, 0.34), 6: (0.14, 0.21, 0.13, 0.16, 0.16, 0.1)}
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "`": "{`}"},
    **{mark: f"\\{mark}" for mark in "&%_#${}"},
}


# Letters that pdfLaTeX refuses without packages; it has those of European languages in Latin script.
NOT_LATIN = r"[^\u0000-\u017f\u2010-\u2027\u20ac]"
FOR_OTHERS = (
    "% Letters of some names are not in pdfLaTeX: use LuaLaTeX or XeLaTeX, with a font that has them.\n"
)


class NotAnEstimateError(Exception):
    """What was given is no estimate; the message says what to do."""


def parse(text: str) -> Run:
    """An estimate, as `ote estimate --json` prints it.

    Raises:
        NotAnEstimateError: it is no JSON, or not of one run.
    """
    try:
        return checked(documents.parse(text, documents.ANYTHING, EXPECTED))
    except documents.MalformedError as error:
        raise NotAnEstimateError(str(error)) from None


def typed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a file of estimates with numbers and truths for what CSV has as text."""
    return {name: cell if tables.is_text(name) else _typed(cell) for name, cell in row.items()}


def _typed(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    if cell.lower() in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[cell.lower()]
    try:
        value = delimited.number(cell)
    except ValueError:
        return cell
    if not math.isfinite(value):
        return cell
    return int(value) if value.is_integer() else value


def checked(run: Any) -> Run:
    """An estimate, if it is one.

    Raises:
        NotAnEstimateError: a part of it is missing or not known.
    """
    missing = [key for key in NEEDED if not isinstance(run, dict) or key not in run]
    if missing:
        raise NotAnEstimateError(f"{', '.join(missing)} missing")
    if run.get("gross_basis") == "missing_hours":
        raise NotAnEstimateError(
            "a run without CO2e, because the hourly series lacks an hour of the run; add the hour to the "
            "series, or take the run out"
        )
    if says := documents.mismatch(run, ESTIMATE):
        raise NotAnEstimateError(says)
    if run["intensity_basis"] not in INTENSITIES:
        raise NotAnEstimateError(
            f"intensity_basis {shown(run['intensity_basis'])}, expected one of {', '.join(INTENSITIES)}"
        )
    return dict(run)


def summed(runs: Sequence[Run], rejects: Sequence[delimited.Reject] = ()) -> Run:
    """Several estimates as one: the sums of MWh and t, with the runs below `runs`; of one run itself.

    Net is None if it is not known of one of them. Rows that were not estimated are named below `left_out`.

    Runs that are estimated alike err alike: they share factors, and the intervals do not say which part of an
    error is theirs alone. All is taken as shared (comonotonic), for which the quantiles of a sum are the sums
    of the quantiles. Where some errors are independent the true interval is narrower, never wider.

    Raises:
        NotAnEstimateError: the estimates are of different versions of the dataset.
    """
    if rejects:
        return {**summed(runs), "left_out": _left_out(len(runs), rejects)}
    if len(runs) == 1:
        return runs[0]
    versions = sorted({str(run["dataset_version"]) for run in runs})
    if len(versions) > 1:
        raise NotAnEstimateError(
            f"estimates of {' and '.join(versions)}: estimate all runs with one version of the dataset"
        )
    total: dict[str, Any] = {"runs": list(runs), "factors": {}, "dataset_version": versions[0]}
    for name in SUMMED:
        for column in (name, f"{name}_p05", f"{name}_p95"):
            parts = [part for run in runs if (part := run.get(column)) is not None]
            total[column] = None if len(parts) < len(runs) else math.fsum(parts)
    ratios = ("overhead_ratio", "overhead_ratio_p05", "overhead_ratio_p95")
    for name in ("model", "hardware_name", "cloud_region", "site_country", "site_state", "provider", *ratios):
        total[name] = _common(runs, name, None)
    for name in ("energy_basis", "intensity_basis", "net_basis", "market_basis"):
        total[name] = _common(runs, name, "several")
    total["is_ambiguous_hardware"] = any(run.get("is_ambiguous_hardware") for run in runs)
    total["metering"] = _meterings(runs)
    total["within_country"] = _within(filter(None, _column(runs, "within_country")))
    return total


def _left_out(taken: int, rejects: Sequence[delimited.Reject]) -> str:
    """How many rows of the input are not in the figures, and why."""
    rows = len({reject.place for reject in rejects})
    # What is wrong, without what to give instead, such as all known names.
    lines = [re.split(ADVICE, one_line(str(reject)))[0] for reject in rejects[:NAMED]]
    lines += [f"and {len(rejects) - NAMED:,} more reasons"] * (len(rejects) > NAMED)
    return (
        f"{rows:,} of {quantities.counted(taken + rows, 'row')} of the input could not be used and "
        f"{'is' if rows == 1 else 'are'} left out of these figures ({'; '.join(lines)})"
    )


def _column(runs: Sequence[Run], name: str) -> list[Any]:
    return [run.get(name) for run in runs]


def _common(runs: Sequence[Run], name: str, several: str | None) -> Any:
    values = set(_column(runs, name))
    return values.pop() if len(values) == 1 else several


def _within(sentences: Iterable[str]) -> str | None:
    """How parts of countries differ, each country once, with the figures of each year."""
    of_country: dict[str, list[str]] = {}
    for sentence in sorted(set(sentences)):
        country, _, figures = sentence.rstrip(".").partition(": ")
        of_country.setdefault(country, []).append(figures)
    return " ".join(f"{country}: {'; '.join(each)}." for country, each in of_country.items()) or None


def _meterings(runs: Sequence[Run]) -> str | None:
    """How the energies of runs were measured, each way once."""
    ways = Counter(run["metering"] for run in runs if run.get("metering"))
    if len(ways) == 1 and ways.total() == len(runs):
        return str(next(iter(ways)))
    return "; ".join(f"{quantities.counted(number, 'run')}: {way}" for way, number in ways.items()) or None


def markdown(run: Run) -> str:
    """A paragraph and a table for a paper, in Markdown."""
    header, rows = _table(run)
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in rows]
    table = "\n".join(lines)
    return f"{_paragraph(run)}\n\n{table}\n\n```bibtex\n{bibtex(run)}```\n"


def latex(run: Run) -> str:
    """A paragraph and a table for a paper, in LaTeX without packages, and a BibTeX entry that TeX skips.

    The table is as wide as a line of the page: its columns are shares of that, and cells go on in more lines.
    """
    header, rows = _table(run)
    if "runs" in run:
        header, rows = _narrow(header), [_narrow(cells) for cells in rows]
    shares = SHARES[len(header)]
    columns = "".join(f"p{{{share}\\linewidth}}" for share in shares)
    body = "".join(f"    {' & '.join(map(_cell, cells))} \\\\\n" for cells in rows)
    paragraph = _latex(_paragraph(run))
    return (
        f"{FOR_OTHERS * bool(re.search(NOT_LATIN, paragraph + body))}{_with_citations(paragraph)}\n\n"
        "\\begin{table}[h]\n  \\centering\\scriptsize\\sloppy\\setlength{\\tabcolsep}{3pt}\n"
        f"  \\caption{{{_latex(f'Energy and operational CO2e of {_training(run)}.')}}}\n"
        f"  \\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n    \\hline\n"
        f"    {' & '.join(map(_cell, header))} \\\\\n    \\hline\n"
        f"{body}    \\hline\n  \\end{{tabular}}\n\\end{{table}}\n\n"
        f"\\iffalse BibTeX entries, for the file of references\n{bibtex(run)}\\fi\n"
    )


def _narrow(cells: Sequence[str]) -> list[str]:
    """The row of a run with its accelerators and location in one column, and its PUE and grid in one."""
    run, hardware, location, pue, grid, *figures = cells
    return [run, _joined(hardware, location), _joined(pue, grid), *figures]


def _joined(*cells: str) -> str:
    return "; ".join(filter(None, cells))


def _cell(text: str) -> str:
    """A cell in LaTeX, whose names may go on in the next line after a mark.

    A bracket or a star would be taken as an option of the row before.
    """
    cell = re.sub(r"(\\_|/(?=\w)|[.:](?=[A-Za-z]))", r"\1\\allowbreak{}", _latex(text))
    return f"{{}}{cell}" if cell.startswith(("[", "*")) else cell


def _with_citations(paragraph: str) -> str:
    """A paragraph in LaTeX that cites the entries of bibtex() where it names the method and the dataset."""
    for name, key in (("(arXiv:2104.10350)", PAPER), ("Open Training Emissions", DATASET)):
        paragraph = paragraph.replace(name, f"{name}~\\cite{{{key}}}", 1)
    return paragraph


def bibtex(run: Run) -> str:
    """The dataset and its method as entries of BibTeX."""
    import yaml  # which no other form needs

    about = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(f"{{{author['name']}}}" for author in about["authors"])
    return (
        f"@misc{{{DATASET},\n"
        f"  title = {{{{{about['title']}}}}},\n"
        f"  author = {{{authors}}},\n"
        f"  year = {{{about['date-released'].year}}},\n"
        f"  note = {{Dataset, version {run['dataset_version']}, {about['license']}}}\n"
        "}\n"
        f"@misc{{{PAPER},\n"
        "  title = {Carbon Emissions and Large Neural Network Training},\n"
        "  author = {Patterson, David and others},\n"
        "  year = {2021},\n"
        "  eprint = {2104.10350},\n"
        "  archivePrefix = {arXiv}\n"
        "}\n"
    )


def model_card(run: Run) -> str:
    """The block `co2_eq_emissions` of a model card's YAML header: gross emissions in grams."""
    sentences = [
        f"Open Training Emissions {run['dataset_version']}, location-based estimate after {METHOD}, "
        f"on {_intensity(run)}",
        f"90 % interval {_interval(run, 'co2e_gross_t')} CO2e",
        *([f"Sum of {len(run['runs']):,} runs, all errors taken as shared"] if "runs" in run else []),
        f"Grid: {_grid(run)}",
        f"Market-based: {_market_based(run)}",
        *_limits(run),
    ]
    block: dict[str, Any] = {
        "emissions": rounded(run["co2e_gross_t"] * 1e6, 0),  # t to g
        "source": _sentences(sentences),
        "training_type": run.get("training_type"),
        "geographical_location": _each(run, _location),
        "hardware_used": _each(run, _hardware),
    }
    block = {key: cell for key, cell in block.items() if cell not in ("", None)}
    body = "".join(f"  {key}: {json.dumps(cell, ensure_ascii=False)}\n" for key, cell in block.items())
    return f"co2_eq_emissions:\n{body}"


def cyclonedx(run: Run) -> str:
    """A CycloneDX 1.6 bill of materials whose model card holds the energy and CO2e of each run."""
    component = {
        "type": "machine-learning-model",
        "name": run["model"] or "model",
        "modelCard": {
            "considerations": {
                "environmentalConsiderations": {
                    "energyConsumptions": [
                        _consumption({**each, "training_type": run.get("training_type")}, name)
                        for name, each in zip(_names(_runs(run)), _runs(run), strict=True)
                    ]
                }
            }
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


def _consumption(run: Run, name: str) -> dict[str, Any]:
    kwh = {"value": rounded(run["energy_mwh"] * 1000, 3), "unit": "kWh"}  # MWh to kWh
    basis = words.basis_of(run["factors"]["gross_kg_per_kwh"])
    grid = f"{_value(run, 'gross_kg_per_kwh')} kg CO2e per kWh ({basis}), {_intensity(run)}"
    return {
        "activity": _training(run),
        "energyProviders": [
            {
                "description": f"Grid: {grid}",
                "organization": {"name": run.get("provider") or "not stated"},
                "energySource": "unknown",
                "energyProvided": kwh,
            }
        ],
        "activityEnergyCost": kwh,
        "co2CostEquivalent": {"value": rounded(run["co2e_gross_t"], 6), "unit": "tCO2eq"},
        "properties": [{"name": key, "value": cell} for key, cell in [("run", name), *_properties(run)]],
    }


def spdx(run: Run) -> str:
    """An SPDX 3.0.1 document with an AI package that states the energy of each run."""
    base = f"urn:uuid:{_identity(run)}"
    about = {"creationInfo": "_:creation"}
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
        {"type": "ai_AIPackage", "spdxId": f"{base}#model", **about, **_package(run)},
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


def _package(run: Run) -> dict[str, Any]:
    """The model of an SPDX document."""
    return {
        "name": run["model"] or "model",
        "comment": "; ".join(f"{name}: {cell}" for name, cell in _properties(run)),
        "ai_energyConsumption": {
            "type": "ai_EnergyConsumption",
            f"ai_{_training(run).replace('-', '')}EnergyConsumption": [
                {
                    "type": "ai_EnergyConsumptionDescription",
                    "ai_energyQuantity": rounded(each["energy_mwh"] * 1000, 3),  # MWh to kWh
                    "ai_energyUnit": "kilowattHour",
                }
                for each in _runs(run)
            ],
        },
    }


def eu(run: Run) -> str:
    """Compute and energy for the documentation of a general-purpose AI model.

    Items of Regulation (EU) 2024/1689, Annex XI, section 1, point 2 (d) and (e); what an estimate does not
    know is left to be filled in.
    """
    known = {
        "measured": "metered x PUE",
        "partly_measured": "partly metered x PUE",
        "several": "metered or estimated, by run, x PUE",
    }
    runs = _runs(run)
    rows = [
        ("Model", (run["model"] or "to be filled in").replace("|", "\\|")),
        ("Computational resources: operations (FLOP)", _sum_of(runs, "training_flop") or "to be filled in"),
        ("Computational resources: hardware", _each(run, _hardware) or "to be filled in"),
        ("Computational resources: accelerator-hours", _chip_hours(run) or "to be filled in"),
        ("Training time (hours)", _sum_of(runs, "training_hours") or "to be filled in"),
        ("Energy consumption of training", quantities.energy(run["energy_mwh"])),
        (
            "Known or estimated",
            f"{known.get(run['energy_basis'], 'estimated')}, 90 % interval {_interval(run, 'energy_mwh')}",
        ),
        (
            "CO2e of that energy, which Annex XI does not ask for",
            f"{quantities.mass(run['co2e_gross_t'])}, 90 % interval {_interval(run, 'co2e_gross_t')}; "
            f"location-based, on {_intensity(run)}",
        ),
        ("The same, market-based", _market_based(run)),
        ("Location, which Annex XI does not ask for", _each(run, _location) or "not stated"),
        ("Grid intensity", _grid(run)),
        *([("Within the country", run["within_country"])] if run.get("within_country") else []),
        ("Experiments and failed runs", overhead(run)),
        *([("Kind of training", _training(run))] if _training(run) != "training" else []),
        *([("Metering", run["metering"].replace("|", "\\|"))] if run.get("metering") else []),
        *([("Left out", run["left_out"].replace("|", "\\|"))] if run.get("left_out") else []),
        ("Methodology", f"{METHOD}; {_how(run)}"),
        ("Dataset of factors", f"Open Training Emissions {run['dataset_version']}"),
    ]
    if len(runs) > 1:
        rows.insert(1, ("Runs", f"{len(runs):,}, summed. {SHARED}"))
    table = "\n".join(f"| {name} | {cell} |" for name, cell in rows)
    return (
        "Compute and energy of training\n"
        "(Regulation (EU) 2024/1689, Annex XI, section 1, point 2 (d) and (e))\n\n"
        f"| item | entry |\n|---|---|\n{table}\n"
    )


def _runs(run: Run) -> Sequence[Run]:
    runs: Sequence[Run] = run.get("runs") or [run]
    return runs


def _paragraph(run: Run) -> str:
    """What the 2021 paper asks authors to state, in sentences."""
    if "runs" in run:
        return _paragraph_of_sum(run)
    what = run["model"] or "The model"
    chips, location = _hardware(run), _location(run)
    training = _training(run)
    was = "trained" if training == "training" else "fine-tuned"
    trained = f"{what} was {was}{f' on {chips}' if chips else ''}{f' in {location}' if location else ''}"
    hours = f" for {quantities.duration(run['training_hours'])}" if run.get("training_hours") else ""
    return SENTENCES["paragraph"].format(
        trained=trained,
        hours=hours,
        training=training.capitalize(),
        estimated=_estimated(run),
        energy=quantities.energy(run["energy_mwh"]),
        energy_interval=_interval(run, "energy_mwh"),
        pue=_value(run, "pue"),
        gross=quantities.mass(run["co2e_gross_t"]),
        gross_interval=_interval(run, "co2e_gross_t"),
        intensity=_value(run, "gross_kg_per_kwh"),
        year=_year(run["factors"]["gross_kg_per_kwh"], ", "),
        grid=_grid_basis(run),
        kind=_intensity(run),
        lifecycle=_lifecycle(run),
        market=_market(run),
        net=_net(run),
        limits=_limits_before(run),
        method=METHOD,
        how=_how(run),
        version=run["dataset_version"],
        scope=SCOPE,
        overhead=overhead(run),
    )


def _training(run: Run) -> str:
    """What a run was: training, or fine-tuning of what was trained before."""
    return "fine-tuning" if run.get("training_type") == "fine-tuning" else "training"


def _year(factor: Mapping[str, Any], before: str) -> str:
    """The year that a factor is of, after some words; empty where none is stated."""
    return f"{before}{factor['factor_year']}" if factor.get("factor_year") else ""


def _limits(run: Run) -> list[str]:
    """Which rows are left out, how parts of the country differ, what was measured, and what was assumed."""
    says = [str(run[name]) for name in ("left_out", "within_country") if run.get(name)]
    if run.get("metering"):
        says.append(f"Metering: {run['metering']}")
    if run.get("is_ambiguous_hardware") and run["energy_basis"] not in METERED:
        says.append(AMBIGUOUS)
    return says


def _limits_before(run: Run) -> str:
    """The limits as sentences, before another one; empty without any."""
    return f"{says} " if (says := _sentences(_limits(run))) else ""


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part.rstrip('.')}." for part in parts)


def _intensity(run: Run) -> str:
    """What the intensity of the grid counts; direct and life-cycle tonnes cannot be compared."""
    if run["intensity_basis"] in INTENSITIES:
        return INTENSITIES[run["intensity_basis"]]
    counts = Counter(words.KINDS[each["intensity_basis"]] for each in run["runs"])
    kinds = ", ".join(f"{quantities.counted(number, 'run')} {kind}" for kind, number in counts.items())
    return f"grid intensities of different kinds ({kinds}), so the sum compares with no figure of one kind"


def _estimated(run: Run) -> str:
    return "" if run["energy_basis"] == "measured" else SENTENCES["estimated"]


def _grid_basis(run: Run) -> str:
    """What the intensity of the grid is, such as the world average; its year is named apart."""
    return words.basis(run["factors"]["gross_kg_per_kwh"]["basis"]).removesuffix(words.OTHER_YEAR)


def _grid(run: Run) -> str:
    """The intensity of the grid, its year and basis; of several runs, from the least to the most."""
    grids = [each["factors"]["gross_kg_per_kwh"] for each in _runs(run)]
    shown = dict.fromkeys(value_of(grid) for grid in sorted(grids, key=lambda grid: grid["value"]))
    years = sorted({str(grid["factor_year"]) for grid in grids if grid.get("factor_year")})
    counts = Counter(map(_grid_basis, _runs(run)))
    bases = [
        name if len(counts) == 1 else f"{name}: {quantities.counted(number, 'run')}"
        for name, number in counts.items()
    ]
    about = "; ".join([*([_ends(years)] if years else []), *bases])
    return f"{_ends(list(shown))} kg CO2e per kWh ({about})"


def _ends(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _paragraph_of_sum(run: Run) -> str:
    location = _location(run)
    noun = "run" if _training(run) == "training" else f"{_training(run)} run"
    return (
        f"{quantities.counted(len(run['runs']), noun)}{f' in {location}' if location else ''} used "
        f"{_estimated(run)}{quantities.energy(run['energy_mwh'])} together (90 % interval "
        f"{_interval(run, 'energy_mwh')}, PUE included) and caused an estimated "
        f"{quantities.mass(run['co2e_gross_t'])} CO2e ({_interval(run, 'co2e_gross_t')}), location-based, "
        f"at {_grid(run)}, on {_intensity(run)}. "
        f"{SHARED} {_lifecycle(run)}{_market(run)} {_net(run)} {_limits_before(run)}Method: {METHOD}; "
        f"{_how(run)}; factors and intervals of Open Training Emissions {run['dataset_version']}. {SCOPE} "
        f"{overhead(run)}"
    )


def kind_of_intensity(run: Run) -> str:
    """Direct or life-cycle, in a few words."""
    kind = run["intensity_basis"]
    return "direct or life-cycle is not stated" if kind == "unspecified" else f"{words.KINDS[kind]} intensity"


def _lifecycle(run: Run) -> str:
    """Life-cycle tonnes, where the tonnes of the sentence before are on another basis and these are known."""
    if run["intensity_basis"] == "lifecycle" or run.get("co2e_lifecycle_t") is None:
        return ""
    tonnes = f"{quantities.mass(run['co2e_lifecycle_t'])} ({_interval(run, 'co2e_lifecycle_t')})"
    return SENTENCES["lifecycle"].format(lifecycle=tonnes)


def _market(run: Run) -> str:
    if run.get("co2e_market_t") is None:
        return SENTENCES["no_market"].format(why=UNKNOWN["co2e_market_t"])
    return SENTENCES["market"].format(market=_market_based(run))


def _market_based(run: Run) -> str:
    """Tonnes after contracts, with their interval and basis, or why they are not known."""
    if run.get("co2e_market_t") is None:
        return f"not known, as {UNKNOWN['co2e_market_t']}"
    return (
        f"{quantities.mass(run['co2e_market_t'])} ({_interval(run, 'co2e_market_t')}), by "
        f"{_market_source(run)}"
    )


def _market_source(run: Run) -> str:
    stated = {"disclosed": "the intensity that was given", "several": "contracts or residual mixes"}
    return stated.get(run["market_basis"]) or words.basis(run["market_basis"])


def overhead(run: Run) -> str:
    """What the project of a run used besides, as other projects published it; never in the result."""
    names = ("overhead_ratio_p05", "overhead_ratio", "overhead_ratio_p95")
    parts = [number(run[name]) for name in names if run.get(name) is not None]
    if run.get("training_type") == "fine-tuning" or len(parts) < len(names):
        return SENTENCES["no_overhead"]
    low, ratio, high = parts
    return SENTENCES["overhead"].format(ratio=ratio, low=low, high=high)


def _net(run: Run) -> str:
    if run["co2e_net_t"] is None:
        return SENTENCES["no_net"].format(why=_no_net(run))
    tonnes = f"{quantities.mass(run['co2e_net_t'])} ({_interval(run, 'co2e_net_t')})"
    return SENTENCES["net"].format(net=tonnes)


def _no_net(run: Run) -> str:
    return SENTENCES["no_hours"].format(of=" for at least one run" if "runs" in run else "")


def _table(run: Run) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of the table of a run, or of several."""
    if "runs" in run:
        return _table_of_runs(run)
    intensity = kind_of_intensity(run)
    rows = [
        [
            "energy",
            quantities.energy(run["energy_mwh"]),
            _interval(run, "energy_mwh"),
            "metered x PUE" if run["energy_basis"] == "measured" else words.basis(run["energy_basis"]),
        ],
        [
            "CO2e, gross",
            quantities.mass(run["co2e_gross_t"]),
            _interval(run, "co2e_gross_t"),
            f"location-based, {intensity}",
        ],
        ["CO2e, life-cycle", "not known", "", UNKNOWN["co2e_lifecycle_t"]]
        if run.get("co2e_lifecycle_t") is None
        else [
            "CO2e, life-cycle",
            quantities.mass(run["co2e_lifecycle_t"]),
            _interval(run, "co2e_lifecycle_t"),
            "to compare runs",
        ],
        ["CO2e, market-based", "not known", "", UNKNOWN["co2e_market_t"]]
        if run.get("co2e_market_t") is None
        else [
            "CO2e, market-based",
            quantities.mass(run["co2e_market_t"]),
            _interval(run, "co2e_market_t"),
            _market_source(run),
        ],
        ["CO2e, net", "not known", "", _no_net(run)]
        if run["co2e_net_t"] is None
        else [
            "CO2e, net",
            quantities.mass(run["co2e_net_t"]),
            _interval(run, "co2e_net_t"),
            f"{words.basis(run['net_basis'])}, {intensity}",
        ],
    ]
    for name, about in run["factors"].items():
        if about["value"] is not None and about["gsd"] is not None:
            value = f"{value_of(about)} {words.unit(name)}".strip()
            spread = f"x/÷ {width_of(name, about['value'], about['gsd']):.2f}"
            rows.append([words.factor(name), value, spread, words.basis_of(about) + _year(about, ", ")])
    return ["quantity", "value", "90 % interval", "basis"], rows


def _table_of_runs(run: Run) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            name,
            _hardware(each) or "not stated",
            _location(each) or "not stated",
            _value(each, "pue"),
            f"{_value(each, 'gross_kg_per_kwh')}{_year(each['factors']['gross_kg_per_kwh'], ', ')}, "
            f"{_grid_basis(each)}",
            *_figures(each),
        ]
        for name, each in zip(_names(run["runs"]), run["runs"], strict=True)
    ]
    rows.append(["total", "", "", "", "", *_figures(run)])
    return [
        "run", "hardware", "location", "PUE", "grid intensity (kg/kWh), year, basis",
        "energy (90 % interval)", "CO2e, gross (90 % interval)", "CO2e, market-based",
    ], rows  # fmt: skip


def _names(runs: Sequence[Run]) -> list[str]:
    """A name for each run that no other run has: runs of one name are numbered."""
    given = [str(run["model"] or "run") for run in runs]
    counts, taken, names = Counter(given), set(given), []
    numbers: Counter[str] = Counter()
    for name in given:
        unique = name
        while counts[name] > 1 and unique in taken:
            numbers[name] += 1
            unique = f"{name} ({numbers[name]})"
        taken.add(unique)
        names.append(unique)
    return names


def _figures(run: Run) -> list[str]:
    energy = [run[f"energy_mwh{end}"] for end in ("", "_p05", "_p95")]
    gross = [run[f"co2e_gross_t{end}"] for end in ("", "_p05", "_p95")]
    market = run.get("co2e_market_t")
    return [
        quantities.energy_interval(*energy),
        quantities.mass_interval(*gross),
        "not known" if market is None else quantities.mass(market),
    ]


def _properties(run: Run) -> list[tuple[str, str]]:
    """What a bill of materials has no field for: intervals, net, accounting, dataset."""
    net = (
        f"not known: {_no_net(run)}"
        if run["co2e_net_t"] is None
        else f"{quantities.mass(run['co2e_net_t'])} ({words.basis(run['net_basis'])})"
    )
    about = [(name, str(run[name])) for name in ("left_out", "within_country", "metering") if run.get(name)]
    return [
        *((name.replace("_", " "), says) for name, says in about),
        ("energy, 90 % interval", _interval(run, "energy_mwh")),
        ("gross CO2e, 90 % interval", _interval(run, "co2e_gross_t")),
        ("grid intensity", _grid(run)),
        ("co2e accounting", f"operational, location-based, on {_intensity(run)}"),
        ("market-based CO2e", _market_based(run)),
        ("experiments and failed runs", overhead(run)),
        ("net CO2e", net),
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
    hours = [_hours_of(each) for each in _runs(run)]
    if any(each is None for each in hours):
        return ""
    if "runs" not in run and run.get("chip_hours"):
        return _value(run, "chip_hours")
    return exact(math.fsum(each for each in hours if each))


def _hours_of(run: Run) -> float | None:
    if run.get("chip_hours"):
        return float(run["chip_hours"])
    given = run.get("chips") and run.get("training_hours")
    return float(run["chips"] * run["training_hours"]) if given else None


def _sum_of(runs: Sequence[Run], column: str) -> str:
    """The sum of what all runs state, as given; empty where one does not."""
    values = [run.get(column) for run in runs]
    return exact(math.fsum(value for value in values if value)) if all(values) else ""


def _how(run: Run) -> str:
    if run["energy_basis"] == "partly_measured":
        return SENTENCES["partly_metered"]
    if run["energy_basis"] == "measured":
        return SENTENCES["metered" if run.get("metering") else "measured"]
    if "runs" in run:
        ways = [way for way, is_of in WAYS.items() if any(map(is_of, run["runs"]))]
        return f"each run's {', or its '.join(ways)}{',' if len(ways) > 1 else ''} x PUE"
    bases = (run["chip_hours_basis"], run["watts_basis"], run["pue_basis"])
    hours, watts, pue = (words.basis(basis) for basis in bases)
    return SENTENCES["computed"].format(hours=hours, watts=watts, pue=pue)


def _hardware(run: Run) -> str:
    """The accelerators with their number; of several runs, if they are the same ones."""
    if not run.get("hardware_name"):
        chips = run.get("chips")
        return SENTENCES["unnamed"].format(chips=quantities.counted(chips, "accelerator")) if chips else ""
    name = str(run["hardware_name"])
    if run.get("is_ambiguous_hardware"):
        name += SENTENCES["variant"]
    return f"{run['chips']:,} x {name}" if run.get("chips") else name


def _location(run: Run) -> str:
    state, country = run.get("site_state"), run.get("site_country")
    parts = (
        run.get("cloud_region"),
        locations.state_name(state) if state else None,
        locations.country_name(country) if country else None,
    )
    return ", ".join(str(part) for part in parts if part)


def _each(run: Run, what: Callable[[Run], str]) -> str:
    """Hardware or location of a run; of several, each with the number of its runs. Empty if none is known."""
    if "runs" not in run:
        return what(run)
    counts = Counter(what(each) for each in run["runs"])
    if not any(counts):
        return ""
    shown = [f"{name or 'not stated'} ({quantities.counted(n, 'run')})" for name, n in counts.most_common()]
    return "; ".join([*shown[:NAMED], *[f"and {len(shown) - NAMED:,} more"] * (len(shown) > NAMED)])


def _interval(run: Run, column: str) -> str:
    span = quantities.energy_span if column.endswith("_mwh") else quantities.mass_span
    return span(run[f"{column}_p05"], run[f"{column}_p95"])


def number(value: float) -> str:
    """Three significant digits, thousands with a comma."""
    shown = float(f"{value:.3g}")
    return f"{shown:,.0f}" if abs(shown) >= 100 else f"{shown:.3g}"


def exact(value: float) -> str:
    """A given number or a product of such, to two decimals and at least six significant digits."""
    return f"{rounded(value, 2, 6):,.12g}"


def rounded(value: float, decimals: int, least: int = 4) -> float | int:
    """A number to some decimals, and to four significant digits at the least: 0.4332 stays so."""
    if not value:
        return 0
    digits = max(decimals, least - 1 - math.floor(math.log10(abs(value))))
    return round(value, digits) if digits > 0 else round(value)


def _latex(text: str) -> str:
    escaped = "".join(LATEX.get(mark, mark) for mark in text)
    escaped = re.sub("-(?=-)", "-{}", escaped).replace("x/÷", "$\\times/\\div$").replace("CO2e", "CO$_2$e")
    return re.sub(r" x (?=\S)", r" $\\times$ ", escaped)


def _identity(run: Run) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, json.dumps(run, sort_keys=True, default=str))


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
