"""What steps hand to one another: a number in one process, the value itself anywhere else."""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.preprocess import beam_pipeline, handed_over
from components.preprocess.handed_over import Handed, hand_over, in_one_process
from components.preprocess.shards import packing
from components.shared.errors import UserError

ROWS = np.arange(1_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    users, items = random.integers(0, 300, 6_000), (200 * random.random(6_000) ** 2).astype(int)
    rows = zip(users.tolist(), items.tolist(), strict=True)
    (tmp_path / "rows.csv").write_text("\n".join(["user,item,timestamp", *(f"{u},{i},{i}" for u, i in rows)]))
    return tmp_path


@pytest.fixture(autouse=True)
def jobs() -> Iterator[None]:
    yield
    for job in ("job", "other"):
        handed_over.forget(job)


def passed_on(handed: Handed[np.ndarray]) -> Handed[np.ndarray]:
    passed: Handed[np.ndarray] = pickle.loads(pickle.dumps(handed))
    return passed


@pytest.mark.parametrize("in_process", [True, False])
def test_what_is_handed_over_arrives(in_process: bool) -> None:
    handed = hand_over(ROWS, "job", in_process)
    for arrived in (passed_on(handed).look(), passed_on(handed).look(), passed_on(handed).take()):
        np.testing.assert_array_equal(arrived, ROWS)


def test_in_one_process_a_number_passes_and_what_is_taken_is_let_go() -> None:
    handed = hand_over(ROWS, "job", in_process=True)
    assert len(pickle.dumps(handed)) < 200 < ROWS.nbytes
    assert passed_on(handed).take() is ROWS
    with pytest.raises(KeyError):
        handed.look()


def test_a_job_is_forgotten_without_the_others() -> None:
    mine, other = hand_over(ROWS, "job", in_process=True), hand_over(ROWS, "other", in_process=True)
    handed_over.forget("job")
    with pytest.raises(KeyError):
        mine.take()
    assert other.take() is ROWS


@pytest.mark.parametrize(
    ("runner", "flags", "together"),
    [
        ("FnApiRunner", [], True),
        ("FnApiRunner", ["--direct_running_mode=in_memory", "--direct_num_workers=1"], True),
        ("FnApiRunner", ["--direct_running_mode=multi_threading", "--direct_num_workers=2"], False),
        ("FnApiRunner", ["--direct_running_mode=multi_processing", "--direct_num_workers=2"], False),
        ("FnApiRunner", ["--direct_runner_bundle_repeat=1"], False),
        ("DirectRunner", [], False),
        ("FlinkRunner", [], False),
        ("PortableRunner", [], False),
    ],
)
def test_numbers_pass_only_where_all_steps_run_in_one_process(runner: str, flags: list[str], together: bool) -> None:
    pipeline = beam.Pipeline(runner=runner, options=PipelineOptions(flags))
    assert in_one_process(pipeline) == together


def test_the_shards_are_gone_through_again_and_again_until_items_settle(prepare: Callable, folder: Path) -> None:
    found = [
        prepare(folder / "rows.csv", min_interactions=10, min_item_interactions=15, rows_per_shard=1_000, flags=flags)
        for flags in ((), ("--direct_running_mode=multi_threading", "--direct_num_workers=2"))
    ]
    assert 0 < found[0].summary.users < 300
    assert 0 < found[0].summary.items < 200
    assert found[0].files() == found[1].files()


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_held_after_a_run(
    prepare: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    held = []

    def sort(*arguments: object) -> packing.Sorted:
        held.append(sum(map(len, handed_over._values.values())))
        return packing_sort(*arguments)

    packing_sort = packing.sort
    monkeypatch.setattr(beam_pipeline.packing, "sort", sort)
    if fails:
        with pytest.raises(UserError, match="min_interactions"):
            prepare(folder / "rows.csv", min_interactions=100, rows_per_shard=1_000)
    else:
        prepare(folder / "rows.csv", min_interactions=1, rows_per_shard=1_000)
    assert max(held) > 0
    assert handed_over._values == {}
