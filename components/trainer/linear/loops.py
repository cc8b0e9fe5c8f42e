"""The compiled loop that ranks under several weights of a part at once."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from components.kernels.compiling import entry_point


@entry_point
def rank_under_weights(base, part, weights, items, ranks):
    """Ranks each user's item by `base + weight * part`, under each weight; a tie counts against the item.

    Args:
      base: float32 [users, items].
      part: float32 [users, items]; it is not read under the weight 0.
      weights: float32 [weights].
      items: int32 [users], what is ranked, among all items.
      ranks: int64 [weights, users], is written; 1 = best.
    """
    for user in range(len(items)):
        for place in range(len(weights)):
            weight, behind = weights[place], 0
            if weight == 0:
                own = base[user, items[user]]
                for item in range(base.shape[1]):
                    behind += base[user, item] < own
            else:
                own = base[user, items[user]] + weight * part[user, items[user]]
                for item in range(base.shape[1]):
                    behind += base[user, item] + weight * part[user, item] < own
            # The item itself is among those that are not behind it.
            ranks[place, user] = base.shape[1] - behind
