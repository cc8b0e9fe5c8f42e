"""The training by epoch, and what was run, arranged for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.artifacts.evaluation import Evaluation
from components.artifacts.model_run import METRIC_NAMES, PARTS, Blend, History, Stage
from components.evaluator.report.charts import Caption, Chart, Line, line_chart
from components.evaluator.report.evidence import in_words, kinds_of

_WITH_COLOURS = ("hr", "ndcg")


@dataclass(frozen=True)
class Part:
    """What the exported model is put together of: a part, or all of them, and how that ranks by itself.

    Attributes:
      title: what it is.
      width: of a tower in closed form; None elsewhere.
      weight: among the parts; None for all of them together.
      metrics: on validation, by name ("HR@10").
    """

    title: str
    width: int | None
    weight: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Learning:
    """The training: its epochs, the metrics that all of them have, charts of them, and what the model is made of."""

    stage: Stage
    metrics: Sequence[str]
    charts: Sequence[Chart]
    blend: Blend | None
    parts: Sequence[Part]


@dataclass(frozen=True)
class Section:
    """A section of the configuration: keys with their values, as they would be typed."""

    name: str
    entries: Sequence[tuple[str, str]]


def learning(history: History | None) -> Learning | None:
    """The training by epoch: its loss and its metrics on validation."""
    if history is None or not history.whole.epochs:
        return None
    stage = history.whole
    names = [name for name in METRIC_NAMES if all(name in epoch.metrics for epoch in stage.epochs)]
    losses = [*([None] if stage.start else []), *(epoch.loss for epoch in stage.epochs)]
    charts = [_chart("loss", "Training loss", [Line("Loss", "loss", losses)], stage)]
    if names:
        kinds = kinds_of((name.partition("@")[0].lower() for name in names), _WITH_COLOURS).values()
        validated = [*([stage.start] if stage.start else []), *(epoch.metrics for epoch in stage.epochs)]
        values = [[metrics[name] for metrics in validated] for name in names]
        lines = [Line(*line) for line in zip(names, kinds, values, strict=True)]
        charts.append(_chart("validation", "Metrics on validation", lines, stage))
    return Learning(stage, names, charts, history.blend, _parts(history.blend))


def _parts(blend: Blend | None) -> list[Part]:
    """What the exported model is put together of, a row each; empty where it is the trained one alone."""
    if blend is None:
        return []
    alone = [
        Part(PARTS[name], blend.widths.get(name), weight, blend.alone[name]) for name, weight in blend.weights.items()
    ]
    return [*alone, Part("Together", None, None, blend.together)]


def _chart(name: str, title: str, lines: Sequence[Line], stage: Stage) -> Chart:
    count, best = len(stage.epochs), stage.best_epoch
    positions = [float(number) for number in range(0 if stage.start else 1, count + 1)]
    ticks = [(position, f"{position:.0f}") for position in _thinned(positions)]
    last = [(f"{line.label} in the last epoch", line.values[-1]) for line in lines]
    chosen = f"epoch {best}" if best else "the start"
    caption = Caption(name, title, f"{count} epochs; {in_words(last)}; {chosen} was chosen")
    marked = (float(best), f"{chosen} chosen")
    svg = line_chart(caption, positions, ticks, lines, "epoch", marked, from_zero=False, markers=count <= 30)
    return Chart(title, svg)


def _thinned(positions: Sequence[float], most: int = 10) -> list[float]:
    step = -(-len(positions) // most)
    return [position for position in positions if len(positions) <= most or position % step == 0]


def provenance(evaluation: Evaluation, version: str, pipeline: str | None) -> list[tuple[str, str]]:
    """Where the model comes from: titles and values."""
    facts = {
        "Pipeline": pipeline,
        "Dataset": evaluation.dataset,
        "Fingerprint of the data": evaluation.dataset_fingerprint,
        "Code version (git)": version,
        "Model": evaluation.model_path,
        "Champion": evaluation.champion.path,
        "Duration of the evaluation": f"{evaluation.seconds:.1f} s",
    }
    return [(title, value) for title, value in facts.items() if value is not None]


def configuration(config: Mapping[str, Any]) -> list[Section]:
    """The configuration by section; single keys at its top come first, as a section of their own."""
    single = {key: value for key, value in config.items() if not isinstance(value, Mapping)}
    nested = {key: value for key, value in config.items() if isinstance(value, Mapping)}
    return [
        Section(name, [(key, _written(value)) for key, value in values.items()])
        for name, values in {"run": single, **nested}.items()
        if values
    ]


def _written(value: Any) -> str:
    """A value of the configuration as it would be typed."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)
