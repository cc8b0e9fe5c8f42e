"""What a pushed model promises to whoever calls it: signatures, their tensors, and how its versions lie in a folder.

Exporting, loading, the gate's champion and `recommend` all go by this module, and so may a server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np

SAVED_MODEL_FILE = "saved_model.pb"
"""The file that a version's folder gets last: without it, the version is not whole."""

LOWEST_SCORE = float(np.finfo(np.float32).min)
"""The score of what is not to be recommended, the lowest float32: JSON, and so a REST API, has no infinity."""

Kind = Literal["user id", "item id", "int32", "float32", "bool"]


@dataclass(frozen=True)
class Tensor:
    """One input or output of a signature.

    Attributes:
      kind: a dtype; or that of the vocabulary's raw ids, int64 or string.
      shape: names of the dimensions: B users, n items of each, k recommended ones, all the model's items. The same
        name is the same size in all tensors of a call.
    """

    kind: Kind
    shape: tuple[Literal["B", "n", "k", "items"], ...] = ()


@dataclass(frozen=True)
class Signature:
    """What can be asked of a model: names and tensors of the inputs and of the outputs."""

    name: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


SERVE = Signature(
    "serving_default",
    {"user_id": Tensor("user id", ("B",)), "item_ids": Tensor("item id", ("B", "n"))},
    {
        "scores": Tensor("float32", ("B", "n")),
        "known_user": Tensor("bool", ("B",)),
        "known_item": Tensor("bool", ("B", "n")),
    },
)
"""Scores items by their raw ids."""

RECOMMEND = Signature(
    "recommend",
    {"user_id": Tensor("user id", ("B",)), "k": Tensor("int32")},
    {
        "item_ids": Tensor("item id", ("B", "k")),
        "scores": Tensor("float32", ("B", "k")),
        "known_user": Tensor("bool", ("B",)),
    },
)
"""Finds the best unseen items, best first; at most as many as there are.

Somebody whom the model does not know gets what is popular; the scores are then log(1 + interactions in training).
"""

RECOMMEND_FOR_ITEMS = Signature(
    "recommend_for_items",
    {"item_ids": Tensor("item id", ("B", "n")), "k": Tensor("int32")},
    {
        "item_ids": Tensor("item id", ("B", "k")),
        "scores": Tensor("float32", ("B", "k")),
        "known_items": Tensor("int32", ("B",)),
    },
)
"""Finds the best items for somebody who is known by what they did alone, best first; the given items are none of them.

Each row of `item_ids` is what somebody did, oldest first, padded at the front with `NO_ITEM` or `NO_ITEM_TEXT`. Ids
that the model does not know count as padding. `known_items` says how many it knows, repetitions included; where that is
0, what is popular comes. A model need not have this signature.
"""

NO_ITEM = int(np.iinfo(np.int64).min)
"""What `recommend_for_items` takes for no item among whole numbers."""

NO_ITEM_TEXT = ""
"""What it takes for no item among texts."""

SCORE_CANDIDATES = Signature(
    "score_candidates",
    {"user": Tensor("int32", ("B",)), "item": Tensor("int32", ("B", "n"))},
    {"scores": Tensor("float32", ("B", "n"))},
)
"""Scores items by their indexes."""

SCORE_ALL_ITEMS = Signature(
    "score_all_items", {"user": Tensor("int32", ("B",))}, {"scores": Tensor("float32", ("B", "items"))}
)
"""Scores every item, in the order of their indexes, for users by their indexes."""

SIGNATURES = (SERVE, RECOMMEND, SCORE_CANDIDATES, SCORE_ALL_ITEMS)
"""Those that every model has."""

SCORING_WEIGHTS = "scoring_weights"
"""Where a SavedModel declares `Weights`, as a dictionary by their fields; whoever loads it may do without."""

SERVED_USERS, MEASURED_USERS = "served_users", "measured_users"
"""Where a SavedModel keeps two user tables. Raw ids are scored by the first, which is of all that users did; the second
is of what they did before the test, and what the gate measures. A model whose rows do not depend on it has neither.
"""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Weights(Generic[Value]):
    """What the scores of all items are made of in a NeuMF with an MLP tower: variables when saved, arrays when loaded.

    A SavedModel that declares them can be scored by other means than its signatures, whatever its layers are called.

    Attributes:
      user_table: float32 [users, factors + half].
      item_rows: float32 [items, factors + width], each with its share of the first layer, without the bias.
      first_kernel: float32 [2 * half, width], of users above that of items.
      first_bias: float32 [width].
      kernels: those of the layers after the first, float32 [inputs, outputs] each.
      biases: theirs, float32 [outputs] each.
      head_kernel: float32 [factors + outputs of the last layer, 1].
      head_bias: float32 [1].
    """

    user_table: Value
    item_rows: Value
    first_kernel: Value
    first_bias: Value
    kernels: Sequence[Value]
    biases: Sequence[Value]
    head_kernel: Value
    head_bias: Value
