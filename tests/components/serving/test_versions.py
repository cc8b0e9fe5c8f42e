from pathlib import Path

import pytest

from components.serving.versions import Version, newest_version
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
