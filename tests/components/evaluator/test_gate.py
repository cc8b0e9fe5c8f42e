import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from components.artifacts.evaluation import (
    ByWay,
    Champion,
    ChampionStatus,
    Comparison,
    Coverage,
    Difference,
    Evaluation,
    LeftOut,
    Rival,
    ServingCheck,
    State,
    System,
    Verdict,
)
from components.evaluator.champion import Duel
from components.evaluator.champion import summarise as summarise_duel
from components.evaluator.comparison import Resampled
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Figure, Rule, judge
from components.evaluator.rules import rules
from components.evaluator.slices import slicings
from components.metrics.by_user import summarise
from tests.components.evaluator.report import builders

CONFIG = EvaluatorConfig(minimum_hr=0.5, minimum_ndcg=0.25, minimum_test_users=2)


NO_CHAMPION = Champion(ChampionStatus.NONE, "skipped: there is no champion yet to compare with")


def _evidence(model: np.ndarray, popularity: np.ndarray, **changes: Any) -> Evaluation:
    usual, best = builders.evaluation(), _best_baselines(model, popularity)
    evidence = {
        "test_users": ByWay(len(model), len(model)),
        "systems": {"model": _system(model), "popularity": _system(popularity)},
        "best_baselines": ByWay(best, best),
        "serving": ServingCheck(users=4, unknown_ids=0, largest_difference=1e-6),
        "champion": NO_CHAMPION,
    }
    return dataclasses.replace(usual, **(evidence | changes))


def _system(ranks: np.ndarray, **changes: Any) -> System:
    means = summarise(ranks, CONFIG.ks)
    return dataclasses.replace(builders.system(1.0, "", ""), **({"sampled": means, "full": means} | changes))


def _best_baselines(model: np.ndarray, popularity: np.ndarray) -> dict[str, Rival]:
    ranks = {"model": model, "popularity": popularity}
    resampled = Resampled.of(ranks, CONFIG.ks, np.random.default_rng(0), 200)
    titles = {"popularity": "item popularity"}
    return resampled.best_rivals(["HR@10", "NDCG@10", "MRR@10"], titles, CONFIG.champion_confidence)


def _failed(evidence: Evaluation, config: EvaluatorConfig = CONFIG) -> list[str]:
    return [rule.name for rule in rules(config) if judge(rule, evidence).state is State.FAILED]


GOOD, POOR = np.array([1, 2, 3, 50]), np.array([4, 9, 60, 70])
OVER_ALS = ["better_than_als_hr", "better_than_als_ndcg", "better_than_als_mrr"]
BELOW = ["not_below_best_baseline_ndcg", "not_below_best_baseline_ndcg_sampled"]
NOT_WORSE = ["not_worse_than_champion_ndcg", "not_worse_than_champion_ndcg_sampled"]
NO_SLICE_WORSE = [f"no_slice_worse_than_champion_{metric}" for metric in ("hr", "ndcg", "mrr")]
OF_CHAMPION = [*NOT_WORSE, *NO_SLICE_WORSE]


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
    assert _failed(_evidence(model, popularity)) == failed


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
def test_metrics_that_cannot_be_judged_fail(bad: float) -> None:
    usual = _evidence(GOOD, POOR)
    spoilt = _system(GOOD, full={"HR@10": bad, "NDCG@10": 0.5, "MRR@10": 0.5}, not_finite=1)
    rivals = usual.best_baselines.full
    unknown = dataclasses.replace(rivals["NDCG@10"], difference=Difference(bad, bad, bad))
    best = ByWay(usual.best_baselines.sampled, rivals | {"NDCG@10": unknown})
    evidence = dataclasses.replace(usual, systems=usual.systems | {"model": spoilt}, best_baselines=best)
    assert _failed(evidence) == ["finite", "minimum_hr", BELOW[0]]


def test_a_baseline_that_is_asked_for_by_name_and_was_not_measured_fails() -> None:
    assert _failed(_evidence(GOOD, POOR), EvaluatorConfig(minimum_test_users=2, better_than_als=True)) == OVER_ALS


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
    sound = [
        "minimum_test_users", "leak_free", "not_too_good", "finite", "serving_consistent", "serving_knows_ids",
        "harness_agrees_with_itself",
    ]  # fmt: skip
    assert [rule.name for rule in rules(EvaluatorConfig())] == [*sound, *BELOW, *NOT_WORSE]
    sampled = [rule.name for rule in rules(EvaluatorConfig(gate_on="sampled"))]
    assert sampled == [*sound, BELOW[0], NOT_WORSE[0]]
    several = {rule.name for rule in rules(EvaluatorConfig(decisive_metrics=("hr", "ndcg")))}
    assert {"not_below_best_baseline_hr", "not_worse_than_champion_hr_sampled", *BELOW, *NOT_WORSE} <= several
    bare = EvaluatorConfig(
        leak_free=False, suspicious_share=None, finite=False, serving_tolerance=None, baseline_margin=None,
        champion_margin=None,
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
    return Champion(ChampionStatus.COMPARED, "compared", "1", "/models/1", {"full": comparison, "sampled": comparison})


@pytest.mark.parametrize(
    ("users", "won", "lost", "failed"),
    [
        pytest.param(1000, 100, 0, [], id="better"),
        pytest.param(1000, 0, 0, [], id="identical"),
        pytest.param(1000, 30, 30, [], id="equal"),
        pytest.param(1000, 30, 40, [], id="worse, as it happens among equals"),
        pytest.param(1000, 10, 40, NOT_WORSE, id="worse for certain"),
        pytest.param(1000, 0, 200, NOT_WORSE, id="much worse"),
        pytest.param(60, 6, 10, [], id="worse, but too few users to tell"),
        pytest.param(1, 1, 0, [], id="a single user, won"),
        pytest.param(1, 0, 1, NOT_WORSE, id="a single user, lost"),
    ],
)
def test_champion_on_real_ranks(users: int, won: int, lost: int, failed: list[str]) -> None:
    evidence = _evidence(GOOD, POOR, champion=_duel(users, won, lost, CONFIG))
    assert _failed(evidence) == failed


def test_margins_are_shares_of_the_rivals_metric() -> None:
    """Of the champion's 500 hits in 1,000, 30 are lost: 6 %, and at most some 3.5 % of that are noise."""

    def failed(**values: Any) -> list[str]:
        config = EvaluatorConfig(minimum_test_users=2, **{"noise_tolerance": 0, **values})
        return _failed(_evidence(GOOD, POOR, champion=_duel(1000, 0, 30, config)), config)

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
    return _evidence(GOOD, POOR, best_baselines=ByWay(sampled, full))


@pytest.mark.parametrize(
    ("high", "margin", "passed"),
    [(0.001, 0.0, True), (0.0, 0.0, True), (-0.001, 0.0, False), (-0.001, 0.02, True), (-0.003, 0.02, False)],
    ids=str,
)
def test_a_model_fails_where_even_the_upper_bound_is_below_the_best_baseline(
    high: float, margin: float, passed: bool
) -> None:
    config = EvaluatorConfig(minimum_test_users=2, baseline_margin=margin, noise_tolerance=0)
    assert _failed(_against_ease(high - 0.004, high - 0.008, high), config) == ([] if passed else BELOW[:1])


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
    systems = {"model": _system(GOOD)}
    evidence = _evidence(GOOD, POOR, systems=systems, best_baselines=ByWay({}, {}), left_out=left_out)
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
        ({"ranked_first": {"model": 0.81, "popularity": 0.4}}, "not_too_good"),
        ({"ranked_first": {"model": 0.81}}, "not_too_good"),
        ({"ranked_first": {"model": math.nan}}, "not_too_good"),
        ({"ranked_first": {"model": 0.81, "popularity": 0.01, "recent": 0.41}}, None),
    ],
    ids=str,
)
def test_figures_that_cannot_be_believed_are_refused(changes: dict[str, Any], failed: str | None) -> None:
    soundness = dataclasses.replace(builders.SOUND, **changes)
    assert _failed(_evidence(GOOD, POOR, soundness=soundness)) == ([failed] if failed else [])


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
    spoilt = differences | {"NDCG@10": dataclasses.replace(differences["NDCG@10"], high=math.nan)}
    champion = _compared(dataclasses.replace(found.compared, differences=spoilt))
    assert _failed(_evidence(GOOD, POOR, champion=champion)) == NOT_WORSE


def test_champion_verdict_says_the_numbers() -> None:
    champion = _duel(1000, 0, 200, CONFIG)
    rule = next(rule for rule in rules(CONFIG) if rule.name == NOT_WORSE[0])
    found = champion.compared.differences["NDCG@10"]
    verdict = judge(rule, _evidence(GOOD, POOR, champion=champion))
    confidence, tolerance = CONFIG.champion_confidence, CONFIG.noise_tolerance
    assert (verdict.value, verdict.bound) == (found.high, -tolerance * champion.compared.champion["NDCG@10"])
    assert verdict.detail.startswith(
        f"NDCG@10 over all items minus the champion's (upper bound at {confidence} confidence) "
        f"{round(found.high, 4):g} is below the allowed {round(-0.6 * tolerance, 4):g} "
        "(this model: 0.4, the champion: version 1, 0.6, losses found 95 times in 100: from "
    )


def test_the_gate_looks_at_the_ranking_that_it_is_told() -> None:
    good, poor = summarise(GOOD, (10,)), summarise(POOR, (10,))
    systems = {"model": _system(GOOD, sampled=good, full=poor), "popularity": _system(POOR)}
    evidence = _evidence(GOOD, POOR, systems=systems)

    def failed(**values: Any) -> list[str]:
        return _failed(evidence, EvaluatorConfig(minimum_test_users=2, minimum_hr=0.6, **values))

    assert failed() == ["minimum_hr"]
    assert failed(gate_on="sampled") == []


def test_gate_looks_at_its_own_k() -> None:
    evidence = _evidence(np.array([3, 3, 3]), np.array([20, 20, 20]))
    assert "minimum_hr" in _failed(evidence, EvaluatorConfig(gate_k=1, minimum_hr=0.5, minimum_test_users=1))


@pytest.mark.parametrize(
    "values",
    [{"gate_k": 7}, {"ks": ()}, {"ks": (0, 10)}, {"minimum_hr": 1.5}, {"minimum_hr": float("nan")},
     {"full_ranking_users": 0}, {"minimum_test_users": 0}, {"unknown": 1}, {"champion_margin": -0.01},
     {"gate_on": "all"}, {"baseline_margin": 1.5}, {"suspicious_share": 2},
     {"champion_confidence": 1.0}, {"champion_confidence": 0.4}, {"minimum_coverage": 1.1},
     {"slice_margin": float("nan")}, {"better_than_als": True, "als": False}],
    ids=str,
)  # fmt: skip
def test_configuration_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluatorConfig(**values)


def test_configuration_passes_through_execution_properties() -> None:
    config = EvaluatorConfig(ks=(3, 10), minimum_hr=0.5, full_ranking_users=7, baseline_margin=None)
    assert EvaluatorConfig.from_properties({**config.to_properties(), "seed": 3}) == config
    assert EvaluatorConfig.from_properties(EvaluatorConfig().to_properties()) == EvaluatorConfig()
