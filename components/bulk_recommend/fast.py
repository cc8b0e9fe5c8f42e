"""A pushed model's recommendations for many users: several times as fast as by its signature.

All items are scored for a block of users at once: by compiled loops (`CompiledScorer`), or without an MLP tower in one
matrix product.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from components.artifacts.vocabulary import RawIds
from components.ranking.compiled_scorer import CompiledScorer
from components.ranking.difference import largest_difference
from components.ranking.ranks import Holdouts, top_unseen
from components.serving.contract import LOWEST_SCORE, NO_ITEM, NO_ITEM_TEXT, Catalog
from components.serving.loader import ServedModel

_TRIED, _TRIED_K, _TOLERANCE = 4, 10, 1e-4

Floats = npt.NDArray[np.float32]
Score = Callable[[npt.NDArray[np.int32]], Floats]


class Recommender(Protocol):
    """What recommends to users; `ServedModel` does."""

    def recommend(self, user_ids: RawIds, k: int) -> dict[str, npt.NDArray[Any]]:
        """See `ServedModel.recommend`."""


def fastest(served: ServedModel) -> Recommender:
    """What gives the same as the model, for any number of threads; the model itself where nothing else does."""
    catalog, score = served.catalog(), _scores_of_all_items(served)
    if catalog is None or score is None:
        return served
    fast = FastRecommender(catalog, score)
    users = as_asked(catalog.user_ids[:_TRIED])
    expected, found = (recommender.recommend(users, _TRIED_K)["scores"] for recommender in (served, fast))
    return fast if alike(expected, found) else served


def alike(expected: Floats, found: Floats) -> bool:
    """Whether scores, float32 [users, k], are those of the model's signature, up to rounding; they end alike, too."""
    if expected.shape != found.shape or ((expected > LOWEST_SCORE) != (found > LOWEST_SCORE)).any():
        return False
    difference = largest_difference(*(np.where(scores > LOWEST_SCORE, scores, 0) for scores in (expected, found)))
    return difference <= _TOLERANCE


def as_asked(ids: npt.NDArray[Any]) -> RawIds:
    """Raw ids as a model takes them, of those that it gives: texts are bytes there."""
    if ids.dtype.kind != "O":
        return ids
    return np.array([id_.decode() if isinstance(id_, bytes) else id_ for id_ in ids.tolist()], object)


def _scores_of_all_items(served: ServedModel) -> Score | None:
    """What gives the logits of users, int32 [n], as they are served, with all items, float32 [n, items].

    Returns:
      None where the model does not declare what it takes.
    """
    if (weights := served.served_weights()) is not None:
        return CompiledScorer(served, weights).score_all_items
    if (vectors := served.vectors()) is None:
        return None
    users: Floats = vectors.user_rows * vectors.head[:, 0]
    items = np.ascontiguousarray(vectors.item_rows.T)

    def score(chosen: npt.NDArray[np.int32]) -> Floats:
        scores: Floats = np.matmul(users[chosen], items)
        return np.add(scores, vectors.bias, out=scores)

    return score


class FastRecommender:
    """Recommends by the arrays that a model declares."""

    def __init__(self, catalog: Catalog[npt.NDArray[Any]], score: Score):
        """Takes what the model declares.

        Args:
          catalog: whom and what it knows.
          score: gives the logits of users, int32 [n], with all items, float32 [n, items].
        """
        self._catalog, self._score = catalog, score
        self._indexes = pd.Index(as_asked(catalog.user_ids))
        texts = catalog.item_ids.dtype.kind == "O"
        self._item_ids = np.append(catalog.item_ids, [NO_ITEM_TEXT.encode() if texts else NO_ITEM])
        self._popular = np.argsort(-catalog.popularity, kind="stable").astype(np.int32)

    def recommend(self, user_ids: RawIds, k: int) -> dict[str, npt.NDArray[Any]]:
        """See `ServedModel.recommend`."""
        users = self._indexes.get_indexer(pd.Index(user_ids)).astype(np.int32)
        known = users >= 0
        width = min(k, len(self._popular))
        places, logits = np.empty((len(users), width), np.int32), np.empty((len(users), width), np.float32)
        places[~known] = self._popular[:width]
        logits[~known] = self._catalog.popularity[self._popular[:width]]
        if known.any():
            scores = self._score(users[known])
            places[known] = top_unseen(scores, self._seen(users[known]), width)
            logits[known] = np.take_along_axis(scores, np.maximum(places[known], 0), axis=1)
        slope, offset = self._catalog.probabilities
        told = np.where(places >= 0, expit(slope * logits + offset), np.float32(LOWEST_SCORE))
        return {"item_ids": self._item_ids[places], "scores": told, "known_user": known}

    def _seen(self, users: npt.NDArray[np.int32]) -> Holdouts:
        """What users have seen; no item is held out of it."""
        bounds = self._catalog.seen_bounds
        parts = [self._catalog.seen_items[bounds[user] : bounds[user + 1]] for user in users]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        return Holdouts(users, np.zeros(len(users), np.int32), np.concatenate(parts), ends)
