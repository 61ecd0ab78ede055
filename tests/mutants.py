"""Whether the tests notice a small fault: mutants of pipelines/ and sql/, drawn by a seed.

    .venv/bin/python -m tests.mutants --seed 20 --number 40

Each mutant changes one token of the last commit: half of them in Python, half in SQL, each place as likely as
any other. Docstrings, comments, messages and strings stay. In a scratch clone each mutant meets, until a test
fails, the tests of its part that need no build, then those that need one. `--scope all` runs the whole suite.
The tests of a part are the files that import the module or name the table; if there are none, the tests of
what uses it. `--only 3,17` runs the mutants of these numbers again, with the same seed.

A survivor needs a test, shows code that nobody needs, or is equivalent: no input tells it from the original.
Equivalent so far:

- core.disclosed_runs, `coalesce(upstream.chip_hours, ...) is null`: null in either order of the arguments.
- totals.drawn_errors, `max(...) filter (where slot = ...)`: a run has one row in each slot.
- answers/run_files.py, `r.place.row or 0`: each row that cannot be read there has its number.
"""

import argparse
import ast
import io
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import token
import tokenize
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlglot

ROOT = Path(__file__).parents[1]
BUILDS = {"build", "copy", "edited", "elsewhere"}  # fixtures that build everything
LIBRARIES = (
    "dagster",
    "duckdb",
    "great_expectations",
    "moto",
    "polars",
    "pyarrow.parquet",
    "rich.table",
    "typer.testing",
)
PATIENCE_S = 3600
BOTH = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+", "*": "/", "/": "*", "and": "or",
    "or": "and", "not": "", "min": "max", "max": "min",
}  # fmt: skip
PYTHON = BOTH | {"==": "!=", "!=": "==", "any": "all", "all": "any"}
SQL = BOTH | {
    "=": "<>", "<>": "=", "desc": "asc", "asc": "desc", "min_by": "max_by", "max_by": "min_by",
    "arg_min": "arg_max", "arg_max": "arg_min", "least": "greatest", "greatest": "least", "left": "inner",
}  # fmt: skip
NEEDED = {"left": "join"} | dict.fromkeys(
    ("any", "all", "min", "max", "arg_min", "arg_max"), "("
)  # next word
BEFORE_OPERATOR = re.compile(r"[\w)\]]$")
NOT_BEFORE_STAR = ("select", "distinct", "return")


class Word(NamedTuple):
    """A token of a text: its characters, what it is, and where it starts."""

    text: str
    kind: str
    start: int


@dataclass(frozen=True)
class Mutant:
    """One change of a file of the checkout: the text from `start` to `end` becomes `new`."""

    file: Path
    start: int
    end: int
    new: str

    def stated(self, root: Path) -> str:
        """The location and the change."""
        text = self.file.read_text(encoding="utf-8")
        line = text.count("\n", 0, self.start) + 1
        change = f"{text[self.start : self.end]!r} -> {self.new!r}"
        return f"{self.file.relative_to(root)}:{line} {change} in: {text.splitlines()[line - 1].strip()}"


def words(file: Path, text: str) -> list[Word]:
    """The tokens of a file without its comments."""
    if file.suffix == ".sql":
        found = sqlglot.tokenize(text, read="duckdb")
        return [Word(text[one.start : one.end + 1], one.token_type.name, one.start) for one in found]
    begins = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        Word(one.string, token.tok_name[one.type], begins[one.start[0] - 1] + one.start[1])
        for one in tokens
        if one.string.strip() and one.type != token.COMMENT
    ]


def mutants(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    text = file.read_text(encoding="utf-8")
    swaps, found, between = SQL if file.suffix == ".sql" else PYTHON, words(file, text), False
    for i, (word, kind, start) in enumerate(found[1:-1], 1):
        before, after, end = found[i - 1], found[i + 1], start + len(word)
        if kind == "NUMBER":
            yield Mutant(file, start, end, changed(word))
        elif word == "coalesce" and swaps is SQL:
            yield from turned(file, text, found[i + 2 :])
        elif kind == "STRING" or word not in swaps or (word == "and" and between):
            between = between and word != "and"
        elif word in "+-*/" and ("STRING" in (before.kind, after.kind) or not operates(before)):
            continue  # text, paths, and stars that are no product
        elif after.text == NEEDED.get(word, after.text):
            yield Mutant(file, start, end, swaps[word])
        between = between or word == "between"


def operates(before: Word) -> bool:
    """Whether what comes after a word can be an operator between two values."""
    return bool(BEFORE_OPERATOR.search(before.text)) and before.text not in NOT_BEFORE_STAR


def changed(number: str) -> str:
    """Another number: an integer one higher, any other twice as large."""
    value = ast.literal_eval(number)
    return str(value + 1 if isinstance(value, int) else value * 2 or 1.0)


def turned(file: Path, text: str, inside: list[Word]) -> Iterator[Mutant]:
    """A coalesce whose first two arguments change locations, from the tokens after its bracket."""
    depth, cuts = 1, [inside[0].start]
    for word in inside:
        depth += (word.text in "([{") - (word.text in ")]}")
        if depth == 0 or (depth == 1 and word.text == ","):
            cuts.append(word.start)
        if depth == 0 or len(cuts) == 3:
            break
    if len(cuts) == 3:
        first, second = text[cuts[0] : cuts[1]], text[cuts[1] + 1 : cuts[2]]
        yield Mutant(file, cuts[0], cuts[2], f"{second.strip()}, {first.strip()}")


def drawn(root: Path, number: int, seed: int) -> list[Mutant]:
    """Mutants of a checkout, in turn of Python and of SQL."""
    chance, half = random.Random(seed), number // 2
    python = [mutant for file in sorted(root.glob("pipelines/**/*.py")) for mutant in mutants(file)]
    sql = [mutant for file in sorted(root.glob("sql/**/*.sql")) for mutant in mutants(file)]
    pairs = zip_longest(chance.sample(python, number - half), chance.sample(sql, half))
    return [mutant for pair in pairs for mutant in pair if mutant]


@cache
def imported(file: Path) -> frozenset[str]:
    """Dotted names that a Python file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def users(root: Path, file: Path, within: Iterable[Path]) -> list[Path]:
    """The files that import a module, or name a query: as core.runs, estimate/runs or "runs"."""
    path = file.relative_to(root).with_suffix("")
    if file.suffix == ".py":
        dotted = ".".join(path.parts[1:]).removesuffix(".__init__")
        return [user for user in within if user.suffix == ".py" and dotted in imported(user)]
    name = re.escape(file.stem)
    named = re.compile(rf"\b{path.parts[1]}[./]{name}\b|\"{name}(\.sql)?\"|\bmain\.{name}\b")
    return [user for user in within if user != file and named.search(user.read_text(encoding="utf-8"))]


def named_after(root: Path, file: Path) -> set[str]:
    """Names of test files: of a file, of a function of it such as a command, of the folder of a check."""
    if file.suffix == ".sql":
        return {f"test_{file.stem}", f"test_{file.relative_to(root).parts[1]}"}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        f"test_{name}" for name in (file.stem, *(n.name for n in tree.body if isinstance(n, ast.FunctionDef)))
    }


def tests_of(root: Path, file: Path) -> list[Path]:
    """The test files of a part: of the file itself, else of what uses it; all queries use the macros."""
    if file.parent == root / "sql":
        return sorted(root.glob("tests/sql/test_*.py"))
    tests = sorted(root.glob("tests/**/test_*.py"))
    code = [*root.glob("pipelines/**/*.py"), *root.glob("sql/**/*.sql")]
    seen = level = {file}
    while level:
        found = {test for part in level for test in users(root, part, tests)}
        found |= {test for part in level for test in tests if test.stem in named_after(root, part)}
        if found:
            return sorted(found)
        level = {user for part in level for user in users(root, part, code)} - seen
        seen = seen | level
    return tests


class Scope:
    """As a plugin of pytest: keep the tests of a scope, and remember the first that failed."""

    def __init__(self, name: str) -> None:
        """Of quick (without a build), build and all."""
        self.name = name
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop the other tests."""
        if self.name != "all":
            built = self.name == "build"
            items[:] = [
                item for item in items if bool(BUILDS & set(getattr(item, "fixturenames", ()))) == built
            ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember."""
        if report.failed and not self.failed:
            self.failed = report.nodeid


def tested(clone: Path, tests: list[Path], scope: str) -> str:
    """The first test of a scope that fails, in this process; empty if none does."""
    os.chdir(clone)
    ours = (ROOT, ROOT / "pipelines")
    others = (entry for entry in sys.path if Path(entry or ".").resolve() not in ours)
    sys.path[:] = [str(clone), str(clone / "pipelines"), *others]
    os.environ["PYTHONPATH"] = str(clone / "pipelines")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # what changes twice within a second would be read as it was
    sys.dont_write_bytecode = True
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "ote")]:
        del sys.modules[name]
    plugin = Scope(scope)
    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        code = pytest.main(["-x", "-n", "0", "-q", *map(str, tests)], plugins=[plugin])
    passed = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return "" if passed else plugin.failed or str(code)


def forked(clone: Path, tests: list[Path], scope: str) -> str:
    """The first test that fails, in a copy of this process, which has imported the libraries already."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=lambda: sender.send(tested(clone, tests, scope)))
    process.start()
    sender.close()
    process.join(PATIENCE_S)
    if process.is_alive():
        process.kill()
        return f"no end within {PATIENCE_S} s"
    try:
        return str(receiver.recv())
    except EOFError:
        return f"ended with {process.exitcode}"


def killer(mutant: Mutant, clone: Path, scope: str) -> str:
    """The first test of a scope that fails with a mutant and not without; empty if none does.

    Raises:
        ValueError: that test fails without the mutant too, so it says nothing.
    """
    tests = [clone / "tests"] if scope == "all" else tests_of(clone, mutant.file)
    original = mutant.file.read_text(encoding="utf-8")
    mutant.file.write_text(original[: mutant.start] + mutant.new + original[mutant.end :], encoding="utf-8")
    failed = forked(clone, tests, scope)
    mutant.file.write_text(original, encoding="utf-8")
    if "::" in failed and forked(clone, [Path(failed)], "all"):
        raise ValueError(f"{failed} fails without a mutant too. Repair it first.")
    return failed


def main() -> None:
    """Draw mutants and print what becomes of each."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seed", type=int, default=20)
    options.add_argument("--number", type=int, default=40)
    options.add_argument("--only", help="numbers of the mutants to run, such as 3,17")
    options.add_argument("--scope", action="append", choices=("quick", "build", "all"))
    options.add_argument(
        "--list", action="store_true", help="print the mutants and their tests, and run none"
    )
    given = options.parse_args()
    chosen = [int(number) for number in given.only.split(",")] if given.only else range(1, given.number + 1)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, clone], check=True)
        if (ROOT.parent / "shared").is_dir():  # real upstream files, which some tests need
            (clone.parent / "shared").symlink_to(ROOT.parent / "shared")
        every = dict(enumerate(drawn(clone, given.number, given.seed), 1))
        alive = {number: every[number] for number in chosen}
        for number, mutant in alive.items():
            names = sorted(test.stem for test in tests_of(clone, mutant.file)) if given.list else []
            print(number, mutant.stated(clone), *names, flush=True)
        for library in LIBRARIES:
            import_module(library)
        for scope in () if given.list else given.scope or ("quick", "build"):
            for number, mutant in list(alive.items()):
                since = time.monotonic()
                killed = killer(mutant, clone, scope)
                print(
                    f"{number} {scope} {time.monotonic() - since:.0f} s: {killed or 'survived'}", flush=True
                )
                if killed:
                    del alive[number]
        if not given.list:
            print(f"{len(alive)} of {len(chosen)} mutants survived:", *alive)


if __name__ == "__main__":
    main()
