"""Both storages of objects, by the same tests."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.shared.errors import UserError
from components.shared.files import folders, reading, writing
from components.shared.files.places import file_system
from components.shared.files.reading import fingerprint_of, match, open_file
from tests.storages import STORAGES, write


@pytest.fixture(scope="module", params=list(STORAGES))
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environment, STORAGES[request.param](environment) as url:
        yield url


def test_what_is_written_is_read_back_at_any_position(bucket: str) -> None:
    content = os.urandom(9_000_000)
    write(f"{bucket}/large.bin", content)

    assert reading.size_of(f"{bucket}/large.bin") == len(content)
    with open_file(f"{bucket}/large.bin") as file:
        file.seek(8_999_000)
        assert file.read() == content[8_999_000:]
        file.seek(3)
        assert file.read(5_000_000) == content[3:5_000_003]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"--", b" "])
def test_a_small_file_keeps_its_last_bytes(bucket: str, end: bytes) -> None:
    write(f"{bucket}/small.bin", b"\x80content" + end)

    assert open_file(f"{bucket}/small.bin").read() == b"\x80content" + end


def test_an_interrupted_write_leaves_nothing_and_keeps_what_was_there(bucket: str) -> None:
    write(f"{bucket}/file.bin", b"before")
    with pytest.raises(ZeroDivisionError), writing.write_atomically(f"{bucket}/file.bin") as file:
        file.write(b"half")
        raise ZeroDivisionError

    assert open_file(f"{bucket}/file.bin").read() == b"before"


def test_a_glob_finds_files_in_the_order_of_their_names(bucket: str) -> None:
    for name in ("b-2.csv", "b-1.csv", "a-1.csv", "b-3.txt", "below/b-4.csv"):
        write(f"{bucket}/glob/{name}", b"1")

    assert match(f"{bucket}/glob/b-*.csv") == [f"{bucket}/glob/b-1.csv", f"{bucket}/glob/b-2.csv"]
    assert match(f"{bucket}/glob/**/*-4.csv") == [f"{bucket}/glob/below/b-4.csv"]
    assert match(f"{bucket}/glob/c-*.csv") == []


def test_brackets_in_a_name_are_meant_as_they_are(bucket: str) -> None:
    write(f"{bucket}/brackets/part[1].csv", b"1")
    write(f"{bucket}/brackets/part1.csv", b"1")

    assert match(f"{bucket}/brackets/part[1].csv") == [f"{bucket}/brackets/part[1].csv"]
    assert match(f"{bucket}/brackets/part[12].csv") == [f"{bucket}/brackets/part1.csv"]


def test_a_folder_is_copied_there_and_back(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "index").write_text("weights")
    (tmp_path / "saved_model.pb").write_text("graph")
    folders.copy_at_once(str(tmp_path), f"{bucket}/serving/17", last="saved_model.pb")

    assert reading.names_in(f"{bucket}/serving") == ["17"]
    with folders.on_this_machine(f"{bucket}/serving/17") as copy:
        assert Path(copy, "variables", "index").read_text() == "weights"
        assert Path(copy, "saved_model.pb").read_text() == "graph"
    assert not os.path.exists(copy)


def test_the_fingerprint_changes_with_what_is_there(bucket: str) -> None:
    write(f"{bucket}/input/a.csv", b"1")
    before = [fingerprint_of([f"{bucket}/input/{pattern}"]) for pattern in ("*.csv", "a.csv")]
    assert before == [fingerprint_of([f"{bucket}/input/{pattern}"]) for pattern in ("*.csv", "a.csv")]

    write(f"{bucket}/input/a.csv", b"2")
    after = [fingerprint_of([f"{bucket}/input/{pattern}"]) for pattern in ("*.csv", "a.csv")]

    assert all(left != right for left, right in zip(before, after, strict=True))
    assert fingerprint_of([f"{bucket}/input"]) == fingerprint_of([f"{bucket}/input/"])


def test_a_file_that_is_written_anew_as_it_was_is_the_same(bucket: str) -> None:
    write(f"{bucket}/anew/a.csv", b"1")
    changed, found = _time_of_change(f"{bucket}/anew/a.csv"), fingerprint_of([f"{bucket}/anew/*.csv"])

    while _time_of_change(f"{bucket}/anew/a.csv") == changed:
        time.sleep(0.2)  # those of S3 are in seconds
        write(f"{bucket}/anew/a.csv", b"1")

    assert fingerprint_of([f"{bucket}/anew/*.csv"]) == found


def _time_of_change(name: str) -> object:
    system, path = file_system(name)
    return system.modified(path)


def test_only_what_is_there_is_deleted(bucket: str) -> None:
    for name in ("folder/a", "folder/b", "kept"):
        write(f"{bucket}/delete/{name}", b"1")
    writing.delete([f"{bucket}/delete/{name}" for name in ("missing", "folder")])

    assert reading.names_in(f"{bucket}/delete") == ["kept"]


def test_a_bucket_that_is_not_there_is_told_at_once(bucket: str) -> None:
    wrong = f"{bucket}-of-nobody"
    with pytest.raises(UserError, match=rf"^pusher\.destination: there is no bucket {wrong}; "):
        writing.check_writable(f"{wrong}/serving", "pusher.destination")
    with pytest.raises(UserError, match=f"cannot read {wrong}/a.csv: there is no bucket {wrong}"):
        open_file(f"{wrong}/a.csv")
    assert reading.described_absence(f"{wrong}/*.csv") == f"there is no bucket {wrong}; check it"
    assert match(f"{wrong}/*.csv") == []


def test_a_file_that_vanishes_while_it_is_read_is_told(bucket: str) -> None:
    write(f"{bucket}/vanishing.bin", bytes(9_000_000))
    with open_file(f"{bucket}/vanishing.bin") as file:
        file.read(10)
        writing.delete([f"{bucket}/vanishing.bin"])
        with pytest.raises(UserError, match=rf"^cannot read {bucket}/vanishing\.bin: it is not there$"):
            file.read()


def test_a_place_that_can_be_written_is_left_as_it_was(bucket: str) -> None:
    writing.check_writable(f"{bucket}/new/serving", "pusher.destination")

    assert not reading.exists(f"{bucket}/new")
