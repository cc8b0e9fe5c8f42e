"""What a system would recommend: how much of the catalogue, how popular it is, and to whom."""

from typing import Any

import numpy as np

from components.evaluator import slices
from components.evaluator.ranking.ranks import Holdouts, rank_unseen, top_unseen
from components.shared.scorer import Scorer

EXAMPLES = 10
RECOMMENDED = 10
MOST_HISTORY = 20


def coverage(top: np.ndarray, items: int) -> dict[str, Any]:
    """How many distinct items are recommended at all.

    Args:
      top: integers [users, k], the recommended items; -1 for none.
      items: how many there are to recommend.
    """
    distinct = len(np.unique(top[top >= 0]))
    return {"k": top.shape[1], "items": distinct, "share": distinct / items}


def recommended_popularity(top: np.ndarray, item_counts: np.ndarray) -> dict[str, Any]:
    """How popular the recommended items are.

    Args:
      top: integers [users, k], the recommended items; -1 for none.
      item_counts: training interactions of each item, integers [items].

    Returns:
      `quartiles`: the shares of the recommendations that fall in each quartile of the items, least popular first.
      `mean_interactions`: of a recommended item in training. NaN where nothing is recommended.
    """
    recommended = top[top >= 0]
    if not recommended.size:
        return {"quartiles": [float("nan")] * 4, "mean_interactions": float("nan")}
    quartiles = np.bincount(slices.quartile_numbers(item_counts)[recommended], minlength=4) / recommended.size
    return {"quartiles": quartiles.tolist(), "mean_interactions": float(item_counts[recommended].mean())}


def examples(
    scorer: Scorer,
    holdouts: Holdouts,
    ids: tuple[np.ndarray, np.ndarray],
    item_counts: np.ndarray,
    random: np.random.Generator,
) -> list[dict[str, Any]]:
    """Some users with their history and what the scorer recommends to them.

    Args:
      scorer: scores all items of these users at once.
      holdouts: whose users are drawn from.
      ids: raw ids of users and of items, by index.
      item_counts: training interactions of each item, integers [items].
      random: draws the users.
    """
    user_ids, item_ids = ids
    drawn = random.choice(len(holdouts.users), min(EXAMPLES, len(holdouts.users)), replace=False)
    chosen = holdouts.take(np.sort(drawn))
    if not len(chosen.users):
        return []
    scores = scorer.score_all_items(chosen.users)
    histories = np.split(chosen.seen, chosen.seen_ends[:-1])
    return [
        {
            "user": user_ids[user : user + 1].tolist()[0],
            "interactions": len(history),
            "history": item_ids[history[-MOST_HISTORY:]].tolist(),
            "recommended": [
                {
                    "item": item_ids[item : item + 1].tolist()[0],
                    "score": float(row[item]),
                    "interactions": int(item_counts[item]),
                    "held_out": bool(item == held_out),
                }
                for item in top[top >= 0]
            ],
            "held_out": item_ids[held_out : held_out + 1].tolist()[0],
            "rank": int(rank),
        }
        for user, held_out, history, row, top, rank in zip(
            chosen.users,
            chosen.items,
            histories,
            scores,
            top_unseen(scores, chosen, RECOMMENDED),
            rank_unseen(scores, chosen),
            strict=True,
        )
    ]
