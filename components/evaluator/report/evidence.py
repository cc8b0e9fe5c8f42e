"""Finds its way in `metrics.json`, any part of which may be missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluator.report import figures

Tree = Mapping[str, Any]

SYSTEMS = {"model": "Model", "als": "ALS", "popularity": "Popularity"}
WAYS = {"sampled": "Among sampled negatives", "full": "Among all unseen items"}
METRICS = ("HR", "NDCG")
SLICES = {"activity": "By activity of the user", "item_popularity": "By popularity of the held-out item"}


def systems(metrics: Tree) -> dict[str, str]:
    """The systems that were measured: key and title."""
    return {name: title for name, title in SYSTEMS.items() if isinstance(metrics.get(name), Mapping)}


def lengths(metrics: Tree) -> list[int]:
    """The K of the metrics; `ks`, or what the model's metrics say."""
    names = find(metrics, "model", "sampled") or {}
    return list(metrics.get("ks") or sorted(int(name.removeprefix("HR@")) for name in names if name.startswith("HR@")))


def gate_metrics(metrics: Tree) -> list[str]:
    """The metrics that the gate looks at, such as HR@10 and NDCG@10."""
    return [f"{name}@{metrics.get('gate_k', 10)}" for name in METRICS]


def find(tree: Any, *path: str) -> Any:
    """What stands at the end of a path of keys; None where the path breaks off."""
    for key in path:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def estimate(metrics: Tree, system: str, way: str, metric: str) -> tuple[float | None, float | None, float | None]:
    """A system's metric and the two ends of its interval."""
    low, high = find(metrics, system, "intervals", way, metric) or (None, None)
    return find(metrics, system, way, metric), low, high


def paired(difference: Tree) -> dict[str, Any]:
    """A paired difference with its interval, and what it tells."""
    mean, low, high = (difference.get(key) for key in ("mean", "low", "high"))
    if low is None or high is None:
        return {"mean": mean, "low": None, "high": None, "meaning": ""}
    meaning = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    return {"mean": mean, "low": low, "high": high, "meaning": meaning}


def in_words(values: Sequence[tuple[str, float | None]]) -> str:
    """Names with their numbers, for the description of a chart."""
    return ", ".join(f"{name} {figures.figure(value)}" for name, value in values)
