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
      shape: names of the dimensions: B rows, n or m items of each, k recommended ones, all the model's items. The same
        name is the same size in all tensors of a call. Servers that take a request apart, or several together, do so
        by rows: so B comes first in every tensor.
    """

    kind: Kind
    shape: tuple[Literal["B", "n", "m", "k", "items"], ...] = ()


@dataclass(frozen=True)
class Signature:
    """What can be asked of a model: names and tensors of the inputs and of the outputs."""

    name: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @property
    def by_raw_ids(self) -> bool:
        """Whether it takes raw ids, and so is for those who know no indexes."""
        return any(tensor.kind in ("user id", "item id") for tensor in self.inputs.values())


SERVE = Signature(
    "serving_default",
    {"user_id": Tensor("user id", ("B",)), "item_ids": Tensor("item id", ("B", "n"))},
    {
        "scores": Tensor("float32", ("B", "n")),
        "known_user": Tensor("bool", ("B",)),
        "known_item": Tensor("bool", ("B", "n")),
    },
)
"""Scores items by their raw ids: probabilities (see `Probabilities`); an unknown item has the lowest float32."""

SCORE_BY_ID = Signature("score_by_id", SERVE.inputs, SERVE.outputs)
"""The same with logits for scores, which stay apart where probabilities become 1; what the gate measures a champion by.

A model of version 0.2 has none: the scores of its `serving_default` are logits.
"""

_LIST = {"item_ids": Tensor("item id", ("B", "k")), "scores": Tensor("float32", ("B", "k"))}
_TO_USER = {**_LIST, "known_user": Tensor("bool", ("B",))}
_BY_ITEMS = {**_LIST, "known_items": Tensor("int32", ("B",))}
_SIMILAR = {
    "item_ids": Tensor("item id", ("B", "k")),
    "similarities": Tensor("float32", ("B", "k")),
    "known_item": Tensor("bool", ("B",)),
}
_NUMBER = {"k": Tensor("int32", ("B",))}

RECOMMEND = Signature("recommend", {"user_id": Tensor("user id", ("B",))}, _TO_USER)
"""Finds the `DEFAULT_K` best unseen items, best first; somebody whom the model does not know gets what is popular.

Scores are probabilities for both. Where there are fewer items, places without one have `NO_ITEM` or `NO_ITEM_TEXT` and
the lowest float32 for a score.
"""

RECOMMEND_TOP = Signature("recommend_top", {**RECOMMEND.inputs, **_NUMBER}, _TO_USER)
"""The same with a number of items for each row; the answer is as wide as the largest, at most all items."""

RECOMMEND_FILTERED = Signature(
    "recommend_filtered",
    {
        **RECOMMEND_TOP.inputs,
        "exclude": Tensor("item id", ("B", "n")),
        "only": Tensor("item id", ("B", "m")),
    },
    _TO_USER,
)
"""The same without some items, and from among some items alone.

A list that is empty, or has nothing but `NO_ITEM` or `NO_ITEM_TEXT`, asks for nothing. What the user has seen is left
out all the same.
"""

RECOMMEND_FOR_ITEMS = Signature("recommend_for_items", {"item_ids": Tensor("item id", ("B", "n"))}, _BY_ITEMS)
"""Finds the best items for somebody who is known by what they did alone, best first; the given items are none of them.

Each row of `item_ids` is what somebody did, oldest first, padded, wherever that is handy, with `NO_ITEM` or
`NO_ITEM_TEXT`. Ids that the model does not know count as padding. `known_items` says how many it knows, repetitions
included; where that is 0, what is popular comes. A model need not have this signature.
"""

RECOMMEND_FOR_ITEMS_TOP = Signature("recommend_for_items_top", {**RECOMMEND_FOR_ITEMS.inputs, **_NUMBER}, _BY_ITEMS)
"""The same with a number of items for each row."""

SIMILAR_ITEMS = Signature("similar_items", {"item_id": Tensor("item id", ("B",))}, _SIMILAR)
"""Finds the items whose odds rise most once one knows that somebody did this one, and nothing else of them.

With r the ratio of the odds, a similarity is (r - 1) / (r + 1): Yule's Q (1900), between -1 and 1; 0: the one says
nothing of the other. An unknown item has none. Models with `recommend_for_items` have this signature.
"""

SIMILAR_ITEMS_TOP = Signature("similar_items_top", {**SIMILAR_ITEMS.inputs, **_NUMBER}, _SIMILAR)
"""The same with a number of items for each row."""

DEFAULT_K = 10
"""How many items come where a signature takes no number."""

NO_ITEM = int(np.iinfo(np.int64).min)
"""What stands for no item among whole numbers, in what is asked and in what is answered."""

NO_ITEM_TEXT = ""
"""What stands for it among texts."""

FORMER_RECOMMEND = Signature("recommend", {"user_id": Tensor("user id", ("B",)), "k": Tensor("int32")}, _TO_USER)
"""`recommend` of a model of version 0.2: one number for all rows.

Its scores are logits, and for users whom it does not know log(1 + interactions in training).
"""

FORMER_RECOMMEND_FOR_ITEMS = Signature(
    "recommend_for_items", {"item_ids": Tensor("item id", ("B", "n")), "k": Tensor("int32")}, _BY_ITEMS
)
"""`recommend_for_items` of such a model, likewise."""

SCORE_CANDIDATES = Signature(
    "score_candidates",
    {"user": Tensor("int32", ("B",)), "item": Tensor("int32", ("B", "n"))},
    {"scores": Tensor("float32", ("B", "n"))},
)
"""Scores items by their indexes, in logits."""

SCORE_ALL_ITEMS = Signature(
    "score_all_items", {"user": Tensor("int32", ("B",))}, {"scores": Tensor("float32", ("B", "items"))}
)
"""Scores every item, in the order of their indexes, for users by their indexes, in logits."""

SIGNATURES = (SERVE, RECOMMEND, SCORE_CANDIDATES, SCORE_ALL_ITEMS)
"""Those that every model has, of whatever version."""

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


CATALOG = "catalog"
"""Where a SavedModel declares `Catalog`, as a dictionary by its fields; whoever loads it may do without."""


@dataclass(frozen=True)
class Catalog(Generic[Value]):
    """Whom and what a model knows, by their indexes: variables when saved, arrays when loaded.

    Attributes:
      user_ids: raw ids [users].
      item_ids: raw ids [items].
      item_counts: int64 [items], interactions in training.
      popularity: float32 [items], logits for somebody unknown.
      seen_items: int32 [interactions], what each user has seen, those of user 0 first.
      seen_bounds: int64 [users + 1], where each user's part of it begins, and the last one's ends.
      probabilities: float32 [2], slope and offset of the sigmoid that makes probabilities of logits.
    """

    user_ids: Value
    item_ids: Value
    item_counts: Value
    popularity: Value
    seen_items: Value
    seen_bounds: Value
    probabilities: Value


VECTORS = "vectors"
"""Where a SavedModel declares `Vectors`, likewise."""


@dataclass(frozen=True)
class Vectors(Generic[Value]):
    """The rows behind the scores of raw ids: variables when saved, arrays when loaded.

    With f factors, the GMF tower's share of the logits is `(user_rows[:, :f] * head[:f, 0]) @ item_rows[:, :f].T`.
    Without an MLP tower, the logits are that and the bias; with one, `Weights` has the rest.

    Attributes:
      user_rows: float32 [users, factors + half].
      item_rows: float32 [items, factors + width], projected.
      head: float32 [factors + outputs of the MLP tower, 1].
      bias: float32 [1].
    """

    user_rows: Value
    item_rows: Value
    head: Value
    bias: Value


FOLDING = "folding"
"""Where a SavedModel declares its `FoldedColumns`, a list of dictionaries by their fields; likewise."""


@dataclass(frozen=True)
class FoldedColumns(Generic[Value]):
    """Some columns of a user's row, by what somebody did: a weighted sum of vectors, one for each item.

    An item that comes again counts at its later place alone. Its weight is decay ** (items that count after it). All of
    them side by side are what `Vectors.user_rows` has for a user; of a tower that was trained, about so: what they say
    there is by how much a row changes with the items.

    Attributes:
      vectors: float32 [items, width].
      others: float32 [width], what the sum is multiplied by for somebody whom the model never saw.
      offset: float32 [width], added to the sum.
      decay: float32 [], the weight of an item beside that of the one after it.
      number: int64 [], how many of the latest items count; 0: all.
      mean: bool [], whether the sum is divided by the root of how many items there are: of a tower that was trained.
    """

    vectors: Value
    others: Value
    offset: Value
    decay: Value
    number: Value
    mean: Value
