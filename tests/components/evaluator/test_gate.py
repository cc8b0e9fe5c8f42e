from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Rule, Verdict, judge, rules
from components.evaluator.metrics import summarise

CONFIG = EvaluatorConfig(minimum_hr=0.5, minimum_ndcg=0.25, minimum_test_users=2)


def _evidence(model: np.ndarray, popularity: np.ndarray) -> dict[str, Any]:
    return {
        "test_users": {"sampled": len(model)},
        "model": {"sampled": summarise(model, CONFIG.ks), "not_finite": 0},
        "popularity": {"sampled": summarise(popularity, CONFIG.ks)},
        "serving": {"largest_difference": 1e-6, "unknown_ids": 0},
    }


def _failed(evidence: dict[str, Any], config: EvaluatorConfig = CONFIG) -> list[str]:
    return [rule.name for rule in rules(config) if not judge(rule, evidence).passed]


GOOD, POOR = np.array([1, 2, 3, 50]), np.array([4, 9, 60, 70])
OVER_POPULARITY = ["better_than_popularity_hr", "better_than_popularity_ndcg"]
METRICS = ["minimum_hr", "minimum_ndcg", *OVER_POPULARITY]


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
        "minimum_hr", False, 0.41, 0.5, "HR@10 0.41 is below the minimum 0.5"
    )
    assert judge(rule, {"model": {"sampled": {"HR@10": 0.5}}}).detail == "HR@10 0.5 is at least the minimum 0.5"
    assert judge(rule, {}).detail == "HR@10 cannot be judged: model/sampled/HR@10 is missing or not a finite number"
    better = Rule("better", "HR@10", "model", "above", "popularity", "popularity's", 0.01)
    detail = judge(better, {"model": 0.45, "popularity": 0.45}).detail
    assert detail == "HR@10 0.45 is not above popularity's 0.45 plus the margin 0.01"


def test_a_rule_set_to_null_is_not_asked() -> None:
    assert [rule.name for rule in rules(EvaluatorConfig())] == [
        "minimum_test_users", "finite", *OVER_POPULARITY, "serving_consistent", "serving_knows_ids",
    ]  # fmt: skip
    bare = EvaluatorConfig(finite=False, better_than_popularity=False, serving_tolerance=None)
    assert [rule.name for rule in rules(bare)] == ["minimum_test_users"]


def test_gate_looks_at_its_own_k() -> None:
    evidence = _evidence(np.array([3, 3, 3]), np.array([20, 20, 20]))
    assert "minimum_hr" in _failed(evidence, EvaluatorConfig(gate_k=1, minimum_hr=0.5, minimum_test_users=1))


@pytest.mark.parametrize(
    "values",
    [{"gate_k": 7}, {"ks": ()}, {"ks": (0, 10)}, {"minimum_hr": 1.5}, {"minimum_hr": float("nan")},
     {"full_ranking_users": 0}, {"minimum_test_users": 0}, {"unknown": 1}],
    ids=str,
)  # fmt: skip
def test_configuration_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluatorConfig(**values)


def test_configuration_passes_through_execution_properties() -> None:
    config = EvaluatorConfig(ks=(3, 10), minimum_hr=0.5, full_ranking_users=7, better_than_popularity=False)
    assert EvaluatorConfig.from_properties({**config.to_properties(), "seed": 3}) == config
    assert EvaluatorConfig.from_properties(EvaluatorConfig().to_properties()) == EvaluatorConfig()
