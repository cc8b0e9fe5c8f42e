"""What a container of the pipeline runs on Kubeflow Pipelines and Vertex AI: one step.

TFX's own entry point runs on Vertex. The open-source backend of Kubeflow hands over something else, which is put right
here before TFX sees it (as of kubeflow/pipelines 7b70c7b, backend/src/v2):

- Input artifacts come with an empty type (metadata/client.go), and from kfp.local with a general one. The compiled step
  knows the types.
- There is one output more, `executor-logs`, which is not TFX's (driver/driver.go).
- A parameter that a run leaves open is not there (driver/resolve.go), or null; the steps know an empty text.
- Artifacts at minio:// and s3:// are copied to and from local folders (component/launcher_v2.go), with credentials
  that the step does not have. So the step works on the folders, and the outputs are described by URIs again.

The results that a console shows (`pipeline.results`) are outputs of the compiled step that TFX knows nothing of.
"""

import argparse
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence

from components.shared import progress, stopping
from components.shared.errors import UserError, find_user_error, first_line
from components.shared.files.secrets import QuietFormatter, without_secrets
from components.shared.imports import lasting_imports
from components.shared.json_types import Json
from pipeline.results.writing import take_out, write

_LOCAL_ROOTS = {"minio://": "/minio/", "s3://": "/s3/"}
LOGS = "executor-logs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one step.

    Returns:
      The exit code: 0; 2 for an error that the user can mend; 130 or 143 where it was asked to stop; 1 for any other.
    """
    known, beam_args = _parser().parse_known_args(arguments)
    with stopping.heeded(_say_interrupted):
        return _run_step(known, beam_args)


def _run_step(known: argparse.Namespace, beam_args: list[str]) -> int:
    folders: dict[str, str] = {}
    try:
        executor_input, shown, folders = described(
            known.json_serialized_invocation_args, known.json_serialized_inputs_spec_args or "{}", known.in_place
        )
        known.json_serialized_invocation_args = json.dumps(executor_input)
        _say_what_happens(known.executor_class_path, folders)
        _run(known, beam_args)
        write(shown, executor_input["outputs"], local_folder)
        restore_uris(executor_input["outputs"]["outputFile"], folders)
    except (Exception, KeyboardInterrupt) as error:
        if number := stopping.asked():
            _say_interrupted(number)
            stopping.end_children()
            return 128 + number
        if user_error := find_user_error(error):
            print(f"error: {without_secrets(_with_uris(str(user_error), folders))}", file=sys.stderr, flush=True)
            return 2
        traceback.print_exc()
        return 1
    return 0


def _say_interrupted(number: int) -> None:
    print(f"interrupted by {signal.Signals(number).name}", file=sys.stderr, flush=True)


def described(
    invocation: str, inputs_spec: str, in_place: bool = False
) -> tuple[Json, dict[str, Json], dict[str, str]]:
    """What the step is to do, put right; its results for the console; the URIs of what was mapped (see `adapt`).

    Args:
      invocation: an ExecutorInput message, as JSON.
      inputs_spec: the step's ComponentInputsSpec, as JSON.
      in_place: whether no launcher copies artifacts; see `adapt`.

    Raises:
      UserError: they are something else.
    """
    try:
        executor_input = json.loads(invocation)
        shown = take_out(executor_input)
        return executor_input, shown, adapt(executor_input, json.loads(inputs_spec), in_place)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"what the step was handed is no description of an execution ({type(error).__name__}: "
            f"{first_line(error)}); compile and submit the pipeline with the version that is in the image"
        ) from error


def adapt(executor_input: Json, inputs_spec: Json, in_place: bool = False) -> dict[str, str]:
    """Puts the backend's description of an execution right, in place.

    Args:
      executor_input: an ExecutorInput message, as JSON.
      inputs_spec: the step's ComponentInputsSpec, as JSON.
      in_place: whether artifacts are read and written where they are, as no launcher copies them.

    Returns:
      The URI of each artifact that was mapped, by its local folder.
    """
    outputs = executor_input.get("outputs", {}).get("artifacts", {})
    outputs.pop(LOGS, None)
    values = executor_input.get("inputs", {}).get("parameterValues", {})
    for name, parameter in inputs_spec.get("parameters", {}).items():
        if values.get(name) is None:
            values.pop(name, None)
            if parameter["parameterType"] == "STRING":
                values[name] = ""
    inputs = executor_input.get("inputs", {}).get("artifacts", {})
    for name, artifacts in inputs.items():
        for artifact in artifacts.get("artifacts", []):
            artifact["type"] = inputs_spec["artifacts"][name]["artifactType"]
    folders: dict[str, str] = {}
    for artifact in () if in_place else _artifacts(inputs, outputs):
        folder = local_folder(artifact["uri"])
        if folder != artifact["uri"]:
            folders[folder] = artifact["uri"]
            artifact["uri"] = folder
    return folders


def restore_uris(output_file: str, folders: Mapping[str, str]) -> None:
    """Puts the URIs of artifacts back into what TFX wrote about the outputs, inside texts too.

    Args:
      output_file: an ExecutorOutput message, as JSON; a local file where there are folders.
      folders: as `adapt` gave them.
    """
    if not folders:
        return
    with open(output_file, encoding="utf-8") as file:
        output = json.load(file)
    with open(f"{output_file}.writing", "w", encoding="utf-8") as file:
        json.dump(_with_uris(output, folders), file)
    os.replace(f"{output_file}.writing", output_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.entrypoint", description="Run one step; see TFX.")
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args")
    parser.add_argument(
        "--in-place", action="store_true", help="Artifacts are where their URIs say: no launcher copies them."
    )
    return parser


def _run(known: argparse.Namespace, beam_args: list[str]) -> None:
    """TFX's entry point, with the frameworks' noise on standard error, from warnings up."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(QuietFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)

    with lasting_imports():
        from absl import logging as absl_logging
        from apache_beam.options.pipeline_options import StandardOptions
        from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

        from components.shared.files import tfx_plugin

    tfx_plugin.register()

    # TFX sets the level to INFO, and then logs every message that it was given.
    absl_logging.get_absl_logger().addFilter(lambda record: record.levelno >= logging.WARNING)
    # Beam's default first tries to download another runner.
    StandardOptions.DEFAULT_RUNNER = "FnApiRunner"
    kubeflow_v2_run_executor.main((known, beam_args))


def _say_what_happens(executor: str, folders: Mapping[str, str]) -> None:
    class Printer(progress.Reporter):
        def note(self, text: str) -> None:
            print(_with_uris(text, folders), flush=True)

        def warn(self, text: str) -> None:
            self.note(f"warning: {text}")

    print(f"running {executor}", flush=True)
    progress.show_on(Printer())


def _artifacts(*groups: Json) -> Iterator[Json]:
    for group in groups:
        for artifacts in group.values():
            yield from artifacts.get("artifacts", [])


def local_folder(uri: str) -> str:
    """Where the launcher puts what is at a URI; the URI itself where a step can read that."""
    for scheme, root in _LOCAL_ROOTS.items():
        if uri.startswith(scheme):
            return root + uri.removeprefix(scheme)
    return uri


def _with_uris(value: Json, folders: Mapping[str, str]) -> Json:
    if isinstance(value, dict):
        return {key: _with_uris(inner, folders) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_uris(inner, folders) for inner in value]
    if isinstance(value, str):
        # The longest first: one artifact's folder may begin like another's.
        for folder in sorted(folders, key=len, reverse=True):
            value = value.replace(folder, folders[folder])
    return value


if __name__ == "__main__":
    sys.exit(main())
