"""What a person sees on a terminal: tables and text that fit its width, from 80 columns on.

Belongs here: the console and the look of tables. Does not belong here: what they say.
rich is imported when something is printed: it costs a tenth of a second.
"""

import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import typer

from ote.names import one_line

WIDE = 120  # columns
LONGEST = 2000  # characters of a line of a message

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@contextmanager
def page(*, is_error: bool = False) -> Iterator["Console"]:
    """A console whose text is written at the end, without blanks at the ends of lines.

    It is as wide as the terminal, else as COLUMNS, else 80. NO_COLOR is respected.
    """
    from rich.console import Console

    console = Console(stderr=is_error, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        yield console
    lines = (line.rstrip() for line in captured.get().splitlines())
    # not with typer.echo, which writes UTF-8 on a terminal that has ASCII only
    print("\n".join(lines), file=sys.stderr if is_error else sys.stdout)


def is_wide(console: "Console") -> bool:
    """Whether there is room for a column for everything; else two things share one."""
    return console.width >= WIDE


def table(*headers: str, right: Sequence[str] = (), whole: Sequence[str] = ()) -> "Table":
    """An empty table; cells wrap at spaces and nothing is cut.

    Args:
        headers: one for each column.
        right: the headers of columns of numbers.
        whole: the headers of columns that never wrap.
    """
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for header in headers:
        made.add_column(
            header,
            justify="right" if header in right else "left",
            no_wrap=header in whole,
            overflow="fold",
        )
    return made


def times_over(factor: float) -> str:
    """An uncertainty factor, such as x/÷ 1.6: the ends of the 90 % interval over and under the value."""
    sign = "÷"
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        sign = ":"
    return f"x/{sign} {factor:.3g}" if factor >= 1.095 else f"x/{sign} {factor:.2f}"


def listed(names: str | None, most: int = 2) -> str:
    """Names separated by ; for a cell: the first of many, and how many more there are."""
    each = names.split(";") if names else []
    if len(each) <= most:
        return ", ".join(each)
    return f"{', '.join(each[: most - 1])} and {len(each) - most + 1} others"


def fail(message: str, code: int = 2) -> NoReturn:
    """End with a message on stderr; code 2 is bad input, 1 a fault of the data.

    What it shows of a file or an option does not move the cursor.
    """
    typer.echo(
        "\n".join(wrapped(one_line(line, LONGEST), err=True) for line in message.splitlines()), err=True
    )
    raise typer.Exit(code)


def wrapped(sentence: str, err: bool = False, indent: str = "") -> str:
    """A sentence as wide as the terminal, if that is known; addresses and its first blanks stay whole."""
    if not ((sys.stderr if err else sys.stdout).isatty() or "COLUMNS" in os.environ):
        return f"{indent}{sentence}"
    from rich.console import Console

    text = sentence.lstrip(" ")
    indent += " " * (len(sentence) - len(text))
    return textwrap.fill(
        text,
        width=Console(stderr=err).width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


@contextmanager
def signals() -> Iterator[Callable[[], int]]:
    """Which of SIGINT and SIGTERM came, also where Dagster handles both alike; 0 if none came.

    SIGTERM raises KeyboardInterrupt, as SIGINT does, so that what was begun is closed.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    came: list[int] = []

    def received() -> int:
        with suppress(BlockingIOError):
            came.extend(n for n in os.read(reader, 64) if n in (signal.SIGINT, signal.SIGTERM))
        return came[0] if came else 0

    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    earlier = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield received
    finally:
        signal.set_wakeup_fd(earlier)
        signal.signal(signal.SIGTERM, handler)
        os.close(reader)
        os.close(writer)


@contextmanager
def said_if_interrupted(command: str) -> Iterator[None]:
    """End with one line, and the exit code that shells give it, where SIGINT or SIGTERM comes."""
    with signals() as received:
        try:
            yield
        except KeyboardInterrupt as interrupt:
            number = next(iter(interrupt.args), 0) or received() or signal.SIGINT
            fail(f"Interrupted: nothing is half-written. To run it again: {command}", 128 + number)


@contextmanager
def said_if_not_writable(outcome: str, options: str) -> Iterator[None]:
    """End with one line, not a traceback, where a file cannot be written."""
    try:
        yield
    except BrokenPipeError:  # of whoever reads what is printed
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(
            f"{outcome}: {where}{error.strerror or error}. The folder is not writable, or the disk is full. "
            f"Fix its permissions, free some space, or choose another folder with {options}.",
            1,
        )
