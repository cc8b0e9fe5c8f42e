"""Runs by what they left: each evaluation in a root is one. Only files are read: a store that is lost costs nothing."""

import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from components.artifacts import evaluation
from components.artifacts.evaluation import Evaluation
from components.shared.errors import UserError

_EVALUATIONS = Path("artifacts", "Evaluator", "evaluation")


@dataclass(frozen=True)
class Run:
    """One evaluation.

    Attributes:
      root: where the run keeps everything.
      number: of the evaluation in it.
    """

    root: Path
    number: int

    @property
    def name(self) -> str:
        """How commands call it."""
        return f"{self.root}:{self.number}"

    @property
    def folder(self) -> Path:
        """Of the evaluation."""
        return self.root / _EVALUATIONS / str(self.number)

    @property
    def ended(self) -> datetime.datetime:
        """When the evaluation was written."""
        return datetime.datetime.fromtimestamp((self.folder / evaluation.METRICS_FILE).stat().st_mtime)

    def read(self) -> Evaluation:
        """What the evaluation found.

        Raises:
          UserError: another version of the program wrote it, or it is damaged.
        """
        try:
            return evaluation.read(str(self.folder))
        except ValueError as error:
            raise UserError(f"{self.folder / evaluation.METRICS_FILE} cannot be read: it is damaged") from error


def runs_below(folder: Path) -> list[Run]:
    """The runs of a root, or of all roots in a folder, by root and number."""
    roots = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())] if folder.is_dir() else []
    return [run for root in roots for run in _runs_of(root)]


def run_named(name: str) -> Run:
    """A run by its root, of which it is the newest, or by ROOT:NUMBER.

    Raises:
      UserError: there is none.
    """
    root, _, number = name.rpartition(":")
    by_number = number.isdecimal() and root != ""
    runs = list(_runs_of(Path(root if by_number else name)))
    chosen = [run for run in runs if run.number == int(number)] if by_number else runs[-1:]
    if not chosen:
        raise UserError(f"{name}: there is no run that was evaluated; `runs list FOLDER` shows those that there are")
    return chosen[0]


def size_of(folder: Path) -> int:
    """The bytes of all files of a folder and of those in it."""
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)


def _runs_of(root: Path) -> Iterator[Run]:
    folder = root / _EVALUATIONS
    numbers = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    for number in sorted(int(name) for name in numbers if name.isdecimal()):
        if (folder / str(number) / evaluation.METRICS_FILE).is_file():
            yield Run(root, number)
