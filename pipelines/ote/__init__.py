"""Open Training Emissions: energy and CO2e of training machine-learning models, from public facts.

    import ote

    ote.estimate(hardware="H100", chips=512, training_hours=300)
    ote.why("GPT-3")
    ote.load("emissions")

Functions: estimate, why, where, find, total, connect, load, get. Each is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ote.answers.estimate import BadRunsError as BadRunsError
    from ote.answers.names import UnknownRunError as UnknownRunError
    from ote.answers.published import NoDatabaseError as NoDatabaseError
    from ote.answers.totals import BadSelectionError as BadSelectionError
    from ote.answers.where import NotFoundError as NotFoundError
    from ote.answers.why import BrokenDatabaseError as BrokenDatabaseError
    from ote.api import UnknownTableError as UnknownTableError
    from ote.api import connect as connect
    from ote.api import estimate as estimate
    from ote.api import find as find
    from ote.api import get as get
    from ote.api import load as load
    from ote.api import total as total
    from ote.api import where as where
    from ote.api import why as why
    from ote.errors import BadQuestionError as BadQuestionError
    from ote.errors import Error as Error
    from ote.releases.publishing import MalformedSourceError as MalformedSourceError
    from ote.releases.publishing import NotPublishedError as NotPublishedError

_ORIGINS = {
    **dict.fromkeys(("connect", "estimate", "find", "get", "load", "total", "where", "why"), "ote.api"),
    "BadQuestionError": "ote.errors",
    "BadSelectionError": "ote.answers.totals",
    "BadRunsError": "ote.answers.estimate",
    "BrokenDatabaseError": "ote.answers.why",
    "Error": "ote.errors",
    "MalformedSourceError": "ote.releases.publishing",
    "NoDatabaseError": "ote.answers.published",
    "NotFoundError": "ote.answers.where",
    "NotPublishedError": "ote.releases.publishing",
    "UnknownRunError": "ote.answers.names",
    "UnknownTableError": "ote.api",
}
__all__ = list(_ORIGINS)


def __getattr__(name: str) -> Any:
    """A function or error of the package; its module is imported now."""
    if name not in _ORIGINS:
        raise AttributeError(f"module 'ote' has no attribute {name!r}")
    return getattr(import_module(_ORIGINS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ORIGINS})
