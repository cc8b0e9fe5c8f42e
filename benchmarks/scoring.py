"""All items ranked for all users of ml-1m's shape by the MLPerf model, beside Keras `predict` and PyTorch.

Ours is the Evaluator's path, measured as in the benchmark `ranking`: the SavedModel scores all items of a user from one
row of it, and the held-out item and the best ten are found among the unseen items. The others score every pair by a
plain forward pass of the usual NeuMF, with the same weights, in the best of some sizes of a block; they do so for a
part of the users, the rest is scaled up, and ranking their scores is not counted. Then their ten best unseen items have
to be ours, an item for another where both scores are the same to 1e-4.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from benchmarks import weights
from benchmarks.harness import Result, measure
from benchmarks.neumf import SHAPES, Shape
from benchmarks.peers import require
from benchmarks.peers.timing import EAGER, Setting
from benchmarks.ranking import MODEL, SEEN, import_quietly, random_holdouts, rank, save_model
from components.evaluator.ranking import Holdouts, top_unseen

TOLERANCE = 1e-4
_SIZE = "ml-1m"
_BLOCK_SIZES = (4_096, 16_384, 65_536)
_BARS = {"keras_predict": 5.0, "pytorch": 3.0}


@dataclass(frozen=True)
class _Found:
    """What one turn or more found: seconds for all users, those of the peers by setting, and how many lists differ."""

    seconds: float
    peers: dict[str, dict[Setting, float]]
    differing: dict[str, int]


@click.command(help=__doc__)
@click.option("--users", type=click.IntRange(1), default=200, show_default=True, help="That the others score for.")
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True, help="Turns of each; the best counts.")
def command(users: int, rounds: int) -> list[Result]:
    """Measures and compares."""
    require("torch")
    shape = SHAPES[_SIZE]
    users = min(users, shape.users)
    with tempfile.TemporaryDirectory(prefix="scoring-") as folder:
        measure(save_model, folder, shape, prepare=import_quietly)
        found = _compare(folder, shape, users, rounds)
    sample = f"s, from {users:,} of {shape.users:,} users"
    results = [Result("seconds", found.seconds, "s")]
    for name, speeds in found.peers.items():
        best = min(speeds, key=speeds.__getitem__)
        results += [
            Result(f"{name}_seconds", speeds[best], f"{sample}; {best}"),
            Result(f"ratio_to_{name}", speeds[best] / found.seconds, "times as fast", bar=_BARS[name]),
            Result(f"{name}_differing_lists", found.differing[name], f"of {users:,}", bar=0, at_most=True),
        ]
    for name, speeds in found.peers.items():
        for setting, seconds in speeds.items():
            results.append(Result(f"{name}_{setting.way}_{setting.batch_size}_seconds", seconds, sample))
    return results


def _compare(folder: str, shape: Shape, users: int, rounds: int) -> _Found:
    holdouts = random_holdouts(shape.users, shape.items, SEEN[_SIZE])
    sample = holdouts.take(np.arange(users))
    scores = f"{folder}/scores.npy"
    ours = []
    peers: dict[str, dict[Setting, float]] = {name: {} for name in _PEERS}
    differing = dict.fromkeys(_PEERS, 0)
    for _ in range(rounds):
        seconds, top = measure(_ours, folder, holdouts, shape.items, users, prepare=import_quietly).value
        ours.append(seconds)
        for name, (score, settings) in _PEERS.items():
            for setting in settings:
                seconds = measure(score, folder, shape, users, setting, scores).value * shape.users / users
                peers[name][setting] = min(seconds, peers[name].get(setting, seconds))
                differing[name] = max(differing[name], differing_lists(top, np.load(scores), sample))
    return _Found(min(ours), peers, differing)


def _ours(folder: str, holdouts: Holdouts, items: int, users: int) -> tuple[float, np.ndarray]:
    seconds, ranking = rank(folder, holdouts, items)
    return seconds, ranking.top[:users]


def differing_lists(top: np.ndarray, scores: np.ndarray, holdouts: Holdouts, tolerance: float = TOLERANCE) -> int:
    """How many users have a list that is not the best by these scores.

    In each place of a list there has to be an unseen item whose score is that of the right item, to the tolerance, and
    no item may come twice.

    Args:
      top: int32 [n, k], the lists.
      scores: float32 [n, items], by somebody else.
      holdouts: the same n users.
      tolerance: how far two scores may be apart that count as equal.
    """
    right = top_unseen(scores, holdouts, top.shape[1])
    allowed = scores.copy()
    allowed[holdouts.seen_rows(), holdouts.seen] = -np.inf
    apart = np.abs(np.take_along_axis(allowed, top, axis=1) - np.take_along_axis(allowed, right, axis=1))
    repeated = (np.diff(np.sort(top, axis=1), axis=1) == 0).any(axis=1)
    return int(((apart > tolerance).any(axis=1) | repeated).sum())


def _pairs(users: int, items: int) -> tuple[np.ndarray, np.ndarray]:
    """Every item for each of the first users: int32 [users * items] each."""
    return np.repeat(np.arange(users, dtype="i4"), items), np.tile(np.arange(items, dtype="i4"), users)


def _timed(score: Callable[[], np.ndarray], users: int, scores: str) -> float:
    """Seconds to score all pairs, after one time that is not measured; saves the scores [users, items]."""
    score()
    start = time.perf_counter()
    found = score()
    seconds = time.perf_counter() - start
    np.save(scores, found.reshape(users, -1))
    return seconds


def _keras(folder: str, shape: Shape, users: int, setting: Setting, scores: str) -> float:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.peers import keras_neumf

    network = keras_neumf.with_weights(shape, MODEL, weights.load(f"{folder}/weights.npz"))
    network.compile(jit_compile=setting.way == "XLA")
    pairs: list[Any] = [*_pairs(users, shape.items)]
    return _timed(lambda: network.predict(pairs, batch_size=setting.batch_size, verbose=0), users, scores)


def _torch(folder: str, shape: Shape, users: int, setting: Setting, scores: str) -> float:
    from benchmarks.peers import torch_neumf

    neumf = torch_neumf.with_weights(shape, MODEL, weights.load(f"{folder}/weights.npz"))
    pairs = _pairs(users, shape.items)
    return _timed(lambda: torch_neumf.scores(neumf, *pairs, setting.batch_size), users, scores)


_PEERS: dict[str, tuple[Callable[..., float], list[Setting]]] = {
    "keras_predict": (_keras, [Setting(way, size) for way in ("plain", "XLA") for size in _BLOCK_SIZES]),
    "pytorch": (_torch, [Setting(EAGER, size) for size in _BLOCK_SIZES]),
}
