"""What the backend of Kubeflow Pipelines hands to a step.

The messages have the form that kubeflow/pipelines 7b70c7b gives them: backend/src/v2/driver/driver.go
(provisionOutputs: names, URIs, types, `executor-logs`, the output file), backend/src/v2/metadata/client.go (inputs: an
empty schema, properties as metadata, numbers as doubles), backend/src/v2/component/launcher_v2.go (local folders,
retries' logs).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import entrypoint

PROJECT = Path(__file__).resolve().parents[2]
ROOT = "minio://mlpipeline/v2/artifacts/neumf-synthetic/0f1c"
SPEC = yaml.safe_load((PROJECT / "kfp_pipeline.yaml").read_text(encoding="utf-8"))


def inputs_spec(step: str) -> Any:
    return SPEC["components"][step]["inputDefinitions"]


def inputs_spec_in_arguments(step: str) -> Any:
    arguments = SPEC["deploymentSpec"]["executors"][f"{step}_executor"]["container"]["args"]
    return json.loads(arguments[arguments.index("--json_serialized_inputs_spec_args") + 1])


def artifact(uri: str, schema: Any, **more: Any) -> Any:
    return {"artifacts": [{"name": "1", "uri": uri, "type": schema, **more}]}


def of_pusher(root: str = ROOT, output_file: str = "/tmp/kfp_outputs/output_metadata.json") -> Any:
    """ExecutorInput of Pusher, as the launcher writes it with protojson."""
    model = {"id": 5.0, "name": "model"}
    return {
        "inputs": {
            "parameterValues": {"push_destination": "", "code_version": "1"},
            "artifacts": {
                "model": artifact(f"{root}/Trainer/aa/model", {"instanceSchema": ""}, metadata=model),
                "model_blessing": artifact(
                    f"{root}/Evaluator/bb/blessing", {"instanceSchema": ""}, metadata={"blessed": 1.0}
                ),
            },
        },
        "outputs": {
            "artifacts": {
                "pushed_model": artifact(
                    f"{root}/Pusher/cc/pushed_model",
                    SPEC["components"]["Pusher"]["outputDefinitions"]["artifacts"]["pushed_model"]["artifactType"],
                ),
                "executor-logs": artifact(f"{root}/Pusher/cc/executor-logs-0", {"schemaTitle": "system.Artifact"}),
            },
            "outputFile": output_file,
        },
    }


@pytest.mark.parametrize(
    "given", [None, {}, {"instanceSchema": ""}, {"schemaTitle": ""}, {"schemaTitle": "system.Artifact"}]
)
def test_inputs_get_the_types_that_the_step_was_compiled_for(given: Any) -> None:
    executor_input = of_pusher()
    executor_input["inputs"]["artifacts"]["model"]["artifacts"][0]["type"] = given
    entrypoint.adapt(executor_input, inputs_spec("Pusher"))
    types = {name: found["artifacts"][0]["type"] for name, found in executor_input["inputs"]["artifacts"].items()}
    expected = inputs_spec("Pusher")["artifacts"]
    assert types == {name: expected[name]["artifactType"] for name in ("model", "model_blessing")}


@pytest.mark.parametrize("given", [{}, {"baseline_margin": None}])
def test_what_a_run_leaves_open_is_an_empty_text(given: Any) -> None:
    executor_input = {"inputs": {"parameterValues": {"minimum_hr": 0.5, **given}}}
    entrypoint.adapt(executor_input, inputs_spec_in_arguments("Evaluator"))
    values = executor_input["inputs"]["parameterValues"]
    assert (values["minimum_hr"], values["baseline_margin"]) == (0.5, "")
    assert "seed" not in values


def test_the_logs_of_the_launcher_are_no_output_of_tfx() -> None:
    executor_input = of_pusher()
    entrypoint.adapt(executor_input, inputs_spec("Pusher"))
    assert list(executor_input["outputs"]["artifacts"]) == ["pushed_model"]


@pytest.mark.parametrize(
    ("scheme", "folder"), [("minio://b/r", "/minio/b/r"), ("s3://b/r", "/s3/b/r"), ("gs://b/r", None), ("/a/r", None)]
)
def test_uris_that_tfx_cannot_read_become_local_folders(scheme: str, folder: str | None) -> None:
    executor_input = of_pusher(scheme)
    folders = entrypoint.adapt(executor_input, inputs_spec("Pusher"))
    (output,) = executor_input["outputs"]["artifacts"]["pushed_model"]["artifacts"]
    (model,) = executor_input["inputs"]["artifacts"]["model"]["artifacts"]
    assert output["uri"] == f"{folder or scheme}/Pusher/cc/pushed_model"
    assert model["uri"] == f"{folder or scheme}/Trainer/aa/model"
    assert len(folders) == (3 if folder else 0)


def test_uris_come_back_in_what_the_step_wrote(tmp_path: Path) -> None:
    output_file = tmp_path / "output_metadata.json"
    executor_input = of_pusher(output_file=str(output_file))
    folders = entrypoint.adapt(executor_input, inputs_spec("Pusher"))
    local = "/minio/mlpipeline/v2/artifacts/neumf-synthetic/0f1c"
    written = {
        "artifacts": {
            "pushed_model": artifact(
                f"{local}/Pusher/cc/pushed_model", {},
                metadata={"pushed": 1.0, "text": f"from {local}/Trainer/aa/model/x, {local}/Other", "list": [local]},
            )
        }
    }  # fmt: skip
    output_file.write_text(json.dumps(written))
    entrypoint.restore_uris(str(output_file), folders)

    (pushed,) = json.loads(output_file.read_text())["artifacts"]["pushed_model"]["artifacts"]
    assert pushed["uri"] == f"{ROOT}/Pusher/cc/pushed_model"
    assert pushed["metadata"] == {
        "pushed": 1.0, "text": f"from {ROOT}/Trainer/aa/model/x, {local}/Other", "list": [local]
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["output_metadata.json"]


def test_one_folder_may_begin_like_another(tmp_path: Path) -> None:
    output_file = tmp_path / "output.json"
    output_file.write_text(json.dumps({"a": "/minio/b/x-long/1", "b": "/minio/b/x/1"}))
    entrypoint.restore_uris(str(output_file), {"/minio/b/x": "minio://b/x", "/minio/b/x-long": "minio://b/x-long"})
    assert json.loads(output_file.read_text()) == {"a": "minio://b/x-long/1", "b": "minio://b/x/1"}


def arguments_of(step: str, executor_input: Any) -> list[str]:
    arguments = SPEC["deploymentSpec"]["executors"][f"{step}_executor"]["container"]["args"]
    return [json.dumps(executor_input) if argument == "{{$}}" else argument for argument in arguments]


def run(step: str, executor_input: Any) -> subprocess.CompletedProcess[str]:
    """As in a container, in a process of its own."""
    command = [sys.executable, "-m", "pipeline.entrypoint", *arguments_of(step, executor_input)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)


def of_preprocess(root: Path, **parameters: Any) -> Any:
    """ExecutorInput of Preprocess with the defaults of the compiled pipeline."""
    task = SPEC["root"]["dag"]["tasks"]["Preprocess"]["inputs"]["parameters"]
    definitions = SPEC["root"]["inputDefinitions"]["parameters"]
    defaults = {name: found["defaultValue"] for name, found in definitions.items() if "defaultValue" in found}
    values = {
        name: source["runtimeValue"]["constant"]
        if "runtimeValue" in source
        else defaults[source["componentInputParameter"]]
        for name, source in task.items()
        if source.get("componentInputParameter", "seed") in defaults
    }
    outputs = SPEC["components"]["Preprocess"]["outputDefinitions"]["artifacts"]
    return {
        "inputs": {"parameterValues": {**values, **parameters}},
        "outputs": {
            "artifacts": {
                name: artifact(str(root / name), definition["artifactType"]) for name, definition in outputs.items()
            },
            "outputFile": str(root / "outputs" / "output_metadata.json"),
        },
    }


def test_a_step_runs_and_says_what_it_did(tmp_path: Path) -> None:
    done = run("Preprocess", of_preprocess(tmp_path, synthetic_users=200.0, synthetic_interactions=9000.0))
    assert done.returncode == 0, done.stderr
    assert "9,000 rows: 200 users" in done.stdout
    assert "INFO" not in done.stderr
    output = json.loads((tmp_path / "outputs" / "output_metadata.json").read_text())
    (interactions,) = output["artifacts"]["interactions"]["artifacts"]
    assert interactions["uri"] == str(tmp_path / "interactions")
    assert json.loads((tmp_path / "interactions" / "summary.json").read_text())["users"] == 200
    (counts,) = output["artifacts"]["data_counts"]["artifacts"]
    assert counts["uri"] == str(tmp_path / "data_counts")
    assert (counts["metadata"]["users"], counts["metadata"]["rows read"]) == (200, 9000)


def test_an_error_of_the_user_is_the_last_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run("Preprocess", of_preprocess(tmp_path, kind="files", path="/nowhere/*.csv"))
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "/nowhere/*.csv" in line
    assert done.stderr.splitlines()[-1] == line
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "outputs" / "output_metadata.json").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "files"}, "dataset.path is needed where dataset.kind is files"),
        (
            {"kind": "flies"},
            "kind: input should be 'movielens', 'files', 'bigquery', 'ncf' or 'synthetic' (got 'flies')",
        ),
    ],
)
def test_a_parameter_that_is_not_allowed_is_an_error_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parameters: dict[str, str], message: str
) -> None:
    code = entrypoint.main(arguments_of("Preprocess", of_preprocess(tmp_path, **parameters)))
    assert (code, capsys.readouterr().err.splitlines()[-1]) == (2, f"error: {message}")


def test_a_fault_of_the_program_is_told_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    executor_input = of_preprocess(tmp_path)
    del executor_input["inputs"]["parameterValues"]["seed"]
    assert entrypoint.main(arguments_of("Preprocess", executor_input)) == 1
    assert "KeyError: 'seed'" in capsys.readouterr().err
