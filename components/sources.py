"""Which source files a module's behaviour comes from."""

import ast
import functools
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def imported_sources(source: Path) -> frozenset[Path]:
    """A module's own file and the files of this package that it imports, those that they import, and so on.

    Example:
      `imported_sources(Path(components.kernels.random.__file__))` has `random.py`, `compiling.py` and `sources.py`.

    Args:
      source: the module's file, in this package or elsewhere.
    """
    found, remaining = set(), {source.resolve()}
    while remaining:
        path = remaining.pop()
        found.add(path)
        remaining |= _imports(path) - found
    return frozenset(found)


def digest(sources: Iterable[Path]) -> str:
    """Stands for the names and the contents of files: 16 hexadecimal digits."""
    state = hashlib.sha256()
    for path in sorted(path.resolve() for path in sources):
        state.update(f"{os.path.relpath(path, _PACKAGE)}:{path.stat().st_size}:".encode() + path.read_bytes())
    return state.hexdigest()[:16]


@functools.cache
def _imports(source: Path) -> frozenset[Path]:
    tree = ast.parse(source.read_bytes())
    modules = (module for node in ast.walk(tree) for module in _modules(node))
    return frozenset(path for module in modules for path in _files(module))


def _modules(node: ast.AST) -> Iterator[str]:
    """The modules that an import names; of `from a import b` both a.b, which may be one, and a."""
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{name.name}" for name in node.names)
        yield node.module


def _files(module: str) -> Iterator[Path]:
    package, *path = module.split(".")
    if package == _PACKAGE.name:
        place = _PACKAGE.joinpath(*path)
        yield from filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py"))
