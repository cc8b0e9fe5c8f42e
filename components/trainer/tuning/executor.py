"""The executor of the Tuner."""

import shutil
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.artifacts.hyperparameters import Hyperparameters
from components.shared import progress
from components.trainer.config import TrainerConfig
from components.trainer.tuning.config import TunerConfig
from components.trainer.tuning.find import INTERRUPTED, Subject, find
from components.trainer.tuning.findings import Findings, Tried
from components.trainer.tuning.search import Limits, Watcher


class Executor(base_executor.BaseExecutor):
    """Unpacks the artifacts, searches, writes what was found."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        tuner = TunerConfig.from_properties(exec_properties)
        subject = Subject(
            examples=artifact_utils.get_single_uri(input_dict["examples"]),
            interactions=artifact_utils.get_single_uri(input_dict["interactions"]),
            config=TrainerConfig.from_properties(exec_properties),
            seed=exec_properties["seed"],
            code_version=exec_properties["code_version"],
        )
        study = subject.open_study(Path(exec_properties["study_root"] or self._get_tmp_dir()))
        limits = Limits(tuner.trials, 60 * tuner.minutes)
        with progress.bar("trials", tuner.trials) as bar:
            findings = find(study, subject, limits, tuner.workers, _OnBar(bar))
        if findings.ended == INTERRUPTED:  # half a search is nothing to keep in the cache
            raise KeyboardInterrupt
        found = hyperparameters(findings)
        found.write(artifact_utils.get_single_uri(output_dict["best_hyperparameters"]))
        shutil.rmtree(study.folder)
        progress.note(in_words(found))


class _OnBar(Watcher):
    def __init__(self, bar: progress.Bar):
        self._bar = bar

    def epoch(self, trial: Tried) -> None:
        self._bar.describe(f"trial {trial.number}: epoch {len(trial.values)}, at best {trial.best:.4f}")

    def end(self, trial: Tried) -> None:
        self._bar.advance()


def hyperparameters(findings: Findings) -> Hyperparameters:
    """The findings as the Trainer takes them."""
    winner = findings.winner
    assert winner is not None
    assert winner.best is not None
    return Hyperparameters(
        values=dict(winner.changes),
        metric=findings.metric,
        value=winner.best,
        own_value=findings.own.best,
        trials=len(findings.trials),
    )


def in_words(found: Hyperparameters) -> str:
    """What was found in one line."""
    own = "" if found.own_value is None else f", as it was {found.own_value:.4f}"
    return f"{found.trials} trials: validation {found.metric} {found.value:.4f}{own}"
