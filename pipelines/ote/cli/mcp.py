"""The command for agents: `ote mcp`, a server of the Model Context Protocol on standard input and output.

Belongs here: putting the tools into the SDK. Does not belong here: what a tool answers (answers/agent.py).
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ote.cli import terminal
from ote.cli.options import Database
from ote.errors import Error
from ote.places import DATABASE

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from ote.answers.agent import Answer

ABOUT = (
    "Energy and CO2e of training machine-learning models, after Patterson et al. 2021. Values have 90 % "
    "intervals (_p05, _p95), a basis (how the value is known) and a source. Report the interval with the "
    "value. A null value is unknown or a guess: never fill it in."
)


def mcp(database: Database = DATABASE) -> None:
    """Run a server for AI agents (Model Context Protocol) on standard input and output.

    Tools: find_runs, why, estimate, where, total, explain and sql (read-only, with limits on rows and time).
    It needs the extra mcp of the package.

    Example: ote mcp
    """
    try:
        made = server(database)
    except Error as error:
        terminal.fail(str(error))
    made.run("stdio")


def server(database: Path) -> "MCPServer":
    """The server with its tools.

    Raises:
        NoDatabaseError: the database is missing, unreadable or of another version.
        ModuleNotFoundError: the SDK is not installed.
    """
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations

    from ote.answers.agent import Agent

    agent = Agent(database)

    def reported(tool: "Callable[..., Answer]") -> "Callable[..., Answer]":
        """A tool whose errors of a question are the text of the answer."""

        @functools.wraps(tool)
        def answer(**given: Any) -> "Answer":
            try:
                return tool(**given)
            except Error as error:
                raise ToolError(str(error)) from None

        return answer

    made = MCPServer(
        "open-training-emissions", instructions=ABOUT, version=agent.version, log_level="WARNING"
    )
    for tool in agent.tools():
        about = inspect.cleandoc(tool.__doc__ or "")
        made.tool(description=about, annotations=ToolAnnotations(read_only_hint=True))(reported(tool))
    return made
