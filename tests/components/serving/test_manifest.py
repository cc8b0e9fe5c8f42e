import hashlib
import json
from pathlib import Path

import pytest
import tensorflow as tf

from components.serving.loader import ServedModel
from components.serving.manifest import Manifest, MismatchError, Origin, check_version
from components.shared.errors import UserError

ORIGIN = Origin("d1", "c1", {"HR@10": 0.25, "MRR@10": None}, {"minimum_hr": "passed"})


@pytest.fixture
def version(tmp_path: Path) -> Path:
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_text("graph")
    (tmp_path / "variables" / "variables.index").write_text("weights")
    Manifest.of(str(tmp_path), ORIGIN).write(str(tmp_path))
    return tmp_path


def test_it_has_a_digest_of_each_file_and_says_where_the_model_comes_from(version: Path) -> None:
    content = json.loads((version / "manifest.json").read_text())
    assert content == {
        "format": 1,
        "files": {
            name: {"bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
            for name, text in (("saved_model.pb", "graph"), ("variables/variables.index", "weights"))
        },
        "origin": {
            "data": "d1", "configuration": "c1", "metrics": {"HR@10": 0.25, "MRR@10": None},
            "verdict": {"minimum_hr": "passed"},
        },
    }  # fmt: skip
    assert Manifest.read(str(version)) == Manifest.of(str(version), ORIGIN)


def test_what_was_pushed_passes_whatever_lies_beside_it(version: Path) -> None:
    (version / "notes.txt").write_text("mine")
    check_version(str(version))


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_file_of_another_content_is_told(version: Path, name: str) -> None:
    content = bytearray((version / name).read_bytes())
    content[0] ^= 1
    (version / name).write_bytes(content)
    with pytest.raises(MismatchError, match=f"^{name} is not what was pushed$"):
        check_version(str(version))


def test_a_file_that_is_gone_is_told(version: Path) -> None:
    (version / "variables" / "variables.index").unlink()
    with pytest.raises(MismatchError, match=r"^variables/variables.index, which was pushed with it, is not there$"):
        check_version(str(version))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {"saved_model.pb": 3}}'])
def test_a_manifest_that_is_none_is_told(version: Path, text: str) -> None:
    (version / "manifest.json").write_text(text)
    with pytest.raises(MismatchError, match=r"^its manifest.json is none$"):
        check_version(str(version))


def test_a_model_is_loaded_as_it_was_pushed_or_not_at_all(tmp_path: Path) -> None:
    path = str(tmp_path / "1")
    tf.saved_model.save(tf.Module(), path)
    ServedModel(path, None, ())
    Manifest.of(path).write(path)
    ServedModel(path, None, ())
    with (tmp_path / "1" / "fingerprint.pb").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match=r"cannot be loaded \(fingerprint.pb is not what was pushed\); train it again"):
        ServedModel(path, None, ())


def test_what_stands_behind_a_blessing_is_read_back(tmp_path: Path) -> None:
    assert Origin.read(str(tmp_path)) is None
    ORIGIN.write(str(tmp_path))
    assert Origin.read(str(tmp_path)) == ORIGIN
