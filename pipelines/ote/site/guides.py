"""The guides and method pages of docs/ as pages of the site.

Belongs here: Markdown to HTML, and where its links lead. Does not belong here: what the guides say (docs/).
"""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from ote.site import parts

COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
READERS = (  # of the guides, and the files for them, in this order; all others are for contributors
    ("Use the data", ("docs/use-the-data.md", "docs/glossary.md", "docs/corrections.md")),
    ("Estimate your own run", ("docs/your-run.md", "docs/scale.md", "docs/commands.md")),
    ("Python", ("docs/python.md", "docs/migration.md")),
    (
        "The method",
        (
            "docs/method/README.md",
            "docs/method/facts.md",
            "docs/method/chip-hours.md",
            "docs/method/power.md",
            "docs/method/pue.md",
            "docs/method/grid.md",
            "docs/method/embodied-and-water.md",
            "docs/method/sums.md",
            "docs/method/accuracy.md",
        ),
    ),
)
ROLES = {  # they keep a table a table where a phone shows its cells as blocks
    "thead_open": "rowgroup",
    "tbody_open": "rowgroup",
    "tr_open": "row",
    "th_open": "columnheader",
    "td_open": "cell",
}
PICTURE = re.compile(r"!\[[^\]]*\]\(([^):]+)\)")  # of this repository


def pages(root: Path) -> Iterator[parts.Page]:
    """A page for each guide, and one that lists them.

    Args:
        root: the checkout.
    """
    files = [*sorted((root / "docs").rglob("*.md")), *root.glob("CONTRIBUTING.md")]
    known = {file.relative_to(root).as_posix(): _path(file.relative_to(root).as_posix()) for file in files}
    listed = {}
    for name, path in known.items():
        text = COMMENT.sub("", (root / name).read_text(encoding="utf-8"))
        heading, _, body = text.strip().partition("\n")
        title = heading.lstrip("# ").strip()
        listed[name] = (parts.Link(text=title, href=path), _first_sentence(body))
        html = rendered(body, partial(_address, of=name, known=known))
        yield parts.Page(
            path=path,
            template="guide.html",
            title=title,
            about=_first_sentence(body),
            context={"html": html},
        )
    about = "The guides are for users, authors and contributors. The pages on the method explain each factor."
    yield parts.page("docs/index.html", "Guides and method", about, [*_by_reader(listed)])


def _by_reader(listed: dict[str, tuple[parts.Link, str]]) -> Iterator[parts.Section]:
    """The list of the guides, by who reads them."""
    rest = tuple(name for name in listed if all(name not in names for _, names in READERS))
    for heading, names in (*READERS, ("Contribute", rest)):
        table = parts.Table(
            caption=heading,
            headers=("Page", "About"),
            rows=[listed[name] for name in names if name in listed],
            is_cut=False,
        )
        yield parts.Section(heading=heading, table=table)


def pictures(root: Path) -> Iterator[tuple[str, bytes]]:
    """The pictures that guides show, by their file in the site."""
    for guide in sorted((root / "docs").rglob("*.md")):
        for name in PICTURE.findall(guide.read_text(encoding="utf-8")):
            file = (guide.parent / name).resolve()
            yield file.relative_to(root).as_posix(), file.read_bytes()


def rendered(text: str, address: Callable[[str], str]) -> Markup:
    """Markdown as HTML; HTML in it is shown as text.

    Args:
        text: the Markdown.
        address: where a link leads on the site; empty for one that leads nowhere there, which becomes text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    parser.add_render_rule("fence", _fence)
    tokens = parser.parse(COMMENT.sub("", text))
    taken: Counter[str] = Counter()
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following:
            word = re.sub(r"[^\w-]+", "-", following.content.lower()).strip("-")
            token.attrSet("id", f"{word}-{taken[word]}" if taken[word] else word)
            taken[word] += 1
        if token.type in ROLES:
            token.attrSet("role", ROLES[token.type])
        for child in token.children or ():
            _lead(child, address)
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # made by a parser that escapes


def _lead(token: Token, address: Callable[[str], str]) -> None:
    if token.type == "link_open":
        href = address(str(token.attrGet("href") or ""))
        if href:
            token.attrSet("href", href)
            return
        token.attrs = {}  # a file of the repository that is not on the site: an anchor without address


def _table_open(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    number = sum(token.type == "table_open" for token in tokens[: index + 1])
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table {number}"><table role="table">\n'
    )


def _table_close(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


def _fence(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """A block of code that the keyboard can scroll."""
    return RendererHTML.fence(self, tokens, index, options, env).replace("<pre>", '<pre tabindex="0">', 1)


def _path(name: str) -> str:
    """The page of a Markdown file: README.md is the first page of its folder."""
    folder, file = posixpath.split(name)
    if file == "CONTRIBUTING.md":
        return "docs/contributing.html"
    stem = "index" if file == "README.md" else file.removesuffix(".md")
    return posixpath.join(folder, f"{stem}.html")


def _address(href: str, of: str, known: dict[str, str]) -> str:
    """Where a link of a guide leads on the site."""
    if re.match(r"https?://|#", href):
        return href
    file, _, part = href.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(of), file))
    if target not in known:
        return ""
    here = posixpath.dirname(known[of])
    return posixpath.relpath(known[target], here) + (f"#{part}" if part else "")


def _first_sentence(body: str) -> str:
    """The first sentence of the first paragraph, without marks."""
    paragraph = next((p for p in body.strip("\n").split("\n\n") if p and p[0] not in " #|`<-"), "")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", paragraph).replace("\n", " ")
    return re.split(r"(?<=[.!?])\s", plain)[0]
