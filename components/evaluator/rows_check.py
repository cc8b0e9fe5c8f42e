"""Whether the rows of all users are made of what these users did.

A model with two user tables serves rows of all that a user did, and is measured by rows of what came before the test.
Both are sums over the same vectors, which it declares (`FoldedColumns`). So the interactions tell what they should be.
Rows of somebody else are something else, and so are those of another state of the data, and measured rows that know
the test item.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from components.artifacts.evaluation import RowsCheck
from components.artifacts.interactions import Interactions, Pairs
from components.artifacts.splits import Split
from components.serving.contract import FoldedColumns
from components.serving.loader import ServedModel
from components.shared.sequences import latest_items

_Columns = FoldedColumns[npt.NDArray[Any]]
_Floats = npt.NDArray[np.float32]

_BEFORE_TEST: Sequence[Split] = ("train", "validation")
_ALL: Sequence[Split] = (*_BEFORE_TEST, "test", "aside")
_USERS_AT_ONCE = 2048


def check_rows(model: ServedModel, interactions: Interactions, tolerance: float) -> RowsCheck | None:
    """Holds both rows of each user against what the user did.

    Memory is bounded by one shard of the interactions and the rows of some users.

    Args:
      model: the model.
      interactions: what its users did.
      tolerance: greatest difference that is none, relative to the largest value of a user's columns.

    Returns:
      What was found; None where the model does not say what its rows are made of. A model that is too small for the
      users or items has no row that counts.
    """
    columns = model.folded_columns()
    if not columns:
        return None
    summary = interactions.summary
    if (model.users or 0) < summary.users or len(columns[0].vectors) < summary.items:
        return RowsCheck(users=summary.users, others=summary.users, largest_difference=math.nan)
    differences = [
        _differences(model.user_rows(users), before, everything, columns)
        for users, before, everything in _blocks(interactions)
    ]
    found = np.concatenate([np.zeros(0, np.float32), *differences])
    largest = float(np.max(found, initial=0))
    return RowsCheck(users=len(found), others=int((~(found <= tolerance)).sum()), largest_difference=largest)


def _blocks(interactions: Interactions) -> Iterator[tuple[npt.NDArray[np.int32], Pairs, Pairs]]:
    """Users, int32 [n], with what each did before the test and in all, users as their places among these."""
    parts = zip(interactions.by_user(_BEFORE_TEST), interactions.by_user(_ALL), strict=True)
    for shard, (before, everything) in zip(interactions.summary.shards, parts, strict=True):
        end = shard.first_user + shard.users
        for first in range(shard.first_user, end, _USERS_AT_ONCE):
            users = np.arange(first, min(first + _USERS_AT_ONCE, end), dtype=np.int32)
            yield users, _of_users(before, users), _of_users(everything, users)


def _of_users(pairs: Pairs, users: npt.NDArray[np.int32]) -> Pairs:
    begin, end = np.searchsorted(pairs.users, [users[0], users[-1] + 1])
    return Pairs(pairs.users[begin:end] - users[0], pairs.items[begin:end])


def _differences(
    rows: tuple[_Floats, _Floats], before: Pairs, everything: Pairs, columns: Sequence[_Columns]
) -> _Floats:
    """How far the rows of users are from what they should be, the most of all columns: float32 [n]."""
    begins = np.cumsum([part.vectors.shape[1] for part in columns])[:-1]
    parts = zip(columns, *(np.split(table, begins, axis=1) for table in rows), strict=True)
    found = np.zeros(len(rows[0]), np.float32)
    for part, measured, served in parts:
        should = _fold(part, before, len(found)), _fold(part, everything, len(found))
        off = _largest(served - measured - (should[1] - should[0]))
        if not part.mean:
            off = np.maximum(off, _largest(measured - should[0]))
        scale = np.maximum.reduce([_largest(table) for table in (measured, served, *should)])
        with np.errstate(invalid="ignore"):  # of what is not finite
            found = np.maximum(found, np.divide(off, scale, out=np.zeros_like(off), where=scale != 0))
    return found


def _largest(values: _Floats) -> _Floats:
    largest: _Floats = np.abs(values).max(axis=1, initial=0)
    return largest


def _fold(part: _Columns, pairs: Pairs, users: int) -> _Floats:
    """What some columns are by what users did, float32 [users, columns], without what is added to all."""
    shape = (users, len(part.vectors))
    if part.number:
        read = latest_items(*pairs, shape, int(part.number), float(part.decay)).astype(np.float32)
    else:
        read = scipy.sparse.csr_matrix((np.ones(len(pairs.users), np.float32), tuple(pairs)), shape)
    if part.mean:
        counts = np.bincount(pairs.users, minlength=users)
        read = scipy.sparse.diags_array((np.maximum(counts, 1) ** -0.5).astype(np.float32)) @ read
    rows: _Floats = read @ part.vectors
    return rows
