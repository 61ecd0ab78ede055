"""The notebooks run from top to bottom; their figures are vector graphics, show intervals, and are small.

Each runs as Jupyter does it, cell by cell in one namespace, without needing Jupyter: the value of the last
line of a cell is what the cell shows.
"""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ote import catalog
from tests.conftest import Build

NOTEBOOKS = sorted((catalog.ROOT / "docs" / "notebooks").glob("*.ipynb"))
PROGRAM = """
import ast, json, sys
from pathlib import Path

names = {}
for cell in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell["id"], "exec"), names)
    if last is not None:
        shown = eval(compile(ast.Expression(last.value), cell["id"], "eval"), names)
        if hasattr(shown, "_repr_svg_"):
            Path(f"{cell['id']}.svg").write_text(shown._repr_svg_(), encoding="utf-8")
        elif shown is not None:
            print(shown)
"""
# Okabe and Ito 2008, and grey: told apart with every kind of colour vision.
COLOURS = {"#0072b2", "#d55e00", "#009e73", "#767676", "#000000", "#ffffff", "#cccccc"}
WIDEST_PT = 8 / 2.54 * 72 + 1

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None,
    reason="matplotlib is not installed: pip install 'open-training-emissions[notebooks]'",
)


def run(notebook: Path, folder: Path, build: Build) -> str:
    """What a notebook prints, in a folder that has its figures afterwards."""
    command = folder / "bin" / "ote"
    command.parent.mkdir()
    program = "from ote.cli import run; run()"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{program}" "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {
        "OTE_DATABASE": str(build.directory / "emissions.duckdb"),
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "MPLCONFIGDIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(notebook)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_there_are_three() -> None:
    assert {file.stem for file in NOTEBOOKS} == {"explore", "your-run", "where-and-when"}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_draws(notebook: Path, tmp_path: Path, build: Build) -> None:
    printed = run(notebook, tmp_path, build)
    figures = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.glob("*.svg")}
    assert printed.strip()
    assert len(figures) >= 2
    for name, text in figures.items():
        (width,) = re.findall(r'<svg [^>]*width="([\d.]+)pt"', text, re.DOTALL)
        assert float(width) <= WIDEST_PT, name
        assert "<image" not in text, name
        assert "<text" in text, name
        assert {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", text)} <= COLOURS, name
    shown = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] for cell in shown if cell["cell_type"] == "code")
    assert "90 %" in json.dumps(shown, ensure_ascii=False)
