"""A study from its start, or from where it stood, to what it has found."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.examples import ExamplesSummary
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.history import chosen_metric
from components.trainer.tuning.findings import Findings
from components.trainer.tuning.search import Limits, Watcher, search
from components.trainer.tuning.space import TUNED, Space
from components.trainer.tuning.study import Study
from components.trainer.tuning.workers import Job, Workers

INTERRUPTED = "it was interrupted"


@dataclass(frozen=True)
class Subject:
    """All that a trial's metric depends on: a study goes on only where that is the same.

    Attributes:
      examples: URI of the examples.
      interactions: URI of the interactions that they were made from.
      config: the section `trainer` as it is.
      seed: the run's seed.
      code_version: changes with the code that trains.
      keys: which keys are tuned.
    """

    examples: str
    interactions: str
    config: TrainerConfig
    seed: int
    code_version: str
    keys: Sequence[str] = tuple(TUNED)

    @property
    def space(self) -> Space:
        """What is searched."""
        return Space(self.config, self.keys)

    @property
    def metric(self) -> str:
        """The metric that chooses."""
        return chosen_metric(self.config)

    def open_study(self, root: Path) -> Study:
        """Its study below a folder, which nobody else may use meanwhile."""
        parts = {
            "examples": ExamplesSummary.read(self.examples).fingerprint,
            "config": self.config.model_dump(mode="json"),
            "ranges": self.space.identity(),
            "seed": self.seed,
            "code": self.code_version,
        }
        name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        return Study(root / name, self.space, self.seed)


def find(study: Study, subject: Subject, limits: Limits, workers: int, watcher: Watcher) -> Findings:
    """Searches; what Ctrl-C interrupts has found what there is by then.

    Args:
      study: of the subject.
      subject: what is tuned, on what.
      limits: how far to search.
      workers: how many train at once.
      watcher: sees what happens.

    Returns:
      What was found; there is a winner.

    Raises:
      UserError: no training can be done, or none came to the end of an epoch; there are fewer cores than workers.
      KeyboardInterrupt: Ctrl-C, before any training came to the end of an epoch.
    """
    limits.go_on_from(study.seconds)
    job = Job(subject.examples, subject.interactions, subject.config.device, subject.seed, str(study.folder), workers)
    with Workers(job) as crew:
        try:
            ended = search(study, crew, limits, watcher)
        except KeyboardInterrupt:
            ended = INTERRUPTED
    findings = Findings(subject.metric, study.all_tried(), study.importance(), study.seconds, ended)
    if findings.winner is None:
        raise KeyboardInterrupt if ended == INTERRUPTED else UserError(_why_nothing(findings))
    return findings


def _why_nothing(findings: Findings) -> str:
    reasons = [trial.reason for trial in findings.trials if trial.reason]
    if reasons:
        return f"every trial failed; the first one: {reasons[0]}"
    return f"no trial came to the end of an epoch in {findings.seconds / 60:.1f} minutes; allow for more of them"
