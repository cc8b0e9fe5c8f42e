"""What the served model does for users that it never saw, given what they did."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import NewUsers
from components.artifacts.held_out_users import History
from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import RawIds
from components.evaluator.comparison import Resampled
from components.evaluator.config import EvaluatorConfig
from components.metrics.by_user import summarise
from components.ranking.ranks import FullRanking
from components.serving.contract import NO_ITEM, NO_ITEM_TEXT
from components.serving.loader import ServedModel
from components.shared import progress, random_streams

_NAME, _TRAINED = "new users", "trained users"
_CELLS = 1 << 14
"""Items of histories, padding included, that go into the model at once: it may make thousands of numbers of each."""


def measure_new_users(
    model: ServedModel,
    trained: FullRanking,
    interactions: Interactions,
    item_ids: RawIds,
    config: EvaluatorConfig,
    users_per_block: int,
    seed: int,
) -> NewUsers | None:
    """Asks the served model for recommendations to the users who are held out entirely.

    Args:
      model: the model, with the signature `recommend_for_items`.
      trained: what the model made of the trained users.
      interactions: which users are held out.
      item_ids: raw ids of all items that the model knows.
      config: how many users are looked at, and the lengths of the list.
      users_per_block: for how many users all items are scored at once.
      seed: of the run; draws the users and the resamples.

    Returns:
      Metrics of the item that is left out of each history, ranked among all items but those of the history; None where
      there are no such users. An item that the model does not know is a miss.
    """
    histories = list(interactions.held_out_users())
    if not histories:
        return None
    total = len(histories)
    if config.full_ranking_users is not None and config.full_ranking_users < total:
        drawn = random_streams.generator(seed, _NAME).choice(total, config.full_ranking_users, replace=False)
        histories = [histories[number] for number in np.sort(drawn)]
    with progress.bar(_NAME, len(histories)) as bar:
        ranks, known = rank_left_out(model, histories, max(config.ks), users_per_block, bar)
    items = set(item_ids.tolist())
    rivals = np.array(
        [len(items) - len(items.intersection([*history.items.tolist(), history.judged])) for history in histories]
    )
    resampled = _resample(_NAME, ranks, rivals, config, seed)
    of_trained = _resample(_TRAINED, trained.ranks, trained.rivals, config, seed)
    return NewUsers(
        held_out=total,
        users=len(histories),
        unknown_items=sum(history.judged not in items for history in histories),
        unknown_histories=int((known == 0).sum()),
        metrics=summarise(ranks, config.ks, rivals),
        intervals=resampled.bounds(config.confidence)[_NAME],
        ratio_intervals=resampled.ratio_bounds(_NAME, of_trained, _TRAINED, config.confidence),
    )


def _resample(
    name: str, ranks: npt.NDArray[np.int64], rivals: npt.NDArray[np.int64], config: EvaluatorConfig, seed: int
) -> Resampled:
    random = random_streams.generator(seed, f"bootstrap {name}")
    return Resampled.of({name: ranks}, config.ks, random, config.bootstrap_samples, rivals)


def rank_left_out(
    model: ServedModel, histories: Sequence[History], k: int, users_per_block: int, bar: progress.Bar
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Ranks the item that is left out of each history among what is recommended, by its place.

    Not by its score: that is a probability in float32, which of high logits is 1 for one and all.

    Args:
      model: the model.
      histories: of the users.
      k: the ranks up to this one have to be exact.
      users_per_block: how many users are asked for at once, at most.
      bar: moves on by one for each user.

    Returns:
      The ranks, int64 [users], k + 1 for all beyond k; how many items of each history the model knows, int32 [users].
    """
    ranks, known = np.empty(len(histories), np.int64), np.empty(len(histories), np.int32)
    for rows in _blocks([len(history.items) for history in histories], users_per_block, _CELLS):
        block = [histories[row] for row in rows]
        found = model.recommend_for_items(_padded([history.items for history in block]), k)
        ranks[rows] = _ranks(found["item_ids"], _as_served([history.judged for history in block]), k)
        known[rows] = found["known_items"]
        bar.advance(len(block))
    return ranks, known


def _ranks(items: npt.NDArray[Any], judged: npt.NDArray[Any], k: int) -> npt.NDArray[np.int64]:
    """The place of one item in each list of items, [users, up to k]; k + 1 where it is not there.

    Example:
      >>> _ranks(np.array([[7, 8, 9], [7, 8, 9]]), np.array([8, 5]), 3)
      array([2, 4])
    """
    found = items == judged[:, None]
    ranks: npt.NDArray[np.int64] = np.where(found.any(axis=1), found.argmax(axis=1) + 1, k + 1)
    return ranks


def _blocks(lengths: Sequence[int], users: int, cells: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of histories that go into the model together: the longest first, as a block's are padded to one length.

    Example:
      >>> [block.tolist() for block in _blocks([1, 5, 2, 1], users=2, cells=8)]
      [[1], [2, 0], [3]]
    """
    rows = np.argsort(-np.asarray(lengths), kind="stable")
    while len(rows):
        size = max(1, min(users, cells // lengths[rows[0]]))
        yield rows[:size]
        rows = rows[size:]


def _padded(histories: Sequence[RawIds]) -> npt.NDArray[Any]:
    """Histories with padding at the front of the shorter ones, [users, items of the longest]."""
    dtype = histories[0].dtype
    shape = len(histories), max(map(len, histories))
    padded = np.full(shape, NO_ITEM_TEXT if dtype.kind == "O" else NO_ITEM, dtype)
    for row, history in zip(padded, histories, strict=True):
        row[len(row) - len(history) :] = history
    return padded


def _as_served(ids: Sequence[int | str]) -> npt.NDArray[Any]:
    """Raw ids as a served model gives them: texts as their bytes."""
    texts = isinstance(ids[0], str)
    return np.array([str(id_).encode() for id_ in ids], object) if texts else np.array(ids, np.int64)
