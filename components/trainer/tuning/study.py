"""Optuna's study of one configuration: what to try next, when to stop it, and the journal of it all.

Values come from the tree-structured Parzen estimator (Bergstra et al., Algorithms for Hyper-Parameter Optimization,
NeurIPS 2011). A trial is stopped where its best epoch so far is below the median of the others at the same epoch
(Golovin et al., Google Vizier, KDD 2017).
"""

import os
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from components.shared.random_streams import stream_key
from components.trainer.tuning.findings import State, Tried
from components.trainer.tuning.space import Space
from components.trainer.tuning.workers import Task

_JOURNAL = "journal.jsonl"
_RANDOM_TRIALS = 8  # before the estimator has something to go by
_TRIALS_BEFORE_STOPPING = 4  # a median of fewer says little
_EPOCHS_BEFORE_STOPPING = 2  # one that starts from random weights needs some to show what it can
_LEAST_FOR_IMPORTANCE = 10
_STATES = {
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.STOPPED,
    TrialState.FAIL: State.FAILED,
    TrialState.RUNNING: State.CUT_OFF,
}


class Study:
    """A study in a folder; one that is there already goes on. Nobody else may use the folder meanwhile."""

    def __init__(self, folder: Path, space: Space, seed: int):
        """Opens the journal, or begins one with the configuration as it is for its first trial.

        Args:
          folder: of the study.
          space: what is searched.
          seed: the run's seed; one worker alone tries the same trials again.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder, self._space, self._seed = folder, space, seed
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(_mended(folder / _JOURNAL)))),
            study_name=folder.name,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(_TRIALS_BEFORE_STOPPING, _EPOCHS_BEFORE_STOPPING),
            load_if_exists=True,
        )
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial(space.own())
        self._interrupted = [trial.number for trial in self._begun() if trial.state == TrialState.RUNNING]
        self._running: dict[int, optuna.Trial] = {}

    @property
    def seconds(self) -> float:
        """How long the study has taken, over all commands so far."""
        return float(self._study.user_attrs.get("seconds", 0.0))

    def pass_time(self, seconds: float) -> None:
        """Notes how long the study has taken."""
        self._study.set_user_attr("seconds", round(seconds, 3))

    def next(self, at_most: int, seconds: float) -> Task | None:
        """The next training, which begins now, after so many seconds; None where there are so many trials already.

        Those that an earlier process was interrupted at come first.
        """
        number = self._interrupted.pop(0) if self._interrupted else len(self._begun())
        if number >= at_most:
            return None
        # A stream of its own for each trial: a study that was interrupted draws what it would have drawn.
        seed = stream_key(self._seed, "tuning", number) % 2**32
        self._study.sampler = optuna.samplers.TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=seed)
        trial = self._running[number] = self._take_up(number)
        if "changes" not in trial.user_attrs:
            trial.set_user_attr("begun", round(seconds, 3))
            trial.set_user_attr("changes", self._space.draw(trial) if number else self._space.draw_own(trial))
        return Task(number, self._space.with_changes(trial.user_attrs["changes"]))

    def _take_up(self, number: int) -> optuna.Trial:
        begun = self._begun()
        # Optuna has no public way to go on with a trial that another process began.
        return optuna.Trial(self._study, begun[number]._trial_id) if number < len(begun) else self._study.ask()

    def _begun(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=tuple(_STATES))

    def report(self, number: int, values: Sequence[float]) -> bool:
        """Notes the metric after each epoch so far; whether the trial is worth going on with.

        The configuration as it is always is: all gains are measured from it.
        """
        trial = self._running[number]
        known = len(self._frozen(number).intermediate_values)
        for epoch, value in list(enumerate(values))[known:]:
            trial.report(value, epoch)
        return number == 0 or not trial.should_prune()

    def end(self, number: int, worth_it: bool, seconds: float) -> None:
        """A trial has ended: by itself, or because it was not worth going on."""
        best = max(self._frozen(number).intermediate_values.values())
        self._tell(number, TrialState.COMPLETE if worth_it else TrialState.PRUNED, seconds, best if worth_it else None)

    def fail(self, number: int, reason: str, seconds: float) -> None:
        """A trial has failed."""
        self._running[number].set_user_attr("reason", reason)
        self._tell(number, TrialState.FAIL, seconds)

    def _tell(self, number: int, state: TrialState, seconds: float, value: float | None = None) -> None:
        trial = self._running.pop(number)
        trial.set_user_attr("ended", round(seconds, 3))
        self._study.tell(trial, value, state)

    def tried(self, number: int) -> Tried:
        """A trial as it is now."""
        return _tried(self._frozen(number))

    def all_tried(self) -> list[Tried]:
        """All trials as they are now."""
        return [_tried(trial) for trial in self._begun()]

    def importance(self) -> dict[str, float]:
        """Of each key, its share in telling the best of the complete trials from all of them.

        By PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023); empty for fewer than ten trials.
        """
        if len(self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) < _LEAST_FOR_IMPORTANCE:
            return {}
        return optuna.importance.get_param_importances(self._study)

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]


def _tried(trial: FrozenTrial) -> Tried:
    attributes = trial.user_attrs
    return Tried(
        number=trial.number,
        changes=attributes.get("changes", {}),
        state=_STATES[trial.state],
        values=tuple(trial.intermediate_values.values()),
        reason=attributes.get("reason", ""),
        begun=attributes.get("begun", 0.0),
        ended=attributes.get("ended"),
    )


def _mended(journal: Path) -> Path:
    """The journal without what a process left behind that was killed while it wrote: half a line, and its lock."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{journal}.lock").unlink(missing_ok=True)
    if journal.exists():
        whole = journal.read_bytes().rpartition(b"\n")
        os.truncate(journal, len(whole[0]) + len(whole[1]))
    return journal
