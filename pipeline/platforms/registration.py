"""The step behind Pusher that has a registry take a blessed model: what is the same on every platform.

Where a scheduled run finds nothing new, nothing is pushed either: what is there is not registered again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.entrypoint import local_folder
from pipeline.platforms import added_steps
from pipeline.results import figures

STEP = "Register"
ARTIFACTS = {"evaluation": "Evaluator", "pushed_model": "Pusher"}


@dataclass(frozen=True)
class PushedModel:
    """A blessed model, at its place.

    Attributes:
      place: folder of its SavedModel, as the Pusher has it.
      version: number of the version at the push destination; None where there is no destination.
      pipeline: name of the pipeline.
      run: name of the run.
      metrics: the Evaluator's figures, as a console shows them.
    """

    place: str
    version: str | None
    pipeline: str
    run: str
    metrics: Mapping[str, float]

    @property
    def description(self) -> str:
        """What a registry shows of the version.

        Example:
          "HR@10 0.6912, NDCG@10 0.4101, HR@10 of all items 0.1120; run neumf-20261126-030000"
        """
        told = [f"{name} {value:.4f}" for name, value in self.metrics.items() if "@" in name]
        return f"{', '.join(told)}; run {self.run}"


def add_step(spec: JsonObject, config: Config, command: Sequence[str], registry: JsonObject) -> None:
    """Adds the step to a compiled pipeline, in place.

    Args:
      spec: the compiled pipeline.
      config: what it was compiled from.
      command: of the step; it calls `run_step`.
      registry: what the step is told of the registry.
    """
    settings = {"pipeline": config.name, "registry": registry}
    added_steps.add_component(spec, STEP, config.cluster.image, command, settings, ARTIFACTS, {})
    task = added_steps.task(STEP, STEP, {})
    task["inputs"]["artifacts"] = added_steps.sources(ARTIFACTS)
    spec["root"]["dag"]["tasks"][STEP] = {**task, "dependentTasks": sorted(ARTIFACTS.values())}


def run_step(
    command: Sequence[str],
    description: str,
    register: Callable[[PushedModel, JsonObject], str],
    arguments: Sequence[str] | None,
) -> int:
    """Runs the step, as `added_steps.run` does.

    Args:
      command: that it was started by.
      description: of the step, for `--help`.
      register: takes a blessed model and what `add_step` was told of the registry, and says what was done.
      arguments: of the command; None: those of the process.

    Returns:
      The exit code.
    """

    def act(message: JsonObject, settings: JsonObject) -> Iterator[str]:
        model = _pushed_model(message["inputs"], settings["pipeline"])
        yield register(model, settings["registry"]) if model else "nothing to register: the model is not blessed"

    return added_steps.run(command, description, act, arguments)


def _pushed_model(inputs: JsonObject, pipeline: str) -> PushedModel | None:
    """None where the model is not blessed."""
    found = {name: inputs["artifacts"][name]["artifacts"][0] for name in ARTIFACTS}
    pushed = found["pushed_model"].get("metadata", {})
    if not pushed.get("pushed"):
        return None
    return PushedModel(
        pushed["pushed_destination"],
        pushed.get("pushed_version"),
        pipeline,
        inputs["parameterValues"][added_steps.RUN],
        figures.of_evaluation(local_folder(found["evaluation"]["uri"])),
    )
