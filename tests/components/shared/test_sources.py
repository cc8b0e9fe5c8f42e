import ast
import os
import time
from pathlib import Path

import pytest

from components.shared import sources
from components.shared.sources import PACKAGE, data_files, digest, imported_sources


def package(folder: Path, files: dict[str, str]) -> Path:
    root = folder / "house"
    for name, text in {"__init__.py": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def closure(source: Path, root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in imported_sources(source, root)}


@pytest.mark.parametrize(
    "text",
    [
        "import house.room.b",
        "from house.room import b",
        "from house.room.b import something",
        "from house.room import (\n    x,  # a comment\n    b as c,\n)",
        "def f():\n    from house.room import b",
        "def f():\n    if True:\n        import house.room.b as c\n",
        "name = 'house.room.b.something'",
    ],
)
def test_imports_are_followed_in_every_form(text: str, tmp_path: Path) -> None:
    files = {"a.py": text, "room/__init__.py": "", "room/b.py": "import house.c", "c.py": "import os", "d.py": ""}
    root = package(tmp_path, files)
    assert closure(root / "a.py", root) == {"a.py", "__init__.py", "room/__init__.py", "room/b.py", "c.py"}


def test_a_circle_ends(tmp_path: Path) -> None:
    root = package(tmp_path, {"a.py": "import house.b", "b.py": "import house.a"})
    assert closure(root / "b.py", root) == {"a.py", "b.py", "__init__.py"}


def test_a_module_outside_the_package_counts_with_what_it_imports(tmp_path: Path) -> None:
    root = package(tmp_path, {"a.py": ""})
    (tmp_path / "outside.py").write_text("import house.a\nimport os\n")
    found = imported_sources(tmp_path / "outside.py", root)
    assert found == {tmp_path / "outside.py", root / "a.py", root / "__init__.py"}


def test_a_relative_import_is_refused_as_it_would_be_missed(tmp_path: Path) -> None:
    root = package(tmp_path, {"a.py": "from . import b", "b.py": ""})
    with pytest.raises(NotImplementedError, match="only imports by full names"):
        imported_sources(root / "a.py", root)


def test_the_imports_found_are_those_of_the_whole_syntax_tree() -> None:
    for path in PACKAGE.rglob("*.py"):
        expected: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                expected |= {name.name for name in node.names if name.name.startswith("components")}
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("components"):
                expected |= {f"{node.module}.{name.name}" for name in node.names}
        assert set(sources._imported_names(path.read_text(encoding="utf-8"), "components")) == expected, path


def test_data_beside_modules_is_found_and_a_neighbour_room_s_is_not(tmp_path: Path) -> None:
    data = ("style.css", "templates/page.html", "__pycache__/page.nbi", "room/other.css")
    root = package(tmp_path, dict.fromkeys(["page.py", "room/__init__.py", *data], ""))
    assert data_files([root / "page.py"]) == {root / "style.css", root / "templates" / "page.html"}


def test_the_digest_changes_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = digest([tmp_path / "a"], tmp_path)
    assert digest([tmp_path / "a"], tmp_path) == before
    assert len(before) == 16

    os.rename(tmp_path / "a", tmp_path / "b")
    renamed = digest([tmp_path / "b"], tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({before, renamed, digest([tmp_path / "b"], tmp_path)}) == 3


def test_it_is_cheap() -> None:
    for cached in (sources._imports, sources._file):
        cached.cache_clear()
    start = time.process_time()
    for name in ("preprocess", "negative_gen", "trainer", "evaluator", "pusher"):
        found = imported_sources(PACKAGE / name / "executor.py")
        digest(found | data_files(found))
    assert time.process_time() - start < 1.0
