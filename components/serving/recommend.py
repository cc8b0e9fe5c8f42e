"""Asks a pushed model what to recommend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.serving.contract import LOWEST_SCORE, RECOMMEND
from components.serving.loader import ServedModel
from components.serving.versions import is_whole, newest_version
from components.shared.errors import UserError
from components.shared.files.faults import absence
from components.shared.files.reading import exists
from components.shared.files.secrets import without_secrets


@dataclass(frozen=True)
class Recommendation:
    """What one user gets.

    Attributes:
      user: the raw id.
      known: whether the model knows the user; one that it does not know gets the most popular items.
      items: raw ids, best first, none of which the user has seen.
      scores: of the items; of an unknown user, log(1 + interactions in training).
    """

    user: str
    known: bool
    items: list[str]
    scores: list[float]


def recommend(model: str, users: Sequence[str], k: int) -> list[Recommendation]:
    """Finds the best `k` items of each user, or as many as there are.

    Args:
      model: a SavedModel, or a folder of versions, of which the newest is taken; on this machine, gs://... or s3://...
      users: raw ids.
      k: how many items.

    Raises:
      UserError: there is no such model, or it cannot recommend; or an id is not of the type that the model takes.
    """
    served = ServedModel(_find(model), None, (RECOMMEND,), "train and push a new one")
    texts = served.takes_texts(RECOMMEND)["user_id"]
    found = served.recommend(np.array([_raw_id(user, texts) for user in users]), k)
    recommendations = []
    for user, known, items, scores in zip(users, found["known_user"], found["item_ids"], found["scores"], strict=True):
        unseen = scores > LOWEST_SCORE
        best = [_text(item) for item in items[unseen]]
        recommendations.append(Recommendation(user, bool(known), best, scores[unseen].tolist()))
    return recommendations


def _find(folder: str) -> str:
    if is_whole(folder):
        return folder
    version = newest_version(folder)
    if version is None:
        nothing = "there is neither a SavedModel nor a folder of versions of one"
        raise UserError(f"--model {without_secrets(folder)}: {nothing if exists(folder) else absence(folder)}")
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
