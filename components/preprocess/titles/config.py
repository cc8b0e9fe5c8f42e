"""Where the titles of items are: a mapping in the configuration."""

from typing import Any

from pydantic import Field, model_validator

from components.shared.parameters import Section


class TitlesConfig(Section):
    """A file with an id and a title in each row."""

    path: str = Field(min_length=1, description="A file or a glob, named and taken as those of the interactions.")
    id: str | int = Field(description="Name, or 0-based position, of the column of item ids.")
    title: str | int = Field("title", description="Name, or 0-based position, of the column of titles.")

    @model_validator(mode="before")
    @classmethod
    def _is_a_mapping(cls, fields: Any) -> Any:
        if not isinstance(fields, dict | cls):
            raise ValueError("titles have keys of their own: set dataset.titles.path, .id and .title")
        return fields
