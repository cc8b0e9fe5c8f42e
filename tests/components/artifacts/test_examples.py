from pathlib import Path

import pytest

from components.artifacts.examples import evaluation_file, list_evaluation_files, list_training_files, training_file
from components.shared.errors import UserError


def touch(uri: Path, *names: str) -> None:
    for name in names:
        (uri / name).parent.mkdir(exist_ok=True)
        (uri / name).touch()


def test_names_of_files() -> None:
    assert training_file(7, 3, 20) == "Split-train/epoch-00007-shard-00003-of-00020.tfrecord"
    assert evaluation_file("test") == "Split-test/shard-00000-of-00001.tfrecord"


def test_the_files_of_an_epoch_come_in_the_order_of_their_shards(tmp_path: Path) -> None:
    names = [training_file(epoch, shard, 12) for epoch in (1, 0, 10) for shard in (10, 0, 9)]
    touch(tmp_path, *names, evaluation_file("validation"))
    assert list_training_files(str(tmp_path), 1) == [f"{tmp_path}/{training_file(1, n, 12)}" for n in (0, 9, 10)]
    assert list_evaluation_files(str(tmp_path), "validation") == [f"{tmp_path}/{evaluation_file('validation')}"]


def test_what_has_no_files_is_told(tmp_path: Path) -> None:
    touch(tmp_path, training_file(0, 0, 1))
    with pytest.raises(UserError, match=r"Split-train has no file epoch-00001-\*\.tfrecord; run NegativeGen again"):
        list_training_files(str(tmp_path), 1)
    with pytest.raises(UserError, match=r"Split-test has no file \*\.tfrecord; run NegativeGen again"):
        list_evaluation_files(str(tmp_path), "test")
