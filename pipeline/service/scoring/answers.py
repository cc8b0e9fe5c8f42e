"""Frames to answers: each is a call of the model."""

import collections
import functools
import itertools
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pydantic import ValidationError

from components.shared.json_types import JsonObject
from pipeline.service.bodies import Wanted
from pipeline.service.scoring.frames import Frame
from pipeline.service.scoring.model import Model
from pipeline.service.scoring.predict import metadata, predict
from pipeline.service.scoring.refusals import RefusalError

MOST_TOGETHER = 16

FAULT = "a fault of the service; its log has more"
RECOMMEND = "recommend"
"""The call that is answered for several at once."""

Call: TypeAlias = Callable[..., JsonObject]
Request: TypeAlias = tuple[int, JsonObject]
"""Its number, and `{"call": NAME, ...arguments}`."""
Requests: TypeAlias = collections.deque[Request]


class Answers:
    """A version of the model, asked by requests.

    Those who ask for the best items of a user are answered together, where they came while others were being answered:
    the more there is to do, the less each takes, and nobody waits for company.
    """

    def __init__(self, folder: str, version: str, name: str):
        """Loads the version; see `Model`.

        Args:
          folder: of the SavedModel.
          version: its name.
          name: that of the model, in TensorFlow Serving's addresses.

        Raises:
          UserError: it cannot be loaded.
        """
        self._model, self._name = Model(folder, version), name
        self._calls: dict[str, Call] = {
            "recommend_for": self._recommend_for,
            "similar": self._model.similar,
            "history": self._model.history,
            "users": self._model.users,
            "items": self._model.items,
            "predict": self._predict,
            "metadata": lambda: metadata(self._model.served, name, version),
        }

    @property
    def about(self) -> JsonObject:
        """See `Model`."""
        return self._model.about

    def to_next(self, waiting: Requests) -> Iterator[Frame]:
        """Takes those requests that come next out of those that wait, and answers them."""
        if waiting[0][1]["call"] != RECOMMEND:
            number, request = waiting.popleft()
            yield self._guarded(number, lambda: self._call(**request))
            return
        batch = list(itertools.islice((one for one in waiting if one[1]["call"] == RECOMMEND), MOST_TOGETHER))
        rest = [one for one in waiting if one not in batch]
        waiting.clear()
        waiting.extend(rest)
        yield from self._recommended(batch)

    def _recommended(self, batch: list[Request]) -> Iterator[Frame]:
        try:
            found: list[Any] = self._model.recommend([(request["user"], request["k"]) for _, request in batch])
        except Exception as error:
            found = [error] * len(batch)
        for (number, _), answer in zip(batch, found, strict=True):
            yield self._guarded(number, functools.partial(_or_raised, answer))

    def _call(self, call: str, **arguments: Any) -> JsonObject:
        return self._calls[call](**arguments)

    def _guarded(self, number: int, answer: Callable[[], JsonObject]) -> Frame:
        try:
            return Frame(number, 200, _encoded(answer()))
        except RefusalError as refusal:
            return Frame(number, refusal.status, _encoded({"error": str(refusal)}))
        except Exception:
            return Frame(number, 500, _encoded({"error": FAULT, "traceback": traceback.format_exc()}))

    def _recommend_for(self, body: str) -> JsonObject:
        try:
            wanted = Wanted.model_validate_json(body)
        except ValidationError as error:
            raise RefusalError(400, _first_problem(error)) from None
        return self._model.recommend_for(wanted.user, wanted.items, wanted.k)

    def _predict(self, body: str) -> JsonObject:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RefusalError(400, f"the body is not JSON ({error})") from None
        if not isinstance(request, dict):
            raise RefusalError(400, "the body is no JSON object")
        return predict(self._model.served, request)


def _or_raised(answer: JsonObject | Exception) -> JsonObject:
    if isinstance(answer, Exception):
        raise answer
    return answer


def _encoded(answer: JsonObject) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _first_problem(error: ValidationError) -> str:
    """What is wrong first, and where."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
