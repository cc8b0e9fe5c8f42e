"""The fast way through plain lines of JSON, against Python's json."""

import json
import random
from typing import Any

import pyarrow as pa
import pytest

from components.preprocess.readers.json_pieces import _read_plain

KINDS = {"user": pa.string(), "n": pa.int64()}
OTHERS = (
    "[]", "{}", "[[1, {}], {\"a\": [null]}]", "-0", "0.5", "1e5", "-12.25E-3", "true", "false", "null", '""', '"a,}"',
    '"\\"\\\\\\u00e9\\n"', '{"user": "inner", "n": 7}', '"é😀"', "[" * 59 + "]" * 59,
)  # fmt: skip
MALFORMED = (
    "01", "1.", ".5", "+1", "1e", "-", "tru", "nul", "NaN", "'a'", '"\\x"', '"\\u12"', '"\t"', "[1,]", "[,1]", "{,}",
    '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "[1}", "[1 2]", "", "]", '"open', "[" * 61 + "]" * 61,
)  # fmt: skip


def plain(*lines: str) -> list[dict[str, Any]] | None:
    table = _read_plain("\n".join(lines).encode(), KINDS)
    return None if table is None else table.to_pylist()


@pytest.mark.parametrize("seed", range(20))
def test_plain_lines_are_read_as_python_reads_them(seed: int) -> None:
    draw = random.Random(seed)

    def line() -> str:
        named = [("user", json.dumps(draw.choice("aéz") * draw.randrange(9), ensure_ascii=False))]
        named += [("n", str(draw.choice((0, -1, 7, draw.randrange(-(2**63), 2**63)))))]
        named += [(f"x{n}", draw.choice(OTHERS)) for n in range(draw.randrange(5))]
        draw.shuffle(named)
        blank = draw.choice(("", " ", " \t\r"))
        inner = f"{blank},{blank}".join(f'"{name}"{blank}:{blank}{value}' for name, value in named)
        return f"{blank}{{{blank}{inner}{blank}}}{blank}"

    lines = [draw.choice((line(), line(), "", "  ")) for _ in range(draw.randrange(30))]
    expected = [{name: json.loads(text)[name] for name in KINDS} for text in lines if text.strip()]
    assert plain(*lines) == expected


@pytest.mark.parametrize("value", [*OTHERS, *MALFORMED])
def test_what_is_taken_is_json(value: str) -> None:
    line = f'{{"user": "u", "x": {value}, "n": 5}}'
    try:
        assert plain(line) in ([{"user": json.loads(line)["user"], "n": 5}], None)
    except ValueError:
        assert plain(line) is None
    assert (plain(line) is not None) == (value in OTHERS)


@pytest.mark.parametrize(
    "line",
    [
        '{"user": "u"}', '{"user": "u", "n": 1, "n": 2}', '{"user": 1, "n": 1}', '{"user": "u", "n": "1"}',
        '{"user": "u", "n": 1.0}', '{"user": "u", "n": 1e3}', '{"user": "u", "n": null}',
        '{"user": "a\\u00e9", "n": 1}', "{}", "[]",
        '{"us\\u0065r": "v", "user": "u", "n": 1}', f'{{"user": "u", "n": {2**63}}}', '{"user": "u", "n": 1',
        '{"user": "u", "n": 1}}', '{"user": "u", "n": 1} {}', '{"user": "u", "n": 01}', '{"user": "u"; "n": 1}', '{"',
    ],
)  # fmt: skip
def test_whatever_has_to_be_decided_is_left_to_others(line: str) -> None:
    good = '{"user": "u", "n": 1}'
    assert plain(good, line, good) is None
    assert plain(good, line) is None


def test_text_that_is_not_utf_8_is_left_to_others() -> None:
    assert _read_plain(b'{"user": "u", "n": 1, "x": "\xff"}', KINDS) is None
