"""All items ranked for all users of ml-1m's shape by the MLPerf model, beside Keras `predict` and PyTorch.

Ours is the Evaluator's path, measured as in the benchmark `ranking`: the SavedModel scores all items of a user from one
row of it, and the held-out item and the best ten are found among the unseen items. The others score every pair by a
plain forward pass of the usual NeuMF, with the same weights; ranking their scores is not counted. Each of their
settings is tried on a part of the users, for whom their ten best unseen items have to be ours, an item for another
where both scores are the same to 1e-4. Then ours and the best setting of each take turns on all users, every time in a
process of its own, and the best turn of each counts.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import click
import numpy as np

from benchmarks import weights
from benchmarks.harness import Result, measure
from benchmarks.neumf import SHAPES, Shape
from benchmarks.peers import require
from benchmarks.peers.timing import EAGER, Setting
from benchmarks.ranking import MODEL, SEEN, import_quietly, random_holdouts, rank, save_model
from components.ranking.ranks import Holdouts, top_unseen

TOLERANCE = 1e-4
_SIZE = "ml-1m"
_BLOCK_SIZES = (4_096, 16_384, 65_536)
_BAR = 4.0


@dataclass(frozen=True)
class _Peer:
    """What another one needed: seconds for all users, by setting scaled up from a part of them, and at its best."""

    tried: dict[Setting, float]
    best: Setting
    seconds: float
    differing: int


@click.command(help=__doc__)
@click.option(
    "--users",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="On whom the settings of the others are tried.",
)
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True, help="Turns of each.")
def command(users: int, rounds: int) -> list[Result]:
    """Measures and compares."""
    require("torch")
    shape = SHAPES[_SIZE]
    users = min(users, shape.users)
    with tempfile.TemporaryDirectory(prefix="scoring-") as folder:
        measure(save_model, folder, shape, prepare=import_quietly)
        seconds, peers = _compare(folder, shape, users, rounds)
    results = [Result("seconds", seconds, "s")]
    for name, peer in peers.items():
        results += [
            Result(f"{name}_seconds", peer.seconds, f"s; {peer.best}"),
            Result(f"ratio_to_{name}", peer.seconds / seconds, "times as fast", bar=_BAR),
            Result(f"{name}_differing_lists", peer.differing, f"of {users:,}", bar=0, at_most=True),
        ]
    sample = f"s, from {users:,} of {shape.users:,} users, tried once"
    for name, peer in peers.items():
        for setting, tried in peer.tried.items():
            results.append(Result(f"{name}_{setting.way}_{setting.batch_size}_seconds", tried, sample))
    return results


def _compare(folder: str, shape: Shape, users: int, rounds: int) -> tuple[float, dict[str, _Peer]]:
    """Our seconds, and the others."""
    holdouts = random_holdouts(shape.users, shape.items, SEEN[_SIZE])
    turns = [measure(_ours, folder, holdouts, shape.items, users, prepare=import_quietly).value]
    _, top = turns[0]
    peers = {name: _try(name, folder, shape, users, top, holdouts.take(np.arange(users))) for name in _PEERS}
    of_peers: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        turns.append(measure(_ours, folder, holdouts, shape.items, users, prepare=import_quietly).value)
        for name, peer in peers.items():
            of_peers[name].append(measure(_PEERS[name][0], folder, shape, shape.users, peer.best, None).value)
    found = {name: replace(peer, seconds=min(of_peers[name])) for name, peer in peers.items()}
    return min(seconds for seconds, _ in turns), found


def _try(name: str, folder: str, shape: Shape, users: int, top: np.ndarray, sample: Holdouts) -> _Peer:
    score, settings = _PEERS[name]
    scores, differing = f"{folder}/scores.npy", 0
    tried = {}
    for setting in settings:
        tried[setting] = measure(score, folder, shape, users, setting, scores).value * shape.users / users
        differing = max(differing, differing_lists(top, np.load(scores), sample))
    best = min(tried, key=tried.__getitem__)
    return _Peer(tried, best, tried[best], differing)


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


def _timed(
    score: Callable[[np.ndarray, np.ndarray], np.ndarray], users: int, shape: Shape, size: int, scores: str | None
) -> float:
    """Seconds to score all pairs of the first users, in blocks of a size; saves the scores [users, items]."""
    user, item = _pairs(users, shape.items)
    # Before: a block, and the last one, which is smaller.
    few = slice(-(size + len(user) % size), None)
    score(user[few], item[few])
    start = time.perf_counter()
    found = score(user, item)
    seconds = time.perf_counter() - start
    if scores:
        np.save(scores, found.reshape(users, -1))
    return seconds


def _keras(folder: str, shape: Shape, users: int, setting: Setting, scores: str | None) -> float:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.peers import keras_neumf

    network = keras_neumf.with_weights(shape, MODEL, weights.load(f"{folder}/weights.npz"))
    network.compile(jit_compile=setting.way == "XLA")

    def score(user: np.ndarray, item: np.ndarray) -> np.ndarray:
        return network.predict([user, item], batch_size=setting.batch_size, verbose=0)

    return _timed(score, users, shape, setting.batch_size, scores)


def _torch(folder: str, shape: Shape, users: int, setting: Setting, scores: str | None) -> float:
    from benchmarks.peers import torch_neumf

    neumf = torch_neumf.with_weights(shape, MODEL, weights.load(f"{folder}/weights.npz"))

    def score(user: np.ndarray, item: np.ndarray) -> np.ndarray:
        return torch_neumf.scores(neumf, user, item, setting.batch_size)

    return _timed(score, users, shape, setting.batch_size, scores)


_PEERS: dict[str, tuple[Callable[..., float], list[Setting]]] = {
    "keras_predict": (_keras, [Setting(way, size) for way in ("plain", "XLA") for size in _BLOCK_SIZES]),
    "pytorch": (_torch, [Setting(EAGER, size) for size in _BLOCK_SIZES]),
}
