"""CPU seconds of commands from a cold start, of this checkout and of an earlier one, in turn on one machine.

Run: .venv/bin/python benchmarks/cold_start.py [EARLIER CHECKOUT], each with a database in warehouse/. The
least of some runs counts. Ratios carry over to other machines; seconds do not.
"""

import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

RUNS = 7
HERE = Path(__file__).parents[1]
COMMANDS = (
    "--help",
    "explain pue",
    "why gpt-3",
    "find llama",
    "estimate --hardware H100 --chips 8 --hours 100",
    "where gshard-600b",
)


def cpu_seconds(checkout: Path, command: str) -> float:
    """User and system time of one run of a command by the code of a checkout."""
    program = [sys.executable, "-c", "from ote.cli import run; run()", *shlex.split(command)]
    environment = os.environ | {
        "PYTHONPATH": str(checkout / "pipelines"),
        "OTE_DATABASE": str(checkout / "warehouse" / "emissions.duckdb"),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(program, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(earlier: Path | None) -> None:
    """Print a line for each command; the two checkouts run in turn, so that both have the same machine."""
    checkouts = [HERE, *([earlier] if earlier else [])]
    for command in COMMANDS:
        seconds = [[cpu_seconds(checkout, command) for checkout in checkouts] for _ in range(RUNS)]
        now, *before = (min(run[i] for run in seconds) for i in range(len(checkouts)))
        ratio = f", earlier {before[0]:.2f}, ratio {now / before[0]:.2f}" if before else ""
        print(f"{command}: {now:.2f} CPU s{ratio}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else None)
