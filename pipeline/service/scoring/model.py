"""A version of the model as the service asks it: texts in, texts out."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from components.serving.contract import LOWEST_SCORE, RECOMMEND, RECOMMEND_FOR_ITEMS, SIMILAR_ITEMS_TOP
from components.serving.loader import ServedModel
from components.serving.titles import read_titles
from components.shared.json_types import JsonObject
from pipeline.service.scoring.best import best_of
from pipeline.service.scoring.ids import Ids, raw_id
from pipeline.service.scoring.refusals import RefusalError

_ADVICE = "train and push a new one"
_WARM_UP_TIMES = 3


class Model:
    """Answers what the service is asked, with the version, ids as texts, and titles.

    A model of an earlier release lacks the catalog, the weights or a signature: what needs them is refused.
    """

    def __init__(self, folder: str, version: str):
        """Loads it and asks it for the first time, which takes longer than later.

        Args:
          folder: of the SavedModel, on this machine or elsewhere.
          version: what it is called.

        Raises:
          UserError: it cannot be loaded, or lacks the signature `recommend`.
        """
        self.served = ServedModel(folder, None, [RECOMMEND], _ADVICE)
        self.version, self._titles = version, read_titles(folder)
        self._users_are_texts = self.served.takes_texts(RECOMMEND)["user_id"]
        self._catalog, self._tells_similar = self.served.catalog(), self.served.answers(SIMILAR_ITEMS_TOP)
        self._best = None if self._catalog is None else best_of(self.served, self._catalog)
        if self._catalog is not None:
            self._user_ids, self._item_ids = Ids("user", self._catalog.user_ids), Ids("item", self._catalog.item_ids)
            self._popular = self._found_popular()
        self._warm_up()

    def _found_popular(self) -> list[tuple[str, float]]:
        """All items and their scores as somebody unknown gets them, which are always the same: best first."""
        nobody = self._user_ids.unknown()
        found = self.served.recommend(np.array([nobody]), len(self._item_ids))
        there = found["scores"][0] > LOWEST_SCORE
        return list(zip(map(_text, found["item_ids"][0][there]), found["scores"][0][there].tolist(), strict=True))

    def _warm_up(self) -> None:
        users = [str(user["user"]) for user in self.users(_WARM_UP_TIMES)["users"]] if self._catalog else ["0"]
        for user in users:
            self.recommend([(user, 10)])
            if self.served.takes_items:
                self.recommend_for(None, self._some_items(), 10)

    def _some_items(self) -> list[str]:
        return [self._item_ids.text(0)] if self._catalog else ["0"]

    @property
    def about(self) -> JsonObject:
        """What it is and what it can be asked."""
        return {
            "version": self.version,
            "users": len(self._user_ids) if self._catalog else None,
            "items": len(self._item_ids) if self._catalog else None,
            "signatures": sorted(self.served.specs),
            "titles": bool(self._titles),
            "new_users": self.served.takes_items,
            "similar_items": self._tells_similar,
            "histories": self._catalog is not None,
            "compiled": self._best is not None,
        }

    def recommend(self, asked: Sequence[tuple[str, int]]) -> list[JsonObject | RefusalError]:
        """The best unseen items of users, all worked out together; refusals of those whose id cannot be one.

        Args:
          asked: raw ids and how many items each wants.
        """
        if self._best is None:
            return [_or_refusal(self._recommend_one, *one) for one in asked]
        found = [_or_refusal(self._user_ids.find, user) for user, _ in asked]
        known = np.array([user for user in found if isinstance(user, int)], np.int32)
        best = iter(self._best.of(known, max(k for _, k in asked)) if len(known) else [])
        return [
            user
            if isinstance(user, RefusalError)
            else (self._to_nobody(id_, k) if user is None else self._of(id_, k, *next(best)))
            for (id_, k), user in zip(asked, found, strict=True)
        ]

    def _of(self, user: str, k: int, items: Any, scores: Any) -> JsonObject:
        items, scores = items[:k], scores[:k]
        unseen = scores > LOWEST_SCORE
        ids = [self._item_ids.text(item) for item in items[unseen]]
        return self._answer(user, True, 0, ids, scores[unseen].tolist())

    def _to_nobody(self, user: str, k: int) -> JsonObject:
        return self._answer(
            user, False, 0, [item for item, _ in self._popular[:k]], [at for _, at in self._popular[:k]]
        )

    def _recommend_one(self, user: str, k: int) -> JsonObject:
        found = self.served.recommend(np.array([raw_id("user", user, self._users_are_texts)]), k)
        unseen = found["scores"][0] > LOWEST_SCORE
        items, scores = map(_text, found["item_ids"][0][unseen]), found["scores"][0][unseen].tolist()
        return self._answer(user, bool(found["known_user"][0]), 0, list(items), scores)

    def recommend_for(self, user: str | None, items: Sequence[str], k: int) -> JsonObject:
        """The best items of somebody: by their id where the model knows it, else by what they did.

        Args:
          user: raw id, if there is one.
          items: raw ids, oldest first.
          k: how many items.

        Raises:
          RefusalError: an id cannot be one, or the model knows users alone.
        """
        if user is not None:
            (by_id,) = self.recommend([(user, k)])
            if isinstance(by_id, RefusalError):
                raise by_id
            if by_id["known_user"]:
                return by_id
        if not self.served.takes_items:
            raise RefusalError(400, f"this model lacks the signature {RECOMMEND_FOR_ITEMS.name}; {_ADVICE}")
        texts = self.served.takes_texts(RECOMMEND_FOR_ITEMS)["item_ids"]
        found = self.served.recommend_for_items(np.array([[raw_id("item", item, texts) for item in items]]), k)
        unseen = found["scores"][0] > LOWEST_SCORE
        ids, scores = [_text(item) for item in found["item_ids"][0][unseen]], found["scores"][0][unseen].tolist()
        return self._answer(user, False, int(found["known_items"][0]), ids, scores)

    def similar(self, item: str, k: int) -> JsonObject:
        """The items most like one.

        Raises:
          RefusalError: the item is unknown, or the model lacks the signature.
        """
        if not self._tells_similar:
            raise RefusalError(400, f"this model lacks the signature {SIMILAR_ITEMS_TOP.name}; {_ADVICE}")
        texts = self.served.takes_texts(SIMILAR_ITEMS_TOP)["item_id"]
        found = self.served.similar_items(np.array([raw_id("item", item, texts)]), k)
        if not found["known_item"][0]:
            raise RefusalError(404, f"item {item[:100]}: the model does not know it")
        there = found["similarities"][0] > LOWEST_SCORE
        ids, scores = [_text(item) for item in found["item_ids"][0][there]], found["similarities"][0][there].tolist()
        return {"version": self.version, **self._item(item), "items": self._ranked(ids, scores)}

    def history(self, user: str, limit: int) -> JsonObject:
        """What a user has seen, the latest first, and how much that is.

        Raises:
          RefusalError: the user is unknown, or the model does not declare it.
        """
        catalog = self._with_catalog()
        index = self._user_ids.find(user)
        if index is None:
            raise RefusalError(404, f"user {user[:100]}: the model does not know them")
        seen = catalog.seen_items[catalog.seen_bounds[index] : catalog.seen_bounds[index + 1]]
        items = [self._item(self._item_ids.text(item)) for item in seen[::-1][:limit]]
        return {"version": self.version, "user": user, "seen": len(seen), "items": items}

    def users(self, limit: int) -> JsonObject:
        """Some of the users that it knows, spread over all of them.

        Raises:
          RefusalError: the model does not declare them.
        """
        catalog = self._with_catalog()
        count = len(self._user_ids)
        some = np.unique(np.linspace(0, count - 1, min(limit, count)).astype(np.int64))
        seen = np.diff(catalog.seen_bounds)
        users = [{"user": self._user_ids.text(user), "seen": int(seen[user])} for user in some]
        return {"version": self.version, "known": count, "users": users}

    def items(self, query: str, limit: int) -> JsonObject:
        """The most popular of those items whose id or title has a text in it.

        Raises:
          RefusalError: the model does not declare them.
        """
        self._with_catalog()
        wanted = query.casefold()
        found = (
            id_
            for id_, _ in self._popular
            if wanted in id_.casefold() or wanted in self._titles.get(id_, "").casefold()
        )
        items = [self._item(id_) for id_ in itertools.islice(found, limit)]
        return {"version": self.version, "known": len(self._item_ids), "items": items}

    def _with_catalog(self) -> Any:
        if self._catalog is None:
            raise RefusalError(400, f"this model does not declare whom and what it knows; {_ADVICE}")
        return self._catalog

    def _answer(
        self, user: str | None, known_user: bool, known_items: int, ids: list[str], scores: list[float]
    ) -> JsonObject:
        items = self._ranked(ids, scores)
        who = {"user": user, "known_user": known_user, "known_items": known_items}
        return {"version": self.version, **who, "items": items}

    def _ranked(self, ids: list[str], scores: list[float]) -> list[JsonObject]:
        return [{**self._item(id_), "score": score} for id_, score in zip(ids, scores, strict=True)]

    def _item(self, id_: str) -> JsonObject:
        return {"item": id_, "title": self._titles.get(id_)}


def _text(item: bytes | int) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)


def _or_refusal(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except RefusalError as refusal:
        return refusal
