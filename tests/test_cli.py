"""`ote build` as a person or a script meets it: messages, exit codes, locks, kills."""

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

from ote import catalog
from ote.cli import app
from ote.warehouse import lock
from tests.conftest import (
    OTE,
    Build,
    Edited,
    execute,
    ote,
    outlasts,
    process,
    published,
    releases,
    replaced,
    without_privilege,
)
from tests.faults import closed_port


def test_a_build_says_what_it_made(build: Build) -> None:
    said = " ".join(build.said.split())  # a line may break anywhere
    ((estimates,),) = build.query("select count(*) from emissions")
    tables = len(catalog.public_tables())
    for words in (
        f"{tables} tables",
        "checks passed",
        f"all runs with an estimate {estimates:,}",
        "Llama 3.1 405B",
    ):
        assert words in said, said
    assert "Llama 3.3 70B" not in said  # the training of Llama 3.1 70B
    assert "\r" not in build.said, "no progress bar"


def test_a_second_build_does_nothing_and_says_so(copy: Path) -> None:
    def written() -> dict[Path, int]:
        files = (path for path in copy.rglob("*") if path.is_file() and path.name != "build.lock")
        return {path: path.stat().st_mtime_ns for path in files}

    before = written()
    done = ote("build", "--warehouse", copy)
    assert done.returncode == 0
    assert "Nothing changed since" in done.stdout
    assert "The largest runs with published hours" in done.stdout
    assert written() == before
    for pointer in ("index.json", "latest"):  # as where the release was got from elsewhere
        (copy / "releases" / pointer).unlink()
    assert "Nothing changed" in ote("build", "--warehouse", copy).stdout
    (release,) = releases(copy)
    assert (copy / "releases" / "latest").readlink() == Path(release.name)


def test_wrong_facts_are_all_named_before_anything_is_built(copy: Path, facts: Path) -> None:
    first = ("\nt5-11b,T5-11B,Google,US,", "\nt5-11b,T5-11B,Google,US,2199-")
    replaced(facts / "training_runs.csv", first)
    (facts / "hardware.csv").unlink()
    before = published(copy)
    done = ote("build", "--warehouse", copy, "--reference", facts)
    assert done.returncode == 2
    assert "column published_date (t5-11b)" in done.stderr
    assert f"{facts / 'hardware.csv'}" in done.stderr
    assert "Nothing was built: 2 files to correct first." in done.stderr
    assert "Traceback" not in done.stderr
    assert published(copy) == before


def test_a_failed_check_names_columns_limits_and_a_row_and_no_warning(copy: Path, facts: Path) -> None:
    chips = (("NVIDIA V100,32,140,,,300,"), ("NVIDIA V100,900000,19000,,,300,"))
    runs = facts / "training_runs.csv"
    runs.write_text(runs.read_text().replace(*chips, 1))
    before = published(copy)
    done = ote("build", "--warehouse", copy, "--reference", facts)
    assert done.returncode == 1
    assert "The build failed; what was published before is untouched." in done.stderr
    causes = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert "- out.emissions fails keeps_its_catalog" in causes
    assert not [line for line in causes if "is_fresh" in line]
    assert "    chip_hours, expected 0 to 2e+09: The largest possible: a hundred thousand" in done.stderr
    assert "Rows that fail: 1, e.g. run_id = gpt-fr-cased-base, chip_hours = 17100000000.0" in done.stderr
    assert published(copy) == before


def test_the_second_of_two_builds_says_who_holds_the_lock(tmp_path: Path) -> None:
    with lock(tmp_path / "warehouse"):
        done = ote("build", "--warehouse", tmp_path / "warehouse")
    assert done.returncode == 1
    assert f"another build is running: process {os.getpid()}, since " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from ote.warehouse import lock\n"
    code += "with lock(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=catalog.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lock(tmp_path):
        pass


def test_a_damaged_release_is_reported_not_repaired(copy: Path) -> None:
    (release,) = releases(copy)
    victim = release / "csv" / "emissions.csv"
    victim.write_text("damaged")
    done = ote("build", "--warehouse", copy)
    assert done.returncode == 1
    assert "csv/emissions.csv changed" in done.stderr
    assert victim.read_text() == "damaged"


def test_an_unreadable_working_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "build.duckdb").write_bytes(b"not a database" * 1000)
    assert execute(tmp_path, ["raw.hardware"]).success
    assert (tmp_path / "build.unreadable").exists()


def test_killed_on_the_way_the_published_stays_and_the_next_build_succeeds(
    build: Build, edited: Edited
) -> None:
    """Kill -9 soon after the start, and among the tables."""
    before = published(build.directory)
    assert edited.killed == [before, before]
    assert edited.query("select model from emissions where run_id = 't5-11b'") == [("T5 11B",)]
    after = published(edited.warehouse)
    del before["emissions.duckdb"], after["emissions.duckdb"]
    assert after == before
    assert not list(edited.warehouse.glob("*/.*"))


@pytest.mark.parametrize("command", ["build", "update"])
def test_a_place_that_cannot_be_written_is_named_in_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    for folder in (tmp_path / "closed", tmp_path / "closed" / "below"):
        mirror = ("--mirror", closed_port()) if command == "update" else ()
        done = process(command, *mirror, "--warehouse", folder, before=without_privilege())
        assert done.returncode == 1
        outcome = "Nothing was built" if command == "build" else "Nothing was updated"
        assert done.stderr.startswith(f"{outcome}: {folder}: ")
        assert done.stderr.endswith("with --warehouse.\n")
        assert done.stderr.count("\n") == 1


def test_a_history_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    history = tmp_path / "dagster"
    history.mkdir(mode=0o555)
    done = process("build", "--warehouse", tmp_path, before=without_privilege())
    assert done.returncode == 1
    assert done.stderr.startswith(f"Nothing was built: {history}: Permission denied.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("command", "most"), [("build", 0), ("build", 2_000_000), ("update", 60_000)])
def test_a_disk_that_is_full_is_named_in_one_line(command: str, most: int, tmp_path: Path) -> None:
    """No file may grow beyond some bytes, which the history of runs meets first: as on a full disk."""
    mirror = ("--mirror", closed_port()) if command == "update" else ()
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))
    done = process(command, *mirror, "--warehouse", tmp_path, preexec_fn=full)
    assert done.returncode == 1
    outcome = "Nothing was built" if command == "build" else "Nothing was updated"
    (said,) = [
        line for line in done.stderr.splitlines() if not line.endswith("...") and " steps: " not in line
    ]
    assert said.startswith(f"{outcome}: {tmp_path / 'dagster'}: disk I/O error. ")
    assert "the disk is full" in said
    assert not [*tmp_path.rglob("emissions.duckdb"), *tmp_path.rglob("SHA256SUMS")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [("find", "gpt"), ("find", "--csv"), ("why", "gpt-3")])
def test_output_to_a_full_disk_is_reported_in_one_line(build: Build, arguments: tuple[str, ...]) -> None:
    database = build.directory / "emissions.duckdb"
    with Path("/dev/full").open("w") as full:
        streams = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        done = process(*arguments, "--database", database, **streams)
    assert (done.returncode, done.stderr) == (1, "Not all of the output was written: the disk is full.\n")


@pytest.mark.parametrize("arguments", [("find", "--csv"), ("why", "gpt-3")])
def test_an_answer_that_nobody_reads_is_no_fault(build: Build, arguments: tuple[str, ...]) -> None:
    """Standard output is closed, as a service may have it."""
    database = build.directory / "emissions.duckdb"
    streams = {"capture_output": False, "stderr": subprocess.PIPE, "preexec_fn": partial(os.close, 1)}
    done = process(*arguments, "--database", database, **streams)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", [("report", "--as", "foo"), ("find", "--sort", "foo")])
def test_a_choice_that_is_none_is_answered_with_those_that_there_are(command: tuple[str, ...]) -> None:
    done = ote(*command)
    assert done.returncode == 2
    assert f"for '{command[1]}': 'foo' is not one of '" in done.stderr


def test_an_unknown_option_ends_with_code_2() -> None:
    done = ote("build", "--nonsense")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


def commands(command: Any, context: typer.Context) -> Iterator[tuple[str, Any]]:
    """Every command that is listed, with its path."""
    yield context.command_path, command
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        below = command.get_command(context, name)
        if not below.hidden:
            yield from commands(below, typer.Context(below, info_name=name, parent=context))


ROOT_COMMAND = typer.main.get_command(app)
COMMANDS = dict(commands(ROOT_COMMAND, typer.Context(ROOT_COMMAND, info_name="ote")))


def test_there_are_at_most_fourteen_commands_in_groups_of_what_people_do() -> None:
    listed = [command for path, command in COMMANDS.items() if path.count(" ") == 1]
    assert len(listed) <= 14
    groups = {command.rich_help_panel for command in listed}
    assert groups == {"Ask the dataset", "Your own run", "Add facts", "Run the pipeline"}


@pytest.mark.parametrize("path", COMMANDS)
def test_each_command_and_option_is_explained_in_sentences(path: str) -> None:
    first = COMMANDS[path].help.strip().split("\n\n")[0]
    assert re.fullmatch(r"[A-Z].{15,}\.", first, flags=re.DOTALL), first
    for option in COMMANDS[path].params:
        assert re.fullmatch(r"[A-Z].{5,150}\.", option.help or ""), (path, option.name, option.help)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("path", COMMANDS)
def test_help_fits_the_terminal(path: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = ote(*path.split()[1:], "--help")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert "\u2026" not in done.stdout, "a default or a name is cut"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_interrupted_ends_with_one_line_and_the_code_of_its_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    running = subprocess.Popen(
        [*OTE, "build", "--warehouse", str(tmp_path)], cwd=catalog.ROOT, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "build.duckdb").exists():
        assert outlasts(running, 0.1)
    assert outlasts(running, 0.5)
    running.send_signal(number)
    _, said = running.communicate()
    assert running.returncode == 128 + number
    *steps, last = said.splitlines()
    assert last == "Interrupted: nothing is half-written. To run it again: ote build"
    assert len(steps) <= 2, "a step in ten is named: after the signal none may begin"
    assert all(" steps: " in step for step in steps)
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name or "release" in path.name]


FOLDERS = (
    ("build", "--warehouse"), ("build", "--reference"), ("build", "--baseline"),
    ("update", "--warehouse"), ("update", "--reference"), ("update", "--baseline"), ("update", "--keep"),
    ("site", "--warehouse"), ("site", "--release"), ("add", "--reference"), ("explain", "--reference", "pue"),
    ("release", "make", "--warehouse"), ("release", "make", "--released"), ("get", "--into"),
    ("verify", "latest", "--releases"), ("diff", "latest", "--releases"), ("publish", "x", "--releases"),
)  # fmt: skip


@pytest.mark.parametrize("command", FOLDERS, ids=" ".join)
def test_a_file_where_a_folder_belongs_is_said_to_be_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    file, dangling = tmp_path / "file", tmp_path / "dangling"
    file.write_text("")
    dangling.symlink_to(tmp_path / "nothing")
    words = command if command[-1].startswith("--") else (command[0], *command[2:], command[1])
    for given, kind in (
        (file, "a file"),
        (file / "within", f"{file} is a file"),
        (dangling, "a link to nothing"),
    ):
        done = ote(*words, given)
        assert (done.returncode, done.stdout) == (2, "")
        said = f"{words[-1]} {given}: {kind}, expected a folder. Name another one.\n"
        assert done.stderr == said


@pytest.mark.parametrize("command", [("verify",), ("diff",), ("publish", "{to}", "--version")])
@pytest.mark.parametrize(
    ("name", "is_"),
    [
        ("{folder}/nope", "no such folder, and no version in"),
        ("{folder}/file", "a file."),
        ("{folder}", "no manifest.json in this folder."),
        ("9.9.9", "no such folder, and no version in"),
        ("..", ""),
        ("", ""),
    ],
)
def test_a_release_that_is_none_is_said_with_those_that_there_are(
    build: Build, tmp_path: Path, command: tuple[str, ...], name: str, is_: str
) -> None:
    (tmp_path / "file").write_text("")
    words = [word.format(to=tmp_path / "to") for word in command]
    given = name.format(folder=tmp_path)
    done = ote(*words, given, "--releases", build.directory / "releases")
    assert done.returncode in (1, 2), done.stderr
    assert "Errno" not in done.stderr
    if is_:
        assert f"{given}: {is_}" in done.stderr
        assert f"There are: {build.release.name}, latest.\n" in done.stderr


def test_the_latest_release_is_verified_by_its_name(build: Build) -> None:
    done = ote("verify", "latest", "--releases", build.directory / "releases")
    assert (done.returncode, done.stderr) == (0, "")


def test_pages_of_no_release_are_said_to_be_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nope"):
        done = ote("site", "--release", folder, "--warehouse", tmp_path)
        assert done.returncode == 2
        assert (
            done.stderr == f"--release {folder}: no manifest.json there. Expected the folder of a release.\n"
        )


@pytest.mark.parametrize("option", ["--reference", "--baseline"])
def test_a_build_of_other_facts_needs_a_warehouse_of_its_own(tmp_path: Path, option: str) -> None:
    done = ote("build", option, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} {tmp_path}: a build of other facts would replace the database" in done.stderr
    assert "--warehouse" in done.stderr


def test_a_source_that_is_mistyped_gets_the_nearest(tmp_path: Path) -> None:
    done = ote("update", "epoch_model", "--warehouse", tmp_path)
    assert done.returncode == 2
    assert "epoch_model: not a source. Did you mean epoch_models?" in done.stderr
