"""What follows from the epochs so far: which one is best, and whether to stop."""

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from components.artifacts.model_run import METRIC_NAMES, Blend, Epoch, K, Stage
from components.trainer.config import TrainerConfig
from components.trainer.settings import Settings

Metrics = Mapping[str, float]

# What the console says of every training: the paper's metrics, whatever others there are.
_ALWAYS_SHOWN = (f"HR@{K}", f"NDCG@{K}")


def chosen_metric(config: TrainerConfig) -> str:
    """The name of the metric that chooses the epoch: NDCG@10 where the configuration says ndcg."""
    return next(name for name in METRIC_NAMES if name.lower() == f"{config.metric}@{K}")


def best_epoch(start: Metrics, epochs: Sequence[Epoch], config: Settings) -> int:
    """The number of the epoch to export, from 1: the earliest with the best metric, or the last without validation.

    0 stands for what training started from, where that was validated and no epoch is better, or, where it is fitted
    anew with the validation items in the end, better by `least_gain`.
    """
    if not all(epoch.metrics for epoch in epochs):
        return len(epochs)
    values = [*([chosen_value(start, config)] if start else []), *values_of(start, epochs, config)]
    best = max(range(len(values)), key=lambda position: (values[position], -position), default=0)
    return best if start else best + bool(epochs)


def values_of(start: Metrics, epochs: Sequence[Epoch], config: Settings) -> list[float]:
    """The metric that chooses the epoch, after each; no better than the start's where the epoch would not be exported.

    Example:
      Beside towers in closed form, after a start of .200, epochs of .201 and .203 count as .200 and .203, where
      `least_gain` is .01.
    """
    values = [chosen_value(epoch.metrics, config) for epoch in epochs]
    if not start:
        return values
    begin = chosen_value(start, config)
    least = begin * (1 + config.least_gain) if _start_is_fitted_anew(config) else begin
    return [value if value >= least else min(value, begin) for value in values]


def _start_is_fitted_anew(config: TrainerConfig) -> bool:
    has_towers = bool(config.history_factors or config.recent_items)
    return has_towers and config.pretraining == "als"


def chosen_value(metrics: Metrics, config: TrainerConfig) -> float:
    """The metric that chooses the epoch, of those on validation."""
    return metrics[chosen_metric(config)]


def reason_to_stop(start: Metrics, epochs: Sequence[Epoch], config: TrainerConfig) -> str | None:
    """Why training ends after these epochs, or None where it goes on."""
    if not epochs:
        return None
    hit_rate = epochs[-1].metrics.get(f"HR@{K}")
    if config.hr_threshold is not None and hit_rate is not None and hit_rate >= config.hr_threshold:
        return f"HR@{K} reached {config.hr_threshold:g}"
    if len(epochs) >= config.epochs:
        return "all epochs done"
    since_best = _since_best(start, epochs, config)
    if config.early_stopping_patience is not None and since_best >= config.early_stopping_patience:
        return f"no better {chosen_metric(config)} for {since_best} epochs"
    return None


def _since_best(start: Metrics, epochs: Sequence[Epoch], config: TrainerConfig) -> int:
    """How many epochs were no better than one before, or than the start.

    Whatever the gain: that of the first epochs is small where the start leaves the trained part without a weight.
    """
    if not all(epoch.metrics for epoch in epochs):
        return 0
    values = [chosen_value(metrics, config) for metrics in (start, *(epoch.metrics for epoch in epochs)) if metrics]
    return len(values) - 1 - int(np.argmax(values))


def end_of_stage(name: str, start: Metrics, epochs: Sequence[Epoch], config: Settings) -> Stage:
    """A training that is over, with what its epochs say of it."""
    among = ", over all items" if config.validate_on == "full" else ", over sampled ones"
    on_validation = f"{chosen_metric(config).lower()} on validation{among}"
    chosen_by = on_validation if epochs[-1].metrics else "last epoch: no held-out items to choose by"
    stopped = reason_to_stop(start, epochs, config)
    assert stopped is not None
    return Stage(name, tuple(epochs), best_epoch(start, epochs, config), chosen_by, stopped, start)


def shown_metrics(metrics: Metrics, config: TrainerConfig) -> str:
    """Metrics in a few words: HR@10 0.6610, NDCG@10 0.3954; the one that chooses is among them."""
    names = dict.fromkeys((*_ALWAYS_SHOWN, chosen_metric(config)))
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in names)


def progress_of(epochs: Sequence[Epoch], config: TrainerConfig) -> str:
    """The last epoch in a few words."""
    last = epochs[-1]
    metrics = f", {shown_metrics(last.metrics, config)}" if last.metrics else ""
    return f"epoch {len(epochs)}: loss {last.loss:.4f}{metrics}"


def outcome(stage: Stage, config: TrainerConfig) -> str:
    """A training in one line."""
    # The median: the first epoch compiles.
    speed = f"{median(epoch.examples_per_second for epoch in stage.epochs) / 1e6:.2f} M examples/s"
    chosen = f"epoch {stage.best_epoch} of {len(stage.epochs)}"
    if not stage.best:
        return f"{chosen}: the last one, as no held-out items are there to choose by; {speed}"
    if not stage.best_epoch:
        trained = len(stage.epochs)
        chosen = f"{trained} {'epoch' if trained == 1 else 'epochs'} gained nothing over the start"
    return f"{chosen}: validation {shown_metrics(stage.best, config)} ({stage.stopped}); {speed}"


def outcome_of_blend(blend: Blend | None, config: TrainerConfig) -> list[str]:
    """What the towers in closed form gave, in one line; nothing where there are none."""
    if blend is None:
        return []
    metric = chosen_metric(config)
    weights = ", ".join(f"{name.replace('_', ' ')} {weight:.3g}" for name, weight in blend.weights.items())
    return [
        f"with towers in closed form, {metric} over all items {blend.together[metric]:.4f} "
        f"(as trained {blend.alone['neumf'][metric]:.4f}); weights: {weights}"
    ]


def settled(values: Mapping[str, float]) -> list[str]:
    """What stands for each `auto`, in one line; nothing where there is none."""
    return [f"auto: {', '.join(f'{key} {value:g}' for key, value in values.items())}"] if values else []
