"""Metrics, slices and recommendations of every system, arranged for the templates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from components.artifacts.evaluation import Bounds, Evaluation, NewUsers, Quartile
from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Chart, Dot, Line, interval_chart, line_chart, share_chart
from components.evaluator.report.evidence import (
    BRIEFLY,
    SLICES,
    WAYS,
    Estimate,
    Paired,
    estimate,
    estimated,
    in_words,
    known,
    paired,
    shown,
)

_NO_BOUNDS = Bounds(math.nan, math.nan)
_SLICED_BY = {"activity": "interactions of the user", "item_popularity": "interactions of the item"}


@dataclass(frozen=True)
class MetricRow:
    """A metric of every system."""

    metric: str
    cells: Sequence[Estimate]


@dataclass(frozen=True)
class MetricTable:
    """All metrics in one way of ranking, on so many users; `short_users` by K, those without metrics there."""

    title: str
    users: int
    short_users: Mapping[int, int]
    rows: Sequence[MetricRow]


@dataclass(frozen=True)
class Accuracy:
    """Charts and tables of the metrics, and what is told beside them."""

    charts: Sequence[Chart]
    tables: Sequence[MetricTable]
    fits: Sequence[str]
    choices: Sequence[str]
    short_users: Sequence[str]


@dataclass(frozen=True)
class NewUsersRow:
    """A metric of the new users and of the trained ones, and the first as a multiple of the second."""

    metric: str
    new: Estimate
    trained: Estimate
    ratio: Estimate


@dataclass(frozen=True)
class NewUsersShown:
    """How new users were measured, and what that gave."""

    found: NewUsers
    rows: Sequence[NewUsersRow]


@dataclass(frozen=True)
class DifferenceRow:
    """The model against a baseline in one metric: a cell for each way of ranking."""

    against: str
    metric: str
    cells: Sequence[Paired]


@dataclass(frozen=True)
class SliceRow:
    """A quartile of the users: a cell for each metric of the gate and each system."""

    name: str
    range: str
    users: int
    cells: Sequence[float]


@dataclass(frozen=True)
class Slices:
    """The quartiles of one way to slice, as a chart of the first metric and in numbers."""

    title: str
    svg: Markup
    rows: Sequence[SliceRow]


@dataclass(frozen=True)
class RecommendedRow:
    """What a system shows to anybody: how many items, as a share of all, and their mean number of interactions."""

    system: str
    distinct: int
    share: float
    mean: float | None


@dataclass(frozen=True)
class Recommended:
    """What every system shows to anybody, and a chart of how popular that is."""

    rows: Sequence[RecommendedRow]
    svg: Markup


def accuracy(evaluation: Evaluation) -> Accuracy:
    """Metrics of every system with their intervals: a chart for each of the gate's metrics, and tables of all."""
    systems = shown(evaluation)
    charts, tables = [], []
    for metric in evaluation.gate_metrics:
        for way in evaluation.ways:
            title = WAYS[way]
            dots = [Dot(found.label, found.kind, *estimate(found.system, way, metric)) for found in systems]
            name = f"{way}-{metric.lower().replace('@', '-')}"
            caption = Caption(name, f"{metric}, {title.lower()}", in_words([(dot.label, dot.value) for dot in dots]))
            charts.append(Chart(f"{metric}, {BRIEFLY[way]}", interval_chart(caption, dots)))
    for way in evaluation.ways:
        title = WAYS[way]
        rows = [
            MetricRow(metric, [estimate(found.system, way, metric) for found in systems])
            for metric in (f"{name}@{k}" for name in evaluation.metrics for k in evaluation.ks)
        ]
        users, short = evaluation.test_users.of(way), evaluation.short_users.of(way)
        tables.append(MetricTable(title, users, short, rows))
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
    return Accuracy(charts, tables, fits, choices, short_users)


def new_users(evaluation: Evaluation) -> NewUsersShown | None:
    """All metrics of the new users beside those of the trained ones, among all unseen items; None without any."""
    found = evaluation.new_users
    if found is None:
        return None
    rows = [
        NewUsersRow(
            metric,
            new=estimated(found.metrics[metric], found.intervals[metric]),
            trained=estimate(evaluation.model, "full", metric),
            ratio=estimated(evaluation.new_users_ratio(metric), found.ratio_intervals.get(metric, _NO_BOUNDS)),
        )
        for metric in (f"{name}@{k}" for name in evaluation.metrics for k in evaluation.ks)
    ]
    return NewUsersShown(found, rows)


def differences(evaluation: Evaluation) -> list[DifferenceRow]:
    """The model against each baseline, paired by user, on the gate's metrics: a cell for each way of ranking."""
    return [
        DifferenceRow(
            evaluation.systems[baseline].label, metric, [paired(ways.of(way)[metric]) for way in evaluation.ways]
        )
        for baseline, ways in evaluation.differences.items()
        for metric in evaluation.gate_metrics
    ]


def curves(evaluation: Evaluation) -> list[Chart]:
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
        charts.append(Chart(title, svg))
    return charts


def slices(evaluation: Evaluation) -> list[Slices]:
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
            SliceRow(
                part.name,
                _range(part),
                part.users,
                cells=[part.metrics[found.name][metric] for metric in metrics for found in systems],
            )
            for part in quartiles
        ]
        svg = line_chart(caption, positions, ticks, lines, _SLICED_BY[way])
        sections.append(Slices(title, svg, rows))
    return sections


def _range(part: Quartile) -> str:
    low, high = figures.compact(part.low), figures.compact(part.high)
    return low if part.low == part.high else f"{low}–{high}"


def recommended(evaluation: Evaluation) -> Recommended:
    """How popular the recommended items are, and how much of the catalogue is ever recommended."""
    systems = shown(evaluation)
    rows = [
        RecommendedRow(
            found.label,
            distinct=found.system.coverage.items,
            share=found.system.coverage.share,
            mean=known(found.system.recommended_popularity.mean_interactions),
        )
        for found in systems
    ]
    shares = [
        (found.label, [known(part) for part in found.system.recommended_popularity.quartiles]) for found in systems
    ]
    numbers = "; ".join(f"{label} {', '.join(map(figures.share, parts))}" for label, parts in shares)
    caption = Caption("recommended", "Recommendations by popularity of the item, least popular quarter first", numbers)
    return Recommended(rows, share_chart(caption, shares))
