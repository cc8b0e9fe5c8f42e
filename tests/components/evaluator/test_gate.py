import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from components.artifacts.evaluation import (
    Champion,
    ChampionStatus,
    Comparison,
    Coverage,
    Evaluation,
    ServingCheck,
    State,
    System,
    Verdict,
)
from components.evaluator.champion import Duel
from components.evaluator.champion import summarise as summarise_duel
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Figure, Rule, judge, rules
from components.evaluator.slices import slicings
from components.metrics.by_user import summarise
from tests.components.evaluator.report import builders

CONFIG = EvaluatorConfig(minimum_hr=0.5, minimum_ndcg=0.25, minimum_test_users=2)


NO_CHAMPION = Champion(ChampionStatus.NONE, "skipped: there is no champion yet to compare with")


def _evidence(model: np.ndarray, popularity: np.ndarray, **changes: Any) -> Evaluation:
    usual = builders.evaluation()
    evidence = {
        "test_users": dataclasses.replace(usual.test_users, sampled=len(model)),
        "systems": {"model": _system(model), "popularity": _system(popularity)},
        "serving": ServingCheck(users=4, unknown_ids=0, largest_difference=1e-6),
        "champion": NO_CHAMPION,
    }
    return dataclasses.replace(usual, **(evidence | changes))


def _system(ranks: np.ndarray, **changes: Any) -> System:
    return dataclasses.replace(builders.system(1.0, "", ""), **({"sampled": summarise(ranks, CONFIG.ks)} | changes))


def _failed(evidence: Evaluation, config: EvaluatorConfig = CONFIG) -> list[str]:
    return [rule.name for rule in rules(config) if judge(rule, evidence).state is State.FAILED]


GOOD, POOR = np.array([1, 2, 3, 50]), np.array([4, 9, 60, 70])
OVER_POPULARITY = ["better_than_popularity_hr", "better_than_popularity_ndcg", "better_than_popularity_mrr"]
OVER_ALS = ["better_than_als_hr", "better_than_als_ndcg", "better_than_als_mrr"]
METRICS = ["minimum_hr", "minimum_ndcg", *OVER_POPULARITY]
NOT_WORSE = [f"not_worse_than_champion_{metric}" for metric in ("hr", "ndcg", "mrr")]
NO_SLICE_WORSE = [f"no_slice_worse_than_champion_{metric}" for metric in ("hr", "ndcg", "mrr")]
OF_CHAMPION = [name for pair in zip(NOT_WORSE, NO_SLICE_WORSE, strict=True) for name in pair]


@pytest.mark.parametrize(
    ("model", "popularity", "failed"),
    [
        pytest.param(GOOD, POOR, [], id="better"),
        pytest.param(POOR, GOOD, METRICS[1:], id="worse"),
        pytest.param(GOOD, GOOD, OVER_POPULARITY, id="equal"),
        pytest.param(GOOD[:1], POOR[:1], ["minimum_test_users", "better_than_popularity_hr"], id="single user"),
        pytest.param(GOOD[:0], POOR[:0], ["minimum_test_users", *METRICS], id="zero users"),
        pytest.param(np.array([1, 2, 30, 40]), np.array([9, 20, 30, 40]), [], id="at the minimum exactly"),
        pytest.param(np.array([1, 20, 30, 40]), np.array([20, 20, 30, 40]), ["minimum_hr"], id="below the minimum"),
    ],
)
def test_rules_on_real_metrics(model: np.ndarray, popularity: np.ndarray, failed: list[str]) -> None:
    assert _failed(_evidence(model, popularity)) == failed


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        pytest.param({"model": _system(GOOD, sampled={"HR@10": np.nan, "NDCG@10": 0.5, "MRR@10": 0.5}, not_finite=1)},
                     ["finite", "minimum_hr", "better_than_popularity_hr"], id="NaN"),
        pytest.param({"model": _system(GOOD, sampled={"HR@10": np.inf, "NDCG@10": 0.5, "MRR@10": 0.5})},
                     ["minimum_hr", "better_than_popularity_hr"], id="infinite"),
        pytest.param({"popularity": _system(POOR, sampled={"HR@10": 0.1})}, OVER_POPULARITY[1:], id="metric missing"),
    ],
)  # fmt: skip
def test_metrics_that_cannot_be_judged_fail(change: dict[str, System], failed: list[str]) -> None:
    systems = _evidence(GOOD, POOR).systems
    assert _failed(_evidence(GOOD, POOR, systems=systems | change)) == failed


def test_a_baseline_that_was_not_measured_fails() -> None:
    evidence = _evidence(GOOD, POOR, systems={"model": _system(GOOD)})
    assert _failed(evidence) == OVER_POPULARITY


@pytest.mark.parametrize(
    ("serving", "failed"),
    [
        (ServingCheck(4, 0, math.nan), ["serving_consistent"]),
        (ServingCheck(4, 3, 1e-3), ["serving_consistent", "serving_knows_ids"]),
    ],
    ids=["NaN", "differs"],
)
def test_serving_that_differs_fails(serving: ServingCheck, failed: list[str]) -> None:
    assert _failed(_evidence(GOOD, POOR, serving=serving)) == failed


def test_weights_that_are_not_finite_fail_even_where_all_scores_are_finite() -> None:
    evidence = _evidence(GOOD, POOR, weights_not_finite=3)
    assert _failed(evidence) == ["finite"]
    rule = next(rule for rule in rules(CONFIG) if rule.name == "finite")
    assert judge(rule, evidence).detail == (
        "number of weights, scores and metrics that are not finite 3 is above the allowed 0 "
        "(weights: 3, scores and metrics: 0)"
    )


def _figure(value: float) -> Figure:
    return Figure("here", lambda evidence: value)


def _missing(evidence: Evaluation) -> float:
    raise KeyError


@pytest.mark.parametrize(("margin", "passed"), [(0.0, True), (0.1249, True), (0.125, False), (0.2, False)], ids=str)
def test_margin_over_the_baseline(margin: float, passed: bool) -> None:
    rule = Rule("better", "HR@10", _figure(0.625), "above", _figure(0.5), "popularity's", margin)
    assert (judge(rule, _evidence(GOOD, POOR)).state is State.PASSED) == passed


def test_verdict_has_the_numbers_and_says_them() -> None:
    evidence = _evidence(GOOD, POOR)

    def verdict(value: float) -> Verdict:
        return judge(Rule("minimum_hr", "HR@10", _figure(value), "at least", 0.5, "the minimum"), evidence)

    assert verdict(0.41) == Verdict("minimum_hr", State.FAILED, 0.41, 0.5, "HR@10 0.41 is below the minimum 0.5")
    assert verdict(0.5).detail == "HR@10 0.5 is at least the minimum 0.5"
    missing = Rule("minimum_hr", "HR@10", Figure("over/there", _missing), "at least", 0.5, "the minimum")
    assert judge(missing, evidence).detail == "HR@10 cannot be judged: over/there is missing or not a finite number"
    better = Rule("better", "HR@10", _figure(0.45), "above", _figure(0.45), "popularity's", 0.01)
    assert judge(better, evidence).detail == "HR@10 0.45 is not above popularity's 0.45 plus the margin 0.01"


def test_a_rule_set_to_null_is_not_asked() -> None:
    sound = ["minimum_test_users", "finite", "serving_consistent", "serving_knows_ids"]
    assert [rule.name for rule in rules(EvaluatorConfig())] == [*sound, *OVER_POPULARITY, *NOT_WORSE]
    bare = EvaluatorConfig(finite=False, better_than_popularity=False, serving_tolerance=None, champion_margin=None)
    assert [rule.name for rule in rules(bare)] == ["minimum_test_users"]
    more = EvaluatorConfig(better_than_als=True, minimum_coverage=0.1, slice_margin=0.1)
    asked = {rule.name for rule in rules(more)} - {rule.name for rule in rules(EvaluatorConfig())}
    assert asked == {*OVER_ALS, "minimum_coverage", *NO_SLICE_WORSE}


def test_better_than_als_and_coverage() -> None:
    config = EvaluatorConfig(
        better_than_als=True, als_margin=0.1, minimum_coverage=0.5, better_than_popularity=False,
        serving_tolerance=None, minimum_test_users=1,
    )  # fmt: skip

    def evidence(share: float, als: np.ndarray) -> Evaluation:
        systems = {"model": _system(GOOD, coverage=Coverage(10, 5, share)), "als": _system(als)}
        return _evidence(GOOD, POOR, systems=systems)

    assert _failed(evidence(0.5, POOR), config) == []
    assert _failed(evidence(0.49, GOOD), config) == [*OVER_ALS, "minimum_coverage"]


def _duel(users: int, won: int, lost: int, config: EvaluatorConfig) -> Champion:
    """The evidence where the first `won` users are a hit for the challenger alone, the last `lost` for the champion."""
    both = np.where(np.arange(users) % 2, 1, 90)
    challenger, champion = both.copy(), both.copy()
    challenger[:won], champion[:won] = 1, 90
    challenger[users - lost :], champion[users - lost :] = 90, 1
    index = np.arange(users)
    cuts = slicings(index, np.zeros(users, int), index, np.array([users]))
    duel = Duel(index, np.zeros(users, int), challenger, champion)
    return _compared(summarise_duel(duel, 7, cuts, config, np.random.default_rng(0)))


def _compared(comparison: Comparison) -> Champion:
    return Champion(ChampionStatus.COMPARED, "compared", "1", "/models/1", comparison)


@pytest.mark.parametrize(
    ("users", "won", "lost", "failed"),
    [
        pytest.param(1000, 100, 0, [], id="better"),
        pytest.param(1000, 0, 0, [], id="identical"),
        pytest.param(1000, 30, 30, [], id="equal"),
        pytest.param(1000, 0, 12, [], id="a little worse, within the margin"),
        pytest.param(1000, 0, 25, ["hr", "ndcg", "mrr"], id="within the margin, but not with confidence"),
        pytest.param(1000, 0, 200, ["hr", "ndcg", "mrr"], id="worse"),
        pytest.param(60, 8, 8, ["hr", "ndcg", "mrr"], id="equal, but too few users to tell"),
        pytest.param(1, 1, 0, [], id="a single user, won"),
        pytest.param(1, 0, 1, ["hr", "ndcg", "mrr"], id="a single user, lost"),
    ],
)
def test_champion_on_real_ranks(users: int, won: int, lost: int, failed: list[str]) -> None:
    evidence = _evidence(GOOD, POOR, champion=_duel(users, won, lost, CONFIG))
    assert _failed(evidence) == [f"not_worse_than_champion_{metric}" for metric in failed]


def test_margin_and_confidence_of_the_champion_rule() -> None:
    def failed(**values: Any) -> list[str]:
        config = EvaluatorConfig(minimum_test_users=2, **values)
        return _failed(_evidence(GOOD, POOR, champion=_duel(1000, 0, 25, config)), config)

    assert failed(champion_margin=0.04) == []
    assert failed(champion_margin=0.03, champion_confidence=0.5) == []
    assert failed(champion_margin=0.02, champion_confidence=0.5) == NOT_WORSE
    assert failed(champion_margin=0.0) == NOT_WORSE
    assert failed(champion_margin=None) == []


def test_no_quartile_may_lose_too_much() -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.05)
    # As many won as lost, but the losses are all among the most active users.
    evidence = _evidence(GOOD, POOR, champion=_duel(1000, 30, 30, config))
    assert _failed(evidence, config) == NO_SLICE_WORSE
    detail = next(judge(rule, evidence).detail for rule in rules(config) if rule.name == NO_SLICE_WORSE[0])
    assert detail == (
        "HR@10 minus the champion's in the quartile that lost most -0.12 is below the allowed -0.05 "
        "(the quartile: activity, quartile 4)"
    )
    assert _failed(evidence, EvaluatorConfig(minimum_test_users=2, slice_margin=0.12)) == []


def test_without_a_champion_its_rules_are_skipped_and_say_so() -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.1)
    verdicts = [judge(rule, _evidence(GOOD, POOR)) for rule in rules(config)]
    skipped = {verdict.rule: verdict for verdict in verdicts if verdict.state is State.SKIPPED}
    assert [*skipped] == OF_CHAMPION
    assert not any(verdict.state is State.FAILED for verdict in verdicts)
    assert {verdict.detail for verdict in skipped.values()} == {"skipped: there is no champion yet to compare with"}


NOTHING = dataclasses.replace(builders.champion().compared, differences={}, worst_slice={})


@pytest.mark.parametrize(
    ("champion", "detail"),
    [
        (Champion(ChampionStatus.BROKEN, "the champion cannot be compared: lost"), "cannot be compared: lost"),
        (_compared(NOTHING), "is missing or not a finite number"),
        (Champion(ChampionStatus.COMPARED, "compared"), "is missing or not a finite number"),
    ],
    ids=["broken", "metrics missing", "comparison missing"],
)
def test_a_champion_that_cannot_be_compared_blocks(champion: Champion, detail: str) -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.1)
    evidence = _evidence(GOOD, POOR, champion=champion)
    assert _failed(evidence, config) == OF_CHAMPION
    verdicts = [judge(rule, evidence) for rule in rules(config) if "champion" in rule.name]
    assert all(detail in verdict.detail for verdict in verdicts)


def test_a_difference_that_is_not_a_number_blocks() -> None:
    found = _duel(1000, 100, 0, CONFIG)
    differences = found.compared.differences
    spoilt = differences | {"HR@10": dataclasses.replace(differences["HR@10"], low=math.nan)}
    champion = _compared(dataclasses.replace(found.compared, differences=spoilt))
    assert _failed(_evidence(GOOD, POOR, champion=champion)) == NOT_WORSE[:1]


def test_champion_verdict_says_the_numbers() -> None:
    champion = _duel(1000, 0, 200, CONFIG)
    rule = next(rule for rule in rules(CONFIG) if rule.name == NOT_WORSE[0])
    low = champion.compared.differences["HR@10"].low
    verdict = judge(rule, _evidence(GOOD, POOR, champion=champion))
    assert (verdict.value, verdict.bound) == (low, -0.03)
    assert verdict.detail == (
        f"HR@10 minus the champion's (lower bound at 0.95 confidence) {low:.4g} is below the allowed -0.03 "
        "(this model: 0.4, the champion: 0.6)"
    )


def test_gate_looks_at_its_own_k() -> None:
    evidence = _evidence(np.array([3, 3, 3]), np.array([20, 20, 20]))
    assert "minimum_hr" in _failed(evidence, EvaluatorConfig(gate_k=1, minimum_hr=0.5, minimum_test_users=1))


@pytest.mark.parametrize(
    "values",
    [{"gate_k": 7}, {"ks": ()}, {"ks": (0, 10)}, {"minimum_hr": 1.5}, {"minimum_hr": float("nan")},
     {"full_ranking_users": 0}, {"minimum_test_users": 0}, {"unknown": 1}, {"champion_margin": -0.01},
     {"champion_confidence": 1.0}, {"champion_confidence": 0.4}, {"minimum_coverage": 1.1},
     {"slice_margin": float("nan")}, {"better_than_als": True, "als": False}],
    ids=str,
)  # fmt: skip
def test_configuration_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluatorConfig(**values)


def test_configuration_passes_through_execution_properties() -> None:
    config = EvaluatorConfig(ks=(3, 10), minimum_hr=0.5, full_ranking_users=7, better_than_popularity=False)
    assert EvaluatorConfig.from_properties({**config.to_properties(), "seed": 3}) == config
    assert EvaluatorConfig.from_properties(EvaluatorConfig().to_properties()) == EvaluatorConfig()
