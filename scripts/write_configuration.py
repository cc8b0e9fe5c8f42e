"""Writes docs/configuration.md from the configuration's own types and descriptions: `make configuration`."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from components.trainer.tuning.space import documentation
from pipeline.config import Config
from pipeline.platforms.config import PodConfig

TARGET = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
INTRODUCTION = """# Configuration

One YAML file, with `--set section.key=value` on top. An unknown key, or a value out of range, is an error that names
the key. This page is written by `make configuration`.
"""

TUNED = """Each range is widened to hold the configuration's own value ([tuning.md](tuning.md))."""


def configuration_page() -> str:
    """The page: a table for each section."""
    sections = {"": _rows(Config, lambda annotation: not _is_section(annotation))}
    for name, field in Config.model_fields.items():
        if _is_section(field.annotation):
            assert isinstance(field.annotation, type)
            sections[name] = _rows(field.annotation, lambda annotation: True)
    sections["cluster.defaults"] = _rows(PodConfig, lambda annotation: True)
    tables = [_table(f"`{name}`" if name else "The run", rows) for name, rows in sections.items()]
    return "\n".join([INTRODUCTION, *tables, _tuned()])


def _tuned() -> str:
    lines = ["| key of `trainer` | range | scale | where |", "|---|---|---|---|"]
    lines += [f"| `{key}` | {range_} | {scale} | {where} |" for key, range_, scale, where in documentation()]
    return "\n".join(["## What `tune` tries", "", TUNED, "", *lines, ""])


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _rows(section: type[BaseModel], wanted: Any) -> list[tuple[str, str, str, str]]:
    schema = section.model_json_schema()
    return [
        (name, _allowed(schema["properties"][name]), _default(field.get_default()), field.description or "")
        for name, field in section.model_fields.items()
        if wanted(field.annotation)
    ]


def _allowed(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return ", ".join(_allowed(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return "mapping"
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return " \\| ".join(schema["enum"])
    if "properties" in schema:
        return "mapping"
    kind = {
        "object": "mapping",
        "integer": "whole number",
        "string": "text",
        "array": "list",
        "boolean": "true or false",
    }.get(schema["type"], schema["type"])
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[bound]:g}" for bound, sign in signs.items() if bound in schema]
    return " ".join([kind, *bounds])


def _default(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, BaseModel | dict):
        return "{}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(title: str, rows: list[tuple[str, str, str, str]]) -> str:
    lines = ["| key | value | default | |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {allowed} | {default} | {text} |" for name, allowed, default, text in rows]
    return "\n".join([f"## {title}", "", *lines, ""])


if __name__ == "__main__":
    TARGET.write_text(configuration_page(), encoding="utf-8")
