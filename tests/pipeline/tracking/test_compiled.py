"""The exit handler in the compiled pipeline, in the form that kfp's own compiler gives it."""

from pathlib import Path
from typing import Any

import kfp
import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.protobuf import json_format
from kfp import dsl
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig, PipelineSpec

from pipeline.cli import main
from pipeline.platforms import submission
from pipeline.platforms.registry import PLATFORMS
from pipeline.platforms.run_parameters import INPUT_VERSION, RUN_PARAMETERS

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
STEPS = ["Evaluator", "NegativeGen", "Preprocess", "Pusher", "Report", "Trainer"]
OPEN = {"batch_size", "learning_rate", "min_rating", "minimum_ndcg"}
"""What the configuration leaves open, of the parameters."""
HOOK = "notify.webhook=${HOOK}"


def compiled(folder: Path, *assignments: str, target: str = "kfp") -> Any:
    """The pipeline that `compile` writes."""
    sets = [word for assignment in (HOOK, *assignments) for word in ("--set", assignment)]
    with pytest.raises(SystemExit) as ended:
        main(["compile", "--target", target, "-o", str(folder / "p.yaml"), *sets])
    assert not ended.value.code
    return next(yaml.safe_load_all((folder / "p.yaml").read_text()))


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return compiled(tmp_path_factory.mktemp("compiled"), "cluster.steps.Report.memory=1")


def tasks_inside(spec: Any) -> Any:
    return spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]


def by_kfp(folder: Path) -> Any:
    """What kfp's compiler makes of an exit handler."""

    @dsl.container_component
    def work(epochs: int):  # type: ignore[no-untyped-def]
        return dsl.ContainerSpec(image="i:1", args=[epochs])

    @dsl.component(base_image="i:1")
    def tell(status: dsl.PipelineTaskFinalStatus, epochs: int) -> None:
        print(status, epochs)

    @dsl.pipeline(name="toy")
    def toy(epochs: int) -> None:
        with dsl.ExitHandler(tell(epochs=epochs)):
            work(epochs=epochs)

    kfp.compiler.Compiler().compile(toy, str(folder / "toy.yaml"))
    return yaml.safe_load((folder / "toy.yaml").read_text())


def test_it_has_the_form_of_kfp_s_own(spec: Any, tmp_path: Path) -> None:
    own, theirs = spec["root"]["dag"]["tasks"], by_kfp(tmp_path)["root"]["dag"]["tasks"]
    handler, at_exit = theirs["exit-handler-1"], theirs["tell"]
    assert set(own) == {"exit-handler-1", "ReportFailure"}
    assert {key: own["exit-handler-1"][key] for key in ("componentRef", "taskInfo")} == {
        key: handler[key] for key in ("componentRef", "taskInfo")
    }
    for key in ("dependentTasks", "triggerPolicy"):
        assert own["ReportFailure"][key] == at_exit[key]
    given = [task["inputs"]["parameters"]["status"] for task in (own["ReportFailure"], at_exit)]
    assert given[0] == given[1]
    definition = spec["components"]["Report"]["inputDefinitions"]["parameters"]["status"]
    assert definition == by_kfp(tmp_path)["components"]["comp-tell"]["inputDefinitions"]["parameters"]["status"]


@pytest.mark.parametrize("target", list(PLATFORMS))
def test_kfp_s_and_vertex_clients_take_it(tmp_path: Path, target: str) -> None:
    spec = compiled(tmp_path, target=target)
    json_format.ParseDict(spec, PipelineSpec())
    json_format.ParseDict(spec["deploymentSpec"], PipelineDeploymentConfig())
    component = kfp.components.load_component_from_file(str(tmp_path / "p.yaml"))
    assert set(component.component_spec.inputs) == {*RUN_PARAMETERS, INPUT_VERSION} - OPEN
    aiplatform.PipelineJob(
        display_name="x", template_path=str(tmp_path / "p.yaml"), pipeline_root="gs://bucket", project="p",
        location="us-central1", parameter_values={"epochs": 3}, credentials=AnonymousCredentials(),
    )  # fmt: skip


def test_the_step_has_the_results_of_those_before_it(spec: Any) -> None:
    assert sorted(tasks_inside(spec)) == STEPS
    report = tasks_inside(spec)["Report"]
    for name, source in report["inputs"]["artifacts"].items():
        source = source["taskOutputArtifact"]
        produced = spec["components"][source["producerTask"]]["outputDefinitions"]["artifacts"]
        wanted = spec["components"]["Report"]["inputDefinitions"]["artifacts"][name]["artifactType"]
        assert produced[source["outputArtifactKey"]]["artifactType"] == wanted
        assert source["producerTask"] in report["dependentTasks"]
    assert report["cachingOptions"] == {}
    container = spec["deploymentSpec"]["executors"]["Report_executor"]["container"]
    assert container["command"] == ["python", "-m", "pipeline.tracking.step"]
    assert container["resources"] == {"memoryLimit": 1.0}


def test_each_step_gets_its_parameters_through_the_handler(spec: Any) -> None:
    """What is not handed on has to be optional all the way: Kubeflow hands over nothing at all then."""
    root = spec["root"]["inputDefinitions"]["parameters"]
    inside = spec["components"]["comp-exit-handler-1"]["inputDefinitions"]["parameters"]
    handed_on = spec["root"]["dag"]["tasks"]["exit-handler-1"]["inputs"]["parameters"]
    assert handed_on == {name: {"componentInputParameter": name} for name in root}
    assert set(inside) - set(root) == OPEN
    assert all("defaultValue" in parameter for parameter in root.values())
    for task in tasks_inside(spec).values():
        wanted = spec["components"][task["componentRef"]["name"]]["inputDefinitions"]["parameters"]
        for name, source in task["inputs"]["parameters"].items():
            if (of := source.get("componentInputParameter")) in OPEN:
                assert wanted[name]["isOptional"]
                assert "defaultValue" not in inside[of]
            elif of:
                assert of in handed_on


def test_a_run_has_what_it_is_given_and_no_more() -> None:
    run = submission.prepare(CONFIG, [HOOK], ["image=i:1", "minimum_ndcg=0.2", "minimum_hr=null"], PLATFORMS["kfp"])
    known = yaml.safe_load(run.text)["root"]["inputDefinitions"]["parameters"]
    assert set(known) == set(run.values)
    assert "minimum_ndcg" in known
    assert "minimum_hr" not in known


def test_a_scheduled_run_looks_first_inside_of_it() -> None:
    run = submission.prepare(CONFIG, [HOOK], ["image=i:1"], PLATFORMS["kfp"], look=True)
    assert sorted(tasks_inside(yaml.safe_load(run.text))) == ["Evaluator", "Look", *STEPS[1:]]


def test_its_variables_and_secrets_are_those_of_its_pod(tmp_path: Path) -> None:
    compiled(tmp_path, "cluster.steps.Report.secret_environment={HOOK: chat/webhook}")
    _, extra = yaml.safe_load_all((tmp_path / "p.yaml").read_text())
    executors = extra["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert list(executors) == ["Report_executor"]
    assert executors["Report_executor"]["secretAsEnv"][0]["secretName"] == "chat"
