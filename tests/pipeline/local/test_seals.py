import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.records import write_batches
from pipeline.local import seals


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    batch = {"user": np.arange(8), "item": np.arange(8), "label": np.zeros(8)}
    write_batches(str(tmp_path / "Split-train" / "shard.tfrecord"), [batch])
    (tmp_path / "summary.json").write_text('{"users": 8}')
    seals.seal(str(tmp_path))
    return tmp_path


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_an_artifact_is_as_it_was_sealed(artifact: Path) -> None:
    assert seals.find_fault(str(artifact)) is None
    assert seals.find_fault(str(artifact), thorough=True) is None


@pytest.mark.parametrize("name", ["summary.json", "Split-train/shard.tfrecord"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "is not there any more"),
        (lambda path: path.write_bytes(b""), "has 0 bytes instead of "),
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), " bytes instead of "),
        (_flip, "has changed"),
    ],
    ids=["deleted", "emptied", "cut", "flipped"],
)
def test_what_is_not_as_it_was_is_named(artifact: Path, name: str, damage: Callable[[Path], object], said: str) -> None:
    damage(artifact / name)
    fault = seals.find_fault(str(artifact))
    assert fault is not None
    assert fault.startswith(f"{artifact / name} ")
    assert said in fault


def test_a_file_that_nobody_wrote_there_is_named_unless_it_is_hidden(artifact: Path) -> None:
    (artifact / ".nfs0001").touch()
    assert seals.find_fault(str(artifact)) is None
    (artifact / "Split-train" / "00000-of-00004").touch()
    assert (
        seals.find_fault(str(artifact))
        == f"{artifact / 'Split-train' / '00000-of-00004'} is none of the artifact's files"
    )


def test_records_that_were_only_touched_are_sound(artifact: Path) -> None:
    os.utime(artifact / "Split-train" / "shard.tfrecord", (1, 1))
    assert seals.find_fault(str(artifact)) is None


def test_records_that_rotted_are_found_by_a_thorough_look(artifact: Path) -> None:
    records = artifact / "Split-train" / "shard.tfrecord"
    times = records.stat().st_atime_ns, records.stat().st_mtime_ns
    _flip(records)
    os.utime(records, ns=times)
    assert seals.find_fault(str(artifact)) is None
    assert seals.find_fault(str(artifact), thorough=True) == f"{records} has changed"


@pytest.mark.parametrize("damage", [seals.unseal, lambda uri: Path(uri, seals.SEAL).write_bytes(b'{"summary.json": 1')])
def test_without_its_seal_nobody_knows(artifact: Path, damage: Callable[[str], object]) -> None:
    damage(str(artifact))
    assert seals.find_fault(str(artifact)) == f"{artifact / seals.SEAL} cannot be read"


def test_a_copy_may_have_files_of_its_own_but_none_less(
    artifact: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("copy")
    (copy / "Split-train").mkdir()
    (copy / "manifest.json").touch()
    for name in ("summary.json", "Split-train/shard.tfrecord"):
        (copy / name).write_bytes((artifact / name).read_bytes())
    assert seals.find_fault_of_copy(str(artifact), str(copy)) is None
    _flip(copy / "summary.json")
    assert seals.find_fault_of_copy(str(artifact), str(copy)) == f"{copy / 'summary.json'} has changed"
    (copy / "summary.json").unlink()
    assert seals.find_fault_of_copy(str(artifact), str(copy)) == f"{copy / 'summary.json'} is not there any more"
