"""Any configuration, and whatever is set on top of it, is taken or told in one line."""

from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as some
from pydantic import BaseModel

from pipeline.config import Config, describe_config, load_config
from tests.fuzz.outcomes import one_line_at_most


def keys_of(section: type[BaseModel], before: str = "") -> list[str]:
    """The keys of a section and of those in it, with dots."""
    keys = []
    for name, field in section.model_fields.items():
        kinds = [field.annotation, *get_args(field.annotation)]
        inner = [kind for kind in kinds if get_origin(kind) is None and isinstance(kind, type)]
        keys.append(before + name)
        for kind in inner:
            if issubclass(kind, BaseModel):
                keys += keys_of(kind, f"{before}{name}.")
    return keys


KEYS = keys_of(Config)
values: some.SearchStrategy[Any] = some.recursive(
    some.one_of(
        some.none(),
        some.booleans(),
        some.integers(-(2**70), 2**70),
        some.floats(),
        some.text(max_size=12),
        some.sampled_from(["files", "movielens", "ncf", "auto", "a.csv", "time", "64,32", "${X}", "1e5", "gs://b/*"]),
    ),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3), some.dictionaries(some.sampled_from([*KEYS, "x", ""]), inner, max_size=3)
    ),
    max_leaves=6,
)
sections = some.dictionaries(
    some.sampled_from([*Config.model_fields, "x"]),
    some.one_of(
        values,
        some.dictionaries(some.sampled_from([key.rpartition(".")[2] for key in KEYS]), values, max_size=4),
    ),
    max_size=4,
)
assignments = some.lists(
    some.one_of(
        some.builds(
            lambda key, value: f"{key}={value}",
            some.sampled_from([*KEYS, "dataset.path.x", "a..b", "."]),
            some.one_of(
                values.map(str), some.text(max_size=20), some.sampled_from(["[", "{a: &b [*b]}", "!!x y", "*"])
            ),
        ),
        some.text(max_size=20),
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "run.yaml"


def load(path: Path, content: bytes, assigned: list[str]) -> None:
    path.write_bytes(content)
    with one_line_at_most():
        config = load_config(path, [text.replace("\n", " ") for text in assigned])
        describe_config(config)
        for section in (config.dataset, config.preprocess, config.negatives, config.trainer, config.evaluator):
            assert type(section).from_properties(section.to_properties()) == section


@given(sections, assignments)
def test_any_sections(path: Path, tree: dict[str, Any], assigned: list[str]) -> None:
    load(path, yaml.safe_dump(tree).encode("utf-8", "surrogatepass"), assigned)


@example("\x00")
@given(some.one_of(some.binary(max_size=100), some.text(alphabet="{}[]&*!|>%@`'\":,-? \n\t#ab1\x00é", max_size=60)))
def test_any_text_for_a_file(path: Path, content: bytes | str) -> None:
    load(path, content if isinstance(content, bytes) else content.encode(), [])
