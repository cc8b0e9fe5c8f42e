"""Whether what will be served is what was measured."""

import numpy as np

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
    """Compares the model's signatures, and what it was measured by, on a sample of users and items.

    Args:
      model: the model.
      measured_by: what its scores of all items come from in the metrics.
      holdouts: the users that the sample is drawn from; their seen and held-out items must not be recommended.
      raw_ids: the raw ids of all users and of all items, by dense index.
      users_per_block: for how many users all items are scored at once.
      random: draws the sample.

    Returns:
      The differences are those between the scores of raw ids, of candidates and of all items, between the scores of
      what is recommended and the best of all unseen items, and between the probabilities that are told with it and
      those of the same items by raw id; NaN where a score is.
    """
    user_ids, item_ids = raw_ids
    rows = random.choice(len(holdouts.users), min(MOST_USERS, len(holdouts.users)), replace=False)
    sample = holdouts.take(rows)
    items = random.integers(len(item_ids), size=(len(rows), ITEMS_PER_USER), dtype=np.int32)
    with model.with_measured_histories():
        served = model.score_by_id(user_ids[sample.users], item_ids[items])
        measured = model.score_candidates(sample.users, items)
        differences = [largest_difference(measured, served["scores"])]
        for begin, block in zip(range(0, len(rows), users_per_block), sample.blocks(users_per_block), strict=True):
            part = slice(begin, begin + users_per_block)
            for scorer in (model, measured_by):
                scores = scorer.score_all_items(block.users)
                differences.append(largest_difference(measured[part], np.take_along_axis(scores, items[part], axis=1)))
            best = _best_unseen(scores, block)
            recommended = model.recommend(user_ids[block.users], best.shape[1])
            asked = user_ids[block.users], recommended["item_ids"]
            differences.append(largest_difference(best, model.score_by_id(*asked)["scores"]))
            differences.append(largest_difference(model.serve(*asked)["scores"], recommended["scores"]))
    return ServingCheck(
        users=len(rows),
        unknown_ids=int((~served["known_user"]).sum() + (~served["known_item"]).sum()),
        largest_difference=float(np.max(differences)),
    )


def _best_unseen(scores: Scores, holdouts: Holdouts) -> Scores:
    """The highest scores of users' unseen items, best first: as many as each user has, at most `RECOMMENDED`."""
    unseen = np.ones(scores.shape, bool)
    unseen[holdouts.seen_rows(), holdouts.seen] = False
    unseen[np.arange(len(scores)), holdouts.items] = False
    most = min(RECOMMENDED, int(unseen.sum(axis=1).min()))
    return -np.sort(np.where(unseen, -scores, np.inf), axis=1)[:, :most]
