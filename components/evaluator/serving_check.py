"""Whether what will be served is what was measured."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import ServingCheck
from components.artifacts.vocabulary import RawIds
from components.ranking.difference import largest_difference
from components.ranking.ranks import Holdouts
from components.serving.loader import ServedModel
from components.shared.scorer import Scorer, Scores

ITEMS_PER_USER = 20
RECOMMENDED = 10
MOST_USERS = 256


def check_serving(
    model: ServedModel,
    measured_by: Scorer,
    holdouts: Holdouts,
    raw_ids: tuple[RawIds, RawIds],
    users_per_block: int,
    random: np.random.Generator,
) -> ServingCheck:
    """Compares the model's signatures, and what it was measured by, on users and items.

    Args:
      model: the model.
      measured_by: what its scores of all items come from in the metrics.
      holdouts: the users; their seen and held-out items must not be recommended.
      raw_ids: the raw ids of all users and of all items, by dense index.
      users_per_block: for how many users all items are scored at once.
      random: draws the items, and the users whose recommendations are looked at.

    Returns:
      The differences are those between the scores of raw ids and of indexes, for all of the users with some items each;
      and, for a sample of them, between these and the scores of all items, between the scores of what is recommended
      and the best of all unseen items, and between the probabilities that are told with it and those of the same items
      by raw id; NaN where a score is.
    """
    rows = random.choice(len(holdouts.users), min(MOST_USERS, len(holdouts.users)), replace=False)
    with model.with_measured_histories():
        unknown, by_id = _by_id(model, holdouts.users, raw_ids, random)
        sample = holdouts.take(rows)
        differences = [by_id, *_recommended(model, measured_by, sample, raw_ids, users_per_block, random)]
    return ServingCheck(
        users=len(holdouts.users),
        unknown_ids=unknown,
        largest_difference=float(np.max(differences)),
    )


def _by_id(
    model: ServedModel, users: npt.NDArray[np.int32], raw_ids: tuple[RawIds, RawIds], random: np.random.Generator
) -> tuple[int, float]:
    """How many ids the model does not know, and how far the scores of raw ids are from those of their indexes.

    An index may belong to another id than the model's for a few users or items alone. So every user is asked for, and
    every item as well where there are not more of them than `ITEMS_PER_USER` for each user.
    """
    user_ids, item_ids = raw_ids
    items = random.integers(len(item_ids), size=(len(users), ITEMS_PER_USER), dtype=np.int32)
    every = random.permutation(len(item_ids))[: items.size]
    items.reshape(-1)[: len(every)] = every
    unknown, differences = 0, []
    for begin in range(0, len(users), MOST_USERS):
        part = slice(begin, begin + MOST_USERS)
        served = model.score_by_id(user_ids[users[part]], item_ids[items[part]])
        unknown += int((~served["known_user"]).sum() + (~served["known_item"]).sum())
        differences.append(largest_difference(model.score_candidates(users[part], items[part]), served["scores"]))
    return unknown, float(np.max(differences, initial=0))


def _recommended(
    model: ServedModel,
    measured_by: Scorer,
    sample: Holdouts,
    raw_ids: tuple[RawIds, RawIds],
    users_per_block: int,
    random: np.random.Generator,
) -> Iterator[float]:
    user_ids, item_ids = raw_ids
    items = random.integers(len(item_ids), size=(len(sample.users), ITEMS_PER_USER), dtype=np.int32)
    measured = model.score_candidates(sample.users, items)
    for begin, block in zip(range(0, len(items), users_per_block), sample.blocks(users_per_block), strict=True):
        part = slice(begin, begin + users_per_block)
        for scorer in (model, measured_by):
            scores = scorer.score_all_items(block.users)
            yield largest_difference(measured[part], np.take_along_axis(scores, items[part], axis=1))
        best = _best_unseen(scores, block)
        recommended = model.recommend(user_ids[block.users], best.shape[1])
        asked = user_ids[block.users], recommended["item_ids"]
        yield largest_difference(best, model.score_by_id(*asked)["scores"])
        yield largest_difference(model.serve(*asked)["scores"], recommended["scores"])


def _best_unseen(scores: Scores, holdouts: Holdouts) -> Scores:
    """The highest scores of users' unseen items, best first: as many as each user has, at most `RECOMMENDED`."""
    unseen = np.ones(scores.shape, bool)
    unseen[holdouts.seen_rows(), holdouts.seen] = False
    unseen[np.arange(len(scores)), holdouts.items] = False
    most = min(RECOMMENDED, int(unseen.sum(axis=1).min()))
    return -np.sort(np.where(unseen, -scores, np.inf), axis=1)[:, :most]
