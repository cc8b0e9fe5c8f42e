"""Hand-made artifacts: what Preprocess and NegativeGen hand to the trainer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from components.artifacts.examples import EvaluationLayout, ExamplesSummary, evaluation_file, training_file
from components.artifacts.splits import Split
from components.artifacts.vocabulary import write_vocabulary
from components.shared import progress
from components.trainer.config import TrainerConfig
from components.trainer.run_fn import run_fn
from tests.components.artifacts.handmade import write_interactions
from tests.components.negative_gen.helpers import Data, make_job, run
from tests.components.trainer.builders import PLAIN

USERS, ITEMS, WIDTH = 60, 40, 20


@dataclass
class Workspace:
    """Inputs of a training, and where it puts its outputs."""

    root: Path
    examples: Path
    vocabulary: Path
    interactions: Path

    def fn_args(self, name: str = "run", seed: int = 0, **fields: Any) -> FnArgs:
        """Arguments as the stock Trainer hands them over."""
        config = {**CONFIG, **fields}
        return FnArgs(
            train_files=[f"{self.examples}/Split-train/*"],
            transform_graph_path=str(self.vocabulary),
            serving_model_dir=f"{self.root}/{name}/model/Format-Serving",
            model_run_dir=f"{self.root}/{name}/model_run",
            custom_config={
                "config": TrainerConfig(**config).model_dump(mode="json"),
                "seed": seed,
                "checkpoint_root": f"{self.root}/checkpoints",
                "push_destination": f"{self.root}/serving",
                "code_version": "test",
                "interactions": str(self.interactions),
            },
        )

    def model(self, name: str = "run") -> Path:
        return self.root / name / "model"

    def model_run(self, name: str = "run") -> Path:
        return self.root / name / "model_run"


CONFIG: dict[str, Any] = {
    "num_factors": 4, "layers": (8, 6, 4), "batch_size": 64, "epochs": 3, "learning_rate": 0.05,
    "embedding_stddev": 0.1, "early_stopping_patience": None, "steps_per_call": 4,
    **PLAIN,
}  # fmt: skip


def write_records(path: Path, batches: list[dict[str, np.ndarray]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for batch in batches:
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[array.tobytes()]))
                for name, array in batch.items()
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


def liked(user: int) -> np.ndarray:
    """Users like the items of their own group, of 4."""
    return np.flatnonzero(np.arange(ITEMS) % 4 == user % 4)


def write_examples(folder: Path, validation: bool = True, epochs: int = 6, batch_size: int = 64) -> Path:
    """One liked item of each user is held out for validation."""
    rng = np.random.default_rng(0)
    others = [np.flatnonzero(np.arange(ITEMS) % 4 != user % 4) for user in range(USERS)]
    user = np.repeat(np.arange(USERS), 9).astype(np.int32)
    item = np.concatenate([liked(u)[1:] for u in range(USERS)]).astype(np.int32)
    rows = 5 * len(user)
    batches = -(-rows // batch_size)
    for epoch in range(epochs):
        negatives = np.stack([rng.choice(others[u], 4) for u in user]).astype(np.int32)
        users = np.concatenate([user, np.repeat(user, 4)])
        items = np.concatenate([item, negatives.ravel()])
        labels = np.concatenate([np.ones(len(user)), np.zeros(4 * len(user))]).astype(np.uint8)
        order = np.resize(rng.permutation(rows), batches * batch_size).reshape(batches, batch_size)
        records = [{"user": users[rows], "item": items[rows], "label": labels[rows]} for rows in order]
        for shard, part in enumerate([records[: batches // 2], records[batches // 2 :]]):
            write_records(folder / training_file(epoch, shard, 2), part)
    evaluation: dict[Split, EvaluationLayout] = {}
    if validation:
        per_batch = 32
        padded = -(-USERS // per_batch) * per_batch
        users = np.repeat(np.resize(np.arange(USERS), padded), WIDTH).reshape(padded, WIDTH).astype(np.int32)
        items = np.stack([[liked(u)[0], *rng.choice(others[u], WIDTH - 1, False)] for u in users[:, 0]]).astype(
            np.int32
        )
        mask = np.zeros((padded, WIDTH), np.uint8)
        mask[USERS:, 0] = 1
        records = [
            {"user": users[at : at + per_batch], "item": items[at : at + per_batch], "mask": mask[at : at + per_batch]}
            for at in range(0, padded, per_batch)
        ]
        write_records(folder / evaluation_file("validation"), records)
        evaluation["validation"] = EvaluationLayout(
            users=USERS, width=WIDTH, users_per_batch=per_batch, batches=padded // per_batch
        )
    ExamplesSummary(
        batch_size=batch_size, epochs=epochs, num_negatives=4, rows_per_epoch=rows, batches_per_epoch=batches,
        users=USERS, items=ITEMS, train_positives=len(user), protocol="standard", evaluation=evaluation, seed=0,
        fingerprint=f"fixture-{validation}",
    ).write(str(folder))  # fmt: skip
    return folder


def write_ids(folder: Path, text: bool = False) -> Path:
    """A vocabulary where index n occurs n times."""
    ids = [[f"é-{id_}" if text else id_ for id_ in range(1000, 1000 + 7 * size, 7)] for size in (USERS, ITEMS)]
    write_vocabulary(str(folder), *map(pa.array, ids), np.arange(USERS), np.arange(ITEMS))
    return folder


def write_likes(folder: Path) -> Path:
    """What users like: the first for validation, the second for the test, the others for training."""
    places: dict[Split, Iterable[int]] = {"train": range(2, 10), "validation": [0], "test": [1]}
    rows = {
        split: [(user, liked(user)[place]) for user in range(USERS) for place in chosen]
        for split, chosen in places.items()
    }
    write_interactions(str(folder), rows, USERS, ITEMS)
    return folder


class Notes(progress.Reporter):
    """Keeps what the step says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)

    def warn(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def notes() -> Iterator[list[str]]:
    """What steps say during the test."""
    reporter = Notes()
    progress.show_on(reporter)
    yield reporter.texts
    progress.show_on(progress.Reporter())


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read-only artifacts: examples with and without validation, vocabularies of integer and of text ids."""
    root = tmp_path_factory.mktemp("inputs")
    write_examples(root / "examples")
    write_examples(root / "examples_without_validation", validation=False)
    write_ids(root / "vocabulary")
    write_ids(root / "vocabulary_of_text", text=True)
    write_likes(root / "interactions")
    return root


@pytest.fixture(scope="session")
def by_source(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What NegativeGen makes of the interactions: `files`, and `streamed` examples without them."""
    root = tmp_path_factory.mktemp("by_source")
    return {source: generated(inputs, root / source, source=source) for source in ("files", "streamed")}


@pytest.fixture(scope="session")
def written_ahead(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Examples of the same interactions, whose rows are to be written two epochs ahead."""
    return generated(inputs, tmp_path_factory.mktemp("written_ahead"), source="files", epochs_ahead=2)


def generated(inputs: Path, folder: Path, **negatives: Any) -> Path:
    data = Data(str(inputs / "interactions"), str(inputs / "vocabulary"), USERS, ITEMS, [], {"validation": {}})
    options = {"batch_size": 64, "epochs": 4, "max_rows_per_file": 1_000, "num_eval_negatives": WIDTH}
    return run(make_job(data, folder, **options, **negatives))


def workspace_at(root: Path, inputs: Path) -> Workspace:
    return Workspace(root, inputs / "examples", inputs / "vocabulary", inputs / "interactions")


@pytest.fixture
def workspace(inputs: Path, tmp_path: Path) -> Workspace:
    return workspace_at(tmp_path, inputs)


@pytest.fixture(scope="session")
def trained(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace where `run_fn` has been through once, under the name `run`; not to be changed."""
    workspace = workspace_at(tmp_path_factory.mktemp("trained"), inputs)
    run_fn(workspace.fn_args(epochs=4))
    return workspace
