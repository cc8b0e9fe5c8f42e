"""TFX's Trainer executor, with the configuration in execution properties of its own."""

import json
from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.components.trainer import executor as trainer_executor
from tfx.types import artifact_utils

from components.artifacts.hyperparameters import Hyperparameters
from components.shared.files.writing import check_bucket
from components.shared.json_types import JsonObject
from components.trainer.config import TrainerConfig

_RUN_FN = "components.trainer.run_fn.run_fn"
_NOT_CONFIGURATION = ("seed", "checkpoint_root", "push_destination", "code_version")
# run_fn finds the validation split by itself, as there may be none; left empty, TFX looks for one named eval.
_SPLITS = json.dumps({"splits": ["train"]})


class Executor(trainer_executor.GenericExecutor):
    """Calls `run_fn`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        # Where the destination is chosen for a run of a compiled pipeline, nobody has looked at it before.
        check_bucket(exec_properties["push_destination"], "pusher.destination (push_destination)")
        interactions = artifact_utils.get_single_uri(input_dict["interactions"])
        # TFX's own executor would look for a file of Keras Tuner's.
        inputs = {name: artifacts for name, artifacts in input_dict.items() if name != "hyperparameters"}
        tuned = _tuned(input_dict.get("hyperparameters"))
        super().Do(inputs, output_dict, stock_properties(exec_properties, interactions, tuned))


def _tuned(artifacts: list[types.Artifact] | None) -> JsonObject:
    return Hyperparameters.read(artifact_utils.get_single_uri(artifacts)).values if artifacts else {}


def stock_properties(
    properties: JsonObject, interactions: str, tuned: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What TFX's own Trainer executor takes.

    Args:
      properties: of this component.
      interactions: their URI, which TFX's executor lacks.
      tuned: values that win over those of the properties.
    """
    config = TrainerConfig.from_properties({**properties, **(tuned or {})})
    return {
        "run_fn": _RUN_FN,
        "train_args": _SPLITS,
        "eval_args": _SPLITS,
        "custom_config": json.dumps(
            {
                "config": config.model_dump(mode="json"),
                **{name: properties[name] for name in _NOT_CONFIGURATION},
                "interactions": interactions,
            }
        ),
    }
