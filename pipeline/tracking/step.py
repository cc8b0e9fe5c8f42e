"""The step of a compiled pipeline that tells how the run ended: after Pusher, and behind the run as its exit handler.

The first has the artifacts, and tells the verdict. The second is started however the run ended and is handed that in
place of artifacts, which need not be there: it speaks up where the first did not get to.
"""

import sys
from collections.abc import Iterator, Sequence

from components.shared.files.secrets import without_secrets
from components.shared.json_types import Json, JsonObject
from pipeline.entrypoint import LOGS, local_folder
from pipeline.platforms import added_steps
from pipeline.tracking.config import NotifyConfig, TrackingConfig
from pipeline.tracking.ended import Ended, Results, Run
from pipeline.tracking.telling import tell

DESCRIPTION = "Tells a webhook and a tracking server how the run ended."
COMMAND = ("python", "-m", "pipeline.tracking.step")
ARTIFACTS = {"evaluation": "Evaluator", "model_run": "Trainer", "pushed_model": "Pusher"}
"""The step that each artifact comes from."""
STATUS = "status"
STEP = "Report"
_WELL = ("SUCCEEDED", "COMPLETE", "CACHED")
"""How Vertex AI and Kubeflow say that all steps have ended well."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the step; returns its exit code."""
    return added_steps.run(COMMAND, DESCRIPTION, _tell, arguments)


def _tell(message: JsonObject, settings: JsonObject) -> Iterator[str]:
    ended = ended_run(message, settings)
    if ended is None:
        yield "the run has ended well, and has told so itself"
        return
    yield without_secrets(ended.told)
    for fault in tell(ended, NotifyConfig(**settings["notify"]), TrackingConfig(**settings["tracking"])):
        yield f"warning: {fault}"


def ended_run(message: JsonObject, settings: JsonObject) -> Ended | None:
    """How the run ended that the step belongs to.

    Args:
      message: the ExecutorInput, as JSON.
      settings: as `compiled.settings` gives them.

    Returns:
      None to the exit handler of a run that has told it already.

    Raises:
      UserError: the evaluation was written by another version of the program.
    """
    inputs = message["inputs"]
    values = dict(inputs["parameterValues"])
    status = values.pop(STATUS, None)
    run = Run(settings["name"], values.pop("run"), _with_values(settings["config"], values, settings["parameters"]))
    if status is None:
        return Ended.with_verdict(run, _results(inputs["artifacts"]), _is_new(message))
    return None if status.get("state") in _WELL else Ended.with_failure(run, _reason(status))


def _with_values(config: JsonObject, values: JsonObject, keys: JsonObject) -> JsonObject:
    """A configuration with what was chosen for this run, by the keys that the parameters stand for."""
    told = {section: dict(value) if isinstance(value, dict) else value for section, value in config.items()}
    for name, value in values.items():
        section, _, key = keys[name].rpartition(".")
        (told[section] if section else told)[key] = without_secrets(value) if isinstance(value, str) else value
    return told


def _results(artifacts: Json) -> Results:
    found = {name: artifacts[name]["artifacts"][0] for name in ARTIFACTS}
    pushed = found["pushed_model"].get("metadata", {})
    return Results(
        evaluation=local_folder(found["evaluation"]["uri"]),
        model_run=local_folder(found["model_run"]["uri"]),
        model=pushed.get("pushed_destination") if pushed.get("pushed") else None,
    )


def _is_new(message: JsonObject) -> bool:
    """Whether any of the artifacts was made in this run; where a platform does not tell where its artifacts lie, too.

    Kubeflow gives each step a place for its logs, in the folder that has all that this run makes.
    """
    logs = message["outputs"].get("artifacts", {}).get(LOGS)
    if logs is None:
        return True
    root, _, _ = logs["artifacts"][0]["uri"].rpartition(f"/{STEP}/")
    made = [found["artifacts"][0]["uri"] for found in message["inputs"]["artifacts"].values()]
    return any(uri.startswith(f"{root}/") for uri in made)


def _reason(status: Json) -> str:
    """What a platform says of a failure; Kubeflow says nothing but that there was one."""
    said = (status.get("error") or {}).get("message")
    return said or f"the run has ended as {str(status.get('state')).lower()}; its page says where"


if __name__ == "__main__":
    sys.exit(main())
