"""Files of the pipeline's artifacts: whole or not there, wherever the artifact is."""

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from components.shared.files.reading import exists, names_in, open_file
from components.shared.files.writing import delete, write_atomically
from components.shared.json_types import JsonObject

__all__ = [
    "delete",
    "exists",
    "fingerprint",
    "list_files",
    "open_file",
    "read_json",
    "write_atomically",
    "write_json",
]


def list_files(folder: str, suffix: str, prefix: str = "") -> list[str]:
    """The files of a folder with that beginning and ending, in the order of their names."""
    names = (name for name in names_in(folder) if name.startswith(prefix) and name.endswith(f".{suffix}"))
    return [posixpath.join(folder, name) for name in names]


def write_json(path: str, content: Mapping[str, Any]) -> None:
    """Writes a mapping as indented JSON."""
    with write_atomically(path) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: str) -> JsonObject:
    """Reads what `write_json` wrote.

    Raises:
      ValueError: it is something else.
    """
    with open_file(path) as file:
        try:
            content: JsonObject = json.loads(file.read())
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error
    return content


def fingerprint(digests: Sequence[bytes]) -> str:
    """One hexadecimal fingerprint (64 bits) of the digests of an artifact's parts, in their order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]
