"""A whole `tune`: the data steps, the search, and what is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from components.trainer.tuning.find import INTERRUPTED, Subject, find
from components.trainer.tuning.findings import Findings
from components.trainer.tuning.search import Limits
from components.trainer.tuning.space import TUNED
from pipeline.code_version import code_version
from pipeline.config import Config
from pipeline.console import StepReporter
from pipeline.local import runner
from pipeline.tuning import files
from pipeline.tuning.data import Data
from pipeline.tuning.screen import Screen, show


@dataclass(frozen=True)
class Request:
    """What `tune` was asked for.

    Attributes:
      config: the configuration.
      tree: the same, as it is written.
      root: the folder that keeps everything, as that of `run`.
      trials: at most so many.
      seconds: at most so long.
      workers: how many train at once.
      keys: which keys of the section `trainer` are tuned.
    """

    config: Config
    tree: Mapping[str, Any]
    root: Path
    trials: int
    seconds: float
    workers: int = 1
    keys: Sequence[str] = tuple(TUNED)


def tune(request: Request, console: Console, log: Path) -> Findings:
    """Tunes, shows the findings and writes them.

    Args:
      request: what is wanted.
      console: where to show it.
      log: the file with the frameworks' noise.

    Returns:
      What was found, over all commands that went on with the study.

    Raises:
      UserError: a data step or every trial failed, there are fewer cores than workers, or another command is tuning
        there.
      KeyboardInterrupt: Ctrl-C; what was found by then is shown and written.
    """
    limits = Limits(request.trials, request.seconds)
    folder = request.root / "tuning"
    with runner.exclusive(folder):
        outcomes = runner.run(request.config, request.root, StepReporter(console), last="NegativeGen")
        examples = outcomes["NegativeGen"].outputs["examples"].uri
        config = request.config
        interactions = outcomes["Preprocess"].outputs["interactions"].uri
        subject = Subject(examples, interactions, config.trainer, config.seed, code_version("trainer"), request.keys)
        study = subject.open_study(folder)
        with Screen(console, limits, subject.metric, study.all_tried()) as screen:
            findings = find(study, subject, limits, request.workers, screen)
        data = Data.read(interactions)
        written = files.write(folder, request.tree, findings, data, subject.space)
        show(console, findings, subject.space, {**written, "log": log}, request.root)
    if findings.ended == INTERRUPTED:
        raise KeyboardInterrupt
    return findings
