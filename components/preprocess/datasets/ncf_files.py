"""The NCF paper's files: a split into training and test, and each test item's negatives, taken as they are.

X. He et al., Neural Collaborative Filtering, WWW 2017. A folder holds three files of one NAME, plain or gzip:

    NAME.train.rating    user, item, rating, timestamp      tab-separated, no header; one line per interaction
    NAME.test.rating     the same                           at most one line per user
    NAME.test.negative   (user,item), item, item, ...       the test pair of a user and as many negatives on each line
"""

import posixpath
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from components.preprocess.given_split import GivenSplit
from components.preprocess.readers.base import plain_name
from components.preprocess.readers.opening import open_bytes
from components.preprocess.readers.text.layout import is_integer
from components.shared.errors import UserError
from components.shared.files.reading import names_in

_Column = npt.NDArray[np.int64]
_SUFFIXES = ("train.rating", "test.rating", "test.negative")
_PAIR = r"\((?P<user>-?\d{1,19}),\s*(?P<item>-?\d{1,19})\)"


def read(folder: str, validation: bool = True) -> GivenSplit:
    """Reads the three files of a folder, wherever it lies.

    A training row is dropped, and counted as a duplicate, where the same pair comes later or is the test row.

    Args:
      folder: where the files of one NAME lie.
      validation: whether to hold out the last training row, by timestamp and item, of each user with two or more.

    Raises:
      UserError: a file is missing, empty, or damaged, there is more than one NAME, a line is malformed (with its
        number), or the files contradict one another.
    """
    train_path, test_path, negative_path = _find(folder)
    train = _read_ratings(train_path)
    test = _read_ratings(test_path)
    pairs, negatives = _read_negatives(negative_path)

    test_user, test_item = _by_user(test[:2], test_path)
    negative_user, negative_item = _by_user(pairs, negative_path)
    negatives = negatives[np.argsort(pairs[0])]
    _check_users(negative_user, test_user, f"{negative_path}: user {{}} has no row in {test_path}")
    _check_users(test_user, negative_user, f"{negative_path}: user {{}} of {test_path} has no line")
    for user, item, other in zip(test_user, test_item, negative_item, strict=True):
        if item != other:
            raise UserError(f"{negative_path}: the line of user {user} is for item {other}, but {test_path} has {item}")

    kept = _latest(*train, test_user, test_item)
    user, item = train[0][kept], train[1][kept]
    _check_users(test_user, user, f"{test_path}: user {{}} has no row in {train_path} beside its test item")
    held_out = _last_of_two(user) if validation else np.zeros(len(user), bool)
    return GivenSplit(
        name=folder,
        train=(user[~held_out], item[~held_out]),
        validation=(user[held_out], item[held_out]) if validation else None,
        test=(test_user, test_item),
        negatives=(test_user, negatives),
        rows_read=len(train[0]) + len(test_user),
        duplicates=len(train[0]) - len(kept),
        timed=True,
    )


def _last_of_two(user: _Column) -> npt.NDArray[np.bool_]:
    """Marks the last row of each user with two or more; `user` is sorted."""
    same_as_next = user[:-1] == user[1:]
    last: npt.NDArray[np.bool_] = np.append(~same_as_next, True) & np.append(False, same_as_next)
    return last


def _find(folder: str) -> list[str]:
    """The paths of the three files."""
    paths = {name: posixpath.join(folder, name) for name in names_in(folder)}
    names = {
        plain_name(name).removesuffix(f".{suffix}")
        for name in paths
        for suffix in _SUFFIXES
        if plain_name(name).endswith(f".{suffix}")
    }
    if not names:
        raise UserError(f"dataset.path: {folder} is not a folder with NAME.train.rating, NAME.test.rating, ...")
    if len(names) > 1:
        raise UserError(f"dataset.path: {folder} has files of {', '.join(sorted(names))}; keep those of one name there")
    name = names.pop()
    files = []
    for suffix in _SUFFIXES:
        candidates = [f"{name}.{suffix}", f"{name}.{suffix}.gz"]
        present = [paths[candidate] for candidate in candidates if candidate in paths]
        if not present:
            raise UserError(f"dataset.path: {folder} has no {candidates[0]} (nor {candidates[1]})")
        files.append(present[0])
    return files


def _read_ratings(path: str) -> tuple[_Column, _Column, _Column]:
    """Users, items and timestamps in the order of the file."""
    text = _text(path)
    types = {"user": pa.int64(), "item": pa.int64(), "rating": pa.string(), "timestamp": pa.int64()}
    table = _parse(text, types)
    if table is None:
        raise _malformed(path, text, len(types), integers=(0, 1, 3))
    user, item, timestamp = (table[column].to_numpy() for column in ("user", "item", "timestamp"))
    return user, item, timestamp


def _read_negatives(path: str) -> tuple[tuple[_Column, _Column], _Column]:
    """Users and items of the pairs, and negatives [n, k], in the order of the file."""
    text = _text(path)
    width = len(text.lstrip(b"\r\n").split(b"\n", 1)[0].split(b"\t"))
    table = _parse(text, {"pair": pa.string(), **{f"{column}": pa.int64() for column in range(1, width)}})
    pairs = pc.extract_regex(table["pair"].combine_chunks(), f"^{_PAIR}$") if table is not None and width > 1 else None
    if table is None or pairs is None or pairs.null_count:
        raise _malformed(path, text, max(width, 2), integers=range(1, width), pair=True)
    user, item = (pairs.field(column).cast(pa.int64()).to_numpy(zero_copy_only=False) for column in ("user", "item"))
    return (user, item), np.stack([column.to_numpy() for column in table.columns[1:]], axis=1)


def _text(path: str) -> bytes:
    with open_bytes(path) as file:
        text = file.read()
    if not text.strip():
        raise UserError(f"{path} is empty")
    return text


def _parse(text: bytes, types: dict[str, pa.DataType]) -> pa.Table | None:
    """The columns of tab-separated text, or None where a line does not have them."""
    try:
        return csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(column_names=list(types)),
            csv.ParseOptions(delimiter="\t", quote_char=False),
            csv.ConvertOptions(column_types=types, null_values=[]),
        )
    except pa.ArrowInvalid:
        return None


def _malformed(path: str, text: bytes, width: int, integers: tuple[int, ...] | range, pair: bool = False) -> UserError:
    """What is wrong with the first malformed line."""
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.rstrip(b"\r") and (fault := _fault(line.rstrip(b"\r"), width, integers, pair)):
            return UserError(f"{path} line {number}: {fault}")
    return UserError(f"{path} cannot be read: it should have {width} tab-separated columns and no header")


def _fault(line: bytes, width: int, integers: tuple[int, ...] | range, pair: bool) -> str | None:
    try:
        fields = line.decode().split("\t")
    except UnicodeDecodeError:
        return "not UTF-8"
    if len(fields) != width:
        return f"{len(fields)} column{'s' * (len(fields) != 1)} where {width} are expected"
    if pair and not re.fullmatch(_PAIR, fields[0], re.ASCII):
        return f"{fields[0]!r} is not a pair such as (0,25)"
    wrong = [fields[place] for place in integers if not is_integer(fields[place])]
    return f"{wrong[0]!r} is not an integer" if wrong else None


def _by_user(columns: tuple[_Column, ...], path: str) -> list[_Column]:
    """The columns by ascending user.

    Raises:
      UserError: a user appears twice.
    """
    order = np.argsort(columns[0])
    user = columns[0][order]
    twice = np.flatnonzero(user[:-1] == user[1:])
    if len(twice):
        raise UserError(f"{path}: user {user[twice[0]]} has more than one row; leave one")
    return [column[order] for column in columns]


def _check_users(users: _Column, known: _Column, message: str) -> None:
    missing = np.setdiff1d(users, known)
    if len(missing):
        raise UserError(message.format(missing[0]))


def _latest(
    user: _Column, item: _Column, timestamp: _Column, test_user: _Column, test_item: _Column
) -> npt.NDArray[np.intp]:
    """The training rows to keep, by user, timestamp and item: of each pair the latest, and no test pair."""
    order = np.lexsort((timestamp, item, user))
    is_last = np.append((user[order][:-1] != user[order][1:]) | (item[order][:-1] != item[order][1:]), True)
    order = order[is_last]
    held_out = np.searchsorted(test_user, user[order]).clip(max=len(test_user) - 1)
    order = order[(test_user[held_out] != user[order]) | (test_item[held_out] != item[order])]
    kept: npt.NDArray[np.intp] = order[np.lexsort((item[order], timestamp[order], user[order]))]
    return kept
