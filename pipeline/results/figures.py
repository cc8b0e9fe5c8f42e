"""The figures of a step, by names that a console shows and compares runs by."""

import math
from collections.abc import Mapping

from components.artifacts import evaluation
from components.artifacts.evaluation import Evaluation, Way
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.model_run import History

Figures = dict[str, float]
_FULL = " of all items"
_BEST = " of best baseline"


def of_data(uri: str) -> Figures:
    """How many rows, users and items the interactions at `uri` have."""
    found = InteractionsSummary.read(uri)
    splits = {f"{split} rows": rows for split, rows in found.interactions.items()}
    counts = {"rows read": found.rows_read, "rows dropped": found.dropped.rows, **splits}
    return _finite({**counts, "users": found.users, "items": found.items, "density": found.density})


def of_training(uri: str) -> Figures:
    """Where the training at `uri` ended; nothing where it kept no history."""
    history = History.read(uri)
    if history is None:
        return {}
    whole = history.whole
    curve = {"epochs": len(whole.epochs), "best epoch": whole.best_epoch, "seconds": history.seconds}
    if whole.epochs:
        curve["last loss"] = whole.epochs[-1].loss
    return _finite({**curve, **{f"validation {name}": value for name, value in whole.best.items()}})


def of_evaluation(uri: str) -> Figures:
    """The gate's metrics in the evaluation at `uri`, in both ways of ranking, and whether the model is blessed.

    Example:
      `{"HR@10": 0.69, "HR@10 of best baseline": 0.66, "HR@10 of all items": 0.11, ..., "blessed": 1}`
    """
    found = evaluation.read(uri)
    figures = {"blessed": float(found.blessed), "test users": float(found.test_users.of(found.gate_on))}
    for way in found.ways:
        figures |= _of_way(found, way)
    return _finite(figures)


def of_model(uri: str) -> Figures:
    """What `of_evaluation` has of the model at `uri`."""
    return {name: value for name, value in of_evaluation(uri).items() if not name.endswith(_BEST)}


def of_best_baselines(uri: str) -> Figures:
    """What `of_evaluation` has of the best baselines at `uri`, by the names of the model's.

    A console that compares runs puts figures of one name into one row, and cuts long names off.
    """
    return {name.removesuffix(_BEST): value for name, value in of_evaluation(uri).items() if name.endswith(_BEST)}


def _of_way(found: Evaluation, way: Way) -> Figures:
    suffix = _FULL if way == "full" else ""
    model = {f"{name}{suffix}": found.model.of(way)[name] for name in found.gate_metrics}
    rivals = found.best_baselines.of(way)
    return model | {f"{name}{suffix}{_BEST}": rival.value for name, rival in rivals.items()}


def _finite(figures: Mapping[str, float]) -> Figures:
    """Neither platform's metadata knows other numbers."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
