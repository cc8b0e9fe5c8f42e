from pathlib import Path

import pytest

from components.serving.versions import Version, newest_version
from components.shared.errors import UserError
from components.shared.files import folders, reading, writing
from tests.storages import website


def test_models_on_a_web_server_that_lists_its_folders_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9", "17"):
        (tmp_path / "serving" / version / "variables").mkdir(parents=True)
        (tmp_path / "serving" / version / "saved_model.pb").write_text(f"graph {version}")
        (tmp_path / "serving" / version / "variables" / "index").write_text("weights")
    (tmp_path / "serving" / "18.writing").mkdir()
    with website(tmp_path, monkeypatch) as site:
        destination = f"{site.url}/serving"
        assert newest_version(destination) == Version("17", f"{destination}/17")
        with folders.on_this_machine(f"{destination}/17") as copy:
            assert Path(copy, "saved_model.pb").read_text() == "graph 17"
            assert Path(copy, "variables", "index").read_text() == "weights"


def test_a_file_is_fetched_once_for_each_of_its_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("first")
    with website(tmp_path, monkeypatch) as site:
        for content in ("first", "the second"):
            (tmp_path / "a.csv").write_text(content)
            for _ in range(2):
                with reading.open_file(f"{site.url}/a.csv") as file:
                    assert file.read() == content.encode()


def test_a_web_address_is_no_place_to_write() -> None:
    with pytest.raises(UserError, match=r"^pusher\.destination: https://host/models can only be read"):
        writing.check_writable("https://me:hush@host/models", "pusher.destination")
