"""Fills the templates of the report."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.artifacts.evaluation import Evaluation
from components.artifacts.model_run import History
from components.evaluator.report import data, evidence, figures, judgement, learning, systems
from components.shared.harmless import harmless

_FOLDER = Path(__file__).parent


def render(evaluation: Evaluation, history: History | None, run: Mapping[str, Any]) -> str:
    """Renders the report of one evaluation.

    Args:
      evaluation: what is shown; numbers that are not finite are shown as "none".
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
            evaluation=evaluation,
            verdict=judgement.verdict(evaluation),
            gate=judgement.gate(evaluation),
            champion=judgement.champion(evaluation),
            new_users=systems.new_users(evaluation),
            systems=evidence.shown(evaluation),
            gate_metrics=evaluation.gate_metrics,
            accuracy=systems.accuracy(evaluation),
            differences=systems.differences(evaluation),
            ways=[evidence.BRIEFLY[way] for way in evaluation.ways],
            curves=systems.curves(evaluation),
            slices=systems.slices(evaluation),
            recommended=systems.recommended(evaluation),
            data=data.data(evaluation),
            drift=data.drift(evaluation),
            learning=learning.learning(history),
            pipeline=run.get("pipeline"),
            version=version,
            provenance=learning.provenance(evaluation, version, run.get("pipeline")),
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
    filters = (figures.figure, figures.signed, figures.count, figures.share, figures.percentage, harmless)
    environment.filters.update({function.__name__: function for function in filters})
    environment.globals.update(plural=figures.plural, bounds=figures.bounds, signed_bounds=figures.signed_bounds)
    return environment
