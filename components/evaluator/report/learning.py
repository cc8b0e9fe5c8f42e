"""The training by epoch, and what was run, arranged for the templates."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluator.report.charts import Caption, Line, line_chart
from components.evaluator.report.evidence import Tree, find, in_words


def learning(history: Tree | None) -> dict[str, Any] | None:
    """The training by epoch: its loss and its metrics on validation."""
    epochs = (history or {}).get("epochs")
    if not history or not epochs:
        return None
    positions = [float(epoch["epoch"]) for epoch in epochs]
    best = history.get("best_epoch")
    marked = (float(best), f"epoch {best} chosen") if best else None
    ticks = [(position, f"{position:.0f}") for position in _thinned(positions)]

    def chart(name: str, title: str, lines: Sequence[Line], from_zero: bool) -> dict[str, Any]:
        last = [(f"{line.label} in the last epoch", line.values[-1]) for line in lines]
        caption = Caption(name, title, f"{len(epochs)} epochs; {in_words(last)}; epoch {best} was chosen")
        svg = line_chart(caption, positions, ticks, lines, "epoch", marked, from_zero, markers=len(epochs) <= 30)
        return {"title": title, "svg": svg}

    charts = [chart("loss", "Training loss", [Line("Loss", "loss", [epoch.get("loss") for epoch in epochs])], False)]
    validation = [
        Line(key.upper(), kind, [epoch.get(key) for epoch in epochs])
        for key, kind in (("hr@10", "hr"), ("ndcg@10", "ndcg"))
    ]
    validated = any(value is not None for line in validation for value in line.values)
    if validated:
        charts.append(chart("validation", "Metrics on validation", validation, False))
    return {**history, "charts": charts, "validated": validated, "epochs": epochs, "best_epoch": best}


def _thinned(positions: Sequence[float], most: int = 10) -> list[float]:
    step = -(-len(positions) // most)
    return [position for position in positions if len(positions) <= most or position % step == 0]


def provenance(metrics: Tree, version: str, pipeline: str | None) -> list[tuple[str, str]]:
    """Where the model comes from: titles and values."""
    facts = {
        "Pipeline": pipeline,
        "Dataset": metrics.get("dataset"),
        "Fingerprint of the data": metrics.get("dataset_fingerprint"),
        "Code version (git)": version,
        "Model": metrics.get("model_path"),
        "Champion": find(metrics, "champion", "path"),
        "Duration of the evaluation": None if metrics.get("seconds") is None else f"{metrics['seconds']:.1f} s",
    }
    return [(title, str(value)) for title, value in facts.items() if value is not None]


def configuration(config: Tree) -> list[dict[str, Any]]:
    """The configuration by section; single keys at its top come first, as a section of their own."""
    single = {key: value for key, value in config.items() if not isinstance(value, Mapping)}
    nested = {key: value for key, value in config.items() if isinstance(value, Mapping)}
    return [
        {"name": name, "entries": [(key, _written(value)) for key, value in values.items()]}
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
