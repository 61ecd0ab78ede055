"""CPU seconds of making the pages of a release, next to writing the same bytes and computing nothing.

Run: .venv/bin/python benchmarks/pages.py RELEASE, a folder of warehouse/releases or warehouse/drafts.
"""

import sys
import tempfile
import time
from pathlib import Path

from ote.site import building


def main(release: Path) -> None:
    """Print the pages, the CPU seconds, and the ratio to the floor."""
    with tempfile.TemporaryDirectory() as folder:
        site, copy = Path(folder, "site"), Path(folder, "copy")
        begun = time.process_time()
        pages = building.build(release, site)
        ours = time.process_time() - begun
        made = {file.relative_to(site): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        begun = time.process_time()
        for name, content in made.items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(content)
        floor = time.process_time() - begun
    print(f"{pages:,} pages: {ours:.1f} CPU s, {ours / floor:.0f} times writing the same {len(made):,} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
