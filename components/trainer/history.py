"""What happened in each epoch, and what follows from it: which epoch is best, and whether to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from components.trainer.config import TrainerConfig


@dataclass(frozen=True)
class Epoch:
    """One epoch of training.

    Attributes:
      loss: mean over the epoch's steps.
      hr: hit rate at 10 on validation; None where there is no such split.
      ndcg: NDCG at 10, likewise.
      seconds: of training, without validation.
      examples_per_second: rows of the epoch over `seconds`.
    """

    loss: float
    hr: float | None
    ndcg: float | None
    seconds: float
    examples_per_second: float


@dataclass(frozen=True)
class Stage:
    """A training that is over: of one tower before the whole, or of the whole model."""

    name: str
    epochs: Sequence[Epoch]
    config: TrainerConfig


def best_epoch(epochs: Sequence[Epoch], config: TrainerConfig) -> int:
    """The position of the epoch to export: the earliest with the best metric, or the last without validation."""
    values = [getattr(epoch, config.metric) for epoch in epochs]
    if None in values:
        return len(epochs) - 1
    return max(range(len(values)), key=lambda position: (values[position], -position))


def reason_to_stop(epochs: Sequence[Epoch], config: TrainerConfig) -> str | None:
    """Why training ends after these epochs, or None where it goes on."""
    if not epochs:
        return None
    last = epochs[-1]
    if config.hr_threshold is not None and last.hr is not None and last.hr >= config.hr_threshold:
        return f"HR@10 reached {config.hr_threshold:g}"
    if len(epochs) >= config.epochs:
        return "all epochs done"
    since_best = len(epochs) - 1 - best_epoch(epochs, config)
    if config.early_stopping_patience is not None and since_best >= config.early_stopping_patience:
        return f"no better {config.metric.upper()}@10 for {since_best} epochs"
    return None


def as_json(epochs: Sequence[Epoch], config: TrainerConfig) -> dict[str, Any]:
    """One stage in `history.json`; epochs count from 1."""
    validated = bool(epochs) and epochs[-1].hr is not None
    return {
        "epochs": [
            {
                "epoch": number,
                "loss": epoch.loss,
                "hr@10": epoch.hr,
                "ndcg@10": epoch.ndcg,
                "seconds": round(epoch.seconds, 3),
                "examples_per_second": round(epoch.examples_per_second),
            }
            for number, epoch in enumerate(epochs, start=1)
        ],
        "best_epoch": best_epoch(epochs, config) + 1,
        "chosen_by": f"{config.metric}@10 on validation" if validated else "last epoch: there is no validation split",
        "stopped": reason_to_stop(epochs, config),
    }


def report(stages: Sequence[Stage]) -> dict[str, Any]:
    """The content of `history.json`: the last stage, and those before it under `pretraining`."""
    *before, whole = ({"stage": stage.name, **as_json(stage.epochs, stage.config)} for stage in stages)
    return {**whole, "pretraining": before}


def outcome(epochs: Sequence[Epoch], config: TrainerConfig) -> str:
    """The training in one line."""
    position = best_epoch(epochs, config)
    best, reason = epochs[position], reason_to_stop(epochs, config)
    # The median: the first epoch compiles.
    speed = f"{median(epoch.examples_per_second for epoch in epochs) / 1e6:.2f} M examples/s"
    chosen = f"epoch {position + 1} of {len(epochs)}"
    if best.hr is None:
        return f"{chosen}: the last one, as there is no validation split to choose on; {speed}"
    return f"{chosen}: validation HR@10 {best.hr:.4f}, NDCG@10 {best.ndcg:.4f} ({reason}); {speed}"
