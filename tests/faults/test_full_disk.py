"""A disk that is full, at forty sizes: one line, exit code 2, and the same command goes on once there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.outcome import TINY_ARGUMENTS

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a file system of a size"),
]

_SIZES = 40
_ROOM = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory, with room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_ROOM}k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _resize(disk: Path, kilobytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)


def _used(disk: Path) -> int:
    found = os.statvfs(disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


@pytest.mark.timeout(5400)
def test_each_writer_tells_it_in_one_line(project: Any, disk: Path) -> None:
    project.run("run", "--root", str(disk / "whole"), *TINY_ARGUMENTS)
    whole = _used(disk)
    failed = 0
    for number in range(_SIZES):
        # Small ones lie closer together, where the metadata and small files are written.
        begun, size = _used(disk), max(12, int(whole * ((number + 1) / _SIZES) ** 2))
        _resize(disk, begun + size)
        root = str(disk / f"size-{number}")
        process = project.start("run", "--root", root, *TINY_ARGUMENTS)
        out, err = process.communicate(timeout=600)
        if process.returncode:
            failed += 1
            assert process.returncode == 2, f"{size} kB\n{out}\n{err}"
            assert len(err.splitlines()) == 1, f"{size} kB\n{err}"
            assert err.startswith("error: cannot write ") or "full" in err, err
        _resize(disk, _ROOM)
        if number % 8 == 0:
            out, _ = project.run("run", "--root", root, *TINY_ARGUMENTS)
            assert "blessed and pushed" in out, f"{size} kB"
    assert failed >= _SIZES - 2
