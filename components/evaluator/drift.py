"""What became of the data since the champion was trained, by what the champion itself tells.

A pushed model has its vocabulary inside, and gives somebody whom it does not know what is popular: asked for all of its
items, it lists them with log(1 + interactions in training). So the two sets of data can be held side by side without
the champion's own, for any model that has the signatures.
"""

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Drift
from components.artifacts.vocabulary import RawIds
from components.evaluator.asking import find_places
from components.serving.contract import NO_ITEM, RECOMMEND
from components.serving.loader import ServedModel
from components.shared.errors import UserError

_NOBODY, _NOBODY_TEXT = NO_ITEM, "\0nobody"
_ALL = int(np.iinfo(np.int32).max)


def measure_drift(
    champion: ServedModel, user_ids: RawIds, item_ids: RawIds, item_counts: npt.NDArray[np.int64], at_once: int
) -> Drift | None:
    """Holds the data beside the champion's.

    Args:
      champion: takes ids of this data's types.
      user_ids: raw ids of the users, [users].
      item_ids: raw ids of the items, [items].
      item_counts: int64 [items], training interactions of each.
      at_once: how many users to ask for at once.

    Returns:
      None where the champion does not tell what was popular.
    """
    popularity = _popularity(champion, user_ids)
    if popularity is None:
        return None
    known_ids, counts = popularity
    places = find_places(known_ids, item_ids)
    return Drift(
        users=len(user_ids),
        new_users=len(user_ids) - _count_known_users(champion, user_ids, item_ids, at_once),
        champion_users=champion.users,
        items=len(item_ids),
        new_items=len(item_ids) - int((places >= 0).sum()),
        champion_items=len(known_ids),
        rows=int(item_counts.sum()),
        champion_rows=int(counts.sum()),
        popularity_shift=total_variation(item_counts, counts, places),
    )


def total_variation(
    counts: npt.NDArray[np.int64], others: npt.NDArray[np.int64], places: npt.NDArray[np.int32]
) -> float:
    """The total variation distance between two distributions over items, half the sum of all differences.

    Example:
      Of the items a and b with 3 and 1 rows, and b and c with 1 and 1: half of |3/4 - 0| + |1/4 - 1/2| + |0 - 1/2| is
      .75.

    Args:
      counts: int64 [n], rows of the items of one.
      others: int64 [m], rows of the items of the other.
      places: int32 [m], where each of those is among the first; -1 where it is not.
    """
    own, other = counts / counts.sum(), others / others.sum()
    matched = np.zeros(len(own))
    matched[places[places >= 0]] = other[places >= 0]
    return float(np.abs(own - matched).sum() + other[places < 0].sum()) / 2


def _popularity(champion: ServedModel, user_ids: RawIds) -> tuple[RawIds, npt.NDArray[np.int64]] | None:
    """All items of the champion, and the training interactions of each; None where it does not tell."""
    if catalog := champion.catalog():
        return (catalog.item_ids, catalog.item_counts) if catalog.item_counts.any() else None
    if not champion.answers(RECOMMEND):
        return None
    nobody = np.array([_NOBODY_TEXT], object) if user_ids.dtype.kind == "O" else np.array([_NOBODY], np.int64)
    try:
        found = champion.recommend(nobody, _ALL)
    except UserError:  # what it is compared by is another signature
        return None
    counts = np.expm1(found["scores"][0].astype(np.float64)).round()
    if found["known_user"][0] or not (np.isfinite(counts).all() and (counts >= 0).all() and counts.any()):
        return None
    return found["item_ids"][0], counts.astype(np.int64)


def _count_known_users(champion: ServedModel, user_ids: RawIds, item_ids: RawIds, at_once: int) -> int:
    known = 0
    for begin in range(0, len(user_ids), at_once):
        users = user_ids[begin : begin + at_once]
        some_item = item_ids[np.zeros((len(users), 1), np.int64)]
        known += int(champion.serve(users, some_item)["known_user"].sum())
    return known
