"""Unpacks the Evaluator's artifacts, calls the logic and writes what it found."""

import posixpath
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts, progress
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import Sources, describe, evaluate

METRICS = "metrics.json"


class Executor(base_executor.BaseExecutor):
    """See `Evaluator`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model, writes `metrics.json` and the blessing."""
        inputs = {name: artifact_utils.get_single_instance(found) for name, found in input_dict.items()}
        model = inputs["model"]
        report = evaluate(
            Sources(
                model=path_utils.serving_model_dir(model.uri),
                examples=inputs["examples"].uri,
                interactions=inputs["interactions"].uri,
                vocabulary=inputs["vocabulary"].uri,
            ),
            EvaluatorConfig.from_properties(exec_properties),
            int(exec_properties["seed"]),
        )
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        artifacts.write_json(posixpath.join(evaluation.uri, METRICS), report)
        _bless(artifact_utils.get_single_instance(output_dict["blessing"]), model, report["blessed"])
        progress.note(describe(report))


def _bless(blessing: types.Artifact, model: types.Artifact, blessed: bool) -> None:
    """Writes the blessing as TFX's own Evaluator does; Pusher reads it."""
    with artifacts.write_atomically(posixpath.join(blessing.uri, "BLESSED" if blessed else "NOT_BLESSED")):
        pass
    blessing.set_string_custom_property("current_model", model.uri)
    blessing.set_int_custom_property("current_model_id", model.id)
    blessing.set_int_custom_property("blessed", int(blessed))
