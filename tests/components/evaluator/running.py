"""Runs the executor on a world of the fixtures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.artifacts import evaluation
from components.artifacts.evaluation import Evaluation, State
from components.artifacts.model_run import History
from components.evaluator.config import EvaluatorConfig
from components.evaluator.executor import Executor
from components.shared import progress


@dataclass(frozen=True)
class Outcome:
    """What a run of the executor left."""

    blessing: Artifact
    report: Evaluation
    page: str
    note: str


class Notes(progress.Reporter):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def run_executor(
    world: Any, seed: int = 0, history: History | None = None, beam: Sequence[str] = (), **config: Any
) -> Outcome:
    """Runs the executor, with options of Beam, on a world, whose folder `serving` is the push destination."""

    def artifact(type_: type[Artifact], name: str) -> list[Artifact]:
        made = type_()
        made.uri, made.id = world.uri(name), len(name)
        return [made]

    inputs = {
        "model": artifact(standard_artifacts.Model, "model"),
        "examples": artifact(standard_artifacts.Examples, "examples"),
        "interactions": artifact(standard_artifacts.Examples, "interactions"),
        "vocabulary": artifact(standard_artifacts.TransformGraph, "vocabulary"),
    }
    if history is not None:
        inputs["model_run"] = artifact(standard_artifacts.ModelRun, "model_run")
        history.write(world.uri("model_run"))
    outputs = {
        "evaluation": artifact(standard_artifacts.ModelEvaluation, "evaluation"),
        "blessing": artifact(standard_artifacts.ModelBlessing, "blessing"),
    }
    properties = {
        **EvaluatorConfig(**config).to_properties(),
        "seed": seed,
        "code_version": "1",
        "push_destination": world.uri("serving"),
        "run_description": json.dumps({"pipeline": "a small pipeline", "config": {"trainer": {"epochs": 3}}}),
    }
    notes = Notes()
    progress.show_on(notes)
    try:
        Executor(Executor.Context(beam_pipeline_args=list(beam))).Do(inputs, outputs, properties)
    finally:
        progress.show_on(progress.Reporter())
    json.loads((world.root / "evaluation" / "metrics.json").read_text(), parse_constant=pytest.fail)
    report = evaluation.read(world.uri("evaluation"))
    page = (world.root / "evaluation" / "report.html").read_text()
    return Outcome(outputs["blessing"][0], report, page, *notes.texts)


def model_path(world: Any) -> str:
    return world.uri("model/Format-Serving")


def failed_rules(outcome: Outcome) -> list[str]:
    return [verdict.rule for verdict in outcome.report.rules if verdict.state is State.FAILED]
