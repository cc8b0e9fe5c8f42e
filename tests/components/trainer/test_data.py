import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.sampling.stream import TrainingBatches
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples


@pytest.fixture
def examples(inputs: Path) -> Examples:
    return Examples.open(str(inputs / "examples"))


def epoch(examples: Examples, number: int, steps_per_call: int) -> list[TrainingBatches]:
    (batches,) = map(list, examples.training_epochs([number], steps_per_call))
    return batches


def test_an_epoch_in_steps_of_static_shape(examples: Examples) -> None:
    groups = epoch(examples, 2, 4)
    assert {tuple(array.shape for array in arrays) for _, *arrays in groups} == {((4, 64),) * 3}
    steps = [group[0] for group in groups]
    assert sum(steps) == examples.summary.batches_per_epoch
    assert steps == [4] * (len(steps) - 1) + [examples.summary.batches_per_epoch % 4 or 4]
    users, items, labels = (np.concatenate([group[n][: group[0]] for group in groups]) for n in (1, 2, 3))
    assert users.dtype == items.dtype == np.int32
    assert labels.dtype == np.uint8
    # The fixture's positives are the items of the user's own group.
    np.testing.assert_array_equal(labels == 1, users % 4 == items % 4)


def test_epochs_are_their_own_files(examples: Examples) -> None:
    first, second = (epoch(examples, n, 4)[0][2] for n in (0, 1))
    assert (first != second).any()


def test_a_damaged_file_is_told(inputs: Path, tmp_path: Path) -> None:
    shutil.copytree(inputs / "examples", tmp_path / "examples")
    file = sorted((tmp_path / "examples" / "Split-train").glob("epoch-00000-*"))[-1]
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"epoch-00000-.*: record \d+ is damaged"):
        epoch(Examples.open(str(tmp_path / "examples")), 0, 4)


def test_order_is_the_same_each_time(examples: Examples) -> None:
    once, again = ([group[2] for group in epoch(examples, 0, 3)] for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_validation_batches(examples: Examples) -> None:
    batches = list(examples.validation_batches().as_numpy_iterator())
    assert [array.shape for array in batches[0]] == [(32, 20)] * 3
    users, _, mask = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    counted = users[mask[:, 0] == 0]
    np.testing.assert_array_equal(counted[:, 0], np.arange(examples.summary.users))
    assert (counted == counted[:, :1]).all()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"batch_size": 128}, r"trainer.batch_size is 128, .* batches of 64; .* set trainer.batch_size=64"),
        ({"batch_size": 32}, r"trainer.batch_size is 32, .* batches of 64"),
        ({"epochs": 7}, r"training needs 7 epochs, .* hold 6; .* set trainer.epochs=6"),
    ],
)
def test_what_the_files_were_not_cut_for(examples: Examples, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        examples.check(TrainerConfig(**{"batch_size": 64, "epochs": 6, **fields}))
    examples.check(TrainerConfig(batch_size=64, epochs=6))


def test_an_artifact_without_files(tmp_path: Path, examples: Examples) -> None:
    with pytest.raises(UserError, match=r"no summary.json"):
        Examples.open(str(tmp_path))
    replace(examples.summary, evaluation={}).write(str(tmp_path))
    with pytest.raises(UserError, match=r"no file epoch-00000-\*.tfrecord"):
        epoch(Examples.open(str(tmp_path)), 0, 1)
