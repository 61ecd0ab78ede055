"""Read catalog.yaml and judge it: each problem by line, entry and key, with what was expected.

Belongs here: what an editor of the file gets wrong. Does not belong here: the form of an entry, or what is
looked up (catalog.py). Its libraries take a tenth of a second: catalog.py imports it when it reads the file.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from ote.catalog import CatalogError, Document, Form, Meaning, Renamed, Upstream

ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.~%+-]+)*/?", re.ASCII)  # of a folder on a web server
LAYERS = ("raw", "core", "support", "out")
SOURCES = Path(__file__).parent / "sources"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is it: half a second less
NUMBER = "expected a number. Write one without quotes."
NAMES = "expected names with values. Write each name with its values in a line of its own."
KEYS = "expected keys with values. Write each key in a line of its own, or {key: value, ...}."
LIST = "expected a list. Write [one, another]."
DAY = "expected a day. Write YYYY-MM-DD."
EXPECTED = {  # and what to do, by the type of what pydantic finds
    "string_type": "expected text. Put it in double quotes.",
    "int_type": "expected a whole number. Write one without quotes.",
    "int_from_float": "expected a whole number. Write one without a fraction.",
    "float_type": NUMBER,
    "finite_number": "expected a finite number. Leave the key out if there is no limit.",
    "bool_type": "expected true or false. Write one of them without quotes.",
    "dataclass_type": KEYS,
    "dict_type": NAMES,
    "list_type": LIST,
    "tuple_type": LIST,
    "frozen_set_type": LIST,
    "date_type": DAY,
    "date_parsing": DAY,
    "date_from_datetime_parsing": DAY,
}


@dataclass(frozen=True)
class Problem:
    """What is wrong under some keys, from the top of the file; line: where, if not where they are."""

    keys: tuple[str, ...]
    says: str
    line: int = 0


def read(path: Path) -> Document:
    """The catalog, if nothing is wrong in it.

    Raises:
        CatalogError: the file is missing, is not YAML, or an entry is not what it must be.
    """
    try:
        loader = LOADER(path.read_text(encoding="utf-8"))
        root = loader.get_single_node() or yaml.ScalarNode("tag:yaml.org,2002:null", "")
        problems = list(_defined_twice(root))
        loaded = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CatalogError(
            f"{path}, line {mark.line + 1 if mark else 1}: not YAML: {error.problem}. "
            "Look for a quote, bracket or colon too many or too few, or a wrong indent, there or above."
        ) from None
    except (yaml.reader.ReaderError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: not text in UTF-8: {error.reason}. Save it as UTF-8.") from None
    except FileNotFoundError:
        raise CatalogError(f"{path}: missing. Restore it with: git checkout {path.name}") from None
    if not problems:
        try:
            text = json.dumps(loaded, default=str)  # strict types of YAML are those of JSON, but for days
            document = TypeAdapter(Document).validate_json(text)
            problems = list(_contradictions(document))
        except ValidationError as error:
            problems = _mistyped(error, root)
    if problems:
        lines = {f"{path}, {_place(root, problem)}: {problem.says}": None for problem in problems}
        raise CatalogError("\n".join(lines))
    return document


def _place(root: yaml.Node, problem: Problem) -> str:
    """The line and the keys of a problem."""
    line, node = 1, root
    for key in problem.keys:
        if found := _child(node, key):
            line, node = found
    return f"line {problem.line or line}" + (f", {' > '.join(problem.keys)}" if problem.keys else "")


def _child(node: yaml.Node, key: str) -> tuple[int, yaml.Node] | None:
    """The line of a key, or of a place in a list, and what is there."""
    if isinstance(node, yaml.MappingNode):
        found = ((name.start_mark.line + 1, child) for name, child in node.value if name.value == key)
        return next(found, None)
    if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
        child = node.value[int(key)]
        return child.start_mark.line + 1, child
    return None


def _defined_twice(node: yaml.Node, keys: tuple[str, ...] = ()) -> Iterator[Problem]:
    """What has the same name in the same place as something above, which YAML would forget without a word."""
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, child in node.value:
            line, here = key.start_mark.line + 1, (*keys, str(key.value))
            if str(key.value) in first:
                before = first[str(key.value)]
                yield Problem(here, f"defined twice, first in line {before}. Remove one of them.", line)
            first.setdefault(str(key.value), line)
            yield from _defined_twice(child, here)


def _mistyped(error: ValidationError, root: yaml.Node) -> list[Problem]:
    """What is not of the form of its entry; of the two forms that a column may have, of the one meant."""
    found: dict[tuple[str, ...], Problem] = {}
    for item in error.errors():
        forms = {Meaning.__name__, Renamed.__name__} & set(map(str, item["loc"]))
        keys, node = [], root
        for part in map(str, item["loc"]):
            if child := _child(node, part):
                keys.append(part)
                node = child[1]
            elif part in forms and (part == Renamed.__name__) != (_child(node, "deprecated_for") is not None):
                break  # of the other form
        else:
            found[tuple(keys)] = _problem(item, tuple(keys), forms)
    return list(found.values())


def _problem(item: Any, keys: tuple[str, ...], forms: Collection[str]) -> Problem:
    kind, given = item["type"], item["input"]
    if kind == "missing":
        key = str(item["loc"][-1])
        return Problem((*keys, key), f"missing. Add it; needed are {_listed(_form(keys, forms), True)}.")
    if kind == "unexpected_keyword_argument":
        form = _form(keys[:-1], forms)
        near = get_close_matches(keys[-1], [each.name for each in fields(form)], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return Problem(keys, f"unknown key, expected one of {_listed(form)}.{hint} Correct or remove it.")
    shown = {dict: "keys with values", list: "a list", type(None): "nothing"}.get(
        type(given), json.dumps(given, ensure_ascii=False, default=str)
    )
    if kind == "literal_error":
        return Problem(keys, f"{shown}; expected {item['ctx']['expected']}. Write one of them.")
    return Problem(keys, f"{shown}; {EXPECTED.get(kind, item['msg'] + '. Correct it.')}")


def _form(keys: tuple[str, ...], forms: Collection[str]) -> Any:
    """The class of the entry under some keys."""
    found: Any = Document
    for key in keys:
        found = get_type_hints(found)[key] if is_dataclass(found) else get_args(found)[-1]
        if get_origin(found) is UnionType:  # of forms of a column, or a form and None
            choices = [choice for choice in get_args(found) if choice is not NoneType]
            found = next((choice for choice in choices if choice.__name__ in forms), choices[0])
    return found


def _listed(form: Any, needed: bool = False) -> str:
    """The keys of an entry, or those that it needs."""
    return ", ".join(
        each.name
        for each in fields(form)
        if not needed or (each.default is MISSING and each.default_factory is MISSING)
    )


def _contradictions(document: Document) -> Iterator[Problem]:
    """What is right by itself, but does not fit the rest of the file."""
    dataset, names = document.dataset, document.old_names
    if not re.fullmatch(r"\d+\.\d+\.\d+", dataset.version):
        says = f'"{dataset.version}"; expected a version. Write MAJOR.MINOR.PATCH, such as 1.0.0.'
        yield Problem(("dataset", "version"), says)
    if dataset.public_url and not ADDRESS.fullmatch(dataset.public_url):
        says = f'"{dataset.public_url}"; expected the address of a folder, such as https://data.example.org/emissions.'
        yield Problem(("dataset", "public_url"), f'{says} Write one, or "" if there is none.')
    for name, column in document.columns.items():
        yield from _of_column(document, column, ("columns", name))
    for name, table in document.tables.items():
        yield from _of_table(document, table, ("tables", name))
    for name, source in document.sources.items():
        yield from _of_source(document, source, ("sources", name))
    published = {name.removeprefix("out."): form.columns for name, form in document.tables.items()}
    for name, old in names.tables.items():
        yield from _unknown(("old_names", "tables", name, "of"), [old.of], published, "a table")
    for name, renamed in [*names.columns.items(), *((old.of, old.columns) for old in names.tables.values())]:
        yield from _unknown(("old_names", "columns", name), [name], published, "a table")
        for before, now in renamed.items():
            columns = published.get(name, [now])
            yield from _unknown(("old_names", "columns", name, before), [now], columns, f"a column of {name}")


def _of_column(document: Document, column: Meaning | Renamed, keys: tuple[str, ...]) -> Iterator[Problem]:
    if isinstance(column, Renamed):
        yield from _unknown((*keys, "deprecated_for"), [column.deprecated_for], document.columns, "a column")
        return
    if column.is_number and not (column.unit or document.unit(keys[-1])):
        says = "a number without unit, and no suffix under units fits its name. Add unit, or a suffix."
        yield Problem(keys, says)
    if column.unit and not column.is_number:
        yield Problem((*keys, "unit"), f"{column.type} has no unit. Remove the key.")
    known = {*document.units.values(), "varies", "dimensionless"}
    yield from _unknown((*keys, "unit"), [column.unit] if column.unit else [], known, "a unit")
    for least, most in (("min", "max"), ("earliest", "latest")):
        low, high = getattr(column, least), getattr(column, most)
        if low is not None and high is not None and low > high:
            yield Problem((*keys, least), f"{low} is above {most} ({high}). Correct one of them.")


def _of_table(document: Document, table: Form, keys: tuple[str, ...]) -> Iterator[Problem]:
    name = keys[-1]
    if name.split(".")[0] not in LAYERS or name.count(".") != 1:
        yield Problem(keys, f"expected a name that begins with {'., '.join(LAYERS)}. Rename the table.")
    yield from _unknown((*keys, "columns"), table.columns, document.columns, "a column")
    for key in ("key", "required", "limits", "references"):
        yield from _unknown((*keys, key), getattr(table, key), table.columns, "a column of this table")
    for column, target in table.references.items():
        yield from _unknown((*keys, "references", column), [target], document.tables, "a table")
        if target in document.tables and column not in document.tables[target].columns:
            says = f"{target} has no column {column}. Name the table in which its values must exist."
            yield Problem((*keys, "references", column), says)
    if name.startswith("out."):
        yield from _unknown((*keys, "group"), [table.group], document.groups, "a group")


def _of_source(document: Document, source: Upstream, keys: tuple[str, ...]) -> Iterator[Problem]:
    table = source.table or f"raw.{keys[-1]}"
    yield from _unknown((*keys, "table"), [table], document.tables, "a table")
    if not (SOURCES / f"{keys[-1]}.py").exists():
        yield Problem(
            keys, f"{SOURCES / keys[-1]}.py: missing. Write its parser there, or remove the source."
        )
    if table in document.tables:
        columns, limits = document.tables[table].columns, (*keys, "limits")
        yield from _unknown((*limits, "leaps"), source.limits.leaps, columns, f"a column of {table}")
        for name, given in (("frontier", source.limits.frontier), ("likeness", source.limits.likeness)):
            yield from _unknown((*limits, name), given, columns, f"a column of {table}")
        if mix := source.limits.mix:
            named = [mix.column, *mix.parts, *([mix.whole] if mix.whole else [])]
            yield from _unknown((*limits, "mix"), named, columns, f"a column of {table}")


def _unknown(
    keys: tuple[str, ...], names: Iterable[str], known: Collection[str], kind: str
) -> Iterator[Problem]:
    """The names that the file does not define, with the nearest that it does."""
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            yield Problem(keys, f'"{name}" is not {kind}.{hint} Correct it, or define it first.')
