"""What a component says while it works. Whoever runs it decides where it is shown; by default, nowhere."""

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Bar(Protocol):
    """A bar on long work."""

    def advance(self, steps: int = 1) -> None:
        """Moves on by so many steps."""

    def describe(self, text: str) -> None:
        """Shows a few words beside the bar, such as the loss."""


class Reporter:
    """Shows nothing; the base of those that do."""

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A bar for work of `total` steps."""
        yield _NoBar()

    def note(self, text: str) -> None:
        """The outcome of the step in a few words, such as "943 users, 1,682 items"."""

    def warn(self, text: str) -> None:
        """What in the outcome asks for a look, in a few words."""


class _NoBar:
    def advance(self, steps: int = 1) -> None:
        pass

    def describe(self, text: str) -> None:
        pass


_reporter = Reporter()


def show_on(reporter: Reporter) -> None:
    """Sends what the components of this process say to `reporter`."""
    global _reporter
    _reporter = reporter


def bar(title: str, total: int) -> contextlib.AbstractContextManager[Bar]:
    """See `Reporter.bar`."""
    return _reporter.bar(title, total)


def note(text: str) -> None:
    """See `Reporter.note`."""
    _reporter.note(text)


def warn(text: str) -> None:
    """See `Reporter.warn`."""
    _reporter.warn(text)
