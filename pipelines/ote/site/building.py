"""Write the site of a release: every page, then the check of every link, then one rename.

Belongs here: rendering and writing. Does not belong here: what a page says.
"""

import hashlib
import itertools
import json
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jinja2
from markupsafe import Markup

from ote import catalog
from ote.names import one_line
from ote.places import name_of
from ote.releases import reading
from ote.site import engine, evidence, guides, llms, markup, pages, parts, questions, scope, subjects, sums
from ote.site.data import Data, opened

HERE = Path(__file__).parent
FOLDER = "site"  # of a warehouse, and next to published releases
MADE = "site.json"  # of which release and templates a site was made
SHOWN = 10  # dead links of a message
LINKS = re.compile(r'href="([^"]*)"'), re.compile(r'src="([^"]*)"')  # one by one: ten times as fast
BLANKS = re.compile(r"\n\s*\n")
NAV = (
    ("index.html", "Runs"),
    ("totals.html", "Totals"),
    ("trends.html", "Growth"),
    ("organisations.html", "Organisations"),
    ("accelerators.html", "Accelerators"),
    ("locations.html", "Locations"),
    ("sources.html", "Sources"),
    ("accuracy.html", "How accurate"),
    ("disclosure.html", "Who discloses"),
    ("quality.html", "Energy and scores"),
    ("paper.html", "2021 paper, checked"),
    ("query.html", "Query"),
    ("your-run.html", "Your run"),
    ("download.html", "Download and cite"),
    ("docs/index.html", "Guides"),
)
UNDER = {  # the page of the menu that a page belongs to, by its folder
    "run": "index.html",
    "organisation": "organisations.html",
    "hardware": "accelerators.html",
    "location": "locations.html",
    "groups": "locations.html",
    "source": "sources.html",
    "docs": "docs/index.html",
    "without-estimate.html": "index.html",
    "rates.html": "index.html",
    "left-out.html": "totals.html",
}
GUIDES = (("docs/corrections.html", "Correct a number"), ("docs/glossary.html", "Glossary"))  # of every page


class DeadLinkError(Exception):
    """A page leads to a page, file or part that is not there."""


class TwoPagesError(Exception):
    """Two pages would have one name."""


def build(release: Path, site: Path) -> int:
    """Write the site of a release; the number of its pages. What was there before is replaced at the end.

    Args:
        release: the folder of a release.
        site: the folder to write.

    Raises:
        DeadLinkError, TwoPagesError, BadIdentifierError: the site would not be whole; nothing was replaced.
        BrokenReleaseError, OSError: the release cannot be read, or the folder not written.
    """
    release = release.resolve()
    data = opened(release)
    partial = site.with_name(f".{site.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        texts = _texts(data)
        statics = _statics()
        check_links(texts, {*statics, *_files(data)})
        for name, content in (*statics.items(), *((name, text.encode()) for name, text in texts.items())):
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        made = {"version": data.manifest["version"], "made_of": fingerprint(release)}
        (partial / MADE).write_text(json.dumps(made), encoding="utf-8")
        _replace(partial, site)
    finally:
        data.connection.close()
        shutil.rmtree(partial, ignore_errors=True)
    return sum(name.endswith(".html") for name in texts)


def fingerprint(release: Path) -> str:
    """A checksum of all that a site is made of: the release, the guides, the templates and the code."""
    digest = hashlib.sha256((release / reading.SUMS).read_bytes() + questions.method().encode())
    shown = [catalog.ROOT / name for name, _ in guides.pictures(catalog.ROOT)]
    guide_files = [*(catalog.ROOT / "docs").rglob("*.md"), *catalog.ROOT.glob("CONTRIBUTING.md"), *shown]
    code = [
        *HERE.rglob("*"),
        *engine.contents().values(),
        *(catalog.ROOT / "sql" / "site").glob("*.sql"),
        catalog.ROOT / "catalog.yaml",
    ]
    for file in sorted([*guide_files, *code]):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(f"{name_of(file)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def last(warehouse: Path) -> Path | None:
    """The release, or draft, that was built last in a warehouse; else the latest release there."""
    try:
        record = json.loads((warehouse / "published.json").read_text(encoding="utf-8"))
        folder = warehouse / str(record["release"])
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError):
        folder = warehouse / "releases" / "latest"
    return folder if (folder / reading.SUMS).exists() else None


def is_current(release: Path, site: Path) -> bool:
    """Whether a site was made of this release, by this code."""
    try:
        made = json.loads((site / MADE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return False
    return isinstance(made, dict) and made.get("made_of") == fingerprint(release.resolve())


def _texts(data: Data) -> dict[str, str]:
    """Every text file of the site."""
    environment, written = _environment(data), [*guides.pages(catalog.ROOT)]
    there = {page.path for page in written}
    environment.globals["guides"] = [guide for guide in GUIDES if guide[0] in there]
    environment.globals["guide_paths"] = there  # a checkout may have no docs/
    texts: dict[str, str] = {"runs.json": pages.on_demand(data), "estimate.json": questions.method()}
    listed, navigation = [], {path for path, _ in NAV}
    for page in itertools.chain(_pages(data), written):
        if page.path in texts:
            raise TwoPagesError(f"{page.path}: two pages of the site have this name.")
        shown: dict[str, Any] = {
            "title": page.title,
            "about": page.about,
            "here": page.path,
        }
        text = environment.get_template(page.template).render(page.context | shown)
        # Templates write links from the top folder; no text from the data holds a bare quotation mark.
        texts[page.path] = BLANKS.sub("\n", text).replace('="~/', f'="{"../" * page.path.count("/")}')
        if page.path in navigation | there:
            listed.append(page)
    texts[llms.NAME] = llms.text(data, listed)
    return texts


def _pages(data: Data) -> Iterator[parts.Page]:
    yield pages.first(data)
    yield from pages.of_runs(data)
    yield from pages.of_merged(data)
    yield from pages.of_groups(data)
    yield from subjects.pages(data)
    yield from evidence.all_pages(data)
    yield from sums.pages(data)
    yield from scope.pages(data)
    yield from questions.pages(data)
    yield pages.not_found()


def _environment(data: Data) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        finalize=lambda value: parts.whole(value) if type(value) is str else value,
    )
    environment.filters |= {
        "badge": markup.badge,
        "cell": markup.cell,
        "marks": markup.marks,
        "runs": markup.runs,
        "table": markup.table,
    }
    environment.globals |= {
        "version": data.manifest["version"],
        "license": data.manifest["license"],
        "date": data.released,
        "header": _headers(environment),
        "json_ld": "",
    }
    return environment


def _headers(environment: jinja2.Environment) -> Callable[[str], Markup]:
    """The header of a page, which is the same for all pages of one entry of the menu."""
    template, entries = environment.get_template("header.html"), {path for path, _ in NAV}
    made = cache(lambda here, under: Markup(template.render(nav=NAV, here=here, under=under)))
    return lambda here: made(here if here in entries else "", UNDER.get(here.split("/")[0], ""))


def _statics() -> dict[str, bytes]:
    """The files that are copied, by their place in the site."""
    here = {f"static/{file.name}": file.read_bytes() for file in sorted((HERE / "static").iterdir())}
    there = {name: file.read_bytes() for name, file in engine.contents().items()}
    return here | there | dict(guides.pictures(catalog.ROOT))


def _files(data: Data) -> Iterator[str]:
    """The files of the release, as pages of the top folder see them."""
    version = data.manifest["version"]
    return (f"../{version}/{name}" for name in reading.checksums(data.folder))


def check_links(texts: dict[str, str], files: set[str]) -> None:
    """Follow every link of every page.

    Args:
        texts: the pages, by their place in the site.
        files: what else is there.

    Raises:
        DeadLinkError: names the first links that lead nowhere.
    """
    there, dead, good = {*texts, *files}, [], set[tuple[str, str]]()
    for name, text in texts.items():
        if not name.endswith(".html"):
            continue
        folder = posixpath.dirname(name)
        for link in {link for kind in LINKS for link in kind.findall(text)}:
            if (folder, link) in good or link.startswith(("https://", "http://")):
                continue
            if _leads(link, name, there, texts):
                good |= {(folder, link)} if not link.startswith("#") else set()
            else:
                dead.append(f"{name}: {link}")
    if dead:
        more = f", and {len(dead) - SHOWN:,} more" if len(dead) > SHOWN else ""
        shown = "; ".join(one_line(link, 200) for link in sorted(dead)[:SHOWN])
        raise DeadLinkError(f"The site was not written: these links lead nowhere: {shown}{more}.")


def _leads(link: str, of: str, there: set[str], texts: dict[str, str]) -> bool:
    """Whether a link of a page leads to a file of the site or the release, and to a part that it has."""
    address = urlsplit(unescape(link))
    path = posixpath.join(posixpath.dirname(of), unquote(address.path))
    target = posixpath.normpath(path) if address.path else of
    part = unquote(address.fragment)
    return (
        not address.scheme
        and target in there
        and (not part or f' id="{escape(part)}"' in texts.get(target, ""))
    )


def _replace(partial: Path, site: Path) -> None:
    """Put a whole site in the place of another."""
    old = site.with_name(f".{site.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    partial.rename(site)
    shutil.rmtree(old, ignore_errors=True)
