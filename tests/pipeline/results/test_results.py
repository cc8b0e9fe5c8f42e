"""What a console gets of a step, in the form that the launcher and Vertex AI read."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import kfp
import pytest
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorOutput

from components.artifacts import evaluation
from components.artifacts.evaluation import ByWay, Difference, Evaluation, Rival, State, Verdict
from components.artifacts.model_run import Epoch, History, Stage
from pipeline import entrypoint
from pipeline.results import figures, pages
from pipeline.results.outputs import RESULTS
from pipeline.results.writing import take_out, write
from tests.components.evaluator.report import builders

FAILED = Verdict("minimum_hr", State.FAILED, 0.1, 0.2, "HR@10 0.1 is below the minimum 0.2 | <b>")


def evaluated(folder: Path, **changes: Any) -> Evaluation:
    found = dataclasses.replace(builders.evaluation(), **changes)
    evaluation.write(str(folder), found)
    (folder / evaluation.REPORT_FILE).write_text("<!doctype html><title>report</title>")
    return found


def executor_input(root: str, folder: Path) -> Any:
    """Of the Evaluator, as the driver makes it."""
    types = {"evaluation": "tfx.ModelEvaluation", "metrics": "system.Metrics", "verdict": "system.Markdown"}
    types |= {"report": "system.HTML", "baselines": "system.Metrics"}
    return {
        "outputs": {
            "artifacts": {
                name: {"artifacts": [{"name": name, "uri": f"{root}/{name}", "type": {"schemaTitle": title}}]}
                for name, title in types.items()
            },
            "outputFile": str(folder / "output_metadata.json"),
        }
    }


def test_every_result_has_a_type_of_the_platforms() -> None:
    known = {kind.schema_title for kind in (kfp.dsl.Metrics, kfp.dsl.Markdown, kfp.dsl.HTML)}
    assert {result.kind for result in RESULTS.values()} <= known
    assert all((result.page is None) == (result.kind == "system.Metrics") for result in RESULTS.values())


def test_results_are_written_beside_what_tfx_says_of_its_outputs(tmp_path: Path) -> None:
    message = executor_input(str(tmp_path), tmp_path)
    found = evaluated(tmp_path / "evaluation")
    taken = take_out(message)
    assert list(message["outputs"]["artifacts"]) == ["evaluation"]
    said = {"artifacts": {"evaluation": {"artifacts": [{"uri": str(tmp_path / "evaluation")}]}}}
    (tmp_path / "output_metadata.json").write_text(json.dumps(said))
    write(taken, message["outputs"], str)

    text = (tmp_path / "output_metadata.json").read_text()
    read = json_format.MessageToDict(json_format.Parse(text, ExecutorOutput()))["artifacts"]
    assert sorted(read) == ["baselines", "evaluation", "metrics", "report", "verdict"]
    metrics = read["metrics"]["artifacts"][0]
    assert metrics["uri"] == str(tmp_path / "metrics")
    assert metrics["metadata"]["HR@10"] == found.model.sampled["HR@10"]
    assert (tmp_path / "report").read_text() == "<!doctype html><title>report</title>"
    assert (tmp_path / "verdict").read_text() == pages.verdict(str(tmp_path / "evaluation")).decode()
    assert not (tmp_path / "metrics").exists()


def test_a_step_of_which_no_results_are_asked_says_what_tfx_says(tmp_path: Path) -> None:
    write({}, {"outputFile": str(tmp_path / "not there"), "artifacts": {}}, str)
    assert not list(tmp_path.iterdir())


def test_results_at_an_object_store_are_written_to_the_launchers_folder() -> None:
    message = executor_input("minio://bucket/run", Path("/minio/bucket/run"))
    taken = take_out(message)
    assert taken["report"]["uri"] == "minio://bucket/run/report"
    folders = entrypoint.adapt(message, {"artifacts": {}})
    assert list(folders.values()) == ["minio://bucket/run/evaluation"]


def test_the_figures_of_an_evaluation_can_be_compared_between_runs(tmp_path: Path) -> None:
    rival = Rival("popularity", "item popularity", 0.321, Difference(0.1, 0.0, 0.2))
    found = evaluated(tmp_path, best_baselines=ByWay({"HR@10": rival}, {}))
    told = figures.of_evaluation(str(tmp_path))
    for name in found.gate_metrics:
        assert told[name] == found.model.sampled[name]
        assert told[f"{name} of all items"] == found.model.full[name]
    assert told["HR@10 of best baseline"] == 0.321
    assert told["blessed"] == float(found.blessed)


def test_what_is_no_finite_number_is_left_out(tmp_path: Path) -> None:
    usual = builders.evaluation()
    model = dataclasses.replace(usual.model, sampled={**usual.model.sampled, "HR@10": math.nan})
    evaluated(tmp_path, systems={**usual.systems, "model": model})
    assert "HR@10" not in figures.of_evaluation(str(tmp_path))


def test_the_baselines_have_the_rows_of_the_model(tmp_path: Path) -> None:
    rivals = [Rival("als", "implicit ALS", value, Difference(0.1, 0.0, 0.2)) for value in (0.3, 0.1)]
    found = evaluated(tmp_path, best_baselines=ByWay({"HR@10": rivals[0]}, {"HR@10": rivals[1]}))
    model, baselines = figures.of_model(str(tmp_path)), figures.of_best_baselines(str(tmp_path))
    assert baselines == {"HR@10": 0.3, "HR@10 of all items": 0.1}
    assert model["HR@10"] == found.model.sampled["HR@10"]
    assert set(model) - set(baselines) >= {"blessed", "test users"}


def test_no_name_is_so_long_that_kubeflow_cuts_it_off_and_all_are_on_one_page(tmp_path: Path) -> None:
    rival = Rival("als", "implicit ALS", 0.3, Difference(0.1, 0.0, 0.2))
    names = evaluated(tmp_path / "usual").gate_metrics
    evaluated(tmp_path / "all", best_baselines=ByWay(*[dict.fromkeys(names, rival)] * 2))
    for read in (figures.of_model, figures.of_best_baselines):
        told = read(str(tmp_path / "all"))
        assert max(map(len, told)) <= 20
        assert len(names) * 2 <= len(told) <= 10


def test_the_verdict_names_the_reasons_and_the_rules(tmp_path: Path) -> None:
    found = evaluated(tmp_path, rules=(FAILED,))
    text = pages.verdict(str(tmp_path)).decode()
    assert text.startswith("# Not blessed\n\n" + r"- HR@10 0.1 is below the minimum 0.2 \| \<b>" + "\n\n## ")
    assert "| minimum\\_hr | \u2007**failed**\u2007 | HR@10 0.1 is below the minimum 0.2 \\| \\<b> |" in text
    for system in found.systems.values():
        assert f"| {system.title} | \u2007" in text


def test_a_title_stands_between_two_tables(tmp_path: Path) -> None:
    evaluated(tmp_path)
    lines = pages.verdict(str(tmp_path)).decode().splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("| :--")]
    assert [lines[head - 3][:3] for head in heads] == ["## "] * 3


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a|b*c_d`e<f[g#h\\i", r"a\|b\*c\_d\`e\<f\[g\#h\\i"),
        ("~~struck~~ ==marked== &amp;", r"\~\~struck\~\~ \=\=marked\=\= \&amp;"),
        ("gs://bucket/clicks_1.csv: no rows", r"gs\://bucket/clicks\_1.csv: no rows"),
        ("two\nlines", "two lines"),
    ],
)
def test_names_are_no_markup(tmp_path: Path, name: str, written: str) -> None:
    evaluated(tmp_path, rules=(dataclasses.replace(FAILED, detail=name),))
    assert f"\n- {written}\n" in pages.verdict(str(tmp_path)).decode()


def test_a_blessed_model_is_called_so(tmp_path: Path) -> None:
    evaluated(tmp_path, rules=())
    assert pages.verdict(str(tmp_path)).startswith(b"# Blessed\n\n## ")


@pytest.mark.parametrize(("best", "hr"), [(1, 0.5), (2, 0.4)])
def test_the_learning_curve_ends_with_the_weights_that_were_taken(tmp_path: Path, best: int, hr: float) -> None:
    epochs = (Epoch(0.6, {"HR@10": 0.5}, 1.0, 10.0), Epoch(0.3, {"HR@10": 0.4}, 1.0, 10.0))
    History(Stage("neumf", epochs, best, "HR@10", "all epochs done"), 2.5, {}).write(str(tmp_path))
    assert figures.of_training(str(tmp_path)) == {
        "epochs": 2, "best epoch": best, "seconds": 2.5, "last loss": 0.3, "validation HR@10": hr
    }  # fmt: skip


def test_a_training_without_a_history_has_no_figures(tmp_path: Path) -> None:
    assert figures.of_training(str(tmp_path)) == {}
