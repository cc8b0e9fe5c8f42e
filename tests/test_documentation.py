"""The pages hold together: links lead somewhere, and each command is known to be executed, parsed, or untried."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from benchmarks.__main__ import main as benchmarks
from scripts.write_configuration import TARGET, configuration_page

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [PROJECT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")]
PAGES += sorted((PROJECT / "docs").glob("*.md"))
WHERE = PROJECT / "docs" / "what_has_run_where.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_of_the_configuration_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == configuration_page(), "run `make configuration`"


def prose(page: Path) -> str:
    """A page without what stands in fences."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings: lower case, without punctuation, blanks as hyphens, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = [
    (page, target)
    for page in PAGES
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose(page)))
    if "://" not in target
]


@pytest.mark.parametrize(("page", "target"), LINKS, ids=[f"{page.name}: {target}" for page, target in LINKS])
def test_a_link_leads_to_a_file_and_a_heading(page: Path, target: str) -> None:
    file, _, anchor = target.partition("#")
    path = (page.parent / file).resolve() if file else page
    assert path.is_file()
    assert not anchor or anchor in anchors(path)


def _values(entries: list[dict[str, str]]) -> list[str]:
    return [value for entry in entries for value in entry.values()]


def test_the_site_has_every_page_in_its_menu() -> None:
    site = yaml.safe_load((PROJECT / "scripts" / "site" / "mkdocs.yml").read_text(encoding="utf-8"))
    parts = [part for entry in site["nav"] for part in entry.values()]
    pages = [page for part in parts for page in ([part] if isinstance(part, str) else _values(part))]
    notebooks = [f"{notebook.stem}.md" for notebook in (PROJECT / "docs").glob("*.ipynb")]
    beside = {"README.md": "index.md"}
    assert sorted(pages) == sorted([beside.get(page.name, page.name.lower()) for page in PAGES] + notebooks)


def commands(page: Path) -> Iterator[list[str]]:
    """The command lines of a page, in words."""
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in ("", "sh"):
            for line in text.replace("\\\n", " ").splitlines():
                line = re.sub(r"^\.venv/bin/|^\w+/bin/", "", line)
                if re.match(r"(python[\d.]*|make|pip|neumf|curl|docker|gcloud|kfp|kubectl|git|sudo|jq) ", line):
                    yield shlex.split(re.sub(r"\[(-.*?)\]", r"\1", line), comments=True)


def kind(words: list[str]) -> str:
    """What of a command the page's table has a row for."""
    if "-m" in words[:2]:
        module, *rest = words[2:]
        return {"pipeline": f"pipeline {rest[0]}", "pip": "pip"}.get(module, module)
    if words[0] == "neumf":
        return f"pipeline {words[1]}"
    return f"make {words[1]}" if words[0] == "make" else Path(words[1]).name if words[0] == "python" else words[0]


COMMANDS = [(page.name, words) for page in PAGES for words in commands(page)]
ROWS = {
    name: (how, by)
    for names, how, by in re.findall(
        r"^\| (`.*?) \| (executed|parsed|by hand|untried) \| (.*) \|$", WHERE.read_text(encoding="utf-8"), re.MULTILINE
    )
    for name in re.findall(r"`([^`]+)`", names)
}


def test_every_command_of_a_page_is_known_to_be_executed_or_not() -> None:
    assert {kind(words) for _, words in COMMANDS} == set(ROWS)
    assert {how for how, _ in ROWS.values()} == {"executed", "parsed", "by hand", "untried"}


@pytest.mark.parametrize("name", [name for name, (how, _) in ROWS.items() if how == "executed"])
def test_what_is_said_to_execute_a_command_is_there(name: str) -> None:
    _, by = ROWS[name]
    for path in re.findall(r"`([\w./]+/\w+(?:\.py)?)`", by):
        assert (PROJECT / path).is_file()


def test_three_quarters_of_the_commands_are_held_by_a_test() -> None:
    held = [words for _, words in COMMANDS if ROWS[kind(words)][0] in ("executed", "parsed")]
    assert len(held) / len(COMMANDS) > 0.75


@pytest.mark.parametrize("words", [words for _, words in COMMANDS if kind(words) == "benchmarks"], ids=" ".join)
def test_a_benchmark_of_a_page_takes_its_options(words: list[str]) -> None:
    _, _, _, name, *arguments = words
    with click.Context(benchmarks) as context:
        command = benchmarks.get_command(context, name)
        assert command is not None
        command.make_context(name, [str(PROJECT) if word == "DIR" else word for word in arguments])


@pytest.mark.parametrize("target", sorted({words[1] for _, words in COMMANDS if words[0] == "make"}))
def test_a_target_of_a_page_is_one_of_the_makefile(target: str) -> None:
    assert subprocess.run(["make", "-n", target], cwd=PROJECT, capture_output=True).returncode == 0
