"""Makes mutants and honest trainings, and has the Evaluator judge each of them."""

import functools
import gc
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.attack.ground import Ground
from benchmarks.attack.mutants import KINDS, WAYS, Made, Workshop
from benchmarks.harness import Result
from components.artifacts.evaluation import State
from components.artifacts.interactions import Interactions
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import Rivals, evaluate, rank_baselines
from components.evaluator.inputs import read_holdouts
from components.evaluator.trials import Sources
from components.metrics.ndcg import ndcg
from components.preprocess.datasets.synthetic_generator import SyntheticConfig
from components.ranking.compiled_scorer import fastest_scorer
from components.ranking.ranks import rank_all_items
from components.serving.loader import ServedModel
from components.shared.errors import UserError
from components.shared.progress import Reporter
from components.shared.random_streams import generator

SIZE = SyntheticConfig(users=5_000, items=1_000, interactions=200_000)
WORSE = 0.03
OTHERS = 2
_METRIC = "NDCG@10"
_STEPS = 7
_BROKEN = "cannot be evaluated"
_OF_ROWS = "rows_by_histories"


@dataclass(frozen=True)
class Judged:
    """What became of one model.

    Attributes:
      kind: of mutant; empty for an honest training.
      told: what was done to it.
      failed: the rules that failed it; `_BROKEN` where the Evaluator ended with an error.
      ndcg: NDCG@10 over all items; NaN where it was not measured.
      seconds: that making and judging it took.
    """

    kind: str
    told: str
    failed: tuple[str, ...]
    ndcg: float
    seconds: float

    @property
    def pushed(self) -> bool:
        """Whether it takes the champion's place."""
        return not self.failed

    @property
    def pushed_first(self) -> bool:
        """Whether it is pushed where there is no champion yet."""
        return all(rule.startswith("not_worse_than_champion") for rule in self.failed)


@dataclass(frozen=True)
class Court:
    """The Evaluator on one data set, with baselines that are fitted once, and the good model for a champion."""

    ground: Ground
    config: EvaluatorConfig
    rivals: Rivals

    @classmethod
    def sit(cls, ground: Ground, config: EvaluatorConfig) -> "Court":
        """Fits the baselines."""
        return cls(ground, config, rank_baselines(_sources(ground, Made("", ground.model)), config, 0))

    def judge(self, kind: str, seed: int, make: Callable[[Path], Made]) -> Judged:
        """Makes a model, judges it and deletes it."""
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=self.ground.root) as folder:
            made = make(Path(folder) / "model")
            sources = _sources(self.ground, made)
            try:
                found = evaluate(sources, self.config, seed, self.rivals)
                rules = (verdict.rule for verdict in found.rules if verdict.state is State.FAILED)
                failed = tuple(rule for rule in rules if not (made.stands_for_training and rule == _OF_ROWS))
                mean = found.model.full[_METRIC]
            except UserError:
                failed, mean = (_BROKEN,), float("nan")
        gc.collect()
        return Judged(kind, made.told, failed, mean, time.perf_counter() - start)


def _sources(ground: Ground, made: Made) -> Sources:
    interactions = made.interactions or ground.interactions
    uris = ground.examples, interactions, ground.vocabulary
    return Sources(made.model, *uris, ground.serving, learnt_validation=True, exported=made.exported)


def attack(
    mutants: int, reseeds: int, after: int = 0, size: SyntheticConfig = SIZE, quick: bool = False, **trainer: object
) -> list[Judged]:
    """Trains a good model, and judges mutants and honest trainings of it.

    Args:
      mutants: how many, the kinds in turn.
      reseeds: how many honest trainings.
      after: so many of each, which were judged before.
      size: of the data.
      quick: whether popularity is the only baseline.
      **trainer: keys of that section that are not the defaults.
    """
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        root = Path(folder)
        ground = Ground.lay(root / "good", size, 0, trainer, quick)
        others = [Ground.lay(root / f"other-{n}", size, 1 + n, trainer, True) for n in range(1 if quick else OTHERS)]
        baselines = dict.fromkeys(("als", "item_knn", "ease", "recent_items"), False) if quick else {}
        court = Court.sit(ground, EvaluatorConfig(**baselines))
        shop = Workshop(ground, ground.arrays(), others, strengths(ground))
        return [
            *_mutants(court, shop, range(after, after + mutants)),
            *_reseeds(court, range(after, after + reseeds)),
        ]


def _mutants(court: Court, shop: Workshop, numbers: range) -> Iterator[Judged]:
    for n in numbers:
        kind = [*KINDS][n % len(KINDS)]
        made = functools.partial(KINDS[kind], shop, generator(n, f"mutant {kind}"))
        yield _told(court.judge(kind, n, made))


def _reseeds(court: Court, numbers: range) -> Iterator[Judged]:
    for n in numbers:
        yield _told(court.judge("", 1 + n, functools.partial(reseed, court.ground, 1 + n)))


def reseed(ground: Ground, seed: int, folder: Path) -> Made:
    """An honest training: as the good model's, with another seed."""
    model, exported = ground.train(folder, seed)
    return Made(f"seed {seed}", model, exported=exported)


def _told(judged: Judged) -> Judged:
    verdict = "pushed" if judged.pushed else f"refused: {', '.join(judged.failed)}"
    click.echo(f"{judged.kind or 'honest'}: {judged.told}: {_METRIC} {judged.ndcg:.4f}, {verdict}", err=True)
    return judged


def strengths(ground: Ground) -> dict[str, float]:
    """How much of each way to be worse makes NDCG@10 over all items 3 % lower, by halving the interval."""
    arrays = ground.arrays()
    shop = Workshop(ground, arrays, (), {})
    holdouts = read_holdouts(Interactions(ground.interactions))
    items = len(arrays["_item_rows"])

    def mean(changed: Mapping[str, np.ndarray]) -> float:
        with tempfile.TemporaryDirectory(dir=ground.root) as folder:
            scorer = fastest_scorer(ServedModel(shop.write(Path(folder) / "model", changed), items))
            with Reporter().bar("", len(holdouts.users)) as bar:
                return float(ndcg(rank_all_items(scorer, holdouts, 10, 256, bar).ranks, 10).mean())

    found, before = {}, mean({})
    for name, harm in WAYS.items():
        low, high = 0.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            enough = mean(harm(arrays, middle, generator(0, name))) <= (1 - WORSE) * before
            low, high = (low, middle) if enough else (middle, high)
        found[name] = high
    return found


def summarise(judged: Sequence[Judged]) -> list[Result]:
    """The power table: how many of each kind were pushed, and what refused the others."""
    mutants, honest = [one for one in judged if one.kind], [one for one in judged if not one.kind]
    results = []
    if mutants:
        pushed = sum(one.pushed for one in mutants)
        results.append(Result("mutants_pushed", pushed, f"of {len(mutants)}", bar=0, at_most=True))
    for kind in KINDS:
        of_kind = [one for one in mutants if one.kind == kind]
        if of_kind:
            alone = sum(one.pushed_first for one in of_kind)
            rules = Counter(one.failed[0] for one in of_kind if one.failed)
            told = ", ".join(f"{rule} {times}" for rule, times in rules.most_common())
            unit = f"of {len(of_kind)}; without a champion {alone}; by {told or 'nothing'}"
            results.append(Result(f"mutants_pushed_{kind}", sum(one.pushed for one in of_kind), unit))
    if honest:
        means = [one.ndcg for one in honest]
        share, first = (float(np.mean([getattr(one, name) for one in honest])) for name in ("pushed", "pushed_first"))
        results += [
            Result("reseeds_pushed_share", share, f"of {len(honest)}", bar=0.97),
            Result("reseeds_pushed_share_without_champion", first, f"of {len(honest)}"),
            Result("reseeds_noise", 100 * float(np.std(means) / np.mean(means)), f"% of {_METRIC}"),
        ]
    for name, ones in (("mutant", mutants), ("reseed", honest)):
        if ones:
            results.append(Result(f"seconds_per_{name}", float(np.mean([one.seconds for one in ones])), "s"))
    return results
