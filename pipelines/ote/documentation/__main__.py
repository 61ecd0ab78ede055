"""Write the pages and the chart that follow from the catalog, the commands and the published database.

Usage: python -m ote.documentation [DATABASE]; the default is warehouse/emissions.duckdb.
"""

import sys
from pathlib import Path

import duckdb

from ote import catalog
from ote.documentation import pages


def main(database: Path) -> None:
    """Write every page that differs, and name it; leave the others."""
    with duckdb.connect(str(database), read_only=True) as connection:
        written = pages.pages(catalog.ROOT, connection)
    for path, text in written.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(catalog.ROOT))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else catalog.ROOT / "warehouse" / "emissions.duckdb"))
