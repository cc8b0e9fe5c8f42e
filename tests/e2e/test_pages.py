"""The commands that the pages show are taken by the program; those for one's own data are run as they stand there."""

import gzip
import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest

from pipeline.cli import main
from tests.e2e.conftest import PROJECT, Project

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:\.venv/bin/)?python -m pipeline ((?:.*\\\n)*.*)$", re.MULTILINE)


def commands_of(text: str) -> list[list[str]]:
    """The arguments of each command in a page's blocks of code."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = (line.replace("\\\n", " ") for block in blocks for line in COMMAND.findall(block))
    # What may be left out stands in brackets.
    return [shlex.split(re.sub(r"\[(-.*?)\]", r"\1", line), comments=True) for line in lines]


SHOWN = [(page.name, arguments) for page in PAGES for arguments in commands_of(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "arguments"), SHOWN, ids=[f"{page}: {' '.join(words[:2])}" for page, words in SHOWN])
def test_a_command_of_a_page_is_one_that_the_program_takes(page: str, arguments: list[str]) -> None:
    command: click.Command = main
    with click.Context(main) as context:
        while isinstance(command, click.Group) and not _stands_alone(command, arguments):
            name, *arguments = arguments
            found = command.get_command(context, name)
            assert found is not None, f"{page}: there is no command {name}"
            command = found
        command.make_context(name, arguments)


def _stands_alone(group: click.Group, arguments: list[str]) -> bool:
    """Whether it is called with options of its own, in place of a command of the group."""
    return group.invoke_without_command and bool(arguments) and arguments[0].startswith("-")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clicks of 160 customers, each of whom goes on to one of the next three things."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    random = np.random.default_rng(0)
    for part in range(2):
        lines = ["clicked_at,customer,sku"]
        for customer in range(4700 + 80 * part, 4780 + 80 * part):
            places = (random.integers(60) + np.cumsum(random.integers(1, 4, 20))) % 60
            lines += [
                f"2026-03-{1 + place // 24:02}T{place % 24:02}:00:00Z,{customer},sku-{item}"
                for place, item in enumerate(places)
            ]
        (folder / "data" / f"clicks-{part}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return folder


def test_ones_own_data_go_from_files_to_recommendations(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    chapter = text[text.index("## Your own data") : text.index("## What comes out")]
    (looked,) = re.findall(r"`python -m pipeline (init .*?)`", chapter)
    run, known, new, *_ = commands_of(chapter)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    own = Project(shop)

    out, _ = own.run(*shlex.split(looked))
    assert out.splitlines()[-1] == "my.yaml: written; next: python -m pipeline run --config my.yaml"

    out, _ = own.run(*run)
    assert out.splitlines()[0] == "data/clicks-*.csv.gz: ',' between columns, a header"
    assert "users: column 'customer' (by its name, integers); items: column 'sku' (by its name, texts)" in out
    assert "blessed and pushed" in out

    out, _ = own.run(*known)
    assert len(re.findall(r"sku-\d+", out)) == 10
    out, _ = own.run(*new)
    assert len(re.findall(r"sku-\d+", out)) >= 10
