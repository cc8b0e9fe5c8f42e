"""What a release is made of says the same version everywhere."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def headings() -> list[str]:
    return re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture
def citation() -> Any:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_newest_release_of_the_changelog_is_the_version_of_the_package(headings: list[str], citation: Any) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert citation["version"] == version
    assert headings[1] == f"[{version}] - {citation['date-released']}"


def test_releases_stand_below_what_is_unreleased_the_newest_first(headings: list[str]) -> None:
    assert headings[0] == "[Unreleased]"
    releases = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})", heading) for heading in headings[1:]]
    keys = [(*map(int, found.group(1, 2, 3)), found[4]) for found in releases if found]
    assert len(keys) == len(headings) - 1
    assert keys == sorted(keys, reverse=True)
