"""The model as it will be served: a SavedModel, known by its signatures alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.errors import UserError, first_line

SIGNATURES = ("serving_default", "score_candidates", "score_all_items")
TRAIN_AGAIN = "train it again"


class ServedModel:
    """Scores through the signatures of a SavedModel; a `Scorer`."""

    def __init__(self, path: str, items: int, signatures: Sequence[str] = SIGNATURES, advice: str = TRAIN_AGAIN):
        """Loads the model.

        Args:
          path: folder of the SavedModel.
          items: how many items its `score_all_items` has to score.
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
        outputs = self._call("serving_default", user_id=user_ids, item_ids=item_ids)
        shapes = {"scores": item_ids.shape, "known_user": user_ids.shape, "known_item": item_ids.shape}
        missing = [name for name, shape in shapes.items() if name not in outputs or outputs[name].shape != shape]
        if missing:
            raise self._broken(f"gives no {', '.join(missing)} of the right shape from serving_default")
        return outputs

    def weights(self) -> dict[str, np.ndarray]:
        """The variables behind `score_all_items`, by their names in the model that was saved: `user_table`, ..."""
        variables = self._model.signatures["score_all_items"].variables
        return {variable.name.removeprefix("neumf/").removesuffix(":0"): variable.numpy() for variable in variables}

    def takes_texts(self) -> dict[str, bool]:
        """Whether `serving_default` takes texts for each of its inputs, by their names."""
        _, inputs = self._model.signatures["serving_default"].structured_input_signature
        return {name: spec.dtype == tf.string for name, spec in inputs.items()}

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
            raise self._broken(f"fails in {signature} ({first_line(error)})") from error
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def _broken(self, what: str) -> UserError:
        return UserError(f"the model at {self._path} {what}; {self._advice}")
