"""Ranking metrics on evaluation records."""

from typing import Any

from keras import ops

Tensor = Any


def rank_of_positive(scores: Tensor, mask: Tensor) -> Tensor:
    """How many negatives stand before each user's positive.

    A tie counts against the positive, and so does a negative whose score is not a number.

    Args:
      scores: float [users, width], the positive's score first.
      mask: integer [users, width], 1 for a row that does not count.

    Returns:
      int32 [users]; `width` where the positive's score is not a number.
    """
    positive, negatives = scores[:, :1], scores[:, 1:]
    before = ops.logical_and(ops.logical_not(positive > negatives), ops.equal(mask[:, 1:], 0))
    rank = ops.sum(ops.cast(before, "int32"), axis=1)
    return ops.where(ops.isnan(positive[:, 0]), scores.shape[1], rank)


def ranking_sums(scores: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of hit rate and NDCG at `k` over the users of a batch, and their number.

    There is one relevant item per user, so that its NDCG is 1 / log2(rank + 2). Users whose positive is masked are
    padding.

    Args:
      scores: float [users, width], the positive's score first.
      mask: integer [users, width], 1 for a row that does not count.
      k: cut-off.

    Returns:
      Three float32 scalars: hits, gain, users.
    """
    rank = rank_of_positive(scores, mask)
    counts = ops.cast(ops.equal(mask[:, 0], 0), "float32")
    hit = counts * ops.cast(rank < k, "float32")
    gain = hit / ops.log2(ops.cast(rank, "float32") + 2.0)
    return ops.sum(hit), ops.sum(gain), ops.sum(counts)
