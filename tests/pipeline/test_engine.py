"""The section `beam`: in words, and as Beam's own options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from apache_beam.options import pipeline_options

from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.engine import BeamConfig

DOCS = Path(__file__).resolve().parents[2] / "docs"
POOL = "pool:worker:50000"
_RUNNERS = {"flink": "PortableRunner", "spark": "PortableRunner", "dataflow": "DataflowRunner"}


def _options(beam: BeamConfig) -> pipeline_options.PipelineOptions:
    """As Beam reads them; an option that it does not know would be warned of and lost, so that none may be left."""
    return pipeline_options.PipelineOptions(beam.options())


def test_in_memory_is_the_default_and_needs_no_option() -> None:
    assert BeamConfig().options() == []


def test_options_of_beam_alone_stay_as_they_are() -> None:
    args = ("--runner=DataflowRunner", "--num_workers=3")
    assert BeamConfig(args=args).options() == list(args)


def test_beam_finds_a_flink_cluster_through_its_job_server() -> None:
    config = BeamConfig(runner="flink", job_server="jobs:8099", environment=POOL, parallelism=4, workers=2)
    options = _options(config).view_as(pipeline_options.PortableOptions)
    assert options.view_as(pipeline_options.StandardOptions).runner == "PortableRunner"
    assert (options.job_endpoint, options.environment_type) == ("jobs:8099", "EXTERNAL")
    assert (options.environment_config, int(options.sdk_worker_parallelism)) == ("worker:50000", 2)
    assert options.view_as(pipeline_options.FlinkRunnerOptions).parallelism == 4


def test_beam_starts_a_job_server_for_a_flink_cluster() -> None:
    config = BeamConfig(runner="flink", flink_master="manager:8081", environment="image:here/neumf:1")
    options = _options(config).view_as(pipeline_options.FlinkRunnerOptions)
    assert options.view_as(pipeline_options.StandardOptions).runner == "FlinkRunner"
    assert options.flink_master == "manager:8081"
    portable = options.view_as(pipeline_options.PortableOptions)
    assert (portable.environment_type, portable.environment_config) == ("DOCKER", "here/neumf:1")


@pytest.mark.parametrize("runner", ["spark", "portable"])
def test_other_engines_have_a_job_server(runner: str) -> None:
    config = BeamConfig.model_validate({"runner": runner, "job_server": "jobs:8099", "environment": "loopback"})
    options = _options(config).view_as(pipeline_options.PortableOptions)
    assert (options.job_endpoint, options.environment_type) == ("jobs:8099", "LOOPBACK")
    assert options.environment_config is None


def test_dataflow_takes_its_machines_and_its_image() -> None:
    config = BeamConfig(
        runner="dataflow", environment="image:eu.pkg/neumf:1", workers=8, args=("--region=europe-west1",)
    )
    options = _options(config).view_as(pipeline_options.WorkerOptions)
    assert (options.num_workers, options.sdk_container_image) == (8, "eu.pkg/neumf:1")
    assert options.view_as(pipeline_options.GoogleCloudOptions).region == "europe-west1"


@pytest.mark.parametrize(
    ("beam", "message"),
    [
        ("runner: dask", r"beam\.runner: .*'local', 'flink', 'spark', 'dataflow' or 'portable' \(got 'dask'\)"),
        ("runner: flink, environment: 'pool:a:1'", "flink needs either beam.flink_master or beam.job_server"),
        (
            "runner: flink, flink_master: 'a:1', job_server: 'a:2', environment: loopback",
            "flink needs either beam.flink_master or beam.job_server",
        ),
        ("runner: spark, environment: loopback", "spark needs beam.job_server"),
        ("runner: portable, job_server: 'a:1'", "portable needs beam.environment"),
        ("runner: dataflow, environment: loopback", "beam.environment must be image:NAME"),
        ("parallelism: 4", "beam.parallelism has no effect where beam.runner is local"),
        ("runner: dataflow, flink_master: 'a:1'", "beam.flink_master has no effect where beam.runner is dataflow"),
        ("runner: flink, flink_master: 'http://a:1'", r"beam\.flink_master: .*pattern"),
        ("runner: portable, job_server: 'a:1', environment: 'a:1'", r"beam\.environment: .*pattern"),
        ("runner: portable, job_server: 'a:1', environment: loopback, workers: 0", r"beam\.workers: .*greater"),
        (
            "runner: portable, job_server: 'a:1', environment: loopback, args: [--parallelism=2]",
            "beam.args: --parallelism is what beam.parallelism says",
        ),
    ],
)
def test_what_an_engine_cannot_use_is_refused_by_its_key(tmp_path: Path, beam: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(f"dataset: {{kind: synthetic}}\nbeam: {{{beam}}}\n")
    with pytest.raises(UserError, match=message) as refusal:
        load_config(path)
    assert "\n" not in str(refusal.value)


def _documents(page: str) -> Iterator[dict[str, Any]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from yaml.safe_load_all(block)


_SECTIONS = [page["beam"] for name in ("scale.md", "vertex.md") for page in _documents(name) if "beam" in page]


@pytest.mark.parametrize("section", _SECTIONS, ids=lambda section: section["runner"])
def test_an_example_is_a_configuration(section: dict[str, Any]) -> None:
    assert f"--runner={_RUNNERS[section['runner']]}" in BeamConfig.model_validate(section).options()


def test_the_manifest_offers_what_the_configuration_beside_it_asks_for() -> None:
    documents = list(_documents("scale.md"))
    (flink,) = (each for each in documents if each.get("kind") == "FlinkDeployment")
    (service,) = (each for each in documents if each.get("kind") == "Service")
    (jobs,) = (each for each in documents if each.get("kind") == "Deployment")
    beam = BeamConfig.model_validate(next(each for each in _SECTIONS if each["runner"] == "flink"))
    host, _, port = str(beam.job_server).partition(":")
    assert host == service["metadata"]["name"]
    assert int(port) in [each["port"] for each in service["spec"]["ports"]]
    (server,) = jobs["spec"]["template"]["spec"]["containers"]
    assert {f"--job-port={port}", f"--flink-master={flink['metadata']['name']}-rest:8081"} <= set(server["args"])
    assert server["image"] == flink["spec"]["image"]
    pool = flink["spec"]["taskManager"]["podTemplate"]["spec"]["containers"][1]
    assert pool["command"][-1] == f"--service_port={str(beam.environment).rpartition(':')[2]}"
