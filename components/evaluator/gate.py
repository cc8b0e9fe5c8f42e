"""The gate: rules as data, each judged on the evidence with a verdict. A model is blessed when every rule holds."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from components.artifacts.evaluation import MODEL, ChampionStatus, Evaluation, State, Verdict
from components.evaluator.baselines import BASELINES
from components.evaluator.config import EvaluatorConfig
from components.metrics import METRICS

Relation = Literal["at least", "above", "at most"]
_OPPOSITE: dict[Relation, str] = {"at least": "below", "above": "not above", "at most": "above"}


@dataclass(frozen=True)
class Figure:
    """A number of the evidence.

    Attributes:
      path: where `metrics.json` has it.
      get: takes it out; LookupError where it was not measured.
    """

    path: str
    get: Callable[[Evaluation], float]

    def of(self, evidence: Evaluation) -> float:
        """The number; NaN where it was not measured."""
        try:
            return self.get(evidence)
        except LookupError:
            return math.nan


@dataclass(frozen=True)
class Rule:
    """Compares one number of the evidence with a bound.

    Attributes:
      name: what the rule is called in the verdicts.
      subject: what the number is called in a sentence.
      figure: the number.
      relation: how it must stand to the bound.
      bound: a number, fixed or of the evidence.
      bound_name: what the bound is called in a sentence.
      margin: added to the bound.
      settled: what is to be said where there is nothing to compare with, and whether the rule is skipped or fails then.
      told: what the sentence says besides: names, and their values.
    """

    name: str
    subject: str
    figure: Figure
    relation: Relation
    bound: float | Figure
    bound_name: str
    margin: float = 0.0
    settled: Callable[[Evaluation], tuple[State, str] | None] = lambda evidence: None
    told: tuple[tuple[str, Callable[[Evaluation], float | str]], ...] = ()


def rules(config: EvaluatorConfig) -> list[Rule]:
    """The rules that the configuration asks for."""
    return [*_rules_of_soundness(config), *_rules_of_accuracy(config), *_rules_of_champion(config)]


def _rules_of_soundness(config: EvaluatorConfig) -> Iterator[Rule]:
    users, least = Figure("test_users/sampled", lambda found: found.test_users.sampled), config.minimum_test_users
    yield Rule("minimum_test_users", "number of test users", users, "at least", least, "the minimum")
    if config.finite:
        path = "weights_not_finite plus systems/model/not_finite"
        yield Rule(
            "finite",
            "number of weights, scores and metrics that are not finite",
            Figure(path, lambda found: found.weights_not_finite + found.model.not_finite),
            "at most",
            0,
            "the allowed",
            told=(
                ("weights", lambda found: found.weights_not_finite),
                ("scores and metrics", lambda found: found.model.not_finite),
            ),
        )
    if config.serving_tolerance is not None:
        subject, tolerance = "difference between served and measured scores", config.serving_tolerance
        difference = Figure("serving/largest_difference", lambda found: found.serving.largest_difference)
        yield Rule("serving_consistent", subject, difference, "at most", tolerance, "the tolerance")
        subject = "number of known ids that serving takes for unknown"
        unknown = Figure("serving/unknown_ids", lambda found: found.serving.unknown_ids)
        yield Rule("serving_knows_ids", subject, unknown, "at most", 0, "the allowed")


def _rules_of_accuracy(config: EvaluatorConfig) -> Iterator[Rule]:
    for short, metric in _metrics(config).items():
        if (minimum := config.minimum(short)) is not None:
            yield Rule(f"minimum_{short}", metric, _sampled(MODEL, metric), "at least", minimum, "the minimum")
    for baseline, kind in BASELINES.items():
        margin = config.margin_over(baseline)
        for short, metric in _metrics(config).items() if margin is not None else ():
            yield Rule(
                f"better_than_{baseline}_{short}",
                metric,
                _sampled(MODEL, metric),
                "above",
                _sampled(baseline, metric),
                f"that of {kind.title}",
                margin or 0.0,
                settled=functools.partial(_left_out, baseline),
            )
    if config.minimum_coverage is not None:
        subject = f"share of the items in the users' top {config.gate_k}"
        share = Figure("systems/model/coverage/share", lambda found: found.model.coverage.share)
        yield Rule("minimum_coverage", subject, share, "at least", config.minimum_coverage, "the minimum")


def _rules_of_champion(config: EvaluatorConfig) -> Iterator[Rule]:
    for short, metric in _metrics(config).items():
        yield from _rules_of_comparison(short, metric, config)


def _rules_of_comparison(short: str, metric: str, config: EvaluatorConfig) -> Iterator[Rule]:
    if config.champion_margin is not None:
        path = f"champion/comparison/differences/{metric}/low"
        yield Rule(
            f"not_worse_than_champion_{short}",
            f"{metric} minus the champion's (lower bound at {config.champion_confidence:.4g} confidence)",
            Figure(path, lambda found: found.champion.compared.differences[metric].low),
            "at least",
            -config.champion_margin,
            "the allowed",
            settled=_without_champion,
            told=(
                ("this model", lambda found: found.champion.compared.challenger[metric]),
                ("the champion", lambda found: found.champion.compared.champion[metric]),
            ),
        )
    if config.slice_margin is not None:
        path = f"champion/comparison/worst_slice/{metric}/difference"
        yield Rule(
            f"no_slice_worse_than_champion_{short}",
            f"{metric} minus the champion's in the quartile that lost most",
            Figure(path, lambda found: found.champion.compared.worst_slice[metric].difference),
            "at least",
            -config.slice_margin,
            "the allowed",
            settled=_without_champion,
            told=(("the quartile", lambda found: found.champion.compared.worst_slice[metric].slice),),
        )


def _metrics(config: EvaluatorConfig) -> dict[str, str]:
    return {name.lower(): f"{name}@{config.gate_k}" for name in METRICS}


def _sampled(system: str, metric: str) -> Figure:
    return Figure(f"systems/{system}/sampled/{metric}", lambda found: found.systems[system].sampled[metric])


def _left_out(baseline: str, evidence: Evaluation) -> tuple[State, str] | None:
    found = evidence.left_out.get(baseline)
    return (State.FAILED, f"{found.title} cannot be compared with: {found.reason}") if found else None


def _without_champion(evidence: Evaluation) -> tuple[State, str] | None:
    settled = {ChampionStatus.NONE: State.SKIPPED, ChampionStatus.BROKEN: State.FAILED}
    state = settled.get(evidence.champion.status)
    return (state, evidence.champion.detail) if state else None


def judge(rule: Rule, evidence: Evaluation) -> Verdict:
    """Judges one rule; one that cannot be judged fails.

    Args:
      rule: the rule.
      evidence: what was measured; its own verdicts are not looked at.
    """
    value = rule.figure.of(evidence)
    bound = (rule.bound.of(evidence) if isinstance(rule.bound, Figure) else rule.bound) + rule.margin
    if settled := rule.settled(evidence):
        state, detail = settled
        return Verdict(rule.name, state, value, bound, detail)
    for found, number in ((rule.figure, value), (rule.bound, bound)):
        if isinstance(found, Figure) and not math.isfinite(number):
            detail = f"{rule.subject} cannot be judged: {found.path} is missing or not a finite number"
            return Verdict(rule.name, State.FAILED, value, bound, detail)
    passed = {"at least": value >= bound, "above": value > bound, "at most": value <= bound}[rule.relation]
    state = State.PASSED if passed else State.FAILED
    return Verdict(rule.name, state, value, bound, _sentence(rule, evidence, value, bound, passed))


def _sentence(rule: Rule, evidence: Evaluation, value: float, bound: float, passed: bool) -> str:
    relation = rule.relation if passed else _OPPOSITE[rule.relation]
    margin = f" plus the margin {_text(rule.margin)}" if rule.margin else ""
    told = ", ".join(f"{name}: {_text(get(evidence))}" for name, get in rule.told)
    sentence = f"{rule.subject} {_text(value)} is {relation} {rule.bound_name} {_text(bound - rule.margin)}{margin}"
    return f"{sentence} ({told})" if told else sentence


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "none"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{round(value, 4):g}" if abs(value) >= 0.001 else f"{value:.2g}"
