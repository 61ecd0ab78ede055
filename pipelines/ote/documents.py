"""JSON that others wrote: read within limits, and refused in one sentence where it is not what was expected.

Belongs here: parsing, and the shape of a document as data. Does not belong here: which document has which
shape.

A shape is a type; a tuple of types; a list of one shape, of each item; or a mapping of shapes by key. A key
that ends in `?` may be missing, and the key `*` stands for every key.
"""

import json
import unicodedata
from typing import Any

from ote.names import shown

Shape = Any
NUMBER = (int, float)
CONTROLS = ("Cc", "Cf", "Cs")  # escapes of a terminal, marks that turn text around, halves of a character
ANYTHING = (object, bool)
KINDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


class MalformedError(ValueError):
    """A document is not of the expected form; the message says where, what is there and what was expected."""


def parse(text: str | bytes, shape: Shape, where: str) -> Any:
    """The content of a JSON document of a known shape.

    Args:
        text: the document.
        shape: what it must be.
        where: its name in messages.

    Raises:
        MalformedError: it is not JSON (which has no NaN), nests too deep, names a key twice, or has another
            shape.
    """
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_not_json)
    except RecursionError:
        raise MalformedError(f"{where}: lists or objects are nested too deep") from None
    except ValueError as error:
        raise MalformedError(f"{where}: no JSON ({_cause(error)})") from None
    if problem := mismatch(document, shape):
        raise MalformedError(f"{where}: {problem}")
    return document


def _cause(error: ValueError) -> str:
    """Where a text stops being JSON, without the words of the parser."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return "a number has too many digits" if "integer string" in str(error) else str(error)


def unprinted(value: Any, at: str = "") -> str | None:
    """The first text in a value with a character that is not printed, such as an escape; None without one."""
    if isinstance(value, dict):
        return next(
            (f for k, v in value.items() if (f := unprinted(k, at) or unprinted(v, f"{at}.{k}"))), None
        )
    if isinstance(value, list):
        return next((found for n, v in enumerate(value) if (found := unprinted(v, f"{at}[{n}]"))), None)
    odd = [c for c in value if unicodedata.category(c) in CONTROLS] if isinstance(value, str) else []
    return f"{at.strip('.')}: {shown(value)} holds U+{ord(odd[0]):04X}, which is not printed" if odd else None


def mismatch(value: Any, shape: Shape, at: str = "") -> str | None:
    """What in a value differs from a shape, in words, or None."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return _expected(value, (dict,), at)
        return _of_members(value, shape, at)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _expected(value, (list,), at)
        found = (mismatch(item, shape[0], f"{at}[{number}]") for number, item in enumerate(value))
        return next((says for says in found if says), None)
    types = shape if isinstance(shape, tuple) else (shape,)
    is_right = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    return None if is_right else _expected(value, types, at)


def _of_members(value: dict[str, Any], shape: dict[str, Shape], at: str) -> str | None:
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name != "*" and name not in value:
            if key == name:
                return f"{_member(at, name)} is missing"
            continue
        for found in value if name == "*" else [name]:
            if says := mismatch(value[found], inner, _member(at, found)):
                return says
    return None


def _member(at: str, name: str) -> str:
    return f"{at}.{shown(name)[1:-1]}" if at else shown(name)[1:-1]


def _expected(value: Any, types: tuple[type, ...], at: str) -> str:
    wanted = " or ".join(KINDS[kind] for kind in types)
    return f"{at or 'the whole'} is {shown(value)}, expected {wanted}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} appears twice")
    return document


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
