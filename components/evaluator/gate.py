"""The gate: rules as data, each judged on the evidence with a verdict. A model is blessed when every rule holds."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from components.artifacts.evaluation import Evaluation, State, Verdict

Relation = Literal["at least", "above", "at most"]
Settled = tuple[State, str]
"""What becomes of a rule that has nothing to compare with, and a sentence on that."""
_Found = TypeVar("_Found")
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
      told: what the sentence says besides: names, and their values; an empty text is left out.
    """

    name: str
    subject: str
    figure: Figure
    relation: Relation
    bound: float | Figure
    bound_name: str
    margin: float = 0.0
    settled: Callable[[Evaluation], Settled | None] = lambda evidence: None
    told: tuple[tuple[str, Callable[[Evaluation], float | str]], ...] = ()


def known(found: _Found | None, otherwise: str) -> _Found:
    """What was found, for a figure.

    Raises:
      LookupError: nothing was.
    """
    if found is None:
        raise LookupError(otherwise)
    return found


def judge(rule: Rule, evidence: Evaluation) -> Verdict:
    """Judges one rule; one that cannot be judged fails.

    Args:
      rule: the rule.
      evidence: what was measured; its own verdicts are not looked at.
    """
    value = rule.figure.of(evidence)
    limit = rule.bound.of(evidence) if isinstance(rule.bound, Figure) else rule.bound
    # That which was not measured stays the one NaN that is equal to itself in comparisons of verdicts.
    bound = limit + rule.margin if math.isfinite(limit) else math.nan
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
    margin = f" plus the margin {number_text(rule.margin)}" if rule.margin else ""
    found = [(name, number_text(get(evidence))) for name, get in rule.told]
    told = ", ".join(f"{name}: {text}" for name, text in found if text)
    held_against = f"{rule.bound_name} {number_text(bound - rule.margin)}{margin}"
    sentence = f"{rule.subject} {number_text(value)} is {relation} {held_against}"
    return f"{sentence} ({told})" if told else sentence


def number_text(value: float | str) -> str:
    """A number as a verdict writes it: four decimals, or two digits of a small one; a text as it is."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "none"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{round(value, 4):g}" if abs(value) >= 0.001 else f"{value:.2g}"
