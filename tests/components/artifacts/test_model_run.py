import json
from pathlib import Path

from components.artifacts.model_run import Epoch, History, Stage

EPOCHS = (
    Epoch(0.75, {"HR@10": 0.5, "NDCG@10": 0.25}, seconds=1.25, examples_per_second=9),
    Epoch(0.5, {"HR@10": 0.625, "NDCG@10": 0.375}, seconds=1.125, examples_per_second=10),
)
WHOLE = Stage("neumf", EPOCHS, 2, "ndcg@10 on validation", "all epochs done")
TOWER = Stage("gmf", (Epoch(0.5, {}, 2.0, 8),), 1, "last epoch: no held-out items to choose by", "all epochs done")


def test_a_history_comes_back_as_it_was(tmp_path: Path) -> None:
    config = {"loss": "binary_cross_entropy", "layers": [8, 4]}
    for exported in (None, {"vectors/head": "0123abcd"}):
        history = History(WHOLE, 3.5, config, (TOWER,), exported=exported)
        history.write(str(tmp_path))
        assert History.read(str(tmp_path)) == history
    assert History.read(str(tmp_path / "elsewhere")) is None


def test_the_file_has_metrics_by_epoch_and_null_where_there_are_none(tmp_path: Path) -> None:
    History(WHOLE, 3.5, {"epochs": 2}, (TOWER,)).write(str(tmp_path))
    content = json.loads((tmp_path / "history.json").read_text())
    assert list(content) == [
        "stage", "start", "epochs", "best_epoch", "chosen_by", "stopped", "pretraining", "seconds", "config",
    ]  # fmt: skip
    assert content["epochs"][1] | {"hr@10": 0.625, "ndcg@10": 0.375} == content["epochs"][1]
    assert [epoch["epoch"] for epoch in content["epochs"]] == [1, 2]
    (tower,) = content["pretraining"]
    assert (tower["epochs"][0]["hr@10"], tower["epochs"][0]["ndcg@10"]) == (None, None)


def test_times_are_rounded_in_the_file() -> None:
    content = Epoch(1 / 3, {}, seconds=1.23456, examples_per_second=99.7).to_json(1)
    assert (content["loss"], content["seconds"], content["examples_per_second"]) == (1 / 3, 1.235, 100)
