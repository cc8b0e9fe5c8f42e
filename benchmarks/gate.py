"""The gate: how often it lets a model pass that is as good as its rival, and how often a worse one.

With `--mutants`, whole: the pipeline trains and pushes a model on embedded synthetic data of 5,000 users. So many
mutants of it, of nine kinds in turn, and as many honest trainings with other seeds as `--reseeds` says, are then
SavedModels that the Evaluator judges as it does in a run, the good model being the champion. `--after` goes on where an
earlier command ended.

Without, by simulation. The rival is the best baseline or the champion: the rule is the same. Real models are fitted to
the embedded synthetic data (or to a file), from several seeds. A worse model is one of them, harmed until its NDCG@10
is 3 % lower, over all items or among sampled candidates: by noise on all its scores, or by users who get the scores of
another. Users are then drawn anew for each of many evaluations, and the gate's rule judges each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.harness import Result
from components.artifacts.evaluation import MODEL, ByWay, Way
from components.evaluator.comparison import Resampled
from components.evaluator.config import EvaluatorConfig
from components.metrics import METRICS
from components.metrics.ndcg import ndcg
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, generate_block
from components.ranking.ranks import Holdouts, rank_first, rank_unseen
from components.shared.als import AlsSettings, fit_als
from components.shared.progress import Reporter
from components.shared.random_streams import generator

SYNTHETIC = SyntheticConfig(users=5_000, items=1_500, interactions=375_000)
ALS = AlsSettings(factors=32, iterations=8, regularization=0.009, unobserved_weight=0.15)
CANDIDATES = 99
WORSE = 0.03
_K = 10
_USERS_AT_ONCE = 256
_STEPS = 7
_RIVAL = "rival"
_FEWEST = 5
_SHARE = 0.8
_RESAMPLES = 200
_USERS = 5_000

Ranks = ByWay[npt.NDArray[np.int64]]
Score = Callable[[npt.NDArray[np.int32]], npt.NDArray[np.float32]]
"""From users, int32 [n], to the scores of all items, float32 [n, items]."""
Harm = Callable[[Score, float], Score]
"""A model that is so much harmed: not at all at 0."""


@dataclass(frozen=True)
class Data:
    """What models are fitted to and tried on.

    Attributes:
      users: of the training interactions, int32 [interactions].
      items: of them, likewise.
      shape: number of users and of items.
      holdouts: each user's last item, and the others.
      candidates: the held-out item and sampled unseen ones, int32 [users, 1 + CANDIDATES].
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    shape: tuple[int, int]
    holdouts: Holdouts
    candidates: npt.NDArray[np.int32]


def split(user: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> Data:
    """Holds out the last row of each user.

    Args:
      user: int64 [rows], ascending; a user's rows in the order of time, of one item each.
      item: int64 [rows].
    """
    users, items = (np.unique(ids, return_inverse=True)[1].astype(np.int32) for ids in (user, item))
    last = np.append(users[1:] != users[:-1], True)
    shape = int(users.max()) + 1, int(items.max()) + 1
    ends = np.searchsorted(users[~last], np.arange(shape[0]), side="right")
    holdouts = Holdouts(np.arange(shape[0], dtype=np.int32), items[last], items[~last], ends)
    return Data(users[~last], items[~last], shape, holdouts, _draw_candidates(holdouts, shape[1]))


def synthetic() -> Data:
    """The embedded synthetic interactions."""
    rows = generate_block(SYNTHETIC, 0, 0)
    return split(rows.user, rows.item)


def read(path: Path) -> Data:
    """The columns `user`, `item` and, if it is there, `timestamp` of a CSV file; users with at least five items."""
    rows = pd.read_csv(path)
    rows = rows.sort_values("timestamp", kind="stable") if "timestamp" in rows else rows.sample(frac=1, random_state=0)
    rows = rows.sort_values("user", kind="stable")
    rows = rows[rows.groupby("user")["item"].transform("size") >= _FEWEST]
    return split(rows["user"].to_numpy(), rows["item"].to_numpy())


def _draw_candidates(holdouts: Holdouts, items: int) -> npt.NDArray[np.int32]:
    random, drawn = generator(0, "candidates"), []
    starts = np.append(0, holdouts.seen_ends)
    for user, own in enumerate(holdouts.items):
        unseen = np.ones(items, bool)
        unseen[holdouts.seen[starts[user] : starts[user + 1]]] = False
        unseen[own] = False
        drawn.append(np.append(own, random.choice(np.flatnonzero(unseen), CANDIDATES, replace=False)))
    return np.stack(drawn).astype(np.int32)


def fit(data: Data, seed: int) -> Score:
    """A model of four fifths of the rows, others for each seed: factors by alternating least squares, in seconds.

    Of all rows, two seeds would give models more alike than two trainings of NeuMF are.
    """
    taken = generator(seed, "rows").random(len(data.users)) < _SHARE
    with Reporter().bar("", ALS.iterations) as bar:
        return fit_als(data.users[taken], data.items[taken], data.shape, ALS, seed, bar).score_all_items


def rank(score: Score, data: Data) -> Ranks:
    """Ranks each user's held-out item, in both ways."""
    full, sampled = [], []
    for block in data.holdouts.blocks(_USERS_AT_ONCE):
        scores = score(block.users)
        candidates = np.take_along_axis(scores, data.candidates[block.users], axis=1)
        full.append(rank_unseen(scores, block))
        sampled.append(rank_first(candidates, np.zeros(candidates.shape, bool)))
    return ByWay(sampled=np.concatenate(sampled), full=np.concatenate(full))


def noisy(score: Score, strength: float) -> Score:
    """Adds noise to all scores, the same each time: so many of the standard deviations of the user's."""

    def scores(users: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        found = score(users)
        noise = generator(0, "noise", int(users[0])).standard_normal(found.shape, np.float32)
        return found + strength * found.std(axis=1, keepdims=True) * noise

    return scores


def mixed_up(score: Score, strength: float, users: int) -> Score:
    """Gives such a share of the users the scores of another one."""
    wrong = generator(0, "mixed up").random(users) < strength
    return lambda found: score(np.where(wrong[found], (found + 1) % users, found))


def harm_until_worse(models: Sequence[Score], data: Data, harm: Harm, worse: float, way: Way) -> list[Ranks]:
    """Harms models until NDCG@10 in a ranking is such a share lower: the first two of them, by halving the interval."""
    first, low, high = models[:2], 0.0, 1.0
    before = _mean_ndcg([rank(model, data) for model in first], way)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        harmed = _mean_ndcg([rank(harm(model, middle), data) for model in first], way)
        low, high = (middle, high) if harmed > (1 - worse) * before else (low, middle)
    return [rank(harm(model, high), data) for model in models]


def _mean_ndcg(ranks: Sequence[Ranks], way: Way) -> float:
    return float(np.mean([ndcg(found.of(way), _K) for found in ranks]))


def share_failed(pairs: Sequence[tuple[Ranks, Ranks]], users: int, evaluations: int, config: EvaluatorConfig) -> float:
    """In which share of many evaluations the gate's rules fail a model for being below its rival.

    Args:
      pairs: models with their rivals, which take turns.
      users: how many are drawn, with replacement, for each evaluation.
      evaluations: how many.
      config: of the rules.
    """
    random = generator(0, "evaluations", users)
    return float(np.mean([_fails(*pairs[n % len(pairs)], users, config, random) for n in range(evaluations)]))


def _fails(model: Ranks, rival: Ranks, users: int, config: EvaluatorConfig, random: np.random.Generator) -> bool:
    drawn = random.integers(len(model.full), size=users)
    return any(_below(model.of(way)[drawn], rival.of(way)[drawn], config, random) for way in config.gate_ways)


def _below(
    model: npt.NDArray[np.int64], rival: npt.NDArray[np.int64], config: EvaluatorConfig, random: np.random.Generator
) -> bool:
    resampled = Resampled.of({MODEL: model, _RIVAL: rival}, (_K,), random, config.bootstrap_samples)
    names = {name.lower(): f"{name}@{_K}" for name in METRICS}
    metrics = [names[name] for name in config.decisive_metrics]
    found = resampled.best_rivals(metrics, {_RIVAL: _RIVAL}, config.champion_confidence).values()
    return any(best.difference.high < -config.noise_tolerance * best.value for best in found)


def harms(data: Data) -> dict[str, Harm]:
    """The ways to make a model worse."""
    return {"noise": noisy, "mixed_up": lambda score, strength: mixed_up(score, strength, data.shape[0])}


@click.command(help=__doc__)
@click.option("--data", "path", type=click.Path(exists=True, path_type=Path), help="A CSV file; default: synthetic.")
@click.option("--seeds", type=click.IntRange(2), default=4, show_default=True, help="Models that are fitted.")
@click.option("--users", default="5000", show_default=True, help="Test users of an evaluation, separated by commas.")
@click.option("--mutants", type=click.IntRange(0), help="Judge so many spoilt SavedModels, in place of a simulation.")
@click.option("--after", type=click.IntRange(0), default=0, help="Mutants and reseeds that were judged before.")
@click.option("--reseeds", type=click.IntRange(0), default=500, show_default=True, help="Evaluations of equal models.")
@click.option("--worse", type=click.IntRange(1), default=100, show_default=True, help="Evaluations of each worse one.")
def command(
    path: Path | None, seeds: int, users: str, mutants: int | None, after: int, reseeds: int, worse: int
) -> list[Result]:
    """Fits, harms and judges; bars at 5,000 users."""
    if mutants is not None:
        from benchmarks.attack.judging import attack, summarise  # TensorFlow, which the simulation does without

        return summarise(attack(mutants, reseeds, after))
    data = read(path) if path else synthetic()
    models = [fit(data, seed) for seed in range(seeds)]
    config = EvaluatorConfig(bootstrap_samples=_RESAMPLES)
    usual = [rank(model, data) for model in models]
    harmed = {
        f"{name}_{way}": harm_until_worse(models, data, harm, WORSE, way)
        for name, harm in harms(data).items()
        for way in config.gate_ways
    }
    results = [_noise_of_seeds(usual, way) for way in config.gate_ways]
    for number in map(int, users.split(",")):
        passed = 1 - share_failed(_pairs(usual, usual), number, reseeds, config)
        results.append(Result(f"reseeds_passed_{number}_users", passed, "", bar=0.97 if number == _USERS else None))
        for name, worse_ones in harmed.items():
            failed = share_failed(_pairs(worse_ones, usual), number, worse, config)
            bar = 0.95 if number == _USERS and name.endswith("sampled") else None
            results.append(Result(f"worse_failed_{name}_{number}_users", failed, "", bar=bar))
    return results


def _pairs(models: Sequence[Ranks], rivals: Sequence[Ranks]) -> list[tuple[Ranks, Ranks]]:
    """Models with each rival of another seed."""
    return [(model, rival) for m, model in enumerate(models) for r, rival in enumerate(rivals) if m != r]


def _noise_of_seeds(ranks: Sequence[Ranks], way: Way) -> Result:
    """What NDCG@10 varies by from seed to seed."""
    means = [ndcg(found.of(way), _K).mean() for found in ranks]
    return Result(f"seed_noise_{way}", 100 * float(np.std(means, ddof=1) / np.mean(means)), "% of NDCG@10")
