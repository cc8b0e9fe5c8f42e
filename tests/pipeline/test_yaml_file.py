import time

import pytest
import yaml

from pipeline.yaml_file import load_yaml


def test_aliases_of_a_configuration_are_taken() -> None:
    assert load_yaml("a: &a [1, 2]\nb: *a\nc: {<<: {d: 1}}") == {"a": [1, 2], "b": [1, 2], "c": {"d": 1}}


def test_aliases_of_aliases_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 30)]
    begun = time.monotonic()
    with pytest.raises(yaml.YAMLError, match="its aliases stand for too much"):
        load_yaml("\n".join(lines))
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a {b: *a}"])
def test_what_contains_itself_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="its aliases stand for too much"):
        load_yaml(text)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(yaml.YAMLError, match="a text is no valid Unicode"):
        load_yaml('path: "\\ud800.csv"')


def test_truth_values_are_true_and_false_alone() -> None:
    assert load_yaml("[off, on, yes, no, true, FALSE]") == ["off", "on", "yes", "no", True, False]
