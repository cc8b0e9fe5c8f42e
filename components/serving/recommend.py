"""Asks a pushed model what to recommend."""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from components.artifacts.vocabulary import RawIds
from components.serving.contract import LOWEST_SCORE, RECOMMEND, RECOMMEND_FOR_ITEMS, Catalog, Signature
from components.serving.declared import DeclaredModel
from components.serving.newest import load_newest
from components.serving.titles import read_titles
from components.serving.versions import Version, is_whole, whole_versions
from components.shared import progress
from components.shared.errors import UserError
from components.shared.files.faults import absence
from components.shared.files.reading import exists
from components.shared.files.secrets import without_secrets
from components.shared.json_types import JsonObject

if TYPE_CHECKING:
    from components.serving.loader import ServedModel

_USERS_AT_ONCE = 256
_OTHERS = 3
_ADVICE = "train and push a new one"


Loaded = TypeVar("Loaded")


class Model(Protocol):
    """What answers: a `ServedModel`, or a `DeclaredModel`."""

    def takes_texts(self, signature: Signature) -> dict[str, bool]:
        """See `ServedModel`."""

    def catalog(self) -> Catalog[npt.NDArray[Any]] | None:
        """See `ServedModel`."""

    def recommend(self, user_ids: RawIds, k: int) -> dict[str, npt.NDArray[Any]]:
        """See `ServedModel`."""

    def recommend_for_items(self, item_ids: RawIds, k: int) -> dict[str, npt.NDArray[Any]]:
        """See `ServedModel`."""


@dataclass(frozen=True)
class Recommendation:
    """What somebody gets.

    Attributes:
      user: the raw id; None for somebody who has none.
      known_user: whether the model knows the user.
      known_items: by how many given items that it knows the answer was found; 0 where it was not found by items.
      items: raw ids, best first, none of which is given, or seen by a user that the model knows.
      scores: of the items, probabilities; of a model of version 0.2, what `FORMER_RECOMMEND` says.
      titles: of the items, None for one without; empty where the model has none.
      others: some users whom the model knows, where it does not know this one, and tells.
    """

    user: str | None
    known_user: bool
    known_items: int
    items: list[str]
    scores: list[float]
    titles: list[str | None] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def to_json(self) -> JsonObject:
        """It in JSON: `user`, `known_user`, `known_items`, and `items`, each with `item`, `title` and `score`."""
        titles: Sequence[str | None] = self.titles or [None] * len(self.items)
        items = [
            {"item": item, **({} if title is None else {"title": title}), "score": score}
            for item, title, score in zip(self.items, titles, self.scores, strict=True)
        ]
        about = {"known_user": self.known_user, "known_items": self.known_items, "items": items}
        return {**({} if self.user is None else {"user": self.user}), **about}


def recommend(model: str, users: Sequence[str], k: int, given: Sequence[str] = ()) -> list[Recommendation]:
    """Finds the best `k` items of each user, or as many as there are.

    Args:
      model: a SavedModel, or a folder of versions, of which the newest that can be loaded is taken; on this machine,
        gs://... or s3://...
      users: raw ids; none: somebody is asked for who has none.
      k: how many items.
      given: raw ids of what somebody did, oldest first: what to go by where the model does not know the user.

    Raises:
      UserError: there is no such model, or it cannot recommend so; or an id is not of the type that the model takes.
    """
    signatures = [*([RECOMMEND] if users else []), *([RECOMMEND_FOR_ITEMS] if given else [])]
    served, titles = _newest(model, lambda version: _declared(version, signatures) or _served(version, signatures))
    found = _by_id(served, users, k) if users else []
    if given:
        by_items = _by_items(served, given, k)
        found = [one if one.known_user else replace(by_items, user=one.user) for one in found] or [by_items]
    return [replace(one, titles=[titles.get(item) for item in one.items] if titles else []) for one in found]


def load(model: str, signatures: Sequence[Signature]) -> "tuple[ServedModel, dict[str, str]]":
    """The newest version of a model that can be loaded, and titles of items by their ids as texts; see `recommend`."""
    return _newest(model, lambda version: _served(version, signatures))


def _newest(model: str, load: Callable[[Version], Loaded]) -> tuple[Loaded, dict[str, str]]:
    loaded, version, warning = load_newest(_versions(model), load)
    if warning:
        progress.warn(warning)
    return loaded, read_titles(version.path)


def _declared(version: Version, signatures: Sequence[Signature]) -> DeclaredModel | None:
    """A version without TensorFlow; None where it does not declare all that the answers take."""
    model = DeclaredModel.open(version.path, pushed=version.name.isdigit())
    return model if model and all(map(model.answers, signatures)) else None


def _served(version: Version, signatures: Sequence[Signature]) -> "ServedModel":
    from components.serving.loader import ServedModel  # TensorFlow takes seconds to import

    return ServedModel(version.path, None, signatures, _ADVICE)


def user_ids(served: Model, users: Sequence[str]) -> RawIds:
    """Ids of users as a model takes them.

    Raises:
      UserError: one is not of the type that the model takes.
    """
    texts = served.takes_texts(RECOMMEND)["user_id"]
    ids = [_raw_id("user", user, texts) for user in users]
    return np.array(ids, np.object_) if texts else np.array(ids, np.int64)


def _by_id(served: Model, users: Sequence[str], k: int) -> list[Recommendation]:
    ids, found = user_ids(served, users), []
    for begin in range(0, len(ids), _USERS_AT_ONCE):
        part = slice(begin, begin + _USERS_AT_ONCE)
        answer = served.recommend(ids[part], k)
        rows = zip(users[part], answer["known_user"], answer["item_ids"], answer["scores"], strict=True)
        found += [Recommendation(user, bool(known), 0, *_unseen(items, scores)) for user, known, items, scores in rows]
    if all(one.known_user for one in found):
        return found
    others = _some_users(served)
    return [one if one.known_user else replace(one, others=others) for one in found]


def _some_users(served: Model) -> list[str]:
    catalog = served.catalog()
    return [] if catalog is None else [_text(user) for user in catalog.user_ids[:_OTHERS].tolist()]


def _by_items(served: Model, given: Sequence[str], k: int) -> Recommendation:
    texts = served.takes_texts(RECOMMEND_FOR_ITEMS)["item_ids"]
    found = served.recommend_for_items(np.array([[_raw_id("item", item, texts) for item in given]]), k)
    return Recommendation(None, False, int(found["known_items"][0]), *_unseen(found["item_ids"][0], found["scores"][0]))


def _unseen(items: Any, scores: Any) -> tuple[list[str], list[float]]:
    unseen = scores > LOWEST_SCORE
    return [_text(item) for item in items[unseen]], scores[unseen].tolist()


def _versions(folder: str) -> Iterator[Version]:
    """The model that lies there itself, or else the versions of one, the newest first."""
    if is_whole(folder):
        return iter((Version(posixpath.basename(folder), folder),))
    versions = whole_versions(folder)
    newest = next(versions, None)
    if newest is None:
        nothing = "there is neither a SavedModel nor a folder of versions of one"
        raise UserError(f"--model {without_secrets(folder)}: {nothing if exists(folder) else absence(folder)}")
    return chain((newest,), versions)


def _raw_id(kind: str, text: str, texts: bool) -> str | int:
    if texts:
        return text
    try:
        return int(np.int64(text))
    except (ValueError, OverflowError):
        option = {"user": "--user", "item": "--items"}[kind]
        raise UserError(f"{option} {text}: the {kind} ids of this model are whole numbers") from None


def _text(item: bytes | int) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)
