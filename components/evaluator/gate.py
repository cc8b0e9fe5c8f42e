"""The gate: rules as data, each judged on the evidence with a verdict. A model is blessed when every rule holds."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.evaluator.config import EvaluatorConfig

Comparison = Literal["at least", "above", "at most"]
_OPPOSITE: dict[Comparison, str] = {"at least": "below", "above": "not above", "at most": "above"}


@dataclass(frozen=True)
class Rule:
    """Compares one number of the evidence with a bound.

    Attributes:
      name: what the rule is called in the verdicts.
      subject: what the number is called in a sentence.
      metric: where the evidence has the number: "model/sampled/HR@10".
      comparison: how it must stand to the bound.
      bound: a number, or where the evidence has it.
      bound_name: what the bound is called in a sentence.
      margin: added to the bound.
    """

    name: str
    subject: str
    metric: str
    comparison: Comparison
    bound: float | str
    bound_name: str
    margin: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """What became of a rule.

    Attributes:
      rule: its name.
      passed: whether it holds; a rule that cannot be evaluated does not.
      value: the number that was judged; NaN where there is none.
      bound: what it was compared with, margin included; NaN where there is none.
      detail: a sentence with the numbers.
    """

    rule: str
    passed: bool
    value: float
    bound: float
    detail: str


def rules(config: EvaluatorConfig) -> list[Rule]:
    """The rules that the configuration asks for."""
    return list(_rules(config))


def _rules(config: EvaluatorConfig) -> Iterator[Rule]:
    metrics = {"hr": f"HR@{config.gate_k}", "ndcg": f"NDCG@{config.gate_k}"}
    minima = {"hr": config.minimum_hr, "ndcg": config.minimum_ndcg}
    users, least = "test_users/sampled", config.minimum_test_users
    yield Rule("minimum_test_users", "number of test users", users, "at least", least, "the minimum")
    if config.finite:
        subject = "number of scores and metrics that are not finite"
        yield Rule("finite", subject, "model/not_finite", "at most", 0, "the allowed")
    for short, minimum in minima.items():
        if minimum is not None:
            metric = metrics[short]
            yield Rule(f"minimum_{short}", metric, f"model/sampled/{metric}", "at least", minimum, "the minimum")
    if config.better_than_popularity:
        for short, metric in metrics.items():
            name, other = f"better_than_popularity_{short}", f"popularity/sampled/{metric}"
            margin = config.popularity_margin
            yield Rule(name, metric, f"model/sampled/{metric}", "above", other, "popularity's", margin)
    if config.serving_tolerance is not None:
        subject, tolerance = "difference between served and measured scores", config.serving_tolerance
        yield Rule("serving_consistent", subject, "serving/largest_difference", "at most", tolerance, "the tolerance")
        subject = "number of known ids that serving takes for unknown"
        yield Rule("serving_knows_ids", subject, "serving/unknown_ids", "at most", 0, "the allowed")


def judge(rule: Rule, evidence: Mapping[str, Any]) -> Verdict:
    """Judges one rule.

    Args:
      rule: the rule.
      evidence: nested numbers, found by the paths of the rule.
    """
    value = _number(evidence, rule.metric)
    bound = (_number(evidence, rule.bound) if isinstance(rule.bound, str) else rule.bound) + rule.margin
    for path, number in ((rule.metric, value), (rule.bound, bound)):
        if not math.isfinite(number):
            detail = f"{rule.subject} cannot be judged: {path} is missing or not a finite number"
            return Verdict(rule.name, False, value, bound, detail)
    passed = {"at least": value >= bound, "above": value > bound, "at most": value <= bound}[rule.comparison]
    relation = rule.comparison if passed else _OPPOSITE[rule.comparison]
    margin = f" plus the margin {_text(rule.margin)}" if rule.margin else ""
    detail = f"{rule.subject} {_text(value)} is {relation} {rule.bound_name} {_text(bound - rule.margin)}{margin}"
    return Verdict(rule.name, passed, value, bound, detail)


def _number(evidence: Mapping[str, Any], path: str) -> float:
    found: Any = evidence
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return math.nan if found is None else found


def _text(number: float) -> str:
    if number == round(number):
        return f"{number:,.0f}"
    return f"{round(number, 4):g}" if abs(number) >= 0.001 else f"{number:.2g}"
