"""The command for who asks what a word means: `ote explain`.

Belongs here: what a person sees, exit codes. Does not belong here: what a word means (answers/explain.py).
"""

from typing import Annotated

import typer

from ote.answers import explain as explanation
from ote.answers import texts
from ote.answers.published import DATABASE, NoDatabaseError
from ote.cli import terminal
from ote.cli.options import Database, Reference
from ote.places import REFERENCE


def explain(
    words: Annotated[
        list[str], typer.Argument(help="Name of a column, value, table, basis or source, or any other word.")
    ],
    reference: Reference = REFERENCE,
    database: Database = DATABASE,
) -> None:
    """Explain a word: a column, value, table, basis or source, or any other word that commands print.

    Example: ote explain watts_per_chip, or: ote explain measured_ratio, or: ote explain 90 % interval

    ote explain claims also lists what the 2021 paper claims, and whether later data support it.
    """
    name = " ".join(words).strip()
    if not name:
        terminal.fail("The word is empty: expected a column, value, table or basis, such as ote explain pue.")
    try:
        paragraphs = explanation.explain(name, reference)
        claims = explanation.claims(database) if explanation.asks_for_claims(name) else []
    except KeyError as error:
        near = f"The nearest: {error.args[0]}." if error.args[0] else "docs/glossary.md lists the words."
        terminal.fail(f"{name!r} is not a word that is known here. {near}")
    except OSError as error:
        terminal.fail(f"{reference}: {texts.unread(error)}.")
    except NoDatabaseError as error:
        terminal.fail(str(error))
    with terminal.page() as console:
        console.print("\n".join(paragraphs))
        for claim, verdict, evidence in claims:
            console.print(f"\n{claim}.\nVerdict: {verdict}. {evidence}")
