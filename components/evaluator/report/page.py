"""Fills the templates of the report."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.artifacts.model_run import History
from components.evaluator.report import evidence, figures, judgement, learning, systems

_FOLDER = Path(__file__).parent


def render(metrics: Mapping[str, Any], history: History | None, run: Mapping[str, Any]) -> str:
    """Renders the report of one evaluation.

    Args:
      metrics: what `metrics.json` holds; a part that is missing or None is left out or shown as "none".
      history: of the training; None where there is none.
      run: what was run. Every key is optional: `pipeline`, its name; `config`, the configuration by section,
        {"seed": 0, "trainer": {"epochs": 20, ...}, ...}; `git_version` of the code (see `git_version`).

    Returns:
      One HTML page that needs nothing beside itself: no network, no script. The same input gives the same bytes.
    """
    version = str(run.get("git_version") or "unknown")
    return (
        _environment()
        .get_template("page.html")
        .render(
            style=Markup((_FOLDER / "style.css").read_text(encoding="utf-8")),
            metrics=metrics,
            verdict=judgement.verdict(metrics),
            gate=judgement.gate(metrics),
            champion=judgement.champion(metrics),
            systems=evidence.systems(metrics),
            gate_metrics=evidence.gate_metrics(metrics),
            accuracy=systems.accuracy(metrics),
            differences=systems.differences(metrics),
            curves=systems.curves(metrics),
            slices=systems.slices(metrics),
            recommended=systems.recommended(metrics),
            examples=systems.examples(metrics),
            learning=learning.learning(history),
            pipeline=run.get("pipeline"),
            version=version,
            provenance=learning.provenance(metrics, version, run.get("pipeline")),
            configuration=learning.configuration(run.get("config") or {}),
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (figures.figure, figures.signed, figures.count, figures.share, figures.percentage)
    environment.filters.update({function.__name__: function for function in filters})
    environment.globals.update(
        find=evidence.find, plural=figures.plural, bounds=figures.bounds, signed_bounds=figures.signed_bounds
    )
    return environment
