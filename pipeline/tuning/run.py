"""A whole `tune`: the data steps, the search, and what is left of it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from components.artifacts.examples import ExamplesSummary
from components.shared.errors import UserError
from components.trainer.history import chosen_metric
from components.trainer.tuning.findings import Findings
from components.trainer.tuning.search import Limits, search
from components.trainer.tuning.space import TUNED, Space
from components.trainer.tuning.study import Study
from components.trainer.tuning.workers import Job, Workers
from pipeline.code_version import code_version
from pipeline.config import Config
from pipeline.console import StepReporter
from pipeline.local import runner
from pipeline.tuning import files
from pipeline.tuning.data import Data
from pipeline.tuning.screen import Screen, show

INTERRUPTED = "it was interrupted"


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
    space = Space(request.config.trainer, request.keys)
    folder = request.root / "tuning"
    with runner.exclusive(folder):
        outcomes = runner.run(request.config, request.root, StepReporter(console), last="NegativeGen")
        examples, interactions = (
            outcomes[step].outputs[output].uri
            for step, output in (("NegativeGen", "examples"), ("Preprocess", "interactions"))
        )
        study = Study(folder / _identity(space, request.config.seed, examples), space, request.config.seed)
        job = Job(examples, space.config.device, request.config.seed, str(study.folder), request.workers)
        findings = _search(study, job, limits, chosen_metric(space.config), console)
        written = files.write(folder, request.tree, findings, Data.read(interactions), space)
        show(console, findings, space, {**written, "log": log}, request.root)
    if findings.ended == INTERRUPTED:
        raise KeyboardInterrupt
    return findings


def _search(study: Study, job: Job, limits: Limits, metric: str, console: Console) -> Findings:
    limits.go_on_from(study.seconds)
    with Screen(console, limits, metric, study.all_tried()) as screen, Workers(job) as workers:
        try:
            ended = search(study, workers, limits, screen)
        except KeyboardInterrupt:
            ended = INTERRUPTED
    findings = Findings(metric, study.all_tried(), study.importance(), study.seconds, ended)
    if findings.winner is None:
        if ended == INTERRUPTED:
            raise KeyboardInterrupt
        raise UserError(_why_nothing(findings))
    return findings


def _why_nothing(findings: Findings) -> str:
    reasons = [trial.reason for trial in findings.trials if trial.reason]
    if reasons:
        return f"every trial failed; the first one: {reasons[0]}"
    return f"no trial came to the end of an epoch in {findings.seconds / 60:.1f} minutes; set more --minutes"


def _identity(space: Space, seed: int, examples: str) -> str:
    """Stands for all that a trial's metric depends on: a study goes on only where that is the same."""
    parts = {
        "examples": ExamplesSummary.read(examples).fingerprint,
        "config": space.config.model_dump(mode="json"),
        "ranges": space.identity(),
        "seed": seed,
        "code": code_version("trainer"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
