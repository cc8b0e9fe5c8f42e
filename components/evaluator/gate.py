"""The gate: rules as data, each judged on the evidence with a verdict. A model is blessed when every rule holds."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.evaluator.baselines import BASELINES
from components.evaluator.config import EvaluatorConfig
from components.metrics import METRICS

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
      rival: the part of the evidence, such as "champion", whose `status` says whether there is anything to compare
        with: "compared", "none" (the rule is skipped) or "broken" (it fails), with a `detail`.
      told: what the sentence says besides: names, and where the evidence has the values.
    """

    name: str
    subject: str
    metric: str
    comparison: Comparison
    bound: float | str
    bound_name: str
    margin: float = 0.0
    rival: str | None = None
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What became of a rule.

    Attributes:
      rule: its name.
      passed: whether it lets the model through; a rule that cannot be evaluated does not, a skipped one does.
      skipped: whether there was nothing to compare with.
      value: the number that was judged; NaN where there is none.
      bound: what it was compared with, margin included; NaN where there is none.
      detail: a sentence with the numbers.
    """

    rule: str
    passed: bool
    skipped: bool
    value: float
    bound: float
    detail: str


def rules(config: EvaluatorConfig) -> list[Rule]:
    """The rules that the configuration asks for."""
    return [*_rules_of_soundness(config), *_rules_of_accuracy(config), *_rules_of_champion(config)]


def _rules_of_soundness(config: EvaluatorConfig) -> Iterator[Rule]:
    users, least = "test_users/sampled", config.minimum_test_users
    yield Rule("minimum_test_users", "number of test users", users, "at least", least, "the minimum")
    if config.finite:
        subject = "number of scores and metrics that are not finite"
        yield Rule("finite", subject, "model/not_finite", "at most", 0, "the allowed")
    if config.serving_tolerance is not None:
        subject, tolerance = "difference between served and measured scores", config.serving_tolerance
        yield Rule("serving_consistent", subject, "serving/largest_difference", "at most", tolerance, "the tolerance")
        subject = "number of known ids that serving takes for unknown"
        yield Rule("serving_knows_ids", subject, "serving/unknown_ids", "at most", 0, "the allowed")


def _rules_of_accuracy(config: EvaluatorConfig) -> Iterator[Rule]:
    for short, metric in _metrics(config).items():
        if (minimum := config.minimum(short)) is not None:
            yield Rule(f"minimum_{short}", metric, f"model/sampled/{metric}", "at least", minimum, "the minimum")
    for baseline, kind in BASELINES.items():
        margin = config.margin_over(baseline)
        for short, metric in _metrics(config).items() if margin is not None else ():
            name, other = f"better_than_{baseline}_{short}", f"{baseline}/sampled/{metric}"
            bound_name = f"that of {kind.title}"
            yield Rule(name, metric, f"model/sampled/{metric}", "above", other, bound_name, margin)
    if config.minimum_coverage is not None:
        subject = f"share of the items in the users' top {config.gate_k}"
        least = config.minimum_coverage
        yield Rule("minimum_coverage", subject, "model/coverage/share", "at least", least, "the minimum")


def _rules_of_champion(config: EvaluatorConfig) -> Iterator[Rule]:
    for short, metric in _metrics(config).items():
        if config.champion_margin is not None:
            yield Rule(
                f"not_worse_than_champion_{short}",
                f"{metric} minus the champion's (lower bound at {config.champion_confidence:.4g} confidence)",
                f"champion/differences/{metric}/low",
                "at least",
                -config.champion_margin,
                "the allowed",
                rival="champion",
                told=(
                    ("this model", f"champion/challenger/{metric}"),
                    ("the champion", f"champion/champion/{metric}"),
                ),
            )
        if config.slice_margin is not None:
            yield Rule(
                f"no_slice_worse_than_champion_{short}",
                f"{metric} minus the champion's in the quartile that lost most",
                f"champion/worst_slice/{metric}/difference",
                "at least",
                -config.slice_margin,
                "the allowed",
                rival="champion",
                told=(("the quartile", f"champion/worst_slice/{metric}/slice"),),
            )


def _metrics(config: EvaluatorConfig) -> dict[str, str]:
    return {name.lower(): f"{name}@{config.gate_k}" for name in METRICS}


def judge(rule: Rule, evidence: Mapping[str, Any]) -> Verdict:
    """Judges one rule.

    Args:
      rule: the rule.
      evidence: nested numbers, found by the paths of the rule.
    """
    value = _number(evidence, rule.metric)
    bound = (_number(evidence, rule.bound) if isinstance(rule.bound, str) else rule.bound) + rule.margin
    if rule.rival and (status := _find(evidence, f"{rule.rival}/status")) in ("none", "broken"):
        skipped = status == "none"
        return Verdict(rule.name, skipped, skipped, value, bound, evidence[rule.rival]["detail"])
    for path, number in ((rule.metric, value), (rule.bound, bound)):
        if not math.isfinite(number):
            detail = f"{rule.subject} cannot be judged: {path} is missing or not a finite number"
            return Verdict(rule.name, False, False, value, bound, detail)
    passed = {"at least": value >= bound, "above": value > bound, "at most": value <= bound}[rule.comparison]
    return Verdict(rule.name, passed, False, value, bound, _sentence(rule, evidence, value, bound, passed))


def _sentence(rule: Rule, evidence: Mapping[str, Any], value: float, bound: float, passed: bool) -> str:
    relation = rule.comparison if passed else _OPPOSITE[rule.comparison]
    margin = f" plus the margin {_text(rule.margin)}" if rule.margin else ""
    told = ", ".join(f"{name}: {_text(_find(evidence, path))}" for name, path in rule.told)
    sentence = f"{rule.subject} {_text(value)} is {relation} {rule.bound_name} {_text(bound - rule.margin)}{margin}"
    return f"{sentence} ({told})" if told else sentence


def _number(evidence: Mapping[str, Any], path: str) -> float:
    found = _find(evidence, path)
    return math.nan if found is None else found


def _find(evidence: Mapping[str, Any], path: str) -> Any:
    found: Any = evidence
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: float | str | None) -> str:
    if isinstance(value, str):
        return value
    if value is None or not math.isfinite(value):
        return "none"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{round(value, 4):g}" if abs(value) >= 0.001 else f"{value:.2g}"
