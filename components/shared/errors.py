"""Errors that a user can cause and mend."""

import re

from components.shared.files.secrets import without_secrets


class UserError(Exception):
    """A fault of the input, the configuration or the machine that its user can mend.

    The message is one line: what is wrong, where (file and line, or configuration key), what to do. It goes to screens,
    logs and the metadata, so that secrets are left out of it.
    """

    def __init__(self, message: str):
        super().__init__(without_secrets(message))


_RAISED_IN_TEXT = re.compile(
    r"components\.shared\.errors\.UserError: (?P<message>[^\n]*?)(?: \[while running [^\n]*)?(?:\n|$)"
)


def find_user_error(error: BaseException) -> UserError | None:
    """Returns the user error behind `error`, or None where the fault is the program's.

    Beam carries an exception of a worker as the text of its traceback inside a RuntimeError, one layer for each
    pipeline it crossed; so the chain of causes is searched first, then the texts.
    """
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            message = re.sub(r" \[while running .*\]$", "", str(cause), flags=re.DOTALL)
            return UserError(message)
        texts.append(str(cause))
        cause = cause.__cause__ or cause.__context__
    for text in texts:
        raised = _RAISED_IN_TEXT.findall(text.replace("\\n", "\n"))
        if raised:
            return UserError(raised[-1].strip())
    return None


def first_line(error: object) -> str:
    """What an error says first, or its name where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
