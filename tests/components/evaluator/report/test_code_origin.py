import subprocess
from pathlib import Path

import pytest

from components.evaluator.report import git_version


@pytest.fixture(autouse=True)
def _no_version_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_VERSION", raising=False)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_and_whether_files_were_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("X = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "--short", "HEAD")
    assert git_version(tmp_path) == commit
    (tmp_path / "code.py").write_text("X = 2\n")
    assert git_version(tmp_path) == f"{commit}-dirty"
    git(tmp_path, "commit", "-q", "-a", "-m", "second")
    git(tmp_path, "tag", "v1.2.0")
    assert git_version(tmp_path) == "v1.2.0"


def test_the_variable_of_an_image_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_VERSION", " v3 ")
    assert git_version() == "v3"


def test_a_repository_that_does_not_track_the_code_says_nothing_of_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "of somebody else")
    environment = tmp_path / ".venv"
    environment.mkdir()
    (environment / "code.py").write_text("X = 1\n")
    assert git_version(environment) == "unknown"


def test_neither_repository_nor_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_version(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", "")
    assert git_version() == "unknown"
