"""Which source files a module's behaviour comes from, and a digest that changes with them."""

import ast
import functools
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

# Whole files take 0.25 s to parse, for all steps together; only what stands here is cut out of them.
_STATEMENT = r"^[ \t]*((?:from[ \t]+(?:\.|{package}\b)|import[ \t]+{package}\b)[^\n(]*(?:\([^)]*\))?)"
_TEXT = r"""["']({package}(?:\.\w+)+)["']"""


def imported_sources(source: Path, package: Path = PACKAGE) -> frozenset[Path]:
    """A module's own file and the files of the package that it imports, those that they import, and so on.

    Imports within functions count, and so does a module or function that is named by a text, such as
    `components.trainer.run_fn.run_fn` in quotes: frameworks import what such texts name. With a module come the
    `__init__.py` of the packages that it is in, as Python runs them.

    Example:
      `imported_sources(PACKAGE / "shared" / "progress.py")` has `shared/progress.py`, `shared/__init__.py` and the
      package's own `__init__.py`.

    Args:
      source: the module's file, in the package or elsewhere.
      package: the folder of the package whose files are followed.
    """
    found: set[Path] = set()
    remaining = {source.resolve()}
    while remaining:
        path = remaining.pop()
        found.add(path)
        remaining |= _imports(path, package) - found
    return frozenset(found)


def data_files(sources: Iterable[Path]) -> frozenset[Path]:
    """What lies beside modules without being one, such as a page's templates and style, in folders below too."""
    return frozenset(file for folder in {source.parent for source in sources} for file in _data_below(folder))


def digest(files: Iterable[Path], package: Path = PACKAGE) -> str:
    """Stands for the names and the contents of files: 16 hexadecimal digits."""
    state = hashlib.sha256()
    for path in sorted(file.resolve() for file in files):
        content = path.read_bytes()
        state.update(f"{os.path.relpath(path, package)}:{len(content)}:".encode() + content)
    return state.hexdigest()[:16]


@functools.cache
def _imports(source: Path, package: Path) -> frozenset[Path]:
    text = source.read_text(encoding="utf-8")
    names = {_name_in_package(source, package), *_imported_names(text, package.name), *_texts(text, package.name)}
    return frozenset(file for name in names if name for file in _files(name, package))


def _imported_names(text: str, package: str) -> Iterator[str]:
    for statement in re.findall(_STATEMENT.format(package=package), text, re.MULTILINE):
        match ast.parse(statement).body[0]:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                # Each of the names may be a module itself.
                yield from (f"{module}.{name.name}" for name in names)
            case _:
                raise NotImplementedError(f"`{statement}`: only imports by full names can be followed")


def _texts(text: str, package: str) -> list[str]:
    return re.findall(_TEXT.format(package=package), text)


def _name_in_package(source: Path, package: Path) -> str:
    if not source.is_relative_to(package):
        return ""
    return ".".join([package.name, *source.relative_to(package).with_suffix("").parts])


def _files(name: str, package: Path) -> Iterator[Path]:
    """The files that importing a dotted name of the package runs; its last parts may name what is in a module."""
    parts = name.split(".")
    files = (_file(".".join(parts[:length]), package) for length in range(1, len(parts) + 1))
    return filter(None, files)


@functools.cache
def _file(module: str, package: Path) -> Path | None:
    place = package.joinpath(*module.split(".")[1:])
    return next(filter(Path.is_file, (place / "__init__.py", place.with_suffix(".py"))), None)


def _data_below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                yield from _data_below(path)
        elif path.suffix not in (".py", ".pyc"):
            yield path
