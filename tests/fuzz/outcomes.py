"""What may come of any input at all: an answer, or one line."""

import contextlib
from collections.abc import Iterator

from components.shared.errors import UserError


@contextlib.contextmanager
def one_line_at_most() -> Iterator[None]:
    """Any input may be refused, in one line; no other exception is in order."""
    try:
        yield
    except UserError as error:
        assert str(error).strip()
        assert "\n" not in str(error)
