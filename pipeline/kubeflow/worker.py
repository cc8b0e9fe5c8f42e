"""What each worker of a TFJob runs: the Trainer, and the steps behind it on the chief alone.

    python -m pipeline.kubeflow.worker STEP [--then STEP]...

where STEP are arguments of `pipeline.entrypoint`. Each step has a process of its own, one after the other: TensorFlow's
workers can be joined only before it does anything, and the chief is alone once they have left.
"""

import argparse
import itertools
import json
import os
import posixpath
import sys
from collections.abc import Mapping, Sequence

from components.artifacts import storage
from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets
from components.shared.json_types import Json
from pipeline import entrypoint

_THEN = "--then"
_INVOCATION = "--json_serialized_invocation_args"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the first step; where it went well and others follow, becomes the process that runs them.

    A step that the chief has recorded as done is not run again, by any worker: a job that is started again goes on
    behind it.

    Returns:
      The exit code: 0, or that of `entrypoint.main`.
    """
    first, *others = split(sys.argv[1:] if arguments is None else arguments)
    try:
        output = _recorded(first)
        if output is None:
            if code := entrypoint.main(first):
                return code
            output = storage.read_json(_invocation(first)["outputs"]["outputFile"])
            if _is_chief():
                _record(first, output)
    except UserError as error:
        print(f"error: {without_secrets(str(error))}", file=sys.stderr, flush=True)
        return 2
    if not others or not _is_chief():
        return 0
    rest = joined([told(step, output) for step in others])
    environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    os.execve(sys.executable, [sys.executable, "-m", "pipeline.kubeflow.worker", *rest], environment)


def joined(steps: Sequence[Sequence[str]]) -> list[str]:
    """The arguments for some steps, one after the other."""
    return [part for step in steps for part in (_THEN, *step)][1:]


def split(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments of each step."""
    groups = itertools.groupby(arguments, key=lambda argument: argument == _THEN)
    return [list(group) for is_separator, group in groups if not is_separator]


def told(step: Sequence[str], output: Json) -> list[str]:
    """The arguments of a step that is told what an earlier one has said of its artifacts.

    Args:
      step: its arguments.
      output: the ExecutorOutput message of the earlier one, as JSON.
    """
    known: dict[str, Mapping[str, Json]] = {
        artifact["uri"]: artifact["metadata"]
        for artifacts in output.get("artifacts", {}).values()
        for artifact in artifacts["artifacts"]
        if artifact.get("metadata")
    }
    executor_input = _invocation(step)
    for artifacts in executor_input["inputs"]["artifacts"].values():
        for artifact in artifacts["artifacts"]:
            artifact["metadata"] = {**artifact["metadata"], **known.get(artifact["uri"], {})}
    place = step.index(_INVOCATION) + 1
    return [*step[:place], json.dumps(executor_input, sort_keys=True), *step[place + 1 :]]


def _invocation(step: Sequence[str]) -> Json:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(_INVOCATION, dest="invocation", required=True)
    return json.loads(parser.parse_known_args(step)[0].invocation)


def _record(step: Sequence[str], output: Json) -> None:
    """Keeps, in the first artifact that a step has made, what it was told and what it said."""
    invocation = _invocation(step)
    storage.write_json(_record_file(invocation), {"invocation": invocation, "output": output})


def _recorded(step: Sequence[str]) -> Json | None:
    """What the step said when it was done, told the same; None: it has to run."""
    invocation = _invocation(step)
    file = _record_file(invocation)
    record = storage.read_json(file) if storage.exists(file) else {}
    return record["output"] if record.get("invocation") == invocation else None


def _record_file(invocation: Json) -> str:
    first = min(invocation["outputs"]["artifacts"])
    return posixpath.join(invocation["outputs"]["artifacts"][first]["artifacts"][0]["uri"], "done.json")


def _is_chief() -> bool:
    """Whether this is the worker that writes; a process without TF_CONFIG is alone."""
    task = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {})
    return int(task.get("index", 0)) == 0


if __name__ == "__main__":
    sys.exit(main())
