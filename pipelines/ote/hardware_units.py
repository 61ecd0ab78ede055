"""What software counts and a data sheet does not: dies, GPUs of a board with several, cores, slices of TPUs.

Belongs here: warehouse/reference/hardware_units.csv, and the chips that a number of such units is. Does not
belong here: which accelerator a spelling is (sql/estimate/runs.sql), or what it draws.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ote.answers import quantities
from ote.places import REFERENCE

TABLE = REFERENCE / "hardware_units.csv"
PERSONAL_NAMES = (
    r"\b(?:geforce|[gr]tx \d{3,4}|laptop|mobile|max-q|apple|m[1-5](?: (?:pro|max|ultra))?$|jetson|titan|"
    r"quadro|radeon rx|radeon (?:pro )?(?:\d{3}m|vega|graphics)|ryzen|core i\d|core ultra|iris|uhd graphics|"
    r"hd graphics|arc graphics|adreno)\b"
)
PERSONAL = (
    "a chip for laptops, desktops or embedded boards, but its energy is multiplied by the PUE of data "
    "centers. Outside a data center give --pue 1, which adds nothing for cooling and power supply."
)
# What a name that is of a generation, as schedulers have it, may mean.
GENERATIONS = {
    "kepler": "K20, K40 or K80",
    "maxwell": "M40, M60 or GTX TITAN X",
    "pascal": "P4, P40, P100 or GTX 1080 Ti",
    "volta": "V100 or TITAN V",
    "turing": "T4, RTX 2080 Ti or Quadro RTX 8000",
    "ampere": "A100, A40, A30, A10 or RTX 3090",
    "ada": "L4, L40, L40S or RTX 4090",
    "lovelace": "L4, L40, L40S or RTX 4090",
    "hopper": "H100, H200 or GH200",
    "blackwell": "B200, B300 or GB200",
    "cdna3": "MI300A or MI300X",
    "cdna2": "MI210, MI250 or MI250X",
    "cdna": "MI100",
}
MAKERS = frozenset(("nvidia", "tesla", "geforce", "amd", "radeon", "instinct", "google", "cloud"))
# Parts of a chip by MIG: seven are the whole, and four of an A30.
SLICE_OF_GPU = r"(?!4g\.24gb)[1-6]g\.\d+gb"
SLICE = r"(?:google\s+)?(?:cloud\s+)?(?:tpu[\s_-]*)?(v\d+[a-z]*)-(\d+)"  # v3-8, tpu-v4-32, v5litepod-16


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A part of an accelerator that some software calls a GPU, or that the names of slices count."""

    name: str
    hardware_id: str
    per_chip: int
    counted_by: tuple[str, ...]

    @property
    def model(self) -> str:
        """The accelerator, in a spelling of the dataset."""
        return self.name.rsplit(" ", 1)[0]

    @property
    def noun(self) -> str:
        """What one unit is: GCD, GPU, core or chip."""
        return self.name.rsplit(" ", 1)[1]


@dataclass(frozen=True, kw_only=True)
class Counting:
    """What one piece of what was named is in chips."""

    model: str
    chips_each: float
    says: str


@cache
def units() -> tuple[Unit, ...]:
    """The rows of hardware_units.csv."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Unit(
                name=row["counted_unit"],
                hardware_id=row["hardware_id"],
                per_chip=int(row["units_per_chip"]),
                counted_by=tuple(row["counted_by"].split(";")),
            )
            for row in csv.DictReader(file)
        )


def named(spelling: str) -> Counting | None:
    """The counting of a name that is a unit (MI250X GCD, TPU v3 core) or a slice of them (v3-8)."""
    text = re.sub(r"tpu\s*v", "tpu v", spelling.strip().lower())
    if found := re.fullmatch(SLICE, text):
        generation, size = found[1].replace("litepod", "e"), int(found[2])
        for unit in units():
            if "slice" in unit.counted_by and unit.model.lower() == f"tpu {generation}" and size:
                says = f"{spelling.strip()} is a slice of {quantities.counted(size, unit.noun)}"
                if unit.per_chip > 1:
                    says += f" = {size / unit.per_chip:g} chips ({unit.per_chip} {unit.noun}s to a chip)"
                return Counting(model=unit.model, chips_each=size / unit.per_chip, says=says)
    words = words_of(re.sub(r"\btensor\s*core", "core", text))
    for unit in units():
        if words == words_of(unit.name):
            return _part(unit, spelling)
    return None


def slice_in(text: str) -> str:
    """The slice of TPUs that a text names, as the SKU 'TPU v3-8 running in Netherlands' does; else empty."""
    found = re.search(rf"\b{SLICE}\b", text, re.IGNORECASE)
    name = f"TPU {found[1].lower()}-{found[2]}" if found else ""
    return name if named(name) else ""


def counted(spelling: str, by: str) -> Counting | None:
    """The counting of an accelerator whose parts are called GPUs by a driver, a scheduler or a bill."""
    text = re.sub(r"[_\s]+", " ", spelling.lower())
    for unit in units():
        if by in unit.counted_by and re.search(rf"(?<![a-z0-9]){unit.model.lower()}(?![a-z0-9])", text):
            return _part(unit, spelling)
    return None


def hint(hardware_id: str | None) -> str | None:
    """What to do where a run names such an accelerator whole, and its number may be one of parts."""
    for unit in units():
        if unit.hardware_id == hardware_id and unit.per_chip > 1:
            return (
                f"Counted as whole {unit.model}, of {unit.per_chip} {unit.noun}s each. "
                f'If the number counts {unit.noun}s, name the hardware "{unit.name}".'
            )
    return None


def generation(name: str) -> str:
    """What to give instead of a name that is of a generation of chips, such as volta; else empty."""
    for word, chips in GENERATIONS.items():
        if re.search(rf"(?<![a-z]){word}(?![a-z])", name.lower()):
            return f"is a generation of accelerators; give the accelerator, such as {chips}"
    return ""


def is_personal(name: str) -> bool:
    """Whether an accelerator is made for laptops, desktops or embedded boards, after its name."""
    return re.search(PERSONAL_NAMES, name, re.IGNORECASE) is not None


def notes_on(run: Mapping[str, Any]) -> list[str]:
    """How the accelerators of an estimated run were counted, and which variant was assumed; sentences."""
    notes = []
    if run.get("counting"):
        number = f", so {run['chips']:,} in all" if run.get("chips") else ""
        notes.append(f"Counted: {run['counting']}{number}.")
    elif says := hint(run["hardware_id"]):
        notes.append(says)
    if run["is_ambiguous_hardware"] and run["energy_basis"] == "computed":
        notes.append(
            f"The name can mean several variants, and {run['hardware_name']} is assumed; "
            "the exact name (SXM, PCIe, memory) narrows the interval of the power."
        )
    if run["hardware_id"] is None and run["hardware_name"]:
        notes.append(
            f"{run['hardware_name']!r} is not an accelerator known here: the name is kept as text, and the "
            "limits of its energy per hour cannot be checked."
        )
    if is_personal(run["hardware_name"] or "") and run["pue_basis"] != "disclosed":
        notes.append(f"The accelerator is {PERSONAL}")
    return notes


def _part(unit: Unit, spelling: str) -> Counting:
    says = (
        f"{spelling.strip()}: {unit.per_chip} {unit.noun}s are 1 {'chip' if unit.noun == 'core' else 'board'}"
    )
    return Counting(model=unit.model, chips_each=1 / unit.per_chip, says=says)


def words_of(name: str) -> frozenset[str]:
    """The words of an accelerator's name without its maker's and its line of products."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"(gcd|gpu|core|die|chip)s$", r"\1", name.lower()))
    return frozenset(words) - MAKERS
