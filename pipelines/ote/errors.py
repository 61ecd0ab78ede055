"""The one class that every error of a question belongs to, for callers that catch them all.

Belongs here: that class, and how its message names an option to a Python caller. Each error is in the module
that raises it.
"""

import re

# An option with its value: at the beginning of a line up to a colon, else in quotes, or a number or a code.
OPTION = re.compile(
    r"^--(?P<first>[a-z-]+) (?P<all>[^'\n]+?)(?=: )"
    r"|--(?P<name>[a-z-]+)(?: (?P<value>'[^']*'|[A-Z0-9-][\w.+-]*\w|[0-9]))?",
    re.MULTILINE,
)
RENAMED = {"from": "source"}  # arguments with another name than the option


class Error(Exception):
    """A question that cannot be answered; the message says what is wrong and what to do."""


class BadQuestionError(Error):
    """What is asked for contradicts itself, or names what is not known here."""


def with_arguments(message: str) -> str:
    """A message about options as a Python caller writes them: `--sort size:` as `sort='size':`."""

    def argument(found: re.Match[str]) -> str:
        option = found["first"] or found["name"]
        value = found["all"] or found["value"]
        name = RENAMED.get(option, option.replace("-", "_"))
        if value is None:
            return name
        is_written = value.startswith("'") or re.fullmatch(r"-?[0-9][0-9.e+]*|nan|inf", value)
        return f"{name}={value if is_written else repr(value)}"

    return OPTION.sub(argument, message)
