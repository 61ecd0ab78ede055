"""The page of `import ote`: every function and error, from their docstrings.

Belongs here: taking docstrings apart and putting them into a page. Does not belong here: what a function
does, its units, errors or sources (api.py and the modules of the errors).
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

import ote
from ote import api

SECTION = re.compile(r"^(Args|Returns|Raises|Example):\n", re.MULTILINE)
ENTRY = re.compile(r"^ {4}(\*{0,2}\w+): ", re.MULTILINE)


class UndocumentedError(Exception):
    """A function or an argument has no text."""


def page() -> str:
    """docs/python.md: the functions, and the errors that they raise.

    Raises:
        UndocumentedError: an argument of a function is not described, or is described and not there.
    """
    members = {name: getattr(ote, name) for name in sorted(ote.__all__)}
    functions = {name: it for name, it in members.items() if inspect.isfunction(it)}
    errors = {name: it for name, it in members.items() if inspect.isclass(it)}
    units = _paragraphs(inspect.getdoc(api) or "")[1]
    lines = [
        "# Python",
        "",
        "`import ote` answers in Python what the commands answer. Install the package with `make wheel` and "
        "`pip install dist/*.whl`.",
        "",
        units,
        "",
        *_table(
            ("function", "what it does"),
            [(f"[`ote.{name}`](#{name})", _summary(it)) for name, it in functions.items()],
        ),
        *(line for name, it in functions.items() for line in _function(name, it)),
        "## Errors",
        "",
        "Every error is an `ote.Error`.",
        "",
        *_table(("error", "meaning"), [(f"`ote.{name}`", _summary(it)) for name, it in errors.items()]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _function(name: str, function: Callable[..., Any]) -> list[str]:
    text, parts = _parts(inspect.getdoc(function) or "")
    arguments = _entries(parts.get("Args", ""))
    signature = inspect.signature(function)
    if {word.lstrip("*") for word in arguments} != set(signature.parameters):
        raise UndocumentedError(f"ote.{name}: expected a text for each of {', '.join(signature.parameters)}")
    lines = [f"## {name}", "", text, "", "```text", _signature(name, signature), "```", ""]
    if arguments:
        rows = [(f"`{word}`", says) for word, says in arguments.items()]
        lines += _table(("argument", "meaning"), rows)
    if "Returns" in parts:
        lines += [f"**Returns** {_plain(parts['Returns'])}", ""]
    if raised := _entries(parts.get("Raises", "")):
        lines += _table(("error", "raised if"), [(f"`ote.{word}`", says) for word, says in raised.items()])
    if "Example" in parts:
        lines += ["```text", inspect.cleandoc(parts["Example"]), "```", ""]
    return lines


def _parts(doc: str) -> tuple[str, dict[str, str]]:
    """The text before the first section of a docstring, and the text of each section."""
    text, *rest = SECTION.split(doc)
    return text.strip(), dict(zip(rest[::2], rest[1::2], strict=True))


def _entries(section: str) -> dict[str, str]:
    """The entries of a section such as Args, by name."""
    _, *rest = ENTRY.split(section)
    return {name: _plain(says) for name, says in zip(rest[::2], rest[1::2], strict=True)}


def _signature(name: str, signature: inspect.Signature) -> str:
    """A call with its arguments, a line for each."""
    bare = signature.replace(return_annotation=inspect.Signature.empty)
    arguments = [
        str(parameter.replace(annotation=inspect.Parameter.empty))
        for parameter in bare.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    kinds = [parameter.kind for parameter in bare.parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds and inspect.Parameter.KEYWORD_ONLY in kinds:
        arguments.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    more = ["**run"] if inspect.Parameter.VAR_KEYWORD in kinds else []
    return f"ote.{name}({', '.join(arguments + more)})"


def _summary(documented: Any) -> str:
    return _plain(_paragraphs(inspect.getdoc(documented) or "")[0])


def _paragraphs(doc: str) -> list[str]:
    return doc.split("\n\n")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _table(headers: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    cells = [headers, ("---", "---"), *rows]
    return [*(f"| {a} | {b.replace('|', chr(92) + '|')} |" for a, b in cells), ""]
