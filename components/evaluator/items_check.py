"""Whether each item is scored as one that its users took.

A model that learnt what users took scores each item higher for those who took it than for others, so that among all
items it stands out in their scores. An item that has another's place in the model, of a permuted table or a stale
index, is one like any other to them. A few of those change metrics by less than the noise; here each is seen by itself.
No held-out test item is looked at.
"""

import contextlib

import numpy as np
import numpy.typing as npt
import scipy.sparse

from components.artifacts.evaluation import ItemsCheck
from components.ranking.ranks import Holdouts
from components.shared.parallel import cores, map_ahead
from components.shared.scorer import Scorer

MOST_USERS = 10_000
MOST_ITEMS = 10_000
COMPARED_WITH = 1_000
FEWEST_TAKERS = 5
ALLOWED_SHARE = 0.2
_USUAL = 0.95


def check_items(
    scorer: Scorer, holdouts: Holdouts, items: int, users_per_block: int, random: np.random.Generator
) -> ItemsCheck:
    """Compares what users score the items that they took with what they score others.

    An item's score counts in standard deviations from its mean over users, and as a mean over those who took it. Items
    that fewer than `FEWEST_TAKERS`, or more than half of the users took, are left out. Memory is bounded by the scores
    of some users, and by `COMPARED_WITH` values for each of at most `MOST_USERS` and `MOST_ITEMS`.

    Args:
      scorer: what ranks as the model.
      holdouts: users, with what they took before the test.
      items: how many there are.
      users_per_block: for how many users all items are scored at once.
      random: draws users and items where there are too many.
    """
    sample = holdouts.take(_some(random, len(holdouts.users), MOST_USERS))
    takers = np.bincount(sample.seen, minlength=items)
    known_enough = np.flatnonzero((takers >= FEWEST_TAKERS) & (2 * takers <= len(sample.users)))
    own = known_enough[_some(random, len(known_enough), MOST_ITEMS)]
    others = _some(random, items, COMPARED_WITH)
    with np.errstate(all="ignore"):  # what is not finite is the business of another rule
        of_own, of_others = _scores_of_takers(scorer, sample, own, others, items, users_per_block)
        shares = ((of_others >= of_own[:, np.newaxis]) & (others != own[:, np.newaxis])).mean(axis=1)
    return ItemsCheck(
        items=len(own),
        compared_with=len(others),
        strangers=int((shares > ALLOWED_SHARE).sum()),
        usual_share=float(np.quantile(shares, _USUAL)) if len(own) else 0.0,
        largest_share=float(shares.max(initial=0.0)),
    )


def _some(random: np.random.Generator, number: int, most: int) -> npt.NDArray[np.int64]:
    return np.arange(number) if number <= most else np.sort(random.choice(number, most, replace=False))


def _scores_of_takers(
    scorer: Scorer,
    holdouts: Holdouts,
    own: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
    items: int,
    users_per_block: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What those who took each of `own` score it, float64 [own], and `others`, float64 [own, others]."""
    sums, squares, by_takers = (np.zeros(items) for _ in range(3))
    kept = [np.zeros((0, len(others)), np.float32)]
    blocks = list(holdouts.blocks(users_per_block))
    with contextlib.closing(map_ahead(lambda block: scorer.score_all_items(block.users), blocks, cores())) as scored:
        for block, scores in zip(blocks, scored, strict=True):
            sums += scores.sum(axis=0, dtype=np.float64)
            squares += np.square(scores, dtype=np.float64).sum(axis=0)
            by_takers += np.bincount(block.seen, scores[block.seen_rows(), block.seen], items)
            kept.append(scores[:, others])
    users = len(holdouts.users)
    ones, places = np.ones(len(holdouts.seen), np.float32), (holdouts.seen, holdouts.seen_rows())
    took = scipy.sparse.csr_matrix((ones, places), (items, users))[own]
    takers = took.sum(axis=1).A1
    means = sums / users
    spreads = np.sqrt(squares / users - np.square(means))
    of_own = (by_takers[own] / takers - means[own]) / spreads[own]
    of_others = ((took @ np.concatenate(kept)) / takers[:, np.newaxis] - means[others]) / spreads[others]
    return of_own, of_others
