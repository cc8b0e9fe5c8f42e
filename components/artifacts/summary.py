"""What an artifact says of itself: `summary.json`, written last, so an artifact without one is not whole."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from components.artifacts.storage import exists, read_json, write_json
from components.shared.errors import UserError
from components.shared.json_types import JsonObject

SUMMARY = "summary.json"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a summary. Its fields are the keys of the JSON; one that is None has none."""

    # A later version that adds a key is not read as this one.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Summary(Part):
    """A whole summary.

    Attributes:
      STEP: which step writes it, and is to be run again where it cannot be read.
    """

    STEP: ClassVar[str]

    def to_json(self) -> JsonObject:
        """The content of `summary.json`."""
        content: JsonObject = TypeAdapter(type(self)).dump_python(self, mode="json", by_alias=True, exclude_none=True)
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The summary of which `to_json` gives `content`.

        Raises:
          ValueError: a key is missing, is not known, or has a value of another type.
        """
        try:
            return TypeAdapter(cls).validate_python(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise ValueError(f"{place}: {first['msg'].lower()}") from error

    def write(self, uri: str) -> None:
        """Declares the artifact at `uri` whole.

        Raises:
          UserError: the disk is full, or the folder cannot be written.
        """
        write_json(posixpath.join(uri, SUMMARY), self.to_json())

    @classmethod
    def read(cls, uri: str) -> Self:
        """Reads the summary of the artifact at `uri`.

        Raises:
          UserError: there is none, so the artifact is not whole; or this version writes others.
        """
        path = posixpath.join(uri, SUMMARY)
        if not exists(path):
            raise UserError(f"{uri} is not a whole artifact: it has no {SUMMARY}; run {cls.STEP} again")
        try:
            return cls.from_json(read_json(path))
        except ValueError as error:
            raise UserError(f"{path} is not what this version writes ({error}); run {cls.STEP} again") from error
