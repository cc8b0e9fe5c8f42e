import sqlite3
from pathlib import Path

import pytest
from ml_metadata.errors import InternalError
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.shared.errors import UserError
from pipeline.local import metadata_file
from pipeline.local.lineage import open_store


def _next_execution(path: str) -> int:
    store = open_store(path)
    (number,) = store.put_executions(
        [mlmd.Execution(type_id=store.put_execution_type(mlmd.ExecutionType(name="Step")))]
    )
    return int(number)


def test_a_new_store_begins_with_one(tmp_path: Path) -> None:
    path = str(tmp_path / "metadata.sqlite")
    assert metadata_file.prepare(path, str(tmp_path / "artifacts"), repair=False) is None
    assert _next_execution(path) == 1
    metadata_file.prepare(path, str(tmp_path / "artifacts"), repair=False)
    assert _next_execution(path) == 2


def test_numbers_that_left_folders_are_not_given_again(tmp_path: Path) -> None:
    (tmp_path / "artifacts" / "Trainer" / "model" / "17").mkdir(parents=True)
    (tmp_path / "artifacts" / "Trainer" / "file").touch()
    path = str(tmp_path / "metadata.sqlite")
    metadata_file.prepare(path, str(tmp_path / "artifacts"), repair=False)
    assert _next_execution(path) == 18


@pytest.mark.parametrize("damage", ["cut", "zeros", "text", "another database"])
def test_a_damaged_store_is_told_and_set_aside_when_asked(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "metadata.sqlite"
    metadata_file.prepare(str(path), str(tmp_path), repair=False)
    whole = path.read_bytes()
    if damage == "another database":
        path.unlink()
        with sqlite3.connect(path) as store:
            store.execute("CREATE TABLE clicks (user INT)")
    else:
        path.write_bytes(
            {"cut": whole[: len(whole) // 2], "zeros": bytes(len(whole)), "text": b"no database" * 99}[damage]
        )
    damaged = path.read_bytes()

    with pytest.raises(UserError, match=r"^.*metadata\.sqlite is damaged \(.*\); run again with --repair"):
        metadata_file.prepare(str(path), str(tmp_path), repair=False)
    assert path.read_bytes() == damaged
    aside = metadata_file.prepare(str(path), str(tmp_path), repair=True)

    assert aside == f"{path}.damaged"
    assert Path(aside).read_bytes() == damaged
    assert metadata_file.find_fault(str(path)) is None


def test_what_was_set_aside_before_stays(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / "metadata.sqlite").write_bytes(b"no database %d" % number * 99)
        metadata_file.prepare(str(tmp_path / "metadata.sqlite"), str(tmp_path), repair=True)
    assert sorted(path.name for path in tmp_path.glob("*.damaged*")) == [
        "metadata.sqlite.damaged",
        "metadata.sqlite.damaged-2",
    ]


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database or disk is full"),
        InternalError("Error when executing query: disk I/O error query: COMMIT;"),
        RuntimeError(
            "InternalError: Error when executing query: database or disk is full [while running 'Run[Trainer]']"
        ),
        RuntimeError("Error when executing query: cannot commit - no transaction is active query: COMMIT;"),
    ],
)
def test_a_store_that_cannot_be_written_is_told_whoever_writes_it(error: Exception) -> None:
    reasons = "database or disk is full|disk I/O error|what was written was undone, as on a full disk"
    told = rf"^cannot write m\.sqlite: ({reasons}); free"
    with pytest.raises(UserError, match=told), metadata_file.told("m.sqlite"):
        raise error


def test_other_errors_stay_what_they_are() -> None:
    for error in (ValueError("no shards"), UserError("dataset.path: disk I/O error")):
        with pytest.raises(type(error)) as raised, metadata_file.told("m.sqlite"):
            raise error
        assert raised.value is error
