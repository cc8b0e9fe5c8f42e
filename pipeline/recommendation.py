"""Asks a pushed model what to recommend."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.evaluator.champion import newest_version
from components.serving.exporter import LOWEST_SCORE
from components.serving.loader import ServedModel
from components.shared.errors import UserError


@dataclass(frozen=True)
class Recommendation:
    """What one user gets.

    Attributes:
      user: the raw id.
      known: whether the model knows the user; one that it does not know gets the most popular items.
      items: raw ids, best first, none of which the user has met.
      scores: of the items; of an unknown user, log(1 + interactions in training).
    """

    user: str
    known: bool
    items: list[str]
    scores: list[float]


def recommend(model: str, users: Sequence[str], k: int) -> list[Recommendation]:
    """Finds the best `k` items of each user, or as many as there are.

    Args:
      model: a SavedModel, or a folder of versions, of which the newest is taken; local or gs://...
      users: raw ids.
      k: how many items.

    Raises:
      UserError: there is no such model, or it cannot recommend; or an id is not of the type that the model takes.
    """
    served = ServedModel(_find(model), None, ("recommend",), "train and push a new one")
    texts = served.takes_texts("recommend")["user_id"]
    found = served.recommend(np.array([_raw_id(user, texts) for user in users]), k)
    recommendations = []
    for user, known, items, scores in zip(users, found["known_user"], found["item_ids"], found["scores"], strict=True):
        unseen = scores > LOWEST_SCORE
        best = [_text(item) for item in items[unseen]]
        recommendations.append(Recommendation(user, bool(known), best, scores[unseen].tolist()))
    return recommendations


def show(console: Console, recommendation: Recommendation) -> None:
    """Prints it as a table."""
    about = "" if recommendation.known else ", whom the model does not know: the most popular items"
    console.print(f"\n[bold]user {escape(recommendation.user)}[/bold]{about}", soft_wrap=True)
    table = Table("", "item", "score", box=None)
    for place, (item, score) in enumerate(zip(recommendation.items, recommendation.scores, strict=True), start=1):
        table.add_row(str(place), escape(item), f"{score:.4f}")
    console.print(table)


def _find(folder: str) -> str:
    if tf.io.gfile.exists(posixpath.join(folder, "saved_model.pb")):
        return folder
    version = newest_version(folder)
    if version is None:
        raise UserError(f"--model {folder}: there is neither a SavedModel nor a folder of versions of one")
    return version.path


def _raw_id(user: str, texts: bool) -> str | int:
    if texts:
        return user
    try:
        return int(np.int64(user))
    except (ValueError, OverflowError):
        raise UserError(f"--user {user}: the user ids of this model are whole numbers") from None


def _text(item: bytes | int) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)
