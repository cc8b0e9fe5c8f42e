import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from components.serving.versions import Version, add_version, newest_version
from components.shared.errors import UserError


def test_the_newest_version_is_the_highest_number_that_is_whole(tmp_path: Path) -> None:
    for name in ("9", "10", "11", "latest", "12.writing", "-13", "²"):
        (tmp_path / name).mkdir(parents=True)
        if name != "11":
            (tmp_path / name / "saved_model.pb").touch()
    (tmp_path / "99").touch()

    assert newest_version(str(tmp_path)) == Version("10", str(tmp_path / "10"))


def test_a_destination_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"^the push destination .*file cannot be read \("):
        newest_version(str(tmp_path / "file"))


@pytest.fixture
def model(tmp_path: Path) -> str:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"g" * 70_000)
    (folder / "variables" / "variables.index").write_bytes(b"w" * 90_000)
    return str(folder)


def _contents(folder: str | Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_versions_pushed_within_a_second_are_two(tmp_path: Path, model: str) -> None:
    first, second, third = (add_version(model, str(tmp_path / "serving")) for _ in range(3))

    assert int(first.name) < int(second.name) < int(third.name) <= int(time.time()) + 2
    assert newest_version(str(tmp_path / "serving")) == third
    assert _contents(first.path) == _contents(second.path) == _contents(third.path) == _contents(model)


def test_a_clock_that_went_back_does_not_make_the_last_push_an_older_version(tmp_path: Path, model: str) -> None:
    (tmp_path / "serving" / "99999999999").mkdir(parents=True)

    assert add_version(model, str(tmp_path / "serving")).name == "100000000000"


def test_a_full_disk_leaves_nothing_behind_and_the_next_push_works(
    tmp_path: Path, model: str, files_of_at_most: Callable[[int], AbstractContextManager[None]]
) -> None:
    serving = tmp_path / "serving"
    with files_of_at_most(80_000), pytest.raises(UserError, match=r"^cannot write .*variables.index: the file is lar"):
        add_version(model, str(serving))

    assert os.listdir(serving) == []
    assert _contents(add_version(model, str(serving)).path) == _contents(model)


def test_a_push_does_not_touch_what_another_one_is_writing(tmp_path: Path, model: str) -> None:
    pushes = [_pushing(model, tmp_path / "serving", times=5) for _ in range(3)]

    assert [os.waitpid(push, 0)[1] for push in pushes] == [0, 0, 0]
    versions = [path for path in (tmp_path / "serving").iterdir() if path.is_dir()]
    assert len(versions) == 15
    assert all(_contents(version) == _contents(model) for version in versions)


def test_killed_pushes_leave_no_version_that_is_not_whole() -> None:
    # In a process without TensorFlow, which takes long to fork.
    asked = [sys.executable, "-m", "tests.faults.kill_pushes", "100", "1"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout

    kills, versions, unfinished = map(int, re.findall(r"\d+", told)[:3])
    assert kills == 100
    assert versions
    assert unfinished


def _pushing(model: str, serving: Path, times: int) -> int:
    """A process that pushes so many times."""
    child = os.fork()
    if child:
        return child
    try:
        for _ in range(times):
            add_version(model, str(serving))
        os._exit(0)
    finally:
        os._exit(1)
