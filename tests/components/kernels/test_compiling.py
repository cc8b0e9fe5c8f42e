"""Loops compile, and run, wherever they are; kept code is used only where nothing that it came from has changed."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import components

_CAPABILITIES = 1, 2, 3  # to override permissions, to read and search anything, to act as a file's owner
_DROP = 24  # PR_CAPBSET_DROP

_COUNTED = """
from components.room import loop
print(loop.doubled(20), len(loop.doubled.stats.cache_hits))
"""
_IMPORTS_ALL = """
import contextlib, importlib, pkgutil
import components
import numpy as np
folder = components.__path__[0]
with contextlib.suppress(OSError):
    open(folder + "/written", "w")
    raise SystemExit("this folder can be written")
names = [module.name for module in pkgutil.walk_packages(components.__path__, "components.")]
found = [name for name in names if "compiling import" in importlib.util.find_spec(name).loader.get_source(name)]
assert len(found) > 5, found
for name in found:
    importlib.import_module(name)
from components.kernels.random import GAMMA
from components.kernels.compiling import entry_point
from components.sampling.loops import shuffle
rows = np.arange(5, dtype=np.uint64)
shuffle(rows, np.uint64(1))
assert sorted(rows) == [0, 1, 2, 3, 4]
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A copy of `components`, without compiled code."""
    copy = tmp_path / "components"
    shutil.copytree(Path(components.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    yield copy
    _make(copy, writable=True)


@pytest.fixture
def loop(package: Path) -> Path:
    """A room in the copy, with a loop that calls one in another file."""
    (package / "room").mkdir()
    (package / "room" / "__init__.py").write_text("")
    (package / "room" / "factor.py").write_text("FACTOR = 2\n")
    (package / "room" / "part.py").write_text(
        "from components.kernels.compiling import compiled\n"
        "from components.room.factor import FACTOR\n\n\n"
        "@compiled(hot=True)\ndef times(number):\n    return number * FACTOR\n"
    )
    (package / "room" / "loop.py").write_text(
        "from components.kernels.compiling import entry_point\n"
        "from components.room.part import times\n\n\n"
        "@entry_point(hot=True)\ndef doubled(number):\n    return times(number)\n"
    )
    return package


def _make(folder: Path, writable: bool) -> None:
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        place.chmod(0o755 if writable else 0o555)


def _obey_permissions() -> None:
    """Takes from root, in a process about to start, what lets it write anywhere."""
    for capability in _CAPABILITIES:
        ctypes.CDLL(None).prctl(_DROP, capability)


def _run(package: Path, script: str, **variables: str) -> str:
    """What a script prints that finds the copy, in a process without a home, and without rights beyond permissions."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH")}
    environment = {**kept, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/proc/no home"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment | variables, cwd="/", preexec_fn=_obey_permissions,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_everything_imports_and_loops_run_where_nothing_can_be_written(package: Path) -> None:
    _make(package, writable=False)
    before = sorted(package.rglob("*"))
    _run(package, _IMPORTS_ALL)
    assert sorted(package.rglob("*")) == before


def test_code_is_kept_and_used_again(loop: Path) -> None:
    assert _run(loop, _COUNTED) == "40 0"
    assert _run(loop, _COUNTED) == "40 1"


def test_code_that_was_kept_is_used_where_nothing_can_be_written(loop: Path) -> None:
    _run(loop, _COUNTED)
    _make(loop, writable=False)
    assert _run(loop, _COUNTED) == "40 1"


def test_code_is_kept_in_the_folder_that_numba_is_told(loop: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    _make(loop, writable=False)
    assert _run(loop, _COUNTED, NUMBA_CACHE_DIR=str(folder)) == "40 0"
    assert _run(loop, _COUNTED, NUMBA_CACHE_DIR=str(folder)) == "40 1"
    assert list(folder.rglob("*.nbi"))


def test_code_is_kept_in_the_home_of_who_cannot_write_to_the_package(loop: Path, tmp_path: Path) -> None:
    _make(loop, writable=False)
    home = tmp_path / "home"
    home.mkdir()
    assert _run(loop, _COUNTED, HOME=str(home)) == "40 0"
    assert _run(loop, _COUNTED, HOME=str(home)) == "40 1"


@pytest.mark.parametrize("source", ["room/factor.py", "room/part.py", "room/loop.py"])
def test_code_is_made_anew_when_any_file_that_it_comes_from_changes(loop: Path, source: str) -> None:
    _run(loop, _COUNTED)
    path = loop / source
    path.write_text(path.read_text().replace("FACTOR = 2", "FACTOR = 3") + "# changed\n")
    assert _run(loop, _COUNTED) == ("60 0" if source == "room/factor.py" else "40 0")


def test_code_stays_when_a_file_changes_that_has_no_part_in_it(loop: Path) -> None:
    _run(loop, _COUNTED)
    (loop / "room" / "other.py").write_text("FACTOR = 5\n")
    assert _run(loop, _COUNTED) == "40 1"


@pytest.mark.parametrize(
    "changed", [{"NUMBA_BOUNDSCHECK": "1"}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}]
)
def test_code_with_checks_or_for_another_cpu_is_kept_beside(loop: Path, changed: dict[str, str]) -> None:
    for settings in ({}, changed):
        assert _run(loop, _COUNTED, **settings) == "40 0"
    for settings in ({}, changed):
        assert _run(loop, _COUNTED, **settings) == "40 1"


_BEHIND = """
import numpy as np
from components.kernels.compiling import compiled, entry_point

@compiled(hot={hot})
def put(values, place):
    values[place] = 1

@entry_point(hot={hot})
def fill(values, place):
    put(values, place)

fill(np.zeros(3), 2)
try:
    fill(np.zeros(3), 3)
except IndexError:
    print("found")
"""


@pytest.mark.parametrize("hot", [False, True])
def test_an_index_behind_the_end_is_found_where_bounds_are_checked(package: Path, tmp_path: Path, hot: bool) -> None:
    (tmp_path / "script.py").write_text(_BEHIND.format(hot=hot))
    assert _run(package, "import script", NUMBA_BOUNDSCHECK="1") == "found"
