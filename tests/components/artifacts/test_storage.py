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


def test_files_are_listed_by_beginning_and_ending_in_the_order_of_their_names(tmp_path):
    for name in ("b-2.bin", "b-1.bin", "a-1.bin", "b-1.text"):
        (tmp_path / name).touch()

    assert storage.list_files(str(tmp_path), "bin", "b-") == [f"{tmp_path}/b-1.bin", f"{tmp_path}/b-2.bin"]


def test_only_what_is_there_is_deleted(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("file.bin", "folder/file.bin", "kept.bin"):
        (tmp_path / name).touch()

    storage.delete(str(tmp_path / name) for name in ("missing.bin", "file.bin", "folder"))

    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.bin"]
