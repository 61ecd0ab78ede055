"""The one class that every error of a question belongs to, for who catches them all.

Belongs here: nothing else. Each error stands in the module that raises it.
"""


class Error(Exception):
    """A question that cannot be answered; the message says what is wrong and what to do."""


class BadQuestionError(Error):
    """What is asked for contradicts itself, or names what is not known here."""
