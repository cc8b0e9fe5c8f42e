"""What the gate judges, made from ranks."""

import dataclasses
from typing import Any

import numpy as np

from components.artifacts.evaluation import (
    ByWay,
    Champion,
    ChampionStatus,
    Comparison,
    Evaluation,
    ItemsCheck,
    Rival,
    RowsCheck,
    ServingCheck,
    State,
    System,
)
from components.evaluator.champion import Duel
from components.evaluator.champion import summarise as summarise_duel
from components.evaluator.comparison import Resampled
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import judge
from components.evaluator.rules import rules
from components.evaluator.slices import slicings
from components.metrics.by_user import summarise
from tests.components.evaluator.report import builders

CONFIG = EvaluatorConfig(minimum_hr=0.5, minimum_ndcg=0.25, minimum_test_users=2)


NO_CHAMPION = Champion(ChampionStatus.NONE, "skipped: there is no champion yet to compare with")


def evidence_of(model: np.ndarray, popularity: np.ndarray, **changes: Any) -> Evaluation:
    usual, best = builders.evaluation(), best_baselines(model, popularity)
    evidence = {
        "test_users": ByWay(len(model), len(model)),
        "systems": {"model": system_of(model), "popularity": system_of(popularity)},
        "best_baselines": ByWay(best, best),
        "serving": ServingCheck(4, 0, 1e-6, RowsCheck(4, 0, 1e-6), (), ItemsCheck(100, 1000, 0, 0.0, 0.0)),
        "champion": NO_CHAMPION,
    }
    return dataclasses.replace(usual, **(evidence | changes))


def system_of(ranks: np.ndarray, **changes: Any) -> System:
    means = summarise(ranks, CONFIG.ks)
    return dataclasses.replace(builders.system(1.0, "", ""), **({"sampled": means, "full": means} | changes))


def best_baselines(model: np.ndarray, popularity: np.ndarray) -> dict[str, Rival]:
    ranks = {"model": model, "popularity": popularity}
    resampled = Resampled.of(ranks, CONFIG.ks, np.random.default_rng(0), 200)
    titles = {"popularity": "item popularity"}
    return resampled.best_rivals(["HR@10", "NDCG@10", "MRR@10"], titles, CONFIG.champion_confidence)


def failed_rules(evidence: Evaluation, config: EvaluatorConfig = CONFIG) -> list[str]:
    return [rule.name for rule in rules(config) if judge(rule, evidence).state is State.FAILED]


GOOD, POOR = np.array([1, 2, 3, 50]), np.array([4, 9, 60, 70])
OVER_ALS = ["better_than_als_hr", "better_than_als_ndcg", "better_than_als_mrr"]
BELOW = ["not_below_best_baseline_ndcg", "not_below_best_baseline_ndcg_sampled"]
NOT_WORSE = ["not_worse_than_champion_ndcg", "not_worse_than_champion_ndcg_sampled"]
DATA = ["maximum_unreadable_share"]
NO_SLICE_WORSE = [f"no_slice_worse_than_champion_{metric}" for metric in ("hr", "ndcg", "mrr")]
OF_CHAMPION = [*NOT_WORSE, *NO_SLICE_WORSE]


def duel(users: int, won: int, lost: int, config: EvaluatorConfig) -> Champion:
    """The evidence where the first `won` users are a hit for the challenger alone, the last `lost` for the champion."""
    both = np.where(np.arange(users) % 2, 1, 90)
    challenger, champion = both.copy(), both.copy()
    challenger[:won], champion[:won] = 1, 90
    challenger[users - lost :], champion[users - lost :] = 90, 1
    index = np.arange(users)
    cuts = slicings(index, np.zeros(users, int), index, np.array([users]))
    duel = Duel(index, np.zeros(users, int), challenger, champion)
    return compared(summarise_duel(duel, 7, cuts, config, np.random.default_rng(0)))


def compared(comparison: Comparison) -> Champion:
    return Champion(ChampionStatus.COMPARED, "compared", "1", "/models/1", {"full": comparison, "sampled": comparison})
