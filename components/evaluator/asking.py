"""What a pushed model scores this run's users and items, which it knows by their raw ids, if at all."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts.vocabulary import RawIds
from components.ranking.compiled_scorer import fastest_scorer
from components.ranking.difference import largest_difference
from components.serving.contract import SCORE_ALL_ITEMS, SCORE_CANDIDATES
from components.serving.loader import ServedModel
from components.shared.scorer import Scores

_TRIED = 4
_TOLERANCE = 1e-4

_Indexes: TypeAlias = npt.NDArray[np.int32]
_Flags: TypeAlias = npt.NDArray[np.bool_]


class Answer(NamedTuple):
    """What a model says of some users and items.

    Attributes:
      scores: floats [n, width]; anything where it knows the user or the item not.
      known_users: bool [n].
      known_items: bool [n, width].
    """

    scores: Scores
    known_users: _Flags
    known_items: _Flags


Ask: TypeAlias = Callable[[_Indexes, _Indexes], Answer]
"""Asks for users, int32 [n], and items of each, int32 [n, width], by this run's indexes."""


def asks_by_id(model: ServedModel, user_ids: RawIds, item_ids: RawIds) -> Ask:
    """Asks as a client would.

    Args:
      model: the pushed one.
      user_ids: raw ids of this run's users by index, as the model takes them.
      item_ids: of its items, likewise.
    """

    def ask(users: _Indexes, items: _Indexes) -> Answer:
        served = model.score_by_id(user_ids[users], item_ids[items])
        return Answer(served["scores"], served["known_user"], served["known_item"])

    return ask


def fastest_ask(model: ServedModel, user_ids: RawIds, item_ids: RawIds) -> Ask:
    """Asks by the model's own indexes, where it tells whom and what it knows and gives the same scores for these.

    Args:
      model: the pushed one, whose raw ids are scored by the users it was measured with.
      user_ids: as in `asks_by_id`.
      item_ids: likewise.
    """
    by_id, catalog = asks_by_id(model, user_ids, item_ids), model.catalog()
    if catalog is None or model.users != len(catalog.user_ids):
        return by_id
    if not all(map(model.answers, (SCORE_ALL_ITEMS, SCORE_CANDIDATES))):
        return by_id
    own_users, own_items = find_places(user_ids, catalog.user_ids), find_places(item_ids, catalog.item_ids)
    scorer = fastest_scorer(model)

    def ask(users: _Indexes, items: _Indexes) -> Answer:
        known_users, known_items = own_users[users] >= 0, own_items[items] >= 0
        scores = scorer.score_candidates(np.maximum(own_users[users], 0), np.maximum(own_items[items], 0))
        return Answer(scores, known_users, known_items)

    some_users, some_items = (np.flatnonzero(own >= 0).astype(np.int32) for own in (own_users, own_items))
    asked = some_users[:_TRIED], np.broadcast_to(some_items, (len(some_users[:_TRIED]), len(some_items)))
    difference = largest_difference(by_id(*asked).scores, ask(*asked).scores)
    return ask if difference <= _TOLERANCE else by_id


def find_places(ids: RawIds, among: RawIds) -> npt.NDArray[np.int32]:
    """The place of each raw id among others, int32; -1 for those that are not there. A text may stand as its bytes."""
    values = pa.array(among)
    found: npt.NDArray[np.int32] = pc.fill_null(
        pc.index_in(pa.array(ids).cast(values.type), value_set=values), -1
    ).to_numpy()
    return found
