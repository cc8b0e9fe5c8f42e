"""What a pushed version says of itself: `manifest.json`, written last, with a digest of each of its files.

Whoever loads the version can see that its files are those that were judged. A version that was pushed without one is
taken as it is.
"""

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar, Self

from pydantic import ConfigDict, TypeAdapter

from components.artifacts.storage import read_json, write_json
from components.shared.errors import UserError
from components.shared.files.reading import files_below, is_file, open_file
from components.shared.json_types import JsonObject

MANIFEST_FILE = "manifest.json"
ORIGIN_FILE = "origin.json"
"""What the Evaluator puts beside its blessing."""

_BLOCK_BYTES = 1 << 22


class MismatchError(ValueError):
    """The files of a version are not those that were pushed."""


class DamagedModelError(UserError):
    """Files of a model are not what was written."""


@dataclass(frozen=True)
class File:
    """A file of a version: its size, and the SHA-256 of its content in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Origin:
    """Where a model comes from, and what the gate made of it.

    Attributes:
      data: fingerprint of the data that it was trained on.
      configuration: fingerprint of the run's configuration.
      metrics: of the ranking that the gate looks at, by name.
      verdict: what became of each rule of the gate, by name: passed, failed or skipped.
    """

    data: str | None = None
    configuration: str | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    verdict: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: str) -> Self | None:
        """That of a blessing; None where an earlier version, or something else, made it.

        Raises:
          UserError: it cannot be read.
        """
        path = posixpath.join(folder, ORIGIN_FILE)
        return TypeAdapter(cls).validate_python(read_json(path)) if is_file(path) else None

    def write(self, folder: str) -> None:
        """Writes it beside a blessing.

        Raises:
          UserError: as `write_atomically`.
        """
        write_json(posixpath.join(folder, ORIGIN_FILE), TypeAdapter(type(self)).dump_python(self, mode="json"))


@dataclass(frozen=True)
class Manifest:
    """A manifest.

    Attributes:
      files: what belongs to the version, by paths from its folder on.
      origin: where it comes from; None where that was not told.
      format: of the manifest itself; a later one may have more keys, which are passed over.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    files: Mapping[str, File]
    origin: Origin | None = None
    format: int = 1

    @classmethod
    def of(cls, folder: str, origin: Origin | None = None) -> Self:
        """Of the files that lie in a folder.

        Raises:
          UserError: one cannot be read.
        """
        names = [name for name in files_below(folder) if name != MANIFEST_FILE]
        return cls({name: _described(posixpath.join(folder, name)) for name in names}, origin)

    @classmethod
    def read(cls, folder: str) -> Self | None:
        """That of a version; None where it has none.

        Raises:
          MismatchError: it is none.
          UserError: it cannot be read.
        """
        path = posixpath.join(folder, MANIFEST_FILE)
        if not is_file(path):
            return None
        try:
            return TypeAdapter(cls).validate_python(read_json(path))
        except ValueError as error:
            raise MismatchError(f"its {MANIFEST_FILE} is none") from error

    def to_json(self) -> JsonObject:
        """The content of `manifest.json`."""
        content: JsonObject = TypeAdapter(type(self)).dump_python(self, mode="json", exclude_none=True)
        return content

    def write(self, folder: str) -> None:
        """Writes it to a version whose files are all there.

        Raises:
          UserError: as `write_atomically`.
        """
        write_json(posixpath.join(folder, MANIFEST_FILE), self.to_json())

    def check(self, folder: str) -> None:
        """Sees that the files in a folder are those that were pushed; others beside them do not matter.

        Raises:
          MismatchError: one is not there, or has another content.
        """
        there = set(files_below(folder))
        for name, told in sorted(self.files.items()):
            if name not in there:
                raise MismatchError(f"{name}, which was pushed with it, is not there")
            if _described(posixpath.join(folder, name)) != told:
                raise MismatchError(f"{name} is not what was pushed")


def check_version(folder: str) -> None:
    """Sees that the files of a version are those that were pushed, where it has a manifest; see `Manifest.check`."""
    if manifest := Manifest.read(folder):
        manifest.check(folder)


def _described(path: str) -> File:
    with open_file(path) as file:
        return _digest(file)


def _digest(file: BinaryIO) -> File:
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    return File(size, digest.hexdigest())
