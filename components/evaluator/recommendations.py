"""What a system would recommend: how much of the catalogue, how popular it is, and to whom."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Coverage, Example, Recommendation, RecommendedPopularity
from components.artifacts.vocabulary import RawIds, Vocabulary
from components.evaluator import slices
from components.ranking.ranks import Holdouts, rank_unseen, top_unseen
from components.shared.scorer import Scorer

EXAMPLES = 10
RECOMMENDED = 10
MOST_HISTORY = 20


def coverage(top: npt.NDArray[np.int32], items: int) -> Coverage:
    """How many distinct items are recommended at all.

    Args:
      top: int32 [users, k], the recommended items; -1 for none.
      items: the number of items that there are to recommend.
    """
    distinct = len(np.unique(top[top >= 0]))
    return Coverage(k=top.shape[1], items=distinct, share=distinct / items)


def recommended_popularity(top: npt.NDArray[np.int32], item_counts: npt.NDArray[np.int64]) -> RecommendedPopularity:
    """How popular the recommended items are; NaN where nothing is recommended.

    Args:
      top: int32 [users, k], the recommended items; -1 for none.
      item_counts: training interactions of each item, int64 [items].
    """
    recommended = top[top >= 0]
    if not recommended.size:
        return RecommendedPopularity((float("nan"),) * 4, float("nan"))
    quartiles = np.bincount(slices.quartile_numbers(item_counts)[recommended], minlength=4) / recommended.size
    return RecommendedPopularity(tuple(quartiles.tolist()), float(item_counts[recommended].mean()))


def examples(
    scorer: Scorer,
    holdouts: Holdouts,
    ids: tuple[RawIds, RawIds],
    item_counts: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> tuple[Example, ...]:
    """Some users with their history and what the scorer recommends to them.

    Args:
      scorer: scores all items of these users at once.
      holdouts: whose users are drawn from.
      ids: raw ids of users and of items, by index.
      item_counts: training interactions of each item, int64 [items].
      random: draws the users.
    """
    user_ids, item_ids = ids
    drawn = random.choice(len(holdouts.users), min(EXAMPLES, len(holdouts.users)), replace=False)
    chosen = holdouts.take(np.sort(drawn))
    if not len(chosen.users):
        return ()
    scores = scorer.score_all_items(chosen.users)
    histories = np.split(chosen.seen, chosen.seen_ends[:-1])
    return tuple(
        Example(
            user=user_ids[user : user + 1].tolist()[0],
            interactions=len(history),
            history=tuple(item_ids[history[-MOST_HISTORY:]].tolist()),
            recommended=tuple(
                Recommendation(
                    item=item_ids[item : item + 1].tolist()[0],
                    score=float(row[item]),
                    interactions=int(item_counts[item]),
                    held_out=bool(item == held_out),
                )
                for item in top[top >= 0]
            ),
            held_out=item_ids[held_out : held_out + 1].tolist()[0],
            rank=int(rank),
        )
        for user, held_out, history, row, top, rank in zip(
            chosen.users,
            chosen.items,
            histories,
            scores,
            top_unseen(scores, chosen, RECOMMENDED),
            rank_unseen(scores, chosen),
            strict=True,
        )
    )


def titles_of(examples: Iterable[Example], vocabulary: Vocabulary) -> dict[str, str]:
    """The titles of the items of examples, by their ids as texts; those without one are left out."""
    shown = {
        str(item)
        for example in examples
        for item in (*example.history, *(found.item for found in example.recommended), example.held_out)
    }
    named = zip(map(str, vocabulary.item_ids.tolist()), vocabulary.item_titles or (), strict=False)
    return {item: title for item, title in named if title is not None and item in shown}
