"""Embedded synthetic interactions with planted tastes, of any size, without a download.

Every user has a taste vector, and so has every item. A user's tastes theta_u are a mixture over `TASTES` groups, and a
group is a distribution phi_t over items in which the popular ones, and those that match the group, are likely:

    P(i | u) = sum_t theta_u[t] * phi_t[i]
    theta_u  = softmax(USER_FOCUS * x_u)                                                        x_u ~ N(0, I)
    phi_t[i] ~ popularity_i * (BACKGROUND + sigmoid(ITEM_FOCUS * (y_i[t] - ITEM_THRESHOLD)))    y_i ~ N(0, I)

A user's items are drawn from P(. | u) one after another without replacement, and the order of the draws is the order
in time: the held-out last item is a draw from P(. | u) among the items left. So the best possible ranking is known.

What is drawn for a user depends on the seed and on that user alone, never on the blocks or on the order of the work.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from components.preprocess.datasets import synthetic_loops as kernels
from components.shared import random_streams
from components.shared.errors import UserError
from components.shared.parallel import cores

# Chosen so that something is to be learnt: with 2,000 users, 1,000 items, 150,000 rows and 99 negatives, HR@10 is .29
# by popularity and .77 at best; a factorisation with as many factors as tastes reaches .72.
TASTES = 16
USER_FOCUS = 6.0
ITEM_FOCUS = 10.0
ITEM_THRESHOLD = 1.5
BACKGROUND = 0.002
POPULARITY_EXPONENT = 1.0
ACTIVITY_SIGMA = 1.0
FEWEST = 20
ROWS_PER_BLOCK = 1_000_000


@dataclass(frozen=True)
class SyntheticConfig:
    """How much to generate.

    Attributes:
      users: all of them appear.
      items: those that can be drawn; of a large number, some may never be.
      interactions: exactly so many, no pair twice.

    Raises:
      UserError: fewer interactions than users, or more than half of all the pairs.
    """

    users: int = 2_000
    items: int = 1_000
    interactions: int = 150_000

    def __post_init__(self) -> None:
        most = self.users * (self.items // 2)
        if not self.users <= self.interactions <= most:
            raise UserError(
                f"dataset.synthetic_interactions: {self.interactions} does not fit {self.users} users and "
                f"{self.items} items; choose {self.users} to {most}"
            )


class Interactions(NamedTuple):
    """Rows of raw ids, by ascending user and, within a user, in the order of time.

    Attributes:
      user: int64.
      item: int64.
      timestamp: int64, seconds; strictly increasing within a user.
      rating: float32, half stars from 0.5 to 5.
    """

    user: np.ndarray
    item: np.ndarray
    timestamp: np.ndarray
    rating: np.ndarray


class _Plan(NamedTuple):
    """What all blocks share. Arrays are [users], [items] or [TASTES, items]."""

    counts: np.ndarray
    user_ids: np.ndarray
    item_ids: np.ndarray
    quality: np.ndarray
    phi: np.ndarray
    keep: np.ndarray
    alias: np.ndarray
    bounds: np.ndarray


def blocks(config: SyntheticConfig, seed: int) -> list[int]:
    """The blocks of `generate_block`, of about a million rows each, in the order of their users."""
    return list(range(len(_plan(config, seed).bounds) - 1))


def generate_block(config: SyntheticConfig, seed: int, block: int) -> Interactions:
    """Generates the interactions of one block of whole users.

    Args:
      config: the size of the whole.
      seed: another seed gives other tastes and other draws.
      block: one of `blocks(config, seed)`.
    """
    plan = _plan(config, seed)
    return _generate(plan, seed, np.arange(plan.bounds[block], plan.bounds[block + 1]))


def raw_ids(config: SyntheticConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The raw ids of all users and of all items, int64, strictly increasing and not dense."""
    plan = _plan(config, seed)
    return plan.user_ids, plan.item_ids


def planted_probabilities(config: SyntheticConfig, seed: int, users: np.ndarray) -> np.ndarray:
    """The planted P(i | u), float64 [len(users), items], of users given by their index (ascending raw id)."""
    return _tastes(seed, users) @ _plan(config, seed).phi


def best_possible_hr(
    config: SyntheticConfig, seed: int, k: int = 10, num_negatives: int = 99, max_users: int = 2_000
) -> float:
    """HR@k of the best ranking there is, that by the planted P(i | u), on each user's last item.

    The last item is ranked among `num_negatives` items drawn without replacement from those that the user never
    touched, and the chance of a hit over that draw is taken in closed form (hypergeometric). A tie counts against it.
    Items that nobody drew count as candidates here, though a vocabulary taken from the data does not have them.

    Args:
      config: the size of the whole.
      seed: as for `generate_block`.
      k: how many places count as a hit.
      num_negatives: per user; fewer where a user has fewer untouched items.
      max_users: the mean is over so many users, spread evenly; more are not looked at.
    """
    plan = _plan(config, seed)
    users = np.unique(np.linspace(0, config.users - 1, min(config.users, max_users)).astype(np.int64))
    hits = [
        kernels.last_item_hits(items, plan.counts[part], _tastes(seed, part) @ plan.phi, k, num_negatives)
        for part in np.array_split(users, max(1, len(users) * config.items // 10_000_000))
        for items in [_draw(plan, seed, part)]
    ]
    return float(np.concatenate(hits).mean())


def write_csv(path: str, config: SyntheticConfig, seed: int) -> None:
    """Writes all the interactions as MovieLens's `ratings.csv`: with a header, sorted by user, then item."""
    todo = blocks(config, seed)
    with open(path, "wb") as file, ThreadPoolExecutor(cores()) as pool:
        file.write(b"userId,movieId,rating,timestamp\n")
        # A few blocks at a time, to bound the memory.
        for first in range(0, len(todo), cores()):
            for text in pool.map(partial(_csv_block, config, seed), todo[first : first + cores()]):
                file.write(text)


def _csv_block(config: SyntheticConfig, seed: int, block: int) -> pa.Buffer:
    rows = generate_block(config, seed, block)
    order = np.lexsort((rows.item, rows.user))
    stars = pa.array([f"{half / 2}" for half in range(11)])
    table = pa.table(
        {
            "userId": rows.user,
            "movieId": rows.item[order],
            "rating": stars.take(pa.array((rows.rating[order] * 2).astype(np.int8))),
            "timestamp": rows.timestamp[order],
        }
    )
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()


def _generate(plan: _Plan, seed: int, users: np.ndarray) -> Interactions:
    items = _draw(plan, seed, users)
    counts = plan.counts[users]
    timestamps, ratings = kernels.timestamps_and_ratings(_key(seed, "details"), users, counts, plan.quality[items])
    return Interactions(np.repeat(plan.user_ids[users], counts), plan.item_ids[items], timestamps, ratings)


def _draw(plan: _Plan, seed: int, users: np.ndarray) -> np.ndarray:
    """The item indexes of the users, one after the other, in the order of their draws."""
    return kernels.draw(
        _key(seed, "draws"), users, plan.counts[users], _tastes(seed, users), plan.phi, plan.keep, plan.alias
    )


def _tastes(seed: int, users: np.ndarray) -> np.ndarray:
    return kernels.tastes(_key(seed, "tastes"), users, TASTES, USER_FOCUS)


def _key(seed: int, purpose: str) -> np.uint64:
    return np.uint64(random_streams.stream_key(seed, f"synthetic {purpose}"))


@lru_cache(maxsize=4)
def _plan(config: SyntheticConfig, seed: int) -> _Plan:
    generator = random_streams.generator(seed, "synthetic plan")
    popularity = generator.permutation((np.arange(config.items) + 10.0) ** -POPULARITY_EXPONENT)
    match = generator.standard_normal((TASTES, config.items)) - ITEM_THRESHOLD
    phi = popularity * (BACKGROUND + 1 / (1 + np.exp(-ITEM_FOCUS * match)))
    phi /= phi.sum(axis=1, keepdims=True)
    keep, alias = kernels.alias_tables(phi)
    counts = _counts(config, generator)
    rows = np.cumsum(counts)
    starts = np.searchsorted(rows, np.arange(0, config.interactions, ROWS_PER_BLOCK), side="right")
    return _Plan(
        counts=counts,
        user_ids=np.cumsum(generator.integers(1, 6, config.users)),
        item_ids=np.cumsum(generator.integers(1, 10, config.items)),
        quality=generator.normal(3.4, 0.5, config.items),
        phi=phi,
        keep=keep,
        alias=alias,
        bounds=np.unique(np.append(starts, config.users)),
    )


def _counts(config: SyntheticConfig, generator: np.random.Generator) -> np.ndarray:
    """Interactions per user, int64: log-normal above a floor, at most half of the items, the exact total."""
    fewest = min(FEWEST, config.interactions // config.users, config.items // 2)
    weights = generator.lognormal(sigma=ACTIVITY_SIGMA, size=config.users)
    low, high = 0.0, float(config.interactions) / weights.min()
    for _ in range(200):
        middle = (low + high) / 2
        fits = _scaled(weights, middle, fewest, config.items // 2).sum() <= config.interactions
        low, high = (middle, high) if fits else (low, middle)
    counts = _scaled(weights, low, fewest, config.items // 2)
    missing = config.interactions - counts.sum()
    while missing:
        free = np.flatnonzero(counts < config.items // 2)[:missing]
        counts[free] += 1
        missing -= len(free)
    return counts


def _scaled(weights: np.ndarray, scale: float, fewest: int, most: int) -> np.ndarray:
    return np.minimum(fewest + weights * scale, most).astype(np.int64)
