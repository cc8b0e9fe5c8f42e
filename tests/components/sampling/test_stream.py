"""What training draws itself is what NegativeGen writes."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.examples import ExamplesSummary
from components.sampling import stream as streaming
from components.sampling.drawing import Drawn, draw_file
from components.sampling.sampler import Sampler
from components.sampling.stream import ELEMENTS_AHEAD, FILES_AHEAD, TrainingBatches, stream
from components.shared.errors import UserError
from tests.components.negative_gen.helpers import contents, make_job, random_data, read_epoch, run

EPOCHS = range(3)


def rows_of(elements: Sequence[TrainingBatches]) -> dict[str, np.ndarray]:
    """The rows of an epoch, [rows]."""
    taken = [[column[:steps].ravel() for column in columns] for steps, *columns in elements]
    return dict(zip(("user", "item", "label"), map(np.concatenate, zip(*taken, strict=True)), strict=True))


@pytest.mark.parametrize(
    ("shape", "options"),
    {
        "one file": ({}, {"batch_size": 100}),
        "several files": ({"shards": 5}, {"batch_size": 64, "max_rows_per_file": 1_000}),
        "another seed": ({"shards": 5}, {"batch_size": 64, "max_rows_per_file": 1_000, "seed": 8}),
        "full batches": ({"least": 12, "most": 13}, {"batch_size": 50, "max_rows_per_file": 1_000}),
        "files smaller than a batch": ({}, {"batch_size": 3_000, "max_rows_per_file": 1_000}),
        "an epoch smaller than a batch": ({"users": 4}, {"batch_size": 2_000}),
        "one negative": ({}, {"batch_size": 100, "num_negatives": 1}),
        "MLPerf's protocol": ({}, {"batch_size": 100, "max_rows_per_file": 2_000, "protocol": "mlperf"}),
        "users with nearly all items": ({"items": 62}, {"batch_size": 100, "max_rows_per_file": 2_000}),
    }.values(),
)
def test_the_rows_of_the_files_in_their_order(shape: dict, options: dict, tmp_path: Path) -> None:
    data = random_data(tmp_path, **shape)
    job = make_job(data, tmp_path / "files", epochs=len(EPOCHS), source="files", **options)
    written = run(job)
    for epoch, elements in zip(EPOCHS, stream(job.sampler, EPOCHS, steps_per_call=3), strict=True):
        streamed, expected = rows_of(list(elements)), read_epoch(written, epoch)
        for name, values in expected.items():
            assert streamed[name].dtype == values.dtype
            np.testing.assert_array_equal(streamed[name], values)


def test_elements_have_one_shape_and_zeros_behind_the_last_batch(tmp_path: Path) -> None:
    sampler = make_job(random_data(tmp_path), tmp_path, batch_size=100).sampler
    ((*others, last),) = map(list, stream(sampler, [0], steps_per_call=7))
    assert {column.shape for _, *columns in (*others, last) for column in columns} == {(7, 100)}
    assert [steps for steps, *_ in others] == [7] * len(others)
    assert last[0] == sampler.batches_per_epoch - 7 * len(others) < 7
    assert not any(column[last[0] :].any() for column in last[1:])


def test_training_goes_on_in_the_middle(tmp_path: Path) -> None:
    sampler = make_job(random_data(tmp_path), tmp_path, batch_size=64, max_rows_per_file=2_000).sampler
    whole = [rows_of(list(elements)) for elements in stream(sampler, range(4), steps_per_call=2)]
    rest = [rows_of(list(elements)) for elements in stream(sampler, range(2, 4), steps_per_call=5)]
    for one, other in zip(whole[2:], rest, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(other[name], values)


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The files whose drawing has begun."""
    begun: list[tuple[int, int]] = []

    def watched(sampler: Sampler, epoch: int, file: int, *rest: object) -> Drawn:
        begun.append((epoch, file))
        return draw_file(sampler, epoch, file, *rest)

    monkeypatch.setattr(streaming, "draw_file", watched)
    return begun


def test_drawing_waits_for_the_step(tmp_path: Path, draws: list[tuple[int, int]]) -> None:
    sampler = make_job(random_data(tmp_path, users=200), tmp_path, batch_size=10, max_rows_per_file=1_000).sampler
    assert sampler.files > 8
    with closing(stream(sampler, range(100), steps_per_call=1)) as epochs:
        elements = next(epochs)
        next(elements)
        time.sleep(0.3)
        # One file is cut into elements; no more than those ahead of it are drawn.
        assert len(draws) <= 1 + FILES_AHEAD
        for _ in range(sampler.batches_per_epoch - 1 - ELEMENTS_AHEAD):
            next(elements)
        time.sleep(0.3)
        assert len(draws) <= sampler.files + FILES_AHEAD
        assert draws[-1][0] <= 1


def test_the_next_epoch_is_drawn_before_it_is_asked_for(tmp_path: Path, draws: list[tuple[int, int]]) -> None:
    sampler = make_job(random_data(tmp_path), tmp_path, batch_size=100).sampler
    with closing(stream(sampler, range(9), steps_per_call=4)) as epochs:
        list(next(epochs))
        assert (1, 0) in draws


def test_a_stream_that_is_closed_leaves_no_thread(tmp_path: Path) -> None:
    sampler = make_job(random_data(tmp_path), tmp_path, batch_size=10, max_rows_per_file=1_000).sampler
    before = threading.active_count()
    with closing(stream(sampler, range(9), steps_per_call=1)) as epochs:
        next(next(epochs))
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_missing_interactions_are_told(tmp_path: Path) -> None:
    data = random_data(tmp_path)
    sampler = make_job(data, tmp_path).sampler
    next(Path(data.uri, "Split-train").iterdir()).unlink()
    with pytest.raises(UserError, match="Split-train"):
        list(map(list, stream(sampler, [0], steps_per_call=1)))


def test_streamed_examples_have_evaluation_records_and_what_the_rows_are_drawn_by(tmp_path: Path) -> None:
    data = random_data(tmp_path)
    files, streamed = (
        run(make_job(data, tmp_path / source, epochs=2, source=source, max_rows_per_file=1_000))
        for source in ("files", "streamed")
    )
    records = {name: content for name, content in contents(files).items() if "validation" in name or "test" in name}
    assert {name: content for name, content in contents(streamed).items() if name != "summary.json"} == records
    one, other = (ExamplesSummary.read(str(folder)) for folder in (files, streamed))
    job = make_job(data, tmp_path, max_rows_per_file=1_000)
    assert one.streamed is None
    assert other.streamed is not None
    assert other.streamed.interactions == job.interactions.summary.fingerprint
    assert other.streamed.file_bits == job.sampler.file_bits > 0
    assert (other.rows_per_epoch, other.batches_per_epoch) == (one.rows_per_epoch, one.batches_per_epoch)


def test_another_seed_is_another_stream(tmp_path: Path) -> None:
    data = random_data(tmp_path)
    prints = {
        ExamplesSummary.read(str(run(make_job(data, tmp_path / f"{seed}", source="streamed", seed=seed)))).fingerprint
        for seed in (1, 2)
    }
    assert len(prints) == 2


@pytest.mark.parametrize(("limit", "streams"), [(0.0, True), (1e-4, True), (1e-3, False), (4.0, False)])
def test_auto_streams_what_would_be_large(limit: float, streams: bool, tmp_path: Path) -> None:
    job = make_job(random_data(tmp_path), tmp_path, batch_size=10, epochs=9, files_limit_gb=limit)
    assert 1e-4 < job.gigabytes < 1e-3
    assert job.streams == streams
    written = run(make_job(random_data(tmp_path), tmp_path / "files", batch_size=10, epochs=9, source="files"))
    size = sum(len(content) for name, content in contents(written).items() if "train" in name)
    # Records of ten rows are half frame; of real batches it is nothing.
    assert job.gigabytes * 1e9 < size < 3 * job.gigabytes * 1e9
