"""Verdict, gate and champion, arranged for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from components.artifacts.evaluation import ChampionQuartile, ChampionStatus, Comparison, Evaluation, State, Verdict
from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Dot, interval_chart
from components.evaluator.report.evidence import BRIEFLY, SLICES, Paired, estimate, in_words, paired


@dataclass(frozen=True)
class Tile:
    """One of the figures that matter most: its metric, the way of ranking, and the interval in words."""

    metric: str
    way: str
    value: float | None
    note: str


@dataclass(frozen=True)
class Outcome:
    """A sentence on the rules, why they failed, and tiles, a row for each way of ranking."""

    sentence: str
    reasons: Sequence[str]
    tiles: Sequence[Sequence[Tile]]


@dataclass(frozen=True)
class Rule:
    """A rule of the gate in words, with its value and bound."""

    state: State
    name: str
    value: float
    bound: float
    detail: str


@dataclass(frozen=True)
class ComparedRow:
    """A metric of both models, and the paired difference."""

    metric: str
    challenger: float
    champion: float
    difference: Paired


@dataclass(frozen=True)
class ComparedSlices:
    """The differences in quartiles of the users."""

    title: str
    rows: Sequence[ChampionQuartile]


@dataclass(frozen=True)
class Compared:
    """Challenger and champion side by side: by metric, as a chart, and in quartiles."""

    comparison: Comparison
    rows: Sequence[ComparedRow]
    chart: Markup
    slices: Sequence[ComparedSlices]


@dataclass(frozen=True)
class ChampionShown:
    """The model in service; `compared` is None where it could not be."""

    status: ChampionStatus
    detail: str
    version: str | None
    compared: Compared | None


def verdict(evaluation: Evaluation) -> Outcome:
    """The outcome: a sentence on the rules, why they failed, and the figures that matter most, by way of ranking."""
    tiles = []
    for way in evaluation.ways:
        row = []
        for metric in evaluation.gate_metrics:
            value, low, high = estimate(evaluation.model, way, metric)
            row.append(Tile(metric, BRIEFLY[way], value, note=figures.bounds(low, high)))
        tiles.append(row)
    counts = {state: sum(rule.state is state for rule in evaluation.rules) for state in State}
    return Outcome(_outcome(**counts), evaluation.reasons, tiles)


def _outcome(failed: int, passed: int, skipped: int) -> str:
    if not failed + passed + skipped:
        return "The gate has no rules."
    asked = figures.plural(failed + passed, "rule")
    if failed:
        sentence = f"{figures.count(failed)} of {asked} failed"
    else:
        sentence = f"All {asked} passed" if passed > 1 else f"{asked} passed"
    return f"{sentence}, {figures.count(skipped)} skipped." if skipped else f"{sentence}."


def gate(evaluation: Evaluation) -> list[Rule]:
    """The rules: those that failed first, those that were skipped last."""
    spellings = _spellings(evaluation)
    rows = [_row(rule, spellings) for rule in evaluation.rules]
    return sorted(rows, key=lambda row: list(State).index(row.state))


def _row(rule: Verdict, spellings: dict[str, str]) -> Rule:
    bound = rule.bound
    if isinstance(rule.value, int) and isinstance(bound, float) and bound.is_integer():
        bound = int(bound)
    name = " ".join(spellings.get(word, word) for word in rule.rule.split("_"))
    return Rule(rule.state, _sentence(name), rule.value, bound, _sentence(rule.detail))


def _spellings(evaluation: Evaluation) -> dict[str, str]:
    """How words of a rule's name are written that have capitals of their own: HR, ALS, kNN."""
    labels = [system.label for system in evaluation.systems.values()]
    words = [word for label in (*evaluation.metrics, *labels) for word in label.replace("-", " ").split()]
    return {word.lower(): word for word in words if word not in (word.lower(), word.capitalize())}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def champion(evaluation: Evaluation) -> ChampionShown:
    """The comparison with the model in service."""
    found = evaluation.champion
    compared = None if found.comparison is None else _compared(found.comparison, evaluation.gate_metrics)
    return ChampionShown(found.status, _sentence(found.detail), found.version, compared)


def _compared(comparison: Comparison, metrics: list[str]) -> Compared:
    differences = {metric: paired(difference) for metric, difference in comparison.differences.items()}
    rows = [
        ComparedRow(metric, comparison.challenger[metric], comparison.champion[metric], differences[metric])
        for metric in metrics
    ]
    dots = [Dot(name, "model", found.mean, found.low, found.high) for name, found in differences.items()]
    numbers = in_words([(dot.label, dot.value) for dot in dots])
    caption = Caption("champion-differences", "Challenger minus champion, by metric", numbers)
    chart = interval_chart(caption, dots, differences=True)
    slices = [ComparedSlices(title, comparison.slices[way]) for way, title in SLICES.items()]
    return Compared(comparison, rows, chart, slices)
