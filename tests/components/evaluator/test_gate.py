import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from components.artifacts.evaluation import (
    ByWay,
    Coverage,
    Difference,
    Evaluation,
    ItemsCheck,
    LeftOut,
    Rival,
    RowsCheck,
    ServingCheck,
    State,
    Verdict,
)
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Figure, Rule, judge
from components.evaluator.rules import rules
from components.metrics.by_user import summarise
from tests.components.evaluator.evidence import (
    BELOW,
    CONFIG,
    DATA,
    GOOD,
    NO_SLICE_WORSE,
    NOT_WORSE,
    OVER_ALS,
    POOR,
    duel,
    evidence_of,
    failed_rules,
    system_of,
)
from tests.components.evaluator.report import builders


@pytest.mark.parametrize(
    ("model", "popularity", "failed"),
    [
        pytest.param(GOOD, POOR, [], id="better"),
        pytest.param(GOOD, GOOD, [], id="equal"),
        pytest.param(GOOD[:1], POOR[:1], ["minimum_test_users"], id="single user"),
        pytest.param(GOOD[:0], POOR[:0], ["minimum_test_users", "minimum_hr", "minimum_ndcg", *BELOW], id="zero users"),
        pytest.param(np.array([1, 2, 30, 40]), np.array([9, 20, 30, 40]), [], id="at the minimum exactly"),
        pytest.param(np.array([1, 20, 30, 40]), np.array([20, 20, 30, 40]), ["minimum_hr"], id="below the minimum"),
        pytest.param(np.tile(POOR, 99), np.tile(GOOD, 99), ["minimum_ndcg", *BELOW], id="below popularity"),
    ],
)
def test_rules_on_real_metrics(model: np.ndarray, popularity: np.ndarray, failed: list[str]) -> None:
    assert failed_rules(evidence_of(model, popularity)) == failed


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
def test_metrics_that_cannot_be_judged_fail(bad: float) -> None:
    usual = evidence_of(GOOD, POOR)
    spoilt = system_of(GOOD, full={"HR@10": bad, "NDCG@10": 0.5, "MRR@10": 0.5}, not_finite=1)
    rivals = usual.best_baselines.full
    unknown = dataclasses.replace(rivals["NDCG@10"], difference=Difference(bad, bad, bad))
    best = ByWay(usual.best_baselines.sampled, rivals | {"NDCG@10": unknown})
    evidence = dataclasses.replace(usual, systems=usual.systems | {"model": spoilt}, best_baselines=best)
    assert failed_rules(evidence) == ["finite", "minimum_hr", BELOW[0]]


def test_a_baseline_that_is_asked_for_by_name_and_was_not_measured_fails() -> None:
    assert (
        failed_rules(evidence_of(GOOD, POOR), EvaluatorConfig(minimum_test_users=2, better_than_als=True)) == OVER_ALS
    )


@pytest.mark.parametrize(
    ("serving", "failed"),
    [
        (ServingCheck(4, 0, math.nan), ["serving_consistent"]),
        (ServingCheck(4, 3, 1e-3), ["serving_consistent", "serving_knows_ids"]),
        (ServingCheck(4, 0, 1e-6, RowsCheck(9, 2, 0.5)), ["rows_by_histories"]),
        (ServingCheck(4, 0, 1e-6, RowsCheck(9, 0, 1e-6), ("vectors/item_rows",)), ["as_exported"]),
        (ServingCheck(4, 0, 1e-6, items=ItemsCheck(100, 1000, 1, 0.0, 0.4)), ["items_by_histories"]),
        (ServingCheck(4, 0, 1e-6, RowsCheck(9, 0, 1e-6), (), ItemsCheck(100, 1000, 0, 0.0, 0.1)), []),
    ],
    ids=["NaN", "differs", "rows", "arrays", "items", "all in order"],
)
def test_serving_that_differs_fails(serving: ServingCheck, failed: list[str]) -> None:
    assert failed_rules(evidence_of(GOOD, POOR, serving=serving)) == failed


def test_what_nobody_told_of_the_model_is_skipped() -> None:
    evidence = evidence_of(GOOD, POOR, serving=ServingCheck(4, 0, 1e-6))
    states = {rule.name: judge(rule, evidence).state for rule in rules(CONFIG)}
    assert states["rows_by_histories"] is states["as_exported"] is states["items_by_histories"] is State.SKIPPED


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (ItemsCheck(99, 1000, 1, 0.0, 0.4), "fewer than 100 items can be compared"),
        (ItemsCheck(1000, 99, 1, 0.0, 0.4), "fewer than 100 items can be compared"),
        (ItemsCheck(1000, 1000, 1, 0.002, 0.4), "the model hardly tells items apart"),
    ],
    ids=["few items", "few others", "weak model"],
)
def test_items_are_not_judged_where_honest_models_may_have_strangers(items: ItemsCheck, reason: str) -> None:
    evidence = evidence_of(GOOD, POOR, serving=ServingCheck(4, 0, 1e-6, items=items))
    rule = next(rule for rule in rules(CONFIG) if rule.name == "items_by_histories")
    verdict = judge(rule, evidence)
    assert (verdict.state, verdict.detail) == (State.SKIPPED, f"skipped: {reason}")


def test_weights_that_are_not_finite_fail_even_where_all_scores_are_finite() -> None:
    evidence = evidence_of(GOOD, POOR, weights_not_finite=3)
    assert failed_rules(evidence) == ["finite"]
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
    assert (judge(rule, evidence_of(GOOD, POOR)).state is State.PASSED) == passed


def test_verdict_has_the_numbers_and_says_them() -> None:
    evidence = evidence_of(GOOD, POOR)

    def verdict(value: float) -> Verdict:
        return judge(Rule("minimum_hr", "HR@10", _figure(value), "at least", 0.5, "the minimum"), evidence)

    assert verdict(0.41) == Verdict("minimum_hr", State.FAILED, 0.41, 0.5, "HR@10 0.41 is below the minimum 0.5")
    assert verdict(0.5).detail == "HR@10 0.5 is at least the minimum 0.5"
    missing = Rule("minimum_hr", "HR@10", Figure("over/there", _missing), "at least", 0.5, "the minimum")
    assert judge(missing, evidence).detail == "HR@10 cannot be judged: over/there is missing or not a finite number"
    better = Rule("better", "HR@10", _figure(0.45), "above", _figure(0.45), "popularity's", 0.01)
    assert judge(better, evidence).detail == "HR@10 0.45 is not above popularity's 0.45 plus the margin 0.01"


def test_a_rule_set_to_null_is_not_asked() -> None:
    sound = [
        "minimum_test_users", "leak_free", "not_too_good", "finite", "serving_consistent", "serving_knows_ids",
        "rows_by_histories", "as_exported", "items_by_histories", "harness_agrees_with_itself",
    ]  # fmt: skip
    assert [rule.name for rule in rules(EvaluatorConfig())] == [*sound, *BELOW, *NOT_WORSE, *DATA]
    sampled = [rule.name for rule in rules(EvaluatorConfig(gate_on="sampled"))]
    assert sampled == [*sound, BELOW[0], NOT_WORSE[0], *DATA]
    several = {rule.name for rule in rules(EvaluatorConfig(decisive_metrics=("hr", "ndcg")))}
    assert {"not_below_best_baseline_hr", "not_worse_than_champion_hr_sampled", *BELOW, *NOT_WORSE} <= several
    bare = EvaluatorConfig(
        leak_free=False, suspicious_share=None, finite=False, serving_tolerance=None, baseline_margin=None,
        champion_margin=None, maximum_unreadable_share=None, items_by_histories=False,
    )  # fmt: skip
    assert [rule.name for rule in rules(bare)] == ["minimum_test_users", "harness_agrees_with_itself"]
    more = EvaluatorConfig(better_than_als=True, minimum_coverage=0.1, slice_margin=0.1)
    asked = {rule.name for rule in rules(more)} - {rule.name for rule in rules(EvaluatorConfig())}
    assert asked == {*OVER_ALS, "minimum_coverage", *NO_SLICE_WORSE}


def test_better_than_als_and_coverage() -> None:
    config = EvaluatorConfig(
        better_than_als=True, als_margin=0.1, minimum_coverage=0.5, baseline_margin=None, serving_tolerance=None,
        minimum_test_users=1,
    )  # fmt: skip

    def evidence(share: float, als: np.ndarray) -> Evaluation:
        systems = {"model": system_of(GOOD, coverage=Coverage(10, 5, share)), "als": system_of(als)}
        return evidence_of(GOOD, POOR, systems=systems)

    assert failed_rules(evidence(0.5, POOR), config) == []
    assert failed_rules(evidence(0.49, GOOD), config) == [*OVER_ALS, "minimum_coverage"]


def test_margins_are_shares_of_the_rivals_metric() -> None:
    """Of the champion's 500 hits in 1,000, 30 are lost: 6 %, and at most some 3.5 % of that are noise."""

    def failed(**values: Any) -> list[str]:
        config = EvaluatorConfig(minimum_test_users=2, **{"noise_tolerance": 0, **values})
        return failed_rules(evidence_of(GOOD, POOR, champion=duel(1000, 0, 30, config)), config)

    assert failed(champion_margin=0.061, champion_confidence=0.5) == []
    assert failed(champion_margin=0.058, champion_confidence=0.5) == NOT_WORSE
    assert failed(champion_margin=0.058) == []
    assert failed(champion_margin=0.02) == NOT_WORSE
    assert failed(champion_margin=0.01, noise_tolerance=0.048, champion_confidence=0.5) == NOT_WORSE
    assert failed(champion_margin=0.01, noise_tolerance=0.051, champion_confidence=0.5) == []
    assert failed(champion_margin=None) == []


def _against_ease(mean: float, low: float, high: float, value: float = 0.1) -> Evaluation:
    """The evidence where the model is such a difference ahead of EASE over all items, and level in the sample."""
    metrics = ("HR@10", "NDCG@10", "MRR@10")
    full = dict.fromkeys(metrics, Rival("ease", "EASE", value, Difference(mean, low, high)))
    sampled = dict.fromkeys(metrics, Rival("als", "implicit ALS", 0.7, Difference(0.0, -0.01, 0.01)))
    return evidence_of(GOOD, POOR, best_baselines=ByWay(sampled, full))


@pytest.mark.parametrize(
    ("high", "margin", "passed"),
    [(0.001, 0.0, True), (0.0, 0.0, True), (-0.001, 0.0, False), (-0.001, 0.02, True), (-0.003, 0.02, False)],
    ids=str,
)
def test_a_model_fails_where_even_the_upper_bound_is_below_the_best_baseline(
    high: float, margin: float, passed: bool
) -> None:
    config = EvaluatorConfig(minimum_test_users=2, baseline_margin=margin, noise_tolerance=0)
    assert failed_rules(_against_ease(high - 0.004, high - 0.008, high), config) == ([] if passed else BELOW[:1])


def test_the_verdict_names_the_best_baseline_and_what_would_have_been_found() -> None:
    config = EvaluatorConfig(champion_confidence=0.99, noise_tolerance=0.005)
    rule = next(rule for rule in rules(config) if rule.name == BELOW[0])
    verdict = judge(rule, _against_ease(-0.004, -0.006326, -0.001674))
    # Bounds 2.326 errors apart from the mean: an error of .001. (2.326 + 1.645) times that are 4 % of .1, and .5 more.
    assert verdict.detail == (
        "NDCG@10 over all items minus the best baseline's (upper bound at 0.99 confidence) -0.0017 is below the "
        "allowed -0.0005 (this model: 0.096, the best baseline: EASE, 0.1, losses found 95 times in 100: from 4.5 % on)"
    )


def test_where_no_baseline_was_measured_there_is_nothing_to_be_below() -> None:
    left_out = {"ease": LeftOut("EASE", "too many items")}
    systems = {"model": system_of(GOOD)}
    evidence = evidence_of(GOOD, POOR, systems=systems, best_baselines=ByWay({}, {}), left_out=left_out)
    verdicts = [judge(rule, evidence) for rule in rules(CONFIG) if rule.name in BELOW]
    assert [verdict.state for verdict in verdicts] == [State.SKIPPED] * 2


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"leaked": 1}, "leak_free"),
        ({"repeated": 1}, "leak_free"),
        ({"moved": 1}, "harness_agrees_with_itself"),
        ({"popularity_to_itself": 1e-9}, "harness_agrees_with_itself"),
        ({"popularity_to_itself": math.nan}, "harness_agrees_with_itself"),
        ({"ranked_first": {"model": 0.51, "popularity": 0.25}}, "not_too_good"),
        ({"ranked_first": {"model": 0.51}}, "not_too_good"),
        ({"ranked_first": {"model": 0.5}}, None),
        ({"ranked_first": {"model": math.nan}}, "not_too_good"),
        ({"ranked_first": {"model": 0.51, "popularity": 0.01, "recent": 0.26}}, None),
    ],
    ids=str,
)
def test_figures_that_cannot_be_believed_are_refused(changes: dict[str, Any], failed: str | None) -> None:
    soundness = dataclasses.replace(builders.SOUND, **changes)
    assert failed_rules(evidence_of(GOOD, POOR, soundness=soundness)) == ([failed] if failed else [])


def test_the_gate_looks_at_the_ranking_that_it_is_told() -> None:
    good, poor = summarise(GOOD, (10,)), summarise(POOR, (10,))
    systems = {"model": system_of(GOOD, sampled=good, full=poor), "popularity": system_of(POOR)}
    evidence = evidence_of(GOOD, POOR, systems=systems)

    def failed(**values: Any) -> list[str]:
        return failed_rules(evidence, EvaluatorConfig(minimum_test_users=2, minimum_hr=0.6, **values))

    assert failed() == ["minimum_hr"]
    assert failed(gate_on="sampled") == []


def test_gate_looks_at_its_own_k() -> None:
    evidence = evidence_of(np.array([3, 3, 3]), np.array([20, 20, 20]))
    assert "minimum_hr" in failed_rules(evidence, EvaluatorConfig(gate_k=1, minimum_hr=0.5, minimum_test_users=1))
