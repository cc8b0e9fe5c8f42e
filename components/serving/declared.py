"""A model by the arrays that it declares: what its signatures recommend, in NumPy, without waiting for TensorFlow."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from components.artifacts.vocabulary import RawIds
from components.serving.contract import (
    CATALOG,
    FOLDING,
    LOWEST_SCORE,
    NO_ITEM,
    NO_ITEM_TEXT,
    RECOMMEND,
    RECOMMEND_FOR_ITEMS,
    SCORING_WEIGHTS,
    VECTORS,
    Catalog,
    FoldedColumns,
    Signature,
    Vectors,
    Weights,
)
from components.serving.highest import highest
from components.serving.manifest import Manifest
from components.serving.saved.variables import Declared, SavedVariables
from components.shared.errors import UserError
from components.shared.files.folders import on_this_machine

_ITEMS_AT_ONCE = 2048  # their values in the MLP tower stay in the cache

_Kind = TypeVar("_Kind")

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


class DeclaredModel:
    """Recommends what a `ServedModel` of the same version does, with the same scores up to rounding."""

    def __init__(
        self,
        catalog: Catalog[Values],
        vectors: Vectors[Floats],
        weights: Weights[Floats] | None,
        folding: Sequence[FoldedColumns[Values]] | None,
    ):
        """Takes what the version declares.

        Args:
          catalog: whom and what it knows, texts among the raw ids as bytes.
          vectors: the rows of users and items.
          weights: those of the MLP tower; None: it has none.
          folding: what makes a user's row of items; None: it does not say.

        Raises:
          ValueError: the items' rows are wider than what is known of the model explains.
        """
        self._catalog, self._vectors, self._weights, self._folding = catalog, vectors, weights, folding
        half = 0 if weights is None else len(weights.first_kernel) // 2
        self._factors = vectors.user_rows.shape[1] - half
        if vectors.item_rows.shape[1] != self._factors + (0 if weights is None else len(weights.first_bias)):
            raise ValueError("it does not declare its MLP tower")
        self._texts = catalog.item_ids.dtype.kind == "O"
        self._no_item = NO_ITEM_TEXT.encode() if self._texts else NO_ITEM

    @classmethod
    def open(cls, path: str, *, pushed: bool = True) -> Self | None:
        """The model in a folder, whose files are those that its manifest names, or have their own checksums right.

        Args:
          path: folder of the SavedModel, on this machine or elsewhere.
          pushed: whether it is a version, which has a manifest.

        Returns:
          None where it is left to TensorFlow to load it, or to say what is wrong with it: `saved_model.pb` has no
          checksum of its own.

        Raises:
          UserError: its storage cannot be reached.
        """
        with on_this_machine(path) as folder:
            try:
                if manifest := Manifest.read(folder):
                    manifest.check(folder)
                elif pushed:
                    return None
                return cls._of(SavedVariables(folder))
            except UserError:
                raise
            except Exception:  # what a damaged file raises depends on where the damage is
                return None

    @classmethod
    def _of(cls, variables: SavedVariables) -> Self | None:
        catalog, vectors = (variables.declared(name) for name in (CATALOG, VECTORS))
        weights, folding = (variables.declared(name) for name in (SCORING_WEIGHTS, FOLDING))
        if catalog is None or vectors is None:
            return None
        return cls(
            _by_fields(Catalog, catalog),
            _by_fields(Vectors, vectors),
            None if weights is None else _by_fields(Weights, weights),
            None if folding is None else [_by_fields(FoldedColumns, columns) for columns in _listed(folding)],
        )

    def answers(self, signature: Signature) -> bool:
        """Whether it answers what a signature does."""
        return signature is RECOMMEND or (signature is RECOMMEND_FOR_ITEMS and self._folding is not None)

    def takes_texts(self, signature: Signature) -> dict[str, bool]:
        """Whether a signature takes texts for each of its inputs, by their names."""
        of_kind = {"user id": self._catalog.user_ids.dtype.kind == "O", "item id": self._texts}
        return {name: of_kind.get(tensor.kind, False) for name, tensor in signature.inputs.items()}

    def catalog(self) -> Catalog[Values]:
        """Whom and what it knows, texts among the raw ids as bytes."""
        return self._catalog

    def recommend(self, user_ids: RawIds, k: int) -> dict[str, Values]:
        """See `ServedModel.recommend`."""
        users = np.array([self._users.get(user, -1) for user in _as_kept(user_ids)], np.int64)
        known = users >= 0
        scores = np.tile(self._catalog.popularity, (len(users), 1))
        scores[known] = self._scores(self._vectors.user_rows[users[known]])
        bounds = self._catalog.seen_bounds
        for row in np.flatnonzero(known):
            scores[row, self._catalog.seen_items[bounds[users[row]] : bounds[users[row] + 1]]] = LOWEST_SCORE
        return {**self._best(scores, k), "known_user": known}

    def recommend_for_items(self, item_ids: RawIds, k: int) -> dict[str, Values]:
        """See `ServedModel.recommend_for_items`."""
        found = [[self._items.get(item, -1) for item in _as_kept(row)] for row in item_ids]
        known = [[item for item in items if item >= 0] for items in found]
        scores = np.tile(self._catalog.popularity, (len(known), 1))
        for row, items in zip(scores, known, strict=True):
            if items:
                row[:] = self._scores(self._folded(items))[0]
                row[items] = LOWEST_SCORE
        return {**self._best(scores, k), "known_items": np.array(list(map(len, known)), np.int32)}

    @cached_property
    def _users(self) -> dict[bytes | int, int]:
        return {user: index for index, user in enumerate(self._catalog.user_ids.tolist())}

    @cached_property
    def _items(self) -> dict[bytes | int, int]:
        return {item: index for index, item in enumerate(self._catalog.item_ids.tolist()) if item != self._no_item}

    def _scores(self, rows: Floats) -> Floats:
        """Logits, float32 [B, items], of users by rows of the user table, float32 [B, factors + half]."""
        factors, head, items = self._factors, self._vectors.head[:, 0], self._vectors.item_rows
        scores: Floats = np.matmul(rows[:, :factors] * head[:factors], items[:, :factors].T)
        scores += self._vectors.bias
        if self._weights is None:
            return scores
        half = rows.shape[1] - factors
        shares = rows[:, factors:] @ self._weights.first_kernel[:half] + self._weights.first_bias
        for begin in range(0, len(items), _ITEMS_AT_ONCE):
            part = slice(begin, begin + _ITEMS_AT_ONCE)
            for of_user, share in zip(scores, shares, strict=True):
                of_user[part] += self._tower(share + items[part, factors:]) @ head[factors:]
        return scores

    def _tower(self, values: Floats) -> Floats:
        """What the MLP tower makes of items' values in its first layer, float32 [n, width], before the activation."""
        assert self._weights is not None
        values = values.clip(0)
        for kernel, bias in zip(self._weights.kernels, self._weights.biases, strict=True):
            values = (values @ kernel + bias).clip(0)
        return values

    def _folded(self, items: Sequence[int]) -> Floats:
        """The row of somebody who did some items, oldest first: float32 [1, factors + half]."""
        assert self._folding is not None
        latest_first = list(dict.fromkeys(reversed(items)))
        parts = [_read(columns, latest_first) for columns in self._folding]
        return np.concatenate(parts)[None]

    def _best(self, scores: Floats, k: int) -> dict[str, Values]:
        """The raw ids of the items with the highest of the scores [B, items], and their probabilities: [B, k] each."""
        np.nan_to_num(scores, copy=False, nan=LOWEST_SCORE)
        places = np.array([highest(row, k) for row in scores])
        logits = np.take_along_axis(scores, places, axis=1)
        there = logits > LOWEST_SCORE
        slope, offset = self._catalog.probabilities
        with np.errstate(over="ignore"):
            told = np.where(there, 1 / (1 + np.exp(-(slope * logits + offset))), np.float32(LOWEST_SCORE))
        return {"item_ids": np.where(there, self._catalog.item_ids[places], self._no_item), "scores": told}


def _read(columns: FoldedColumns[Values], latest_first: list[int]) -> Values:
    """See `FoldedColumns`: float32 [width]."""
    counted = latest_first[: int(columns.number) or None]
    total: Values = columns.decay ** np.arange(len(counted), dtype=np.float32) @ columns.vectors[counted]
    if columns.mean:
        total /= np.sqrt(np.float32(len(latest_first)))
    return total * columns.others + columns.offset


def _as_kept(ids: RawIds) -> list[bytes | int]:
    """Raw ids as the catalog has them: texts as bytes."""
    return [id_.encode() if isinstance(id_, str) else id_ for id_ in ids.tolist()]


def _by_fields(kind: type[_Kind], declared: Declared) -> _Kind:
    """A dataclass of what is declared for its fields, these and no others."""
    assert isinstance(declared, dict)
    return kind(**{name: _listed(value) if isinstance(value, dict) else value for name, value in declared.items()})


def _listed(declared: Declared) -> list[Declared]:
    """What is declared in a list, in its order."""
    assert isinstance(declared, dict)
    return [declared[str(place)] for place in range(len(declared))]
