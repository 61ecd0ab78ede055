"""llms.txt: what the site has, for programs that read text (https://llmstxt.org).

Belongs here: which pages and files it names. Does not belong here: what they say.
"""

from collections.abc import Sequence

from ote import catalog
from ote.site import parts
from ote.site.data import Data

NAME = "llms.txt"
RULES = (
    "Report the 90 % interval (`_p05` to `_p95`) with each value, and its basis and source. "
    "A null value is unknown: never fill it in. Gross (location-based) and net emissions are different "
    "things. Do not add up medians: `ote total` adds up runs."
)


def text(data: Data, listed: Sequence[parts.Page]) -> str:
    """The text.

    Args:
        data: the release.
        listed: the pages that it names: those of the navigation, and the guides.
    """
    dataset = catalog.dataset()
    lines = [
        f"# {dataset.title}",
        "",
        f"> {dataset.description} Release {data.manifest['version']}, licence {data.manifest['license']}.",
        "",
        RULES,
        "",
        "A program can ask the dataset itself: `ote mcp` answers over the Model Context Protocol, with the "
        "tools find_runs, why, estimate, where, explain and sql. `import ote` has the same as functions.",
        "",
        "## Pages",
        "",
        *(_line(page) for page in listed if not page.path.startswith("docs/")),
        "",
        "## Guides",
        "",
        *(_line(page) for page in listed if page.path.startswith("docs/")),
        "",
        "## Tables",
        "",
        *(f"- `{table.stem}`: {' '.join(table.description.split())}" for table in catalog.public_tables()),
    ]
    return "\n".join(lines) + "\n"


def _line(page: parts.Page) -> str:
    return f"- [{page.title}]({page.path}): {' '.join(page.about.split())}"
