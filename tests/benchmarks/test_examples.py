from pathlib import Path

import numpy as np
import pytest

from benchmarks import reading
from benchmarks.columns import load_columns
from benchmarks.examples import save_first_epoch, write_examples
from benchmarks.neumf import Shape
from components.artifacts.examples import ExamplesSummary
from components.trainer.data import Examples

_SHAPE = Shape(users=60, items=200, interactions=3_000)
_ROWS = 5 * (3_000 - 60)  # one of each user is held out


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("benchmark") / "examples")
    write_examples(folder, _SHAPE, batch_size=512, epochs=2)
    return folder


def test_an_epoch_has_all_rows(examples: str) -> None:
    summary = ExamplesSummary.read(examples)
    assert (summary.users, summary.epochs, summary.batches_per_epoch) == (60, 2, -(-_ROWS // 512))
    assert summary.evaluation == {}


def test_a_cut_epoch_is_the_beginning_of_the_whole_one(examples: str, tmp_path: Path) -> None:
    cut = str(tmp_path / "cut")
    write_examples(cut, _SHAPE, batch_size=512, epochs=2, most_batches=3)
    assert ExamplesSummary.read(cut).batches_per_epoch == 3
    for epoch in range(2):
        found, whole = (list(Examples.open(uri).training_rows(epoch)) for uri in (cut, examples))
        assert len(found) == 3
        np.testing.assert_array_equal(np.concatenate(found, axis=1), np.concatenate(whole[:3], axis=1))


def test_saved_columns_are_the_first_epoch(examples: str, tmp_path: Path) -> None:
    save_first_epoch(examples, str(tmp_path))
    whole = np.concatenate(list(Examples.open(examples).training_rows(0)), axis=1)
    np.testing.assert_array_equal(load_columns(str(tmp_path)), whole)


@pytest.mark.parametrize("read", [reading._read, reading._read_by_tf_data])
def test_both_readers_find_all_batches(examples: str, read: reading.Reader) -> None:
    elements = list(read(examples, 4))
    batches = ExamplesSummary.read(examples).batches_per_epoch
    assert sum(int(element[0]) for element in elements) == batches
    labels = np.concatenate([np.asarray(element[3])[: int(element[0])] for element in elements])
    assert labels.shape == (batches, 512)
    assert labels.mean() == pytest.approx(0.2, abs=0.01)


def test_the_rate_is_that_of_the_rows(examples: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 14.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock, 99.0))
    rows = ExamplesSummary.read(examples).batches_per_epoch * 512
    assert reading._speed(reading._read_by_tf_data, examples, 4, 3) == 3 * rows / 4
