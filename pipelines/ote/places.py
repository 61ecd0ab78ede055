"""Where the files are that the package reads, and where it writes.

Belongs here: paths alone, so that a command that prints its help reads nothing else. A wheel has in ote/data
what a checkout has at its top, and with them the database of its version.
"""

from pathlib import Path

CODE = Path(__file__).parent
DATA = CODE / "data"
IS_INSTALLED = DATA.exists()  # from a wheel; a checkout has no such folder
ROOT = DATA if IS_INSTALLED else CODE.parents[1]
DATABASE = ROOT / "warehouse" / "emissions.duckdb"
REFERENCE = ROOT / "warehouse" / "reference"
BASELINE = ROOT / "warehouse" / "baseline"
# An installed package never changes its own files: what it builds goes to the folder that it is run in.
WAREHOUSE = Path("warehouse") if IS_INSTALLED else ROOT / "warehouse"


def name_of(file: Path) -> str:
    """A file of the project by its path in a checkout, also where it is installed."""
    if file.is_relative_to(ROOT):
        return file.relative_to(ROOT).as_posix()
    return f"pipelines/ote/{file.relative_to(CODE).as_posix()}"


def is_own(folder: Path) -> bool:
    """Whether a folder belongs to an installed package, which nothing may change."""
    return IS_INSTALLED and folder.resolve().is_relative_to(DATA.resolve())
