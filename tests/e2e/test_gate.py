"""What the gate is for, as a user meets it: a better model takes the champion's place, a spoilt one does not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from components.artifacts import evaluation
from components.artifacts.evaluation import ChampionStatus, Evaluation
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, generate_block

NEGATIVES = 99


class Root:
    """A root where one configuration runs again and again, while its training file changes.

    The test items and their negatives stay the same: they are files too, in the NCF paper's layout.
    """

    def __init__(self, project, folder: Path):
        self.project, self.folder, self.data = project, folder, folder / "data"
        self.serving = folder / "root" / "serving"
        rows = generate_block(SyntheticConfig(users=500, items=250, interactions=30_000), 0, 0)
        self.user, self.item = rows.user, rows.item
        self.last = np.append(self.user[1:] != self.user[:-1], True)
        self.data.mkdir()
        self._write("r.test.rating", self.user[self.last], self.item[self.last])
        self._write_negatives()

    def train_on(self, rows: np.ndarray, item: np.ndarray) -> None:
        self._write("r.train.rating", self.user[rows], item[rows])

    def run(self) -> "State":
        config = self.folder / "run.yaml"
        config.write_text(
            f"dataset: {{kind: ncf, path: {self.data}}}\nnegatives: {{protocol: ncf}}\n"
            "trainer: {num_factors: 8, layers: [16, 8], epochs: 4, learning_rate: 0.01, batch_size: 1024}\n"
            # No other rule is to stand in the way of a model that learnt nothing.
            "evaluator: {gate_on: sampled, baseline_margin: null}\n"
        )
        out, _ = self.project.run("run", "--config", str(config), "--root", str(self.folder / "root"))
        newest = max((self.folder / "root/artifacts/Evaluator/evaluation").iterdir(), key=lambda path: int(path.name))
        return State(out, evaluation.read(str(newest)), sorted(path.name for path in self.serving.iterdir()))

    def serving_files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.serving.rglob("*") if path.is_file()}

    def _write(self, name: str, user: np.ndarray, item: np.ndarray) -> None:
        table = pa.table([user, item, np.ones_like(user), np.arange(len(user))], names=list("uirt"))
        options = pyarrow.csv.WriteOptions(include_header=False, delimiter="\t")
        pyarrow.csv.write_csv(table, self.data / name, options)

    def _write_negatives(self) -> None:
        random, items = np.random.default_rng(0), np.unique(self.item)
        lines = []
        for user, item in zip(self.user[self.last], self.item[self.last], strict=True):
            untouched = np.setdiff1d(items, self.item[self.user == user])
            drawn = random.choice(untouched, NEGATIVES, replace=False)
            lines.append("\t".join([f"({user},{item})", *map(str, drawn)]))
        (self.data / "r.test.negative").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def root(project, tmp_path_factory):
    return Root(project, tmp_path_factory.mktemp("gate"))


@dataclass(frozen=True)
class State:
    """What a run printed and measured, and the versions in the push destination after it."""

    out: str
    evaluation: Evaluation
    versions: list[str]


@pytest.fixture(scope="module")
def improved(root):
    """Two runs: on the beginning of each user's history, then on all of it."""
    starts = np.flatnonzero(np.append(True, root.last[:-1]))
    position = np.arange(len(root.user)) - np.repeat(starts, np.diff(np.append(starts, len(root.user))))
    root.train_on((position < 16) & ~root.last, root.item)
    first = root.run()
    root.train_on(~root.last, root.item)
    return first, root.run()


@pytest.fixture(scope="module")
def refused(root, improved):
    """A third run, on labels that say nothing: the items of the training rows are dealt out anew among all users."""
    shuffled = root.item.copy()
    shuffled[~root.last] = np.random.default_rng(0).permutation(root.item[~root.last])
    root.train_on(~root.last, shuffled)
    before = root.serving_files()
    return root.run(), before, root.serving_files()


@pytest.mark.slow
def test_a_better_model_from_more_data_is_pushed_as_the_new_version(improved):
    first, second = improved

    assert "skipped: there is no champion yet to compare with" in first.out
    assert "blessed and pushed" in first.out
    assert len(first.versions) == 1
    assert "against the champion" in second.out
    assert "blessed and pushed" in second.out
    assert len(second.versions) == 2
    assert second.versions[0] == first.versions[0]
    champion = second.evaluation.champion
    assert champion.version == first.versions[0]
    assert champion.compared.shared_users > 450
    assert champion.compared.differences["HR@10"].low > 0
    assert champion.compared.differences["NDCG@10"].low > 0


@pytest.mark.slow
def test_a_model_trained_on_shuffled_labels_is_refused_and_the_champion_stays(improved, refused):
    state, before, after = refused

    assert "not blessed, not pushed: NDCG@10 on the sampled records minus the champion's" in state.out
    assert after == before
    failed = [rule.rule for rule in state.evaluation.rules if rule.state is evaluation.State.FAILED]
    assert failed == ["not_worse_than_champion_ndcg"]
    assert state.evaluation.champion.version == improved[1].versions[-1]
    assert state.evaluation.champion.compared.differences["HR@10"].high < -0.05


@pytest.mark.slow
def test_a_refused_model_is_judged_anew_when_the_champion_is_gone(root, refused):
    for version in refused[0].versions:
        (root.serving / version / "saved_model.pb").unlink()

    again = root.run()

    lines = [line.split() for line in again.out.splitlines() if "✓" in line][:5]
    steps = {words[0]: words[2] == "cached" for words in lines}
    assert steps == {"Preprocess": True, "NegativeGen": True, "Trainer": True, "Evaluator": False, "Pusher": False}
    assert again.evaluation.champion.status is ChampionStatus.NONE
    assert len(again.versions) == len(refused[0].versions) + 1
