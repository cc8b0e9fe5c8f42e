"""The recommendations artifact: the best items of all users (`recommendations.parquet`), and `summary.json`."""

import posixpath
from dataclasses import dataclass
from typing import ClassVar

from components.artifacts.summary import Summary


def recommendations_file(uri: str) -> str:
    """The table: a row for each user and item, with `user`, `rank`, `item`, `title` if there are any, and `score`."""
    return posixpath.join(uri, "recommendations.parquet")


@dataclass(frozen=True, kw_only=True)
class RecommendationsSummary(Summary):
    """What the table holds.

    Attributes:
      k: how many items a user has, at most.
      users: all that the model knows.
      rows: of the table; fewer than k for each user where some have seen nearly everything.
    """

    STEP: ClassVar[str] = "BulkRecommend"

    k: int
    users: int
    rows: int
