"""The rules between rooms, as docs/architecture.md has them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STEPS = {"preprocess", "negative_gen", "trainer", "evaluator", "pusher", "bulk_recommend"}
# Each room of `components/` may use those below it: what is not named here, it may not.
BELOW = {
    "shared": set[str](),
    "kernels": {"shared"},
    "metrics": set[str](),
    "artifacts": {"metrics", "shared"},
    "sampling": {"artifacts", "kernels", "shared"},
    "serving": {"artifacts", "shared"},
    "ranking": {"artifacts", "kernels", "serving", "shared"},
    **{step: {"artifacts", "kernels", "metrics", "ranking", "sampling", "serving", "shared"} for step in sorted(STEPS)},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _room(module: str) -> str:
    """The room of `components/` that a module is in."""
    return f"{module}..".split(".")[1]


def _sources(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def test_every_room_is_known() -> None:
    rooms = {path.name for path in (ROOT / "components").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(BELOW)


@pytest.mark.parametrize("room", BELOW)
def test_a_room_uses_only_what_stands_below_it(room: str) -> None:
    used = {
        (str(path.relative_to(ROOT)), module)
        for path in _sources(f"components/{room}")
        for module in _imports(path)
        if module.split(".")[0] in ("components", "pipeline", "benchmarks", "tests", "scripts")
    }
    allowed = BELOW[room] | {room}
    assert [use for use in sorted(used) if not use[1].startswith("components.") or _room(use[1]) not in allowed] == []


def test_the_pipeline_does_not_use_what_only_measures_or_tests() -> None:
    outside = {"benchmarks", "tests", "scripts"}
    found = [(path, module) for path in _sources("pipeline") for module in _imports(path)]
    assert [(path, module) for path, module in found if module.split(".")[0] in outside] == []


@pytest.mark.parametrize("folder", ["components", "pipeline", "benchmarks"])
def test_modules_import_one_another_without_circles(folder: str) -> None:
    graph = {_name(path): {_module(used) for used in _top_level_imports(path)} for path in _sources(folder)}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for used in graph.get(module, ()):
                if used != module:
                    visit(used, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module(dotted: str) -> str:
    """The module that an imported name is in: itself a module, or a name of one."""
    path = ROOT / dotted.replace(".", "/")
    return dotted if path.with_suffix(".py").exists() or (path / "__init__.py").exists() else dotted.rpartition(".")[0]


def _top_level_imports(path: Path) -> Iterator[str]:
    """What a module needs to be imported itself; what its functions import comes later."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
