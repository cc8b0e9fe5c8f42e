"""The model as it will be served: a SavedModel, known by its signatures alone."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.artifacts.vocabulary import RawIds
from components.serving.contract import (
    CATALOG,
    DEFAULT_K,
    FOLDING,
    FORMER_RECOMMEND,
    FORMER_RECOMMEND_FOR_ITEMS,
    MEASURED_USERS,
    RECOMMEND_FILTERED,
    RECOMMEND_FOR_ITEMS,
    RECOMMEND_FOR_ITEMS_TOP,
    RECOMMEND_TOP,
    SCORE_ALL_ITEMS,
    SCORE_BY_ID,
    SCORE_CANDIDATES,
    SCORING_WEIGHTS,
    SERVE,
    SERVED_USERS,
    SIGNATURES,
    SIMILAR_ITEMS_TOP,
    VECTORS,
    Catalog,
    FoldedColumns,
    Signature,
    Tensor,
    Vectors,
    Weights,
)
from components.serving.digests import digests
from components.serving.manifest import DamagedModelError, check_version
from components.shared.errors import UserError, first_line
from components.shared.files.folders import on_this_machine
from components.shared.files.secrets import without_secrets
from components.shared.float32 import in_float32

_Kind = TypeVar("_Kind")

TRAIN_AGAIN = "train it again"


class ServedModel:
    """Scores through the signatures of a SavedModel; a `Scorer`."""

    def __init__(
        self,
        path: str,
        items: int | None,
        signatures: Sequence[Signature] = SIGNATURES,
        advice: str = TRAIN_AGAIN,
    ):
        """Loads the model.

        Args:
          path: folder of the SavedModel, on this machine or elsewhere.
          items: how many items it has to know; None where that does not matter.
          signatures: those that it must have.
          advice: what to do about a fault of the model.

        Raises:
          DamagedModelError: it cannot be loaded, or is not what its manifest says.
          UserError: it lacks a signature, or its storage cannot be reached.
        """
        self._path, self._items, self._advice = path, items, advice
        in_float32()
        try:
            with on_this_machine(path) as folder:
                check_version(folder)
                self._model = tf.saved_model.load(folder)
        except UserError:
            raise
        except Exception as error:
            # What a damaged file raises depends on where the damage is.
            raise DamagedModelError(self._told(f"cannot be loaded ({first_line(error)})")) from error
        missing = [wanted.name for wanted in signatures if wanted.name not in self._model.signatures]
        if missing:
            raise self._lacks(", ".join(missing))

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        return self._call(SCORE_CANDIDATES, user=users, item=items)["scores"]

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        return self._call(SCORE_ALL_ITEMS, user=users)["scores"]

    def serve(self, user_ids: RawIds, item_ids: RawIds) -> dict[str, npt.NDArray[Any]]:
        """Scores items by their raw ids, as a server would.

        Args:
          user_ids: [n].
          item_ids: [n, width].

        Returns:
          `scores` float32 [n, width], `known_user` bool [n], `known_item` bool [n, width]. The scores are
          probabilities, or logits in a model of version 0.2.
        """
        return self._call(SERVE, user_id=user_ids, item_ids=item_ids)

    def score_by_id(self, user_ids: RawIds, item_ids: RawIds) -> dict[str, npt.NDArray[Any]]:
        """Scores items by their raw ids in what they are ranked by, the logits; else as `serve`."""
        return self._call(SCORE_BY_ID if self.answers(SCORE_BY_ID) else SERVE, user_id=user_ids, item_ids=item_ids)

    def recommend(
        self, user_ids: RawIds, k: int, exclude: RawIds | None = None, only: RawIds | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Finds the best unseen items of users.

        Args:
          user_ids: [n].
          k: the number of items.
          exclude: [n, width], what is not wanted; padded with no item, see `RECOMMEND_FILTERED`.
          only: [n, width], what is wanted alone; likewise.

        Returns:
          `item_ids` raw ids [n, k], best first, `scores` float32 [n, k], `known_user` bool [n]; where there are fewer
          items than k, as many as there are. What has the lowest score is none. The scores are probabilities, or in a
          model of version 0.2 what `FORMER_RECOMMEND` says.
        """
        if exclude is not None or only is not None:
            nothing = self._no_items(len(user_ids))
            lists = {"exclude": nothing if exclude is None else exclude, "only": nothing if only is None else only}
            return self._call(RECOMMEND_FILTERED, user_id=user_ids, k=_each(k, user_ids), **lists)
        if self.answers(RECOMMEND_TOP):
            return self._call(RECOMMEND_TOP, user_id=user_ids, k=_each(k, user_ids))
        return self._call(FORMER_RECOMMEND, user_id=user_ids, k=np.array(k, np.int32))

    def similar_items(self, item_ids: RawIds, k: int) -> dict[str, npt.NDArray[Any]]:
        """Finds the items that some lead to; see `SIMILAR_ITEMS`.

        Args:
          item_ids: [n].
          k: the number of items.

        Returns:
          `item_ids` raw ids [n, k], the most similar first, `similarities` float32 [n, k], `known_item` bool [n].
          What has the lowest similarity is no item.
        """
        return self._call(SIMILAR_ITEMS_TOP, item_id=item_ids, k=_each(k, item_ids))

    @property
    def users(self) -> int | None:
        """How many users it knows; None where it declares nothing that has a row of each."""
        weights = getattr(self._model, SCORING_WEIGHTS, None)
        declared = weights.get("user_table") if isinstance(weights, Mapping) else None
        table = getattr(self._model, SERVED_USERS, declared)
        return None if table is None else int(table.shape[0])

    def answers(self, signature: Signature) -> bool:
        """Whether it has a signature."""
        return signature.name in self._model.signatures

    @property
    def takes_items(self) -> bool:
        """Whether it has the signature `recommend_for_items`."""
        return self.answers(RECOMMEND_FOR_ITEMS)

    def recommend_for_items(self, item_ids: RawIds, k: int) -> dict[str, npt.NDArray[Any]]:
        """Finds the best items for somebody who is known by what they did alone; see `RECOMMEND_FOR_ITEMS`.

        Args:
          item_ids: [n, width], oldest first, padded at the front.
          k: the number of items.

        Returns:
          `item_ids` raw ids [n, k], best first, `scores` float32 [n, k], `known_items` int32 [n]; where there are fewer
          items than k, as many as there are. What has the lowest score is none.
        """
        if self.answers(RECOMMEND_FOR_ITEMS_TOP):
            return self._call(RECOMMEND_FOR_ITEMS_TOP, item_ids=item_ids, k=_each(k, item_ids))
        return self._call(FORMER_RECOMMEND_FOR_ITEMS, item_ids=item_ids, k=np.array(k, np.int32))

    @contextlib.contextmanager
    def with_measured_histories(self) -> Iterator[None]:
        """For as long as it lasts, raw ids are scored by what users did before the test, as the gate measures it."""
        served, measured = (getattr(self._model, name, None) for name in (SERVED_USERS, MEASURED_USERS))
        if served is None or measured is None:
            yield
            return
        own = served.numpy()
        served.assign(measured)
        try:
            yield
        finally:
            served.assign(own)

    def weights(self) -> Weights[npt.NDArray[np.float32]] | None:
        """What `score_all_items` is made of; None where the model does not declare it."""
        return _declared(getattr(self._model, SCORING_WEIGHTS, None), Weights)

    def served_weights(self) -> Weights[npt.NDArray[np.float32]] | None:
        """The same with the user table that raw ids are scored by."""
        weights, table = self.weights(), getattr(self._model, SERVED_USERS, None)
        return weights if weights is None or table is None else replace(weights, user_table=np.asarray(table))

    def catalog(self) -> Catalog[npt.NDArray[Any]] | None:
        """Whom and what it knows, texts among the raw ids as bytes; None where the model does not declare it."""
        return _declared(getattr(self._model, CATALOG, None), Catalog)

    def vectors(self) -> Vectors[npt.NDArray[np.float32]] | None:
        """The rows behind its scores; None where the model does not declare them."""
        return _declared(getattr(self._model, VECTORS, None), Vectors)

    def folded_columns(self) -> list[FoldedColumns[npt.NDArray[Any]]]:
        """What the columns of its user tables are made of; nothing where it has not two, or does not declare it."""
        if getattr(self._model, SERVED_USERS, None) is None:
            return []
        parts = [_declared(part, FoldedColumns) for part in getattr(self._model, FOLDING, None) or ()]
        return [part for part in parts if part is not None]

    def user_rows(self, users: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Rows of users, int32 [n], by their indexes: what is measured, and what is served, float32 [n, width] each.

        Raises:
          LookupError: the model has not two user tables.
        """
        measured, served = (getattr(self._model, name, None) for name in (MEASURED_USERS, SERVED_USERS))
        if measured is None or served is None:
            raise LookupError("the model has not two user tables")
        return tf.gather(measured, users).numpy(), tf.gather(served, users).numpy()

    def digests(self) -> dict[str, str]:
        """Those of the arrays that it declares, by their names; see `components.serving.digests`."""
        return digests(self._model)

    def weights_not_finite(self) -> int:
        """How many values among all variables of the model, those of every signature, are NaN or infinite."""
        variables = {
            id(variable): variable
            for signature in self._model.signatures.values()
            for variable in signature.variables
            if variable.dtype.is_floating
        }
        return sum(int((~np.isfinite(variable.numpy())).sum()) for variable in variables.values())

    @property
    def specs(self) -> dict[str, tuple[dict[str, tf.TensorSpec], dict[str, tf.TensorSpec]]]:
        """Of every signature that it has, by their names: its inputs and its outputs, by theirs."""
        return {
            name: (dict(function.structured_input_signature[1]), dict(function.structured_outputs))
            for name, function in self._model.signatures.items()
        }

    def ask(self, signature: str, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Calls any signature that it has, by its name; the answer is not looked at.

        Raises:
          ValueError: the model does not take these inputs.
        """
        tensors = {
            name: tf.constant(array, tf.string if array.dtype.kind == "O" else None) for name, array in inputs.items()
        }
        try:
            answer = self._model.signatures[signature](**tensors)
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise ValueError(_reason(error)) from error
        return {name: tensor.numpy() for name, tensor in answer.items()}

    def takes_texts(self, signature: Signature = SERVE) -> dict[str, bool]:
        """Whether a signature takes texts for each of its inputs, by their names."""
        _, inputs = self._model.signatures[signature.name].structured_input_signature
        return {name: spec.dtype == tf.string for name, spec in inputs.items()}

    def _call(self, signature: Signature, **inputs: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        if not self.answers(signature):
            raise self._lacks(signature.name)
        tensors = {
            name: tf.constant(values, tf.string if values.dtype.kind == "O" else None)
            for name, values in inputs.items()
        }
        try:
            answer: dict[str, tf.Tensor] = self._model.signatures[signature.name](**tensors)
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise self._broken(f"fails in {signature.name} ({first_line(error)})") from error
        outputs: dict[str, npt.NDArray[Any]] = {name: tensor.numpy() for name, tensor in answer.items()}
        sizes = self._sizes(signature, inputs)
        for name, tensor in signature.outputs.items():
            if name not in outputs:
                raise self._broken(f"gives no {name} from {signature.name}")
            if not _fits(outputs[name].shape, tensor, sizes):
                found, expected = list(outputs[name].shape), [sizes.get(size, size) for size in tensor.shape]
                wanted = ", ".join(map(str, expected))
                raise self._broken(f"gives {name} of shape {found} from {signature.name} where [{wanted}] are expected")
        return outputs

    def _sizes(self, signature: Signature, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
        """The sizes of the dimensions that are known before the answer."""
        sizes: dict[str, int] = {
            dimension: size
            for name, tensor in signature.inputs.items()
            for dimension, size in zip(tensor.shape, inputs[name].shape, strict=True)
        }
        if self._items is not None:
            sizes["items"] = self._items
            sizes["k"] = min(int(inputs["k"].max(initial=0)) if "k" in inputs else DEFAULT_K, self._items)
        return sizes

    def _no_items(self, rows: int) -> RawIds:
        texts = self.takes_texts()["item_ids"]
        return np.zeros((rows, 0), np.object_) if texts else np.zeros((rows, 0), np.int64)

    def _lacks(self, signatures: str) -> UserError:
        return self._broken(f"lacks the signature {signatures}")

    def _broken(self, what: str) -> UserError:
        return UserError(self._told(what))

    def _told(self, what: str) -> str:
        return f"the model at {without_secrets(self._path)} {what}; {self._advice}"


def _declared(declared: Any, kind: type[_Kind]) -> _Kind | None:
    """A dataclass of the arrays that a model declares for its fields; None where any of them is missing."""
    if not isinstance(declared, Mapping) or declared.keys() != {field.name for field in fields(cast(Any, kind))}:
        return None
    return kind(**tf.nest.map_structure(np.asarray, dict(declared)))


def _each(k: int, rows: RawIds) -> npt.NDArray[np.int32]:
    return np.full(len(rows), k, np.int32)


def _fits(shape: tuple[int, ...], tensor: Tensor, sizes: Mapping[str, int]) -> bool:
    return len(shape) == len(tensor.shape) and all(
        sizes.get(dimension, size) == size for size, dimension in zip(shape, tensor.shape, strict=True)
    )


def _reason(error: Exception) -> str:
    """What went wrong in a graph: the line before that which names the operation."""
    lines = [line.strip() for line in str(error).splitlines()]
    named = [place for place, line in enumerate(lines) if line.startswith("[[{{node")]
    return lines[named[0] - 1] if named and named[0] else first_line(error)
