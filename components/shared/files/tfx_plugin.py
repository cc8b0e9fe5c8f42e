"""TFX's own file operations on gs:// and s3:// (`tfx.dsl.io.fileio`), by the same way as all others here."""

import io
import posixpath
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from tfx.dsl.io import filesystem, filesystem_registry

from components.shared.files import folders, reading, writing
from components.shared.files.places import file_system

_BEFORE_TENSORFLOWS = 5


class Filesystem(filesystem.Filesystem):
    """See TFX."""

    SUPPORTED_SCHEMES: ClassVar[list[str]] = ["gs://", "s3://"]

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        if "r" in mode:
            file = reading.open_file(name)
            return file if "b" in mode else io.TextIOWrapper(file, encoding="utf-8")
        system, path = file_system(name)
        return system.open(path, mode)

    @staticmethod
    def copy(src: str, dst: str, overwrite: bool = False) -> None:
        _require_free(dst, overwrite)
        folders.copy_file(src, dst)

    @staticmethod
    def exists(path: str) -> bool:
        return reading.exists(path)

    @staticmethod
    def glob(pattern: str) -> list[str]:
        return reading.match(pattern)

    @staticmethod
    def isdir(path: str) -> bool:
        return reading.is_folder(path)

    @staticmethod
    def listdir(path: str) -> list[str]:
        return reading.names_in(path)

    @staticmethod
    def makedirs(path: str) -> None:
        writing.make_dirs(path)

    @staticmethod
    def mkdir(path: str) -> None:
        writing.make_dirs(path)

    @staticmethod
    def remove(path: str) -> None:
        writing.delete([path])

    @staticmethod
    def rename(src: str, dst: str, overwrite: bool = False) -> None:
        _require_free(dst, overwrite)
        if reading.is_file(src):
            folders.copy_file(src, dst)
        else:
            folders.copy(src, dst, "")
        writing.delete([src])

    @staticmethod
    def rmtree(path: str) -> None:
        writing.delete([path])

    @staticmethod
    def stat(path: str) -> Any:
        raise NotImplementedError("nothing of TFX's that runs here asks for it")

    @staticmethod
    def walk(
        top: str, topdown: bool = True, onerror: Callable[..., None] | None = None
    ) -> Iterable[tuple[str, list[str], list[str]]]:
        found: dict[str, list[str]] = {"": []}
        for name in reading.files_below(top):
            folder, _, file = name.rpartition("/")
            found.setdefault(folder, []).append(file)
        for folder, files in found.items():
            yield posixpath.join(top, folder).rstrip("/"), [], files


def register() -> None:
    """Has TFX use it, in this process."""
    filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(Filesystem, priority=_BEFORE_TENSORFLOWS)


def _require_free(name: str, overwrite: bool) -> None:
    if not overwrite and reading.exists(name):
        raise OSError(f"{name} is there already")
