"""Verdict, gate and champion, arranged for the templates."""

from collections.abc import Mapping
from typing import Any

from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Dot, interval_chart
from components.evaluator.report.evidence import SLICES, WAYS, Tree, find, gate_metrics, in_words, paired

_WORDS = {"hr": "HR", "ndcg": "NDCG", "als": "ALS"}
_STATES = ("failed", "passed", "skipped")


def verdict(metrics: Tree) -> dict[str, Any]:
    """The outcome: its title, a sentence on the rules, and the four figures that matter most."""
    rules = gate(metrics)
    counts = {state: sum(rule["state"] == state for rule in rules) for state in _STATES}
    tiles = []
    for way in WAYS:
        for metric in gate_metrics(metrics):
            interval = find(metrics, "model", "intervals", way, metric)
            note = figures.bounds(*interval) if interval else ""
            tiles.append({"metric": metric, "way": way, "value": find(metrics, "model", way, metric), "note": note})
    return {
        "blessed": bool(metrics.get("blessed")),
        "sentence": _outcome(**counts),
        "reasons": [rule["detail"] for rule in rules if rule["state"] == "failed"],
        "tiles": tiles,
    }


def _outcome(failed: int, passed: int, skipped: int) -> str:
    if not failed + passed + skipped:
        return "The gate has no rules."
    asked = figures.plural(failed + passed, "rule")
    if failed:
        sentence = f"{figures.count(failed)} of {asked} failed"
    else:
        sentence = f"All {asked} passed" if passed > 1 else f"{asked} passed"
    return f"{sentence}, {figures.count(skipped)} skipped." if skipped else f"{sentence}."


def gate(metrics: Tree) -> list[dict[str, Any]]:
    """The rules: those that failed first, those that were skipped last."""
    rows = []
    for rule in metrics.get("rules") or []:
        state = "skipped" if rule.get("skipped") else "passed" if rule.get("passed") else "failed"
        value, bound = rule.get("value"), rule.get("bound")
        if isinstance(value, int) and isinstance(bound, float) and bound.is_integer():
            bound = int(bound)
        name = " ".join(_WORDS.get(word, word) for word in str(rule.get("rule")).split("_"))
        detail = _sentence(str(rule.get("detail") or ""))
        rows.append({"state": state, "name": _sentence(name), "value": value, "bound": bound, "detail": detail})
    return sorted(rows, key=lambda row: _STATES.index(row["state"]))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def champion(metrics: Tree) -> dict[str, Any] | None:
    """The comparison with the model in service."""
    found = metrics.get("champion")
    if not isinstance(found, Mapping):
        return None
    rows = [
        {
            "metric": metric,
            "challenger": find(found, "challenger", metric),
            "champion": find(found, "champion", metric),
            **paired(find(found, "differences", metric) or {}),
        }
        for metric in gate_metrics(metrics)
        if find(found, "challenger", metric) is not None or find(found, "differences", metric) is not None
    ]
    chart = None
    if rows:
        dots = [Dot(row["metric"], "model", row["mean"], row["low"], row["high"]) for row in rows]
        numbers = in_words([(dot.label, dot.value) for dot in dots])
        caption = Caption("champion-differences", "Challenger minus champion, by metric", numbers)
        chart = interval_chart(caption, dots, differences=True)
    slices = [
        {"title": title, "rows": find(found, "slices", way)}
        for way, title in SLICES.items()
        if find(found, "slices", way)
    ]
    detail = _sentence(str(found.get("detail") or ""))
    return {**found, "status": found.get("status"), "detail": detail, "rows": rows, "chart": chart, "slices": slices}
