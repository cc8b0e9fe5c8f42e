"""Metrics, slices and recommendations of every system, arranged for the templates."""

from typing import Any

from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Dot, Line, interval_chart, line_chart, share_chart
from components.evaluator.report.evidence import (
    METRICS,
    SLICES,
    SYSTEMS,
    WAYS,
    Tree,
    estimate,
    find,
    gate_metrics,
    in_words,
    lengths,
    paired,
    systems,
)

_BRIEFLY = {"sampled": "sampled", "full": "full ranking"}
_SLICED_BY = {"activity": "interactions of the user", "item_popularity": "interactions of the item"}


def accuracy(metrics: Tree) -> dict[str, Any]:
    """Metrics of every system with their intervals: a chart for each of the gate's metrics, and tables of all."""
    found = systems(metrics)
    charts, tables = [], []
    for way, title in WAYS.items():
        for metric in gate_metrics(metrics):
            dots = [Dot(name, key, *estimate(metrics, key, way, metric)) for key, name in found.items()]
            name = f"{way}-{metric.lower().replace('@', '-')}"
            caption = Caption(name, f"{metric}, {title.lower()}", in_words([(dot.label, dot.value) for dot in dots]))
            charts.append({"title": f"{metric}, {_BRIEFLY[way]}", "svg": interval_chart(caption, dots)})
        rows = [
            {"metric": metric, "cells": [estimate(metrics, key, way, metric) for key in found]}
            for metric in (f"{name}@{k}" for name in METRICS for k in lengths(metrics))
        ]
        tables.append({"way": way, "title": title, "users": find(metrics, "test_users", way), "rows": rows})
    return {"charts": charts, "tables": tables, "systems": list(found.values())}


def differences(metrics: Tree) -> list[dict[str, Any]]:
    """The model against each baseline, paired by user, on the gate's metrics: a cell for each way of ranking."""
    return [
        {
            "against": SYSTEMS.get(baseline, baseline),
            "metric": metric,
            "cells": [paired(find(ways, way, metric) or {}) for way in WAYS],
        }
        for baseline, ways in (metrics.get("differences") or {}).items()
        for metric in gate_metrics(metrics)
    ]


def curves(metrics: Tree) -> list[dict[str, Any]]:
    """HR@K of every system, by K, for both ways of ranking."""
    ks = lengths(metrics)
    charts = []
    for way, title in WAYS.items():
        lines = [
            Line(name, key, [find(metrics, key, way, f"HR@{k}") for k in ks]) for key, name in systems(metrics).items()
        ]
        numbers = "; ".join(
            f"K = {k}: {in_words([(line.label, line.values[at]) for line in lines])}" for at, k in enumerate(ks)
        )
        caption = Caption(f"curve-{way}", f"HR@K by K, {title.lower()}", numbers)
        ticks = [(float(k), str(k)) for k in ks]
        svg = line_chart(caption, [float(k) for k in ks], ticks, lines, "K, length of the list")
        charts.append({"title": title, "svg": svg})
    return charts


def slices(metrics: Tree) -> list[dict[str, Any]]:
    """Every system in each quartile, by the user's activity and by the popularity of the held-out item."""
    found, gate_pair = systems(metrics), gate_metrics(metrics)
    sections = []
    for way, title in SLICES.items():
        rows = find(metrics, "slices", way) or []
        if not rows:
            continue
        positions = [float(number) for number in range(1, len(rows) + 1)]
        ticks = [(position, _range(row)) for position, row in zip(positions, rows, strict=True)]
        lines = [
            Line(name, key, [find(row, "metrics", key, gate_pair[0]) for row in rows]) for key, name in found.items()
        ]
        numbers = "; ".join(
            f"{row.get('name')}: {in_words([(line.label, line.values[at]) for line in lines])}"
            for at, row in enumerate(rows)
        )
        caption = Caption(f"slices-{way.replace('_', '-')}", f"{gate_pair[0]} in quartiles, {title.lower()}", numbers)
        cells = [
            {
                "name": row.get("name"),
                "range": _range(row),
                "users": row.get("users"),
                "cells": [find(row, "metrics", key, metric) for metric in gate_pair for key in found],
            }
            for row in rows
        ]
        svg = line_chart(caption, positions, ticks, lines, _SLICED_BY[way])
        sections.append({"title": title, "svg": svg, "rows": cells})
    return sections


def _range(row: Tree) -> str:
    low, high = row.get("low"), row.get("high")
    if low is None or high is None:
        return str(row.get("name", ""))
    return figures.compact(low) if low == high else f"{figures.compact(low)}–{figures.compact(high)}"


def recommended(metrics: Tree) -> dict[str, Any] | None:
    """How popular the recommended items are, and how much of the catalogue is ever recommended."""
    rows = [
        {
            "system": name,
            "distinct": find(metrics, key, "coverage", "items"),
            "share": find(metrics, key, "coverage", "share"),
            "mean": find(metrics, key, "recommended_popularity", "mean_interactions"),
            "quartiles": find(metrics, key, "recommended_popularity", "quartiles") or [],
        }
        for key, name in systems(metrics).items()
        if find(metrics, key, "coverage") or find(metrics, key, "recommended_popularity")
    ]
    if not rows:
        return None
    numbers = "; ".join(f"{row['system']} {', '.join(map(figures.share, row['quartiles']))}" for row in rows)
    caption = Caption("recommended", "Recommendations by popularity of the item, least popular quarter first", numbers)
    return {"rows": rows, "svg": share_chart(caption, [(row["system"], row["quartiles"]) for row in rows])}


def examples(metrics: Tree) -> list[dict[str, Any]]:
    """Some users with their history and their recommendations."""
    keys = ("user", "interactions", "history", "recommended", "held_out", "rank")
    return [{key: example.get(key) for key in keys} for example in metrics.get("examples") or []]
