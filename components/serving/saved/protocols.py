"""What a model has to give, to be served."""

from collections.abc import Sequence
from typing import Any, Protocol

import tensorflow as tf

from components.serving.contract import FoldedColumns, Weights


class PairModel(Protocol):
    """A model of pairs whose items can be projected ahead; `components.trainer.model.NeuMF` is one."""

    variables: Sequence[Any]
    user_table: Any
    item_table: Any
    head_kernel: Any
    head_bias: Any

    def project_items(self, rows: Any) -> Any:
        """Rows of the item table to projected ones, float32 [items, ...] both."""

    def project_users(self, rows: Any) -> Any:
        """Rows of the user table to projected ones, float32 [users, ...] both."""

    def user_rows(self, user: Any) -> Any:
        """Projected rows of users, by their indexes, int32 [...]."""

    def score(self, user_rows: Any, item_rows: Any) -> Any:
        """Logits of projected rows of users with those of items."""

    def score_all(self, user_rows: Any, item_rows: Any) -> Any:
        """Logits, float32 [users, items], of projected rows of users with those of all items."""

    def scoring_weights(self, item_rows: Any) -> Weights[Any] | None:
        """Its variables behind `score_all`, with the projected rows of all items; None without an MLP tower."""


class Folding(Protocol):
    """What makes a row of a model's user table from what somebody did, with the items as they are."""

    @property
    def variables(self) -> Sequence[tf.Variable]:
        """What it computes with, to be saved with the model."""

    @property
    def declared(self) -> Sequence[FoldedColumns[tf.Variable]] | None:
        """What it computes, for those who do it themselves; None where its rows are no such sums."""

    def user_rows(self, items: tf.Tensor) -> tf.Tensor:
        """The rows, not projected, float32 [B, width of the user table].

        Args:
          items: int32 [B, n], indexes of what each did, oldest first; before the first of them, -1. A row that has
            nothing but -1 gets that of somebody of whom nothing is known.
        """
