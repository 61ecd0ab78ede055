"""Which run a name means: the names that people type, matched with the names of the dataset.

Belongs here: matching a name, and what to say where it means no run or several. Does not belong here: what is
known of the run (why.py, where.py), or lists with filters (search.py).
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb

from ote.errors import Error
from ote.ingestion.spelling import spelling_key

SHOWN_RUNS = 8  # of those that a name may mean
NEAREST = 3  # runs that are named instead of a mistyped one
NAMES = """
with names (run_id, name, is_repository) as (
    select run_id, model, false from emissions
    union select run_id, run_id, false from emissions
    union select run_id, model, false from models_without_estimate
    union select run_id, run_id, false from models_without_estimate
    union select run_id, upstream_name, identity_rule = 'hugging_face' from support.model_aliases
)
select names.run_id, names.name, names.is_repository, emissions.covers
from names
left join emissions on names.run_id = emissions.run_id
where names.run_id in (select run_id from emissions union all select run_id from models_without_estimate)
order by emissions.energy_mwh desc nulls last, names.run_id
"""
MODEL = """
select model from emissions where run_id = ? union select model from models_without_estimate where run_id = ?
"""
HUB = re.compile(r"^(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/", re.IGNORECASE)
REPOSITORY = re.compile(r"[\w.-]*\w[\w.-]*/([\w.-]*\w[\w.-]*)(?:/(?:tree|blob|resolve)/.*)?")  # owner/name
# What repositories add to a name for the format of the weights, which says nothing of the training.
FORMAT = re.compile(
    r"[-_ ](?:hf|gguf|gptq|awq|mlx|onnx|safetensors|fp8|fp16|bf16|int[48]|[48]bit|uncased|cased|v0\.\d+)$",
    re.IGNORECASE,
)
# What tells the sizes and editions of one family apart: 70B, 8x22B, A22B, XXL, large, (540B), (Mar 2023).
NUMBER = r"a?\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)?[bmt]"
SIZE = re.compile(rf"[-_ ](?:{NUMBER}|tiny|mini|small|base|medium|large|huge|x{{1,2}}l)$", re.IGNORECASE)
EDITION = re.compile(rf"\s*\((?:{NUMBER}|[a-z]{{3}} \d{{4}})\)$", re.IGNORECASE)
VERSION = re.compile(r"(?<![a-z])v(?=\d)", re.IGNORECASE)  # Stable Diffusion v1-5 is Stable Diffusion 1.5
BRACKETS = re.compile(r"\(([^()]*)\)")
# run_id, a name of it, whether that is a repository, what the run covers; None without an estimate
Known = tuple[str, str, bool, str | None]


class UnknownRunError(Error):
    """There is no such run, or there are several; the message says what to give instead.

    says: the message without the runs that it lists.
    run_ids: the runs that may be meant.
    are_near: the runs do not have the name, but others that look like it.
    """

    def __init__(self, says: str, run_ids: Sequence[str] = (), *, are_near: bool = False) -> None:
        """Take the message, and the runs that it names or would."""
        super().__init__(f"{says}: {shown(list(run_ids))}." if run_ids else says)
        self.says = says
        self.run_ids = list(run_ids)
        self.are_near = are_near


@dataclass(frozen=True, kw_only=True)
class Found:
    """The run that a name means.

    is_literal: the name is the run_id or a full name of the run.
    others: other runs that the name may mean, which are parts, bounds or without an estimate.
    """

    run_id: str
    is_literal: bool = True
    others: tuple[str, ...] = ()


def find(connection: duckdb.DuckDBPyConnection, name: str) -> Found:
    """The run that a person means by a run_id, a name here or upstream, or a part of a name.

    Case, punctuation and full-width letters do not count. A family of models, such as BLOOM, means its only
    whole run with an estimate; a part of a name means the only run whose name begins with it.

    Raises:
        UnknownRunError: no run has that name, or several do.
    """
    if not name.strip():
        raise UnknownRunError(f"{name!r} is empty: expected a run_id or the name of a model, such as gpt-3.")
    given = unicodedata.normalize("NFKC", name).strip()
    known: list[Known] = connection.execute(NAMES).fetchall()
    address = HUB.sub("", given).lower()
    for test in (
        lambda run_id, _: run_id == given,
        lambda _, other: other.lower() == address,
        lambda _, other: _key(other) == _key(given),
    ):
        found = _runs(known, test)
        if len(found) > 1:
            raise _several(name, sorted(found))
        if found:
            shown_as = connection.execute(MODEL, [found[0], found[0]]).fetchall()
            own = (found[0], *(model for (model,) in shown_as))
            return Found(run_id=found[0], is_literal=_key(given) in map(_key, own))
    return _by_part(name, plain(given), known)


def nearest(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The runs whose names are nearest to one that may be mistyped."""
    return _nearest(_key(plain(name)), connection.execute(NAMES).fetchall())


def nearest_spellings(name: str, known: Sequence[str]) -> list[str]:
    """Those of some names that are nearest to a mistyped one; whole names and their words count alike.

    A name that is more than one change further off than the nearest is not meant.
    """
    key = _key(name)
    changes = {
        other: min(
            distance(key, spelling) for spelling in (_key(other), *map(_key, _words(other)), *_parts(other))
        )
        for other in known
    }
    near = [other for other in known if changes[other] <= min(changes.values()) + 1]
    return sorted(near, key=lambda other: (changes[other], other))[:NEAREST]


def _parts(name: str) -> list[str]:
    """The keys of the words of a name with their digits, such as h100 in NVIDIA H100 SXM5."""
    return [_key(part) for part in re.findall(r"[A-Za-z0-9]+", name)]


def _by_part(name: str, short: str, known: list[Known]) -> Found:
    """The run that a part of a name means, or the name with what repositories add to it.

    Raises:
        UnknownRunError: as find.
    """
    covers = {run_id: covered for run_id, _, _, covered in known}
    repositories, others = [k for k in known if k[2]], [k for k in known if not k[2]]
    published = _runs(repositories, lambda _, other: _key(plain(other)) == _key(short))
    for found in (
        _runs(others, lambda _, other: _key(other) == _key(short)),
        _runs(others, lambda _, other: _key(EDITION.sub("", other)) == _key(short)),
        _runs(others, lambda _, other: _key(short) in _abbreviations(other)),
        _runs(others, lambda _, other: _key(VERSION.sub("", other)) == _key(VERSION.sub("", short))),
    ):
        if found:
            return _only_whole(name, found, [], covers)
    begun = _runs(others, lambda _, other: _begins(other, short))
    if found := _runs(others, lambda _, other: _key(family(other)) == _key(short)):
        if published == found[:1]:  # the largest of the family, and its repository has this very name
            return Found(run_id=found[0], is_literal=False, others=tuple(found[1:]))
        return _only_whole(name, found, begun, covers)
    for found in (published, begun, _runs(others, lambda _, other: _begins_with_all(other, short))):
        if len(found) == 1 and covers[found[0]]:
            return Found(run_id=found[0], is_literal=False)
        if len(found) > 1:
            raise _several(name, found)
    raise _unknown(name, short, known)


def has_word(name: str, word: str) -> bool:
    """Whether a name has a word, or some words, that begin like this; never from within a word."""
    meant = _key(word)
    return any(key.startswith(meant) for key in _from_each_word(name)) or name.lower() == word.lower()


def is_of(name: str, whole: str) -> bool:
    """Whether a name is another one, or of its family, but for spelling."""
    return _key(whole) in {_key(name), _key(family(name))}


def plain(name: str) -> str:
    """A name without the address, owner and format of weights that a repository adds to it."""
    name = HUB.sub("", name).rstrip("/")
    if repository := REPOSITORY.fullmatch(name):
        name = repository[1]
    while (shorter := FORMAT.sub("", name)) != name:
        name = shorter
    return name


@cache
def family(name: str) -> str:
    """A name without size and edition, such as Llama 2 for Llama 2 70B and PaLM for PaLM (540B)."""
    name = EDITION.sub("", name)
    while (shorter := SIZE.sub("", name)) != name:
        name = shorter
    return name


def _runs(known: list[Known], test: Callable[[str, str], bool]) -> list[str]:
    return list(dict.fromkeys(run_id for run_id, name, *_ in known if test(run_id, name)))


@cache
def _key(name: str) -> str:
    """What spellings have in common; a name without Latin letters and digits is itself alone."""
    return spelling_key(name) or name


@cache
def _words(name: str) -> tuple[str, ...]:
    """The words and numbers of a name: GPT-4.5 has gpt, 4 and 5."""
    return tuple(re.findall(r"[^\W\d_]+|\d+", name.lower()))


@cache
def _from_each_word(name: str) -> tuple[str, ...]:
    """The keys of a name from each of its words on: a part of a name begins with a word, not within one."""
    return tuple(spelling_key(name[word.start() :]) for word in re.finditer(r"[A-Za-z0-9]+", name))


@cache
def _abbreviations(name: str) -> tuple[str, ...]:
    """The keys of abbreviations of a name in brackets after it: SDXL, but no word for what it is made of."""
    written_out = _key(BRACKETS.sub("", name))
    keys = [_key(short) for short in BRACKETS.findall(name)]
    return tuple(key for key in keys if key[:1] == written_out[:1] and _is_within(key, written_out))


def _is_within(letters: Sequence[str], sequence: Sequence[str]) -> bool:
    """Whether some things are in a sequence in this order, with others between them or not."""
    rest = iter(sequence)
    return all(letter in rest for letter in letters)


@cache
def _beginnings(name: str) -> tuple[str, ...]:
    """The keys of the first words of a name, and of its family: chatgpt and chatgptagent of ChatGPT Agent."""
    ends = [word.end() for word in re.finditer(r"[A-Za-z0-9]+", name)]
    return (*(_key(name[:end]) for end in ends), _key(family(name)))


def _begins(other: str, name: str) -> bool:
    """Whether the words of a name begin with those of another one."""
    meant = _words(name)
    return bool(meant) and _words(other)[: len(meant)] == meant


def _begins_with_all(other: str, name: str) -> bool:
    """Whether a name begins with the first word of another one and has the other words too."""
    meant, words = _words(name), _words(other)
    return bool(meant and words) and words[0] == meant[0] and set(meant) <= set(words)


def _only_whole(name: str, found: list[str], begun: list[str], covers: dict[str, str | None]) -> Found:
    """The only run of a family that is one whole run with an estimate, or the only one at all.

    begun: runs whose names begin alike; a whole one among them is another family that may be meant.
    """
    whole = [run_id for run_id in dict.fromkeys(found + begun) if covers[run_id] == "one_run"]
    (chosen, *more) = whole or found
    if more:
        raise _several(name, list(dict.fromkeys(found + begun)))
    others = tuple(run_id for run_id in found if run_id != chosen)
    return Found(run_id=chosen, is_literal=False, others=others)


def _several(name: str, found: list[str]) -> UnknownRunError:
    return UnknownRunError(f"{name!r} may mean one of several runs", found)


def _unknown(name: str, short: str, known: list[Known]) -> UnknownRunError:
    """What to give instead of a name that is not known: runs with a part of it, else the nearest names."""
    says = f"{name!r} is not a run here"
    meant, words = _key(short), _words(short)
    begun = _runs(known, lambda _, other: _key(other).startswith(meant))
    within = _runs(known, lambda _, other: any(key.startswith(meant) for key in _from_each_word(other)))
    if held := (
        list(dict.fromkeys(begun + within))
        or _runs(known, lambda _, other: set(words) <= set(_words(other)) if words else False)
    ):
        return UnknownRunError(f"{says}. Runs with that in their name", held)
    near = _longest_within(words, known) or _nearest(meant, known)
    return UnknownRunError(f"{says}. The nearest", near, are_near=True)


def _nearest(key: str, known: list[Known]) -> list[str]:
    """The runs whose names take the fewest changes to become a mistyped one; whole names before parts."""
    changes: dict[str, tuple[int, bool]] = {}
    for run_id, name, *_ in known:
        for spelling in (_key(name), *_beginnings(name)):
            found = (distance(key, spelling), spelling != _key(name))
            changes[run_id] = min(changes.get(run_id, found), found)
    return sorted(changes, key=changes.__getitem__)[:NEAREST]


@cache
def distance(one: str, other: str) -> int:
    """How many letters have to be put in, left out, replaced, or swapped with the next one."""
    rows: list[list[int]] = [[*range(len(other) + 1)]]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, at in enumerate(other, start=1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != at)))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], at):
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


def _longest_within(words: tuple[str, ...], known: list[Known]) -> list[str]:
    """The runs with the longest name, of two words at least, whose words are among some words in order."""
    held: dict[int, list[str]] = {}
    for run_id, other, *_ in known:
        own = _words(other)
        if len(own) > 1 and _is_within(own, words):
            held.setdefault(len(own), []).append(run_id)
    return list(dict.fromkeys(held[max(held)])) if held else []


def shown(run_ids: list[str]) -> str:
    """The first of some runs, and how many more there are."""
    more = len(run_ids) - SHOWN_RUNS
    return ", ".join(run_ids[:SHOWN_RUNS]) + (f" and {more} more" if more > 0 else "")
