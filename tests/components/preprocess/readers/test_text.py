"""The text reader against Python's csv module."""

import contextlib
import csv
import math
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from components.preprocess.readers.base import Columns, Reading, Source
from components.preprocess.readers.text.integer_loops import most_lines, parse_integers
from components.preprocess.readers.text.pieces import plan_text

WITHOUT_MEANING = ["", "", "", "a", "7", "-", "x y", "é", " ", "0x1F", 'a"b']
QUOTES = ['"odd" a', '"odd""" a', '"', 'a"', '"open', '"a" b"', '""', '"a"b"c"', '"5', '"5"']
NO_NUMBERS = [
    "",
    "x",
    "1.5",
    "7.0",
    "-8.0",
    "07.0",
    "+3",
    "-",
    "--1",
    "1e3",
    "1_0",
    "9" * 19,
    "0x1",
    "nan",
    "1-",
    " 3",
    "3 ",
    "\x0c3",
    "٣",
]
SEPARATORS = [",", "\t", ";", " ", "|", "::", "|||", "ab", "é", "x", "-", "7"]
PIECES_AND_BLOCKS = [(1 << 24, 1 << 21), (1_000, 100), (200, 50), (97, 13), (50, 1_000), (7, 5)]


@dataclass(frozen=True)
class Table:
    """A text with a header, and the places of the user, the item and maybe the time in each line."""

    text: str
    separator: str
    width: int
    places: list[int]

    def source(self, path: Path) -> Source:
        path.write_bytes(self.text.encode())
        return Source((str(path),), "csv", self.separator, True, Columns(*self.places), path.name)

    def records(self) -> list[list[str] | None]:
        """The fields of each record after the header, None for a line that is none."""
        return records(self.text, self.separator, self.width)[1:]

    def good_rows(self) -> list[tuple[float, ...]]:
        rows = ([fields[place] for place in self.places] for fields in self.records() if fields is not None)
        return [
            (int(user.strip().removesuffix(".0")), int(item.strip().removesuffix(".0")), *map(float, time))
            for user, item, *time in rows
            if is_integer(user) and is_integer(item) and all(map(is_finite, time))
        ]


def records(text: str, separator: str, width: int) -> list[list[str] | None]:
    """Each record as Python's csv has it; a line that begins none of this width is bad by itself."""
    lines, found, at = re.split("(?<=\n)", text), [], 0
    while at < len(lines):
        taken = 1
        if lines[at].strip("\r\n"):
            fields, taken = first_record(lines[at:] if '"' in lines[at] else lines[at : at + 1], separator)
            found.append(fields if len(fields) == width else None)
            taken = taken if found[-1] is not None else 1
        at += taken
    return found


def first_record(lines: list[str], separator: str) -> tuple[list[str], int]:
    """The fields of the first record, none where it is malformed, and how many lines it has."""
    if not knows_quotes(separator):
        line = lines[0].rstrip("\r\n")
        return [] if "\r" in line else line.split(separator), 1
    text = "".join(lines)
    for written in (text, with_odd_fields_in_quotes(text, separator)):
        reader = csv.reader(re.split("(?<=\n)", written), delimiter=separator, strict=True)
        with contextlib.suppress(csv.Error):
            return next(reader), reader.line_num
    return [], 1


def with_odd_fields_in_quotes(text: str, separator: str) -> str:
    """The first record as csv needs it: where a field such as `"odd" zap` has quotes in pairs, they are its own."""
    fields, between = [], re.escape(separator)
    while True:
        quoted = re.match(f'"[^"]*(?:""[^"]*)*"(?={between}|\r*\n|\r*$)', text)
        field = quoted or re.match(f"[^\r\n{between}]*", text)
        assert field is not None
        odd = quoted is None and field[0].startswith('"') and field[0].count('"') % 2 == 0
        fields.append(in_quotes(field[0]) if odd else field[0])
        text = text[len(field[0]) :]
        if not text.startswith(separator):
            return separator.join(fields) + text
        text = text.removeprefix(separator)


def knows_quotes(separator: str) -> bool:
    return len(separator.encode()) == 1


def is_integer(text: str) -> bool:
    bare = text.strip().removesuffix(".0") if re.fullmatch(r"(0|-?[1-9][0-9]*)\.0", text.strip()) else text.strip()
    return re.fullmatch("-?[0-9]+", bare, re.ASCII) is not None and -(2**63) < int(bare) < 2**63


def is_finite(text: str) -> bool:
    try:
        return not re.search("[^-+.e0-9 \t]", text) and math.isfinite(float(text))
    except ValueError:
        return False


def random_number(chance: random.Random) -> str:
    number = chance.randrange(10 ** chance.choice([1, 1, 2, 3, 9, 10, 17, 18])) + chance.choice([0, 0, 0, 8 * 10**18])
    return chance.choice(["", "", "", "-"]) + "0" * chance.choice([0, 0, 0, 1, 5, 20]) + str(number)


def in_quotes(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


def random_table(seed: int) -> Table:
    """Some of the rows are too short or too long or hold what is no number; there are quotes and blank lines."""
    chance = random.Random(seed)
    width, separator = chance.choice([2, 3, 3, 4, 5, 8, 20]), chance.choice(SEPARATORS)
    places = chance.sample(range(width), chance.choice([2, min(3, width)]))
    faulty = chance.choice([0, 0, 0.05, 0.3])
    quoted = chance.choice([0, 0, 0.2]) if knows_quotes(separator) else 0
    malformed = chance.choice([0, 0.05, 0.2]) if quoted else 0
    breaks = ["", "", "", "\n", "\nx\n"] if quoted else [""]
    lines = [separator.join("h" * width)]
    for _ in range(chance.choice([1, 2, 10, 60, 200])):
        fields = [
            random_number(chance) if place in places else chance.choice(WITHOUT_MEANING) for place in range(width)
        ]
        if chance.random() < faulty:
            fields[chance.choice(places)] = chance.choice(NO_NUMBERS)
        if chance.random() < faulty and len(fields) > 1:
            fields = [*fields, ""][: chance.choice([*range(1, width), width + 1])]
        fields = [field + chance.choice(breaks) for field in fields]
        fields = [in_quotes(field) if chance.random() < quoted else field.rstrip("\n") for field in fields]
        if chance.random() < malformed:
            fields[chance.randrange(len(fields))] = chance.choice(QUOTES)
        lines += [separator.join(fields)] + [""] * (chance.random() < 0.05)
    end = chance.choice(["\n", "\r\n"])
    return Table(end.join(lines) + end * chance.choice([0, 1, 1]), separator, width, places)


def read(source: Source, reading: Reading) -> tuple[list[tuple[float, ...]], int]:
    """The rows that the reader hands on, and how many it skipped."""
    batches = [rows for piece in plan_text(source, reading) for rows in piece.read()]
    columns = (
        [rows.user, rows.item, *([] if rows.timestamp is None else [rows.timestamp.astype(float)])] for rows in batches
    )
    good = [row for parts in columns for row in zip(*(part.tolist() for part in parts), strict=True)]
    return good, sum(rows.bad for rows in batches)


@pytest.mark.parametrize("first_seed", range(0, 300, 50))
def test_any_text_is_read_as_csv_reads_it(tmp_path: Path, first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 50):
        table = random_table(seed)
        good = table.good_rows()
        source = table.source(tmp_path / f"{seed}.csv")
        piece_bytes, block_bytes = PIECES_AND_BLOCKS[seed % len(PIECES_AND_BLOCKS)]
        read_rows, bad = read(source, Reading("integer", "skip", None, piece_bytes, block_bytes))
        assert (read_rows, bad) == (good, len(table.records()) - len(good)), f"seed {seed}"


@pytest.mark.parametrize(
    ("rows", "empty", "first"), [(6_001, 9, 1_000), (6_001, 9, 1), (200_001, 20, 1)], ids=["long", "short", "many"]
)
def test_columns_that_do_not_count_may_be_empty(tmp_path: Path, rows: int, empty: int, first: int) -> None:
    lines = [f"{k % 90 + first},{k * 7 % 80 + 100},{k % 900 + first}{',' * empty}" for k in range(rows)]
    header = ",".join(["user", "item", "timestamp", *(f"c{number}" for number in range(empty))])
    table = Table("\n".join([header, *lines, ""]), ",", 3 + empty, [0, 1, 2])
    assert read(table.source(tmp_path / "wide.csv"), Reading()) == (table.good_rows(), 0)


@pytest.mark.parametrize("places", [[0, 1], [2, 0], [1, 3, 2]], ids=str)
@pytest.mark.parametrize("repeats", [1, 2, 3])
@pytest.mark.parametrize("begun", [b"", b"7", b"7:"], ids=["whole", "begun", "cut"])
def test_the_shortest_lines_fill_the_arrays_and_leave_them_nowhere(
    places: list[int], repeats: int, begun: bytes
) -> None:
    """One digit in each column that counts and nothing in the others, between guards that must stay as they are."""
    row_of = np.full(5, -1, np.int64)
    row_of[places] = np.arange(len(places))
    line = (b":" * repeats).join(b"7" if place in places else b"" for place in range(5)) + b"\n"
    text = np.frombuffer(line * 50 + (begun + b"\n" if begun else b""), np.uint8)
    guarded = np.full((len(places) + 2, most_lines(len(text), 5, len(places), repeats)), -1, np.int64)
    assert parse_integers(text, np.uint8(ord(":")), repeats, row_of, np.zeros(5, np.uint8), 1, guarded[1:-1]) == (
        -1 if begun else 50
    )
    assert (guarded[1:-1, :50] == 7).all()
    assert (guarded[[0, -1]] == -1).all()


@pytest.mark.parametrize("title", [b"caf\xe9", b"5\x1f", "café".encode()], ids=["Latin-1", "control", "UTF-8"])
@pytest.mark.parametrize("separator", [",", "::"])
def test_columns_that_do_not_count_may_hold_any_bytes(tmp_path: Path, title: bytes, separator: str) -> None:
    """Whether there is a bad row near them or none."""
    between = separator.encode()
    line, path = between.join([b"1", b"2", title, b"4\n"]), tmp_path / "titles.csv"
    source = Source((str(path),), "csv", separator, False, Columns(0, 1, 3), path.name)
    path.write_bytes(between.join([b"1", b"2", b"title", b"4\n"]) + line)
    assert read(source, Reading("integer", "skip")) == ([(1, 2, 4)] * 2, 0)
    path.write_bytes(path.read_bytes() + b"bad\n" + line)
    assert read(source, Reading("integer", "skip")) == ([(1, 2, 4)] * 3, 1)


@pytest.mark.parametrize("line", ['1,2,3,"5', "1,2,3,\r5", "1,0x2,3,5"], ids=["quote", "return", "hexadecimal"])
@pytest.mark.parametrize("neighbour", ["", "bad\n"], ids=["alone", "beside a bad line"])
def test_a_line_is_bad_whatever_stands_beside_it(tmp_path: Path, line: str, neighbour: str) -> None:
    table = Table(f"h,h,h,h\n1,2,3,4\n{neighbour}{line}\n", ",", 4, [0, 1, 2])
    bad = 1 + bool(neighbour)
    assert read(table.source(tmp_path / "last.csv"), Reading("integer", "skip")) == ([(1, 2, 3)], bad)
