from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from components.evaluator.champion import Duel
from components.evaluator.champion import summarise as summarise_duel
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Rule, Verdict, judge, rules
from components.evaluator.slices import slicings
from components.metrics.by_user import summarise

CONFIG = EvaluatorConfig(minimum_hr=0.5, minimum_ndcg=0.25, minimum_test_users=2)


def _evidence(model: np.ndarray, popularity: np.ndarray) -> dict[str, Any]:
    return {
        "test_users": {"sampled": len(model)},
        "model": {"sampled": summarise(model, CONFIG.ks), "not_finite": 0},
        "popularity": {"sampled": summarise(popularity, CONFIG.ks)},
        "serving": {"largest_difference": 1e-6, "unknown_ids": 0},
        "champion": {"status": "none", "detail": "skipped: there is no champion yet to compare with"},
    }


def _failed(evidence: dict[str, Any], config: EvaluatorConfig = CONFIG) -> list[str]:
    return [rule.name for rule in rules(config) if not judge(rule, evidence).passed]


GOOD, POOR = np.array([1, 2, 3, 50]), np.array([4, 9, 60, 70])
OVER_POPULARITY = ["better_than_popularity_hr", "better_than_popularity_ndcg"]
METRICS = ["minimum_hr", "minimum_ndcg", *OVER_POPULARITY]
NOT_WORSE = ["not_worse_than_champion_hr", "not_worse_than_champion_ndcg"]
NO_SLICE_WORSE = ["no_slice_worse_than_champion_hr", "no_slice_worse_than_champion_ndcg"]


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
        pytest.param({"model": {"sampled": {"HR@10": np.nan, "NDCG@10": 0.5}, "not_finite": 1}},
                     ["finite", "minimum_hr", "better_than_popularity_hr"], id="NaN"),
        pytest.param({"model": {"sampled": {"HR@10": np.inf, "NDCG@10": 0.5}, "not_finite": 0}},
                     ["minimum_hr", "better_than_popularity_hr"], id="infinite"),
        pytest.param({"model": {}}, ["finite", *METRICS], id="model missing"),
        pytest.param({"popularity": {"sampled": {"HR@10": 0.1}}}, OVER_POPULARITY[1:], id="baseline missing"),
        pytest.param({"popularity": None}, OVER_POPULARITY, id="baseline null"),
        pytest.param({"serving": {"largest_difference": np.nan, "unknown_ids": 0}}, ["serving_consistent"],
                     id="serving NaN"),
        pytest.param({"serving": {"largest_difference": 1e-3, "unknown_ids": 3}},
                     ["serving_consistent", "serving_knows_ids"], id="serving differs"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_fails(change: dict[str, Any], failed: list[str]) -> None:
    assert _failed(_evidence(GOOD, POOR) | change) == failed


@pytest.mark.parametrize(("margin", "passed"), [(0.0, True), (0.1249, True), (0.125, False), (0.2, False)], ids=str)
def test_margin_over_the_baseline(margin: float, passed: bool) -> None:
    rule = Rule("better", "HR@10", "model", "above", "popularity", "popularity's", margin)
    assert judge(rule, {"model": 0.625, "popularity": 0.5}).passed == passed


def test_verdict_has_the_numbers_and_says_them() -> None:
    rule = next(rule for rule in rules(CONFIG) if rule.name == "minimum_hr")
    assert judge(rule, {"model": {"sampled": {"HR@10": 0.41}}}) == Verdict(
        "minimum_hr", False, False, 0.41, 0.5, "HR@10 0.41 is below the minimum 0.5"
    )
    assert judge(rule, {"model": {"sampled": {"HR@10": 0.5}}}).detail == "HR@10 0.5 is at least the minimum 0.5"
    assert judge(rule, {}).detail == "HR@10 cannot be judged: model/sampled/HR@10 is missing or not a finite number"
    better = Rule("better", "HR@10", "model", "above", "popularity", "popularity's", 0.01)
    detail = judge(better, {"model": 0.45, "popularity": 0.45}).detail
    assert detail == "HR@10 0.45 is not above popularity's 0.45 plus the margin 0.01"


def test_a_rule_set_to_null_is_not_asked() -> None:
    sound = ["minimum_test_users", "finite", "serving_consistent", "serving_knows_ids"]
    assert [rule.name for rule in rules(EvaluatorConfig())] == [*sound, *OVER_POPULARITY, *NOT_WORSE]
    bare = EvaluatorConfig(finite=False, better_than_popularity=False, serving_tolerance=None, champion_margin=None)
    assert [rule.name for rule in rules(bare)] == ["minimum_test_users"]
    more = EvaluatorConfig(better_than_als=True, minimum_coverage=0.1, slice_margin=0.1)
    asked = {rule.name for rule in rules(more)} - {rule.name for rule in rules(EvaluatorConfig())}
    assert asked == {"better_than_als_hr", "better_than_als_ndcg", "minimum_coverage", *NO_SLICE_WORSE}


def test_better_than_als_and_coverage() -> None:
    config = EvaluatorConfig(
        better_than_als=True, als_margin=0.1, minimum_coverage=0.5, better_than_popularity=False,
        serving_tolerance=None, minimum_test_users=1,
    )  # fmt: skip
    evidence = _evidence(GOOD, POOR)
    evidence["als"] = evidence["popularity"]
    evidence["model"]["coverage"] = {"share": 0.5}
    assert _failed(evidence, config) == []
    evidence["model"]["coverage"] = {"share": 0.49}
    evidence["als"] = evidence["model"]
    assert _failed(evidence, config) == ["better_than_als_hr", "better_than_als_ndcg", "minimum_coverage"]
    del evidence["model"]["coverage"], evidence["als"]
    assert _failed(evidence, config) == ["better_than_als_hr", "better_than_als_ndcg", "minimum_coverage"]


def _duel(users: int, won: int, lost: int, config: EvaluatorConfig) -> dict[str, Any]:
    """The evidence where the first `won` users are a hit for the challenger alone, the last `lost` for the champion."""
    both = np.where(np.arange(users) % 2, 1, 90)
    challenger, champion = both.copy(), both.copy()
    challenger[:won], champion[:won] = 1, 90
    challenger[users - lost :], champion[users - lost :] = 90, 1
    index = np.arange(users)
    cuts = slicings(index, np.zeros(users, int), index, np.array([users]))
    duel = Duel(index, np.zeros(users, int), challenger, champion)
    return {"champion": {"status": "compared", **summarise_duel(duel, cuts, config, np.random.default_rng(0))}}


@pytest.mark.parametrize(
    ("users", "won", "lost", "failed"),
    [
        pytest.param(1000, 100, 0, [], id="better"),
        pytest.param(1000, 0, 0, [], id="identical"),
        pytest.param(1000, 30, 30, [], id="equal"),
        pytest.param(1000, 0, 12, [], id="a little worse, within the margin"),
        pytest.param(1000, 0, 25, ["hr", "ndcg"], id="within the margin, but not with confidence"),
        pytest.param(1000, 0, 200, ["hr", "ndcg"], id="worse"),
        pytest.param(60, 8, 8, ["hr", "ndcg"], id="equal, but too few users to tell"),
        pytest.param(1, 1, 0, [], id="a single user, won"),
        pytest.param(1, 0, 1, ["hr", "ndcg"], id="a single user, lost"),
    ],
)
def test_champion_on_real_ranks(users: int, won: int, lost: int, failed: list[str]) -> None:
    evidence = _evidence(GOOD, POOR) | _duel(users, won, lost, CONFIG)
    assert _failed(evidence) == [f"not_worse_than_champion_{metric}" for metric in failed]


def test_margin_and_confidence_of_the_champion_rule() -> None:
    def failed(**values: Any) -> list[str]:
        config = EvaluatorConfig(minimum_test_users=2, **values)
        return _failed(_evidence(GOOD, POOR) | _duel(1000, 0, 25, config), config)

    assert failed(champion_margin=0.04) == []
    assert failed(champion_margin=0.03, champion_confidence=0.5) == []
    assert failed(champion_margin=0.02, champion_confidence=0.5) == NOT_WORSE
    assert failed(champion_margin=0.0) == NOT_WORSE
    assert failed(champion_margin=None) == []


def test_no_quartile_may_lose_too_much() -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.05)
    # As many won as lost, but the losses are all among the most active users.
    evidence = _evidence(GOOD, POOR) | _duel(1000, 30, 30, config)
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
    skipped = {verdict.rule: verdict for verdict in verdicts if verdict.skipped}
    assert [*skipped] == [NOT_WORSE[0], NO_SLICE_WORSE[0], NOT_WORSE[1], NO_SLICE_WORSE[1]]
    assert all(verdict.passed for verdict in verdicts)
    assert {verdict.detail for verdict in skipped.values()} == {"skipped: there is no champion yet to compare with"}


@pytest.mark.parametrize(
    ("champion", "detail"),
    [
        (
            {"status": "broken", "detail": "the champion cannot be compared: lost"},
            "the champion cannot be compared: lost",
        ),
        ({"status": "compared", "differences": {"HR@10": {"low": np.nan}}}, "is missing or not a finite number"),
        ({"status": "compared", "differences": {"HR@10": {"low": None}}}, "is missing or not a finite number"),
        ({"status": "compared"}, "is missing or not a finite number"),
        ({}, "is missing or not a finite number"),
        (None, "is missing or not a finite number"),
    ],
    ids=["broken", "NaN", "null", "metric missing", "empty", "absent"],
)
def test_a_champion_that_cannot_be_compared_blocks(champion: dict[str, Any] | None, detail: str) -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.1)
    evidence = _evidence(GOOD, POOR) | {"champion": champion}
    assert _failed(evidence, config) == [NOT_WORSE[0], NO_SLICE_WORSE[0], NOT_WORSE[1], NO_SLICE_WORSE[1]]
    verdicts = [judge(rule, evidence) for rule in rules(config) if "champion" in rule.name]
    assert all(detail in verdict.detail and not verdict.skipped for verdict in verdicts)


def test_champion_verdict_says_the_numbers() -> None:
    evidence = _duel(1000, 0, 200, CONFIG)
    rule = next(rule for rule in rules(CONFIG) if rule.name == NOT_WORSE[0])
    low = evidence["champion"]["differences"]["HR@10"]["low"]
    verdict = judge(rule, evidence)
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
