"""Recommendations for many users, in a file: one row for each user and item."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from components.artifacts.vocabulary import RawIds
from components.bulk_recommend.fast import Recommender, as_asked, fastest
from components.bulk_recommend.tables import written
from components.serving.contract import LOWEST_SCORE
from components.serving.loader import ServedModel
from components.shared import progress
from components.shared.errors import UserError
from components.shared.parallel import cores

_PAIRS_AT_ONCE = 1 << 21
_MOST_USERS = 1024
_ROWS_AT_ONCE = 1 << 18

Part = TypeVar("Part")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Written:
    """What is in a file."""

    users: int
    unknown_users: int
    rows: int


@dataclass(frozen=True)
class Block:
    """The rows of some users."""

    users: int
    unknown_users: int
    table: pa.Table


class Catalogue:
    """The items: how many there are, the type of their ids, and their titles."""

    def __init__(self, items: int, texts: bool, titles: Mapping[str, str]):
        """Takes titles by ids as texts; an item need not have one."""
        self.items, self.type = items, pa.string() if texts else pa.int64()
        self._ids, self._titles = pa.array(titles.keys(), pa.string()), pa.array(titles.values(), pa.string())

    @property
    def titled(self) -> bool:
        """Whether any item has a title."""
        return len(self._ids) > 0

    def titles(self, items: pa.Array) -> pa.Array:
        """Titles of items, null where there is none."""
        return self._titles.take(pc.index_in(items.cast(pa.string()), value_set=self._ids))


def catalogue_of(served: ServedModel, titles: Mapping[str, str]) -> Catalogue:
    """The items of a model; of one that does not say how many it knows, there may be about 16,000."""
    catalog = served.catalog()
    items = 1 << 14 if catalog is None else len(catalog.item_ids)
    return Catalogue(items, served.takes_texts()["item_ids"], titles)


def recommend_to_all(served: ServedModel, titles: Mapping[str, str], k: int, output: str) -> Written:
    """Writes the best `k` items of each user that a model knows; see `write_recommendations`.

    Raises:
      UserError: the model does not say whom it knows; or the file cannot be written.
    """
    catalog = served.catalog()
    if catalog is None:
        raise UserError("this model does not say whom it knows; name users with --users FILE, or push a new one")
    return write_recommendations(fastest(served), catalogue_of(served, titles), as_asked(catalog.user_ids), k, output)


def write_recommendations(
    recommender: Recommender, catalogue: Catalogue, users: RawIds, k: int, output: str
) -> Written:
    """Writes the best `k` items of each user, in the order of the users; memory holds a few blocks of them at a time.

    The columns are `user`, `rank` from 1 on, `item`, `title` where there are titles, `score` and `known_user`.

    Args:
      recommender: any number of threads may ask it.
      catalogue: the items that it knows.
      users: raw ids.
      k: how many items, at most.
      output: the name of the file; its ending says how it is written.

    Raises:
      UserError: it cannot be written.
    """
    size = max(1, min(_PAIRS_AT_ONCE // max(catalogue.items, 1), _MOST_USERS))
    parts = (users[begin : begin + size] for begin in range(0, len(users), size))
    unknown, rows = 0, 0
    waiting: list[pa.Table] = []
    # Several blocks side by side take all cores better than the threads of one matrix product after the other.
    with (
        progress.bar("recommendations", len(users)) as bar,
        threadpool_limits(1, "blas"),
        written(output, _schema(users, catalogue)) as write,
    ):
        for block in _in_order(partial(_block, recommender, catalogue, k), parts, cores()):
            waiting.append(block.table)
            unknown, rows = unknown + block.unknown_users, rows + len(block.table)
            bar.advance(block.users)
            if sum(map(len, waiting)) >= _ROWS_AT_ONCE:
                write(pa.concat_tables(waiting))
                waiting = []
        if waiting:
            write(pa.concat_tables(waiting))
    return Written(len(users), unknown, rows)


def _schema(users: RawIds, catalogue: Catalogue) -> pa.Schema:
    user = pa.string() if users.dtype.kind == "O" else pa.int64()
    columns = {"user": user, "rank": pa.int32(), "item": catalogue.type}
    title = {"title": pa.string()} if catalogue.titled else {}
    return pa.schema({**columns, **title, "score": pa.float32(), "known_user": pa.bool_()})


def _block(recommender: Recommender, catalogue: Catalogue, k: int, users: RawIds) -> Block:
    found = recommender.recommend(users, k)
    row, place = np.nonzero(found["scores"] > LOWEST_SCORE)
    schema = _schema(users, catalogue)
    items = pa.array(found["item_ids"][row, place]).cast(catalogue.type)
    columns = {
        "user": pa.array(users, schema.field("user").type).take(pa.array(row)),
        "rank": pa.array(place + 1, pa.int32()),
        "item": items,
        "score": pa.array(found["scores"][row, place]),
        "known_user": pa.array(found["known_user"][row]),
    }
    if catalogue.titled:
        columns["title"] = catalogue.titles(items)
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    return Block(len(users), int((~found["known_user"]).sum()), table)


def _in_order(function: Callable[[Part], Outcome], parts: Iterable[Part], threads: int) -> Iterator[Outcome]:
    """What a function makes of parts, in their order; no more of them are at work, or wait, than twice the threads."""
    running: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for part in parts:
            if len(running) >= 2 * threads:
                yield running.popleft().result()
            running.append(pool.submit(function, part))
        while running:
            yield running.popleft().result()
