import errno

import pytest

from components.artifacts import storage
from components.shared.errors import UserError


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "folder" / "file.bin"
    with storage.write_atomically(str(path)) as file:
        file.write(b"all")
        assert not path.exists()

    assert path.read_bytes() == b"all"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]


def test_an_interrupted_write_leaves_nothing_and_keeps_what_was_there(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), storage.write_atomically(str(path)) as file:
        file.write(b"half")
        raise ZeroDivisionError

    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin"]


def test_a_full_disk_is_a_clear_error(tmp_path):
    path = str(tmp_path / "file.bin")
    with pytest.raises(UserError, match=r"file\.bin: no space left"), storage.write_atomically(path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_summary_declares_an_artifact_whole(tmp_path):
    with pytest.raises(UserError, match="not a whole artifact"):
        storage.read_summary(str(tmp_path))

    storage.write_summary(str(tmp_path), {"users": 3})

    assert storage.read_summary(str(tmp_path)) == {"users": 3}


def test_files_are_listed_by_split_prefix_and_name(tmp_path):
    folder = storage.split_dir(str(tmp_path), "train")
    names = [
        storage.shard_name(shard, 2, "tfrecord", storage.epoch_prefix(epoch)) for epoch in (1, 0) for shard in (1, 0)
    ]
    for name in names:
        with storage.write_atomically(f"{folder}/{name}") as file:
            file.write(b"")

    listed = storage.list_files(folder, "tfrecord", storage.epoch_prefix(1))

    assert [path.rsplit("/", 1)[1] for path in listed] == [
        "epoch-00001-shard-00000-of-00002.tfrecord",
        "epoch-00001-shard-00001-of-00002.tfrecord",
    ]
