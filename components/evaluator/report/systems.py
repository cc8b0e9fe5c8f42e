"""Metrics, slices and recommendations of every system, arranged for the templates."""

from typing import Any

from components.artifacts.evaluation import Evaluation, Quartile
from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Dot, Line, interval_chart, line_chart, share_chart
from components.evaluator.report.evidence import BRIEFLY, SLICES, WAYS, estimate, in_words, known, paired, shown

_SLICED_BY = {"activity": "interactions of the user", "item_popularity": "interactions of the item"}


def accuracy(evaluation: Evaluation) -> dict[str, Any]:
    """Metrics of every system with their intervals: a chart for each of the gate's metrics, and tables of all."""
    systems = shown(evaluation)
    charts, tables = [], []
    for metric in evaluation.gate_metrics:
        for way in evaluation.ways:
            title = WAYS[way]
            dots = [Dot(found.label, found.kind, *estimate(found.system, way, metric)) for found in systems]
            name = f"{way}-{metric.lower().replace('@', '-')}"
            caption = Caption(name, f"{metric}, {title.lower()}", in_words([(dot.label, dot.value) for dot in dots]))
            charts.append({"title": f"{metric}, {BRIEFLY[way]}", "svg": interval_chart(caption, dots)})
    for way in evaluation.ways:
        title = WAYS[way]
        rows = [
            {"metric": metric, "cells": [estimate(found.system, way, metric) for found in systems]}
            for metric in (f"{name}@{k}" for name in evaluation.metrics for k in evaluation.ks)
        ]
        users, short = evaluation.test_users.of(way), evaluation.short_users.of(way)
        tables.append({"title": title, "users": users, "short_users": short, "rows": rows})
    fits = [
        f"{found.label} {seconds:.1f} s"
        for found in systems
        if (seconds := known(found.system.fit_seconds)) is not None
    ]
    choices = [
        f"{found.label} {', '.join(f'{name} {value:g}' for name, value in found.system.chosen.items())}"
        for found in systems
        if found.system.chosen
    ]
    short_users = [told for way in evaluation.ways if (told := evaluation.told_short_users(way))]
    return {"charts": charts, "tables": tables, "fits": fits, "choices": choices, "short_users": short_users}


def new_users(evaluation: Evaluation) -> dict[str, Any] | None:
    """All metrics of the new users beside those of the trained ones, among all unseen items; None without any."""
    found = evaluation.new_users
    if found is None:
        return None
    rows = [
        {
            "metric": metric,
            "new": (known(found.metrics[metric]), *map(known, found.intervals[metric])),
            "trained": estimate(evaluation.model, "full", metric),
            "ratio": known(evaluation.new_users_ratio(metric)),
        }
        for metric in (f"{name}@{k}" for name in evaluation.metrics for k in evaluation.ks)
    ]
    return {"found": found, "rows": rows}


def differences(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The model against each baseline, paired by user, on the gate's metrics: a cell for each way of ranking."""
    return [
        {
            "against": evaluation.systems[baseline].label,
            "metric": metric,
            "cells": [paired(ways.of(way)[metric]) for way in evaluation.ways],
        }
        for baseline, ways in evaluation.differences.items()
        for metric in evaluation.gate_metrics
    ]


def curves(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The first metric of every system, by the length of the list, for both ways of ranking."""
    ks, metric = evaluation.ks, evaluation.metrics[0]
    charts = []
    for way in evaluation.ways:
        title = WAYS[way]
        lines = [
            Line(found.label, found.kind, [known(found.system.of(way)[f"{metric}@{k}"]) for k in ks])
            for found in shown(evaluation)
        ]
        numbers = "; ".join(
            f"K = {k}: {in_words([(line.label, line.values[at]) for line in lines])}" for at, k in enumerate(ks)
        )
        caption = Caption(f"curve-{way}", f"{metric}@K by K, {title.lower()}", numbers)
        ticks = [(float(k), str(k)) for k in ks]
        svg = line_chart(caption, [float(k) for k in ks], ticks, lines, "K, length of the list")
        charts.append({"title": title, "svg": svg})
    return charts


def slices(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Every system in each quartile, by the user's activity and by the popularity of the held-out item."""
    systems, metrics = shown(evaluation), evaluation.gate_metrics
    sections = []
    for way, title in SLICES.items():
        quartiles = evaluation.slices[way]
        if not quartiles:
            continue
        positions = [float(number) for number in range(1, len(quartiles) + 1)]
        ticks = [(position, _range(part)) for position, part in zip(positions, quartiles, strict=True)]
        lines = [
            Line(found.label, found.kind, [known(part.metrics[found.name][metrics[0]]) for part in quartiles])
            for found in systems
        ]
        numbers = "; ".join(
            f"{part.name}: {in_words([(line.label, line.values[at]) for line in lines])}"
            for at, part in enumerate(quartiles)
        )
        caption = Caption(f"slices-{way.replace('_', '-')}", f"{metrics[0]} in quartiles, {title.lower()}", numbers)
        rows = [
            {
                "name": part.name,
                "range": _range(part),
                "users": part.users,
                "cells": [part.metrics[found.name][metric] for metric in metrics for found in systems],
            }
            for part in quartiles
        ]
        svg = line_chart(caption, positions, ticks, lines, _SLICED_BY[way])
        sections.append({"title": title, "svg": svg, "rows": rows})
    return sections


def _range(part: Quartile) -> str:
    low, high = figures.compact(part.low), figures.compact(part.high)
    return low if part.low == part.high else f"{low}–{high}"


def recommended(evaluation: Evaluation) -> dict[str, Any]:
    """How popular the recommended items are, and how much of the catalogue is ever recommended."""
    systems = shown(evaluation)
    rows = [
        {
            "system": found.label,
            "distinct": found.system.coverage.items,
            "share": found.system.coverage.share,
            "mean": known(found.system.recommended_popularity.mean_interactions),
        }
        for found in systems
    ]
    shares = [
        (found.label, [known(part) for part in found.system.recommended_popularity.quartiles]) for found in systems
    ]
    numbers = "; ".join(f"{label} {', '.join(map(figures.share, parts))}" for label, parts in shares)
    caption = Caption("recommended", "Recommendations by popularity of the item, least popular quarter first", numbers)
    return {"rows": rows, "svg": share_chart(caption, shares)}
