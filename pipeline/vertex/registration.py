"""The step behind Pusher that has Vertex AI's Model Registry, and its endpoint, take a blessed model.

Where a scheduled run finds nothing new, nothing is pushed either: what is there is not uploaded or deployed again.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence

from components.shared.errors import UserError, find_user_error
from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.platforms import added_steps
from pipeline.results import figures
from pipeline.vertex.config import ModelRegistryConfig
from pipeline.vertex.model_registry import Registry

STEP = "Register"
DESCRIPTION = "Uploads a blessed model to Vertex AI's Model Registry, and deploys it where asked."
COMMAND = ("python", "-m", "pipeline.vertex.registration")
ARTIFACTS = {"evaluation": "Evaluator", "pushed_model": "Pusher"}


def add_step(spec: JsonObject, config: Config) -> None:
    """Adds the step to a compiled pipeline, in place.

    Raises:
      UserError: Vertex AI cannot read the push destination.
    """
    if config.pusher.destination:
        on_cloud_storage(config.pusher.destination)
    settings = {"pipeline": config.name, "registry": config.model_registry.model_dump(mode="json")}
    added_steps.add_component(spec, STEP, config.cluster.image, COMMAND, settings, ARTIFACTS, {})
    task = added_steps.task(STEP, STEP, {})
    task["inputs"]["artifacts"] = added_steps.sources(ARTIFACTS)
    spec["root"]["dag"]["tasks"][STEP] = {**task, "dependentTasks": sorted(ARTIFACTS.values())}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the step.

    Returns:
      The exit code: 0, or 2 for an error that the user can mend, which is the last line on standard error.
    """
    parser = argparse.ArgumentParser(prog=" ".join(COMMAND), description=DESCRIPTION)
    parser.add_argument("--executor_input", required=True)
    parser.add_argument("--settings", required=True)
    known = parser.parse_args(arguments)
    try:
        print(_register(json.loads(known.executor_input)["inputs"], json.loads(known.settings)), flush=True)
    except Exception as error:
        if user_error := find_user_error(error):
            print(f"error: {user_error}", file=sys.stderr, flush=True)
            return 2
        raise
    return 0


def on_cloud_storage(destination: str) -> str:
    """The name that Vertex AI reads a model by; it mounts buckets at /gcs.

    Raises:
      UserError: it is none of Cloud Storage's.
    """
    name = re.sub("^/gcs/", "gs://", destination)
    if not name.startswith("gs://"):
        raise UserError(
            f"pusher.destination (push_destination): {destination} is nothing that Vertex AI's Model Registry reads; "
            "name gs://BUCKET/FOLDER, or set model_registry.project: null"
        )
    return name


def _register(inputs: JsonObject, settings: JsonObject) -> str:
    """Does the work; says what was done."""
    found = {name: inputs["artifacts"][name]["artifacts"][0] for name in ARTIFACTS}
    pushed = found["pushed_model"].get("metadata", {})
    if not pushed.get("pushed"):
        return "nothing to register: the model is not blessed"
    run = inputs["parameterValues"][added_steps.RUN]
    registry = Registry(ModelRegistryConfig(**settings["registry"]))
    return registry.take(
        on_cloud_storage(pushed["pushed_destination"]),
        described(figures.of_evaluation(found["evaluation"]["uri"]), run),
        {"pipeline": label(settings["pipeline"]), "run": label(run)},
    )


def described(metrics: Mapping[str, float], run: str) -> str:
    """What the registry shows of a version.

    Example:
      "HR@10 0.6912, NDCG@10 0.4101, HR@10 of all items 0.1120; run neumf-20261126-030000"
    """
    told = [f"{name} {value:.4f}" for name, value in metrics.items() if "@" in name]
    return f"{', '.join(told)}; run {run}"


def label(text: str) -> str:
    """A text as a value of Google Cloud's labels: at most 63 lower-case letters, digits, - and _."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


if __name__ == "__main__":
    sys.exit(main())
