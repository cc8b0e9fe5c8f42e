"""Verdict, gate and champion, arranged for the templates."""

from typing import Any

from components.artifacts.evaluation import Comparison, Evaluation, State, Verdict
from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Dot, interval_chart
from components.evaluator.report.evidence import BRIEFLY, SLICES, estimate, in_words, paired


def verdict(evaluation: Evaluation) -> dict[str, Any]:
    """The outcome: a sentence on the rules, why they failed, and the figures that matter most, by way of ranking."""
    tiles = []
    for way in evaluation.ways:
        row = []
        for metric in evaluation.gate_metrics:
            value, low, high = estimate(evaluation.model, way, metric)
            row.append({"metric": metric, "way": BRIEFLY[way], "value": value, "note": figures.bounds(low, high)})
        tiles.append(row)
    counts = {state: sum(rule.state is state for rule in evaluation.rules) for state in State}
    return {"sentence": _outcome(**counts), "reasons": evaluation.reasons, "tiles": tiles}


def _outcome(failed: int, passed: int, skipped: int) -> str:
    if not failed + passed + skipped:
        return "The gate has no rules."
    asked = figures.plural(failed + passed, "rule")
    if failed:
        sentence = f"{figures.count(failed)} of {asked} failed"
    else:
        sentence = f"All {asked} passed" if passed > 1 else f"{asked} passed"
    return f"{sentence}, {figures.count(skipped)} skipped." if skipped else f"{sentence}."


def gate(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The rules: those that failed first, those that were skipped last."""
    spellings = _spellings(evaluation)
    rows = [_row(rule, spellings) for rule in evaluation.rules]
    return sorted(rows, key=lambda row: list(State).index(row["state"]))


def _row(rule: Verdict, spellings: dict[str, str]) -> dict[str, Any]:
    bound = rule.bound
    if isinstance(rule.value, int) and isinstance(bound, float) and bound.is_integer():
        bound = int(bound)
    name = " ".join(spellings.get(word, word) for word in rule.rule.split("_"))
    return {
        "state": rule.state,
        "name": _sentence(name),
        "value": rule.value,
        "bound": bound,
        "detail": _sentence(rule.detail),
    }


def _spellings(evaluation: Evaluation) -> dict[str, str]:
    """How words of a rule's name are written that have capitals of their own: HR, ALS, kNN."""
    labels = [system.label for system in evaluation.systems.values()]
    words = [word for label in (*evaluation.metrics, *labels) for word in label.replace("-", " ").split()]
    return {word.lower(): word for word in words if word not in (word.lower(), word.capitalize())}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def champion(evaluation: Evaluation) -> dict[str, Any]:
    """The comparison with the model in service."""
    found = evaluation.champion
    compared = {} if found.comparison is None else _compared(found.comparison, evaluation.gate_metrics)
    return {"status": found.status, "detail": _sentence(found.detail), "version": found.version, **compared}


def _compared(comparison: Comparison, metrics: list[str]) -> dict[str, Any]:
    differences = {metric: paired(difference) for metric, difference in comparison.differences.items()}
    rows = [
        {
            "metric": metric,
            "challenger": comparison.challenger[metric],
            "champion": comparison.champion[metric],
            "difference": differences[metric],
        }
        for metric in metrics
    ]
    dots = [Dot(name, "model", found.mean, found.low, found.high) for name, found in differences.items()]
    numbers = in_words([(dot.label, dot.value) for dot in dots])
    caption = Caption("champion-differences", "Challenger minus champion, by metric", numbers)
    return {
        "comparison": comparison,
        "rows": rows,
        "chart": interval_chart(caption, dots, differences=True),
        "slices": [{"title": title, "rows": comparison.slices[way]} for way, title in SLICES.items()],
    }
