"""The model as it will be served: a SavedModel, known by its signatures alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.shared.errors import UserError, first_line

SIGNATURES = ("serving_default", "recommend", "score_candidates", "score_all_items")
TRAIN_AGAIN = "train it again"


class ServedModel:
    """Scores through the signatures of a SavedModel; a `Scorer`."""

    def __init__(self, path: str, items: int | None, signatures: Sequence[str] = SIGNATURES, advice: str = TRAIN_AGAIN):
        """Loads the model.

        Args:
          path: folder of the SavedModel.
          items: how many items it has to know; None where that does not matter.
          signatures: those that it must have.
          advice: what to do about a fault of the model.

        Raises:
          UserError: it cannot be loaded, or lacks a signature.
        """
        self._path, self._items, self._advice = path, items, advice
        try:
            self._model = tf.saved_model.load(path)
        except Exception as error:
            # What a damaged file raises depends on where the damage is.
            raise self._broken(f"cannot be loaded ({first_line(error)})") from error
        missing = [name for name in signatures if name not in self._model.signatures]
        if missing:
            raise self._broken(f"lacks the signature {', '.join(missing)}")

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        return self._scores("score_candidates", items.shape, user=users, item=items)

    def score_all_items(self, users: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        return self._scores("score_all_items", (len(users), self._items), user=users)

    def serve(self, user_ids: np.ndarray, item_ids: np.ndarray) -> dict[str, np.ndarray]:
        """Scores items by their raw ids.

        Args:
          user_ids: int64 or text [n].
          item_ids: int64 or text [n, width].

        Returns:
          `scores` float32 [n, width], `known_user` bool [n], `known_item` bool [n, width].
        """
        shapes = {"scores": item_ids.shape, "known_user": user_ids.shape, "known_item": item_ids.shape}
        return self._checked("serving_default", shapes, user_id=user_ids, item_ids=item_ids)

    def recommend(self, user_ids: np.ndarray, k: int) -> dict[str, np.ndarray]:
        """Finds the best unseen items of users.

        Args:
          user_ids: int64 or text [n].
          k: how many.

        Returns:
          `item_ids` int64 or text [n, k], best first, `scores` float32 [n, k], `known_user` bool [n]; where there are
          fewer items than k, as many as there are.
        """
        best = (len(user_ids), None if self._items is None else min(k, self._items))
        shapes = {"item_ids": best, "scores": best, "known_user": user_ids.shape}
        return self._checked("recommend", shapes, user_id=user_ids, k=np.int32(k))

    def weights(self) -> dict[str, np.ndarray]:
        """The variables behind `score_all_items`, by their names in the model that was saved: `user_table`, ..."""
        variables = self._model.signatures["score_all_items"].variables
        return {variable.name.removeprefix("neumf/").removesuffix(":0"): variable.numpy() for variable in variables}

    def takes_texts(self, signature: str = "serving_default") -> dict[str, bool]:
        """Whether a signature takes texts for each of its inputs, by their names."""
        _, inputs = self._model.signatures[signature].structured_input_signature
        return {name: spec.dtype == tf.string for name, spec in inputs.items()}

    def _scores(self, signature: str, shape: tuple[int | None, ...], **inputs: np.ndarray) -> np.ndarray:
        scores = self._call(signature, **inputs).get("scores")
        if scores is None or not _fits(scores.shape, shape):
            found = "no scores" if scores is None else f"scores of shape {list(scores.shape)}"
            raise self._broken(f"gives {found} from {signature} where {list(shape)} are expected")
        return scores

    def _checked(
        self, signature: str, shapes: Mapping[str, tuple[int | None, ...]], **inputs: np.ndarray | np.int32
    ) -> dict[str, np.ndarray]:
        outputs = self._call(signature, **inputs)
        missing = [
            name for name, shape in shapes.items() if name not in outputs or not _fits(outputs[name].shape, shape)
        ]
        if missing:
            raise self._broken(f"gives no {', '.join(missing)} of the right shape from {signature}")
        return outputs

    def _call(self, signature: str, **inputs: np.ndarray | np.int32) -> dict[str, np.ndarray]:
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        try:
            outputs: dict[str, Any] = self._model.signatures[signature](**tensors)
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise self._broken(f"fails in {signature} ({first_line(error)})") from error
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def _broken(self, what: str) -> UserError:
        return UserError(f"the model at {self._path} {what}; {self._advice}")


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(
        wanted in (None, size) for size, wanted in zip(shape, expected, strict=True)
    )
