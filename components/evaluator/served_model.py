"""The model as it will be served: a SavedModel, known by its signatures alone."""

from typing import Any

import numpy as np
import tensorflow as tf

from components.errors import UserError

SIGNATURES = ("serving_default", "score_candidates", "score_all_items")


class ServedModel:
    """Scores through the signatures of a SavedModel; a `Scorer`."""

    def __init__(self, path: str, items: int):
        """Loads the model.

        Args:
          path: folder of the SavedModel.
          items: how many items its `score_all_items` has to score.

        Raises:
          UserError: it cannot be loaded, or lacks a signature.
        """
        self._path, self._items = path, items
        try:
            self._model = tf.saved_model.load(path)
        except Exception as error:
            # What a damaged file raises depends on where the damage is.
            raise self._broken(f"cannot be loaded ({_first_line(error)})") from error
        missing = [name for name in SIGNATURES if name not in self._model.signatures]
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
        outputs = self._call("serving_default", user_id=user_ids, item_ids=item_ids)
        missing = [name for name in ("scores", "known_user", "known_item") if name not in outputs]
        if missing:
            raise self._broken(f"gives no {', '.join(missing)} from serving_default")
        return outputs

    def _scores(self, signature: str, shape: tuple[int, ...], **inputs: np.ndarray) -> np.ndarray:
        scores = self._call(signature, **inputs).get("scores")
        if scores is None or scores.shape != shape:
            found = "no scores" if scores is None else f"scores of shape {list(scores.shape)}"
            raise self._broken(f"gives {found} from {signature} where {list(shape)} are expected")
        return scores

    def _call(self, signature: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        try:
            outputs: dict[str, Any] = self._model.signatures[signature](**tensors)
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise self._broken(f"fails in {signature} ({_first_line(error)})") from error
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def _broken(self, what: str) -> UserError:
        return UserError(f"the model at {self._path} {what}; train it again")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
