"""Files that another process writes ahead: those of NegativeGen, few at a time, and nothing stays behind."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from components.sampling.epochs_ahead import written_ahead
from components.sampling.sampler import Sampler
from components.shared.errors import UserError
from tests.components.negative_gen.helpers import contents, make_job, random_data, run

ROOT = Path(__file__).resolve().parents[3]
EPOCHS = range(5)


@pytest.fixture
def sampler(tmp_path: Path) -> Sampler:
    return make_job(random_data(tmp_path), tmp_path, batch_size=64, max_rows_per_file=1_000).sampler


def epochs_in(folder: Path) -> set[str]:
    """The epochs that have a file in a folder, whole or not."""
    names = (name for _, _, files in os.walk(folder) for name in files)  # which passes over what is gone
    return {name[: len("epoch-00000")] for name in names}


def until(happened: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    return happened()


@pytest.mark.parametrize("options", [{"max_rows_per_file": 1_000}, {}], ids=["several files", "one file"])
@pytest.mark.parametrize("number", [1, 3])
def test_the_bytes_of_the_files_and_few_epochs_at_a_time(number: int, options: dict[str, int], tmp_path: Path) -> None:
    data = random_data(tmp_path)
    job = make_job(data, tmp_path / "files", epochs=len(EPOCHS), source="files", batch_size=64, **options)
    expected = contents(run(job))
    folder, found, most, over = tmp_path / "ahead", dict[str, bytes](), set[int](), threading.Event()

    def watch() -> None:
        while not over.is_set():
            most.add(len(epochs_in(folder)))
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for epoch in written_ahead(job.sampler, str(folder), EPOCHS, number):
            last = min(epoch + number, EPOCHS[-1])
            assert until(lambda last=last: f"epoch-{last:05d}" in epochs_in(folder))
            time.sleep(0.1)  # to see whether it goes further
            assert epochs_in(folder) == {f"epoch-{n:05d}" for n in range(epoch, last + 1)}
            found |= {name: data for name, data in contents(folder).items() if f"epoch-{epoch:05d}" in name}
    finally:
        over.set()
        watcher.join()
    assert found == {name: data for name, data in expected.items() if "Split-train" in name}
    assert max(most) == 1 + number
    assert not folder.exists()


def test_it_goes_on_in_the_middle_and_clears_what_was_left(sampler: Sampler, tmp_path: Path) -> None:
    folder = tmp_path / "ahead"
    left = folder / "Split-train" / "epoch-00009-shard-00000-of-00009.tfrecord.writing"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a record")
    with closing(written_ahead(sampler, str(folder), range(3, 5), 3)) as written:
        assert next(written) == 3
        assert not left.exists()
        assert "epoch-00000" not in epochs_in(folder)
        assert next(written) == 4
        assert next(written, None) is None
    assert not folder.exists()


def test_one_that_is_closed_early_leaves_neither_files_nor_a_process(sampler: Sampler, tmp_path: Path) -> None:
    with closing(written_ahead(sampler, str(tmp_path / "ahead"), range(1_000), 3)) as written:
        next(written)
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()
    assert not (tmp_path / "ahead").exists()


def test_a_process_that_is_killed_is_told(sampler: Sampler, tmp_path: Path) -> None:
    with closing(written_ahead(sampler, str(tmp_path / "ahead"), range(1_000), 1)) as written:
        next(written)
        (process,) = multiprocessing.active_children()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        expected = r"could not be written ahead: its process was killed, as .* memory runs out; run again to go on"
        with pytest.raises(UserError, match=expected):
            list(written)
    assert not (tmp_path / "ahead").exists()


def test_what_a_user_can_mend_is_told_as_it_is(tmp_path: Path) -> None:
    data = random_data(tmp_path)
    sampler = make_job(data, tmp_path).sampler
    next(Path(data.uri, "Split-train").iterdir()).unlink()
    with pytest.raises(UserError, match="Split-train") as told:
        list(written_ahead(sampler, str(tmp_path / "ahead"), EPOCHS, 1))
    assert "written ahead" not in str(told.value)
    assert not (tmp_path / "ahead").exists()


PARENT = """
import pickle, sys, time
from components.sampling.epochs_ahead import written_ahead
import multiprocessing
if __name__ == "__main__":
    written = written_ahead(pickle.load(open(sys.argv[1], "rb")), sys.argv[2], range(1_000), int(sys.argv[3]))
    next(written)
    print(multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(300)
"""


@pytest.mark.parametrize("number", [1, 100], ids=["while it waits", "while it writes"])
def test_an_orphan_ends_by_itself(number: int, tmp_path: Path) -> None:
    sampler = make_job(random_data(tmp_path, users=1_000), tmp_path, batch_size=64, max_rows_per_file=10_000).sampler
    (tmp_path / "sampler").write_bytes(pickle.dumps(sampler))
    command = [sys.executable, "-c", PARENT, str(tmp_path / "sampler"), str(tmp_path / "ahead"), str(number)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        os.kill(orphan, 0)
        parent.kill()
    assert until(lambda: not _lives(orphan), seconds=5)
    assert len(epochs_in(tmp_path / "ahead")) < 100


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
