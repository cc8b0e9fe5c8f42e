"""The factors of the towers in closed form: truncated singular value decompositions of sparse matrices.

A tower scores an item by the product of its vector with a weighted sum of other vectors, those of the items that a user
has seen. So a user whom nobody knew has a vector as soon as there are items of theirs.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import scipy.sparse

from components.artifacts.interactions import Pairs
from components.shared.sequences import count_following
from components.trainer.linear.decomposition import Matrix, Values, across, decompose

PLACES = 5
"""Items so many places apart, at most, in a user's history count as one after the other."""

_DAMPING_OF_OTHERS = 1 / 2  # beside that of the users whose interactions were decomposed
_UNDIVIDED_WIDTH = 512  # where frequent items come first, more of the rank adds little


class Form(NamedTuple):
    """How interactions are scaled before a decomposition, and its values after it.

    Attributes:
      power: of how many each user and each item has, which interactions are divided by; of a tower that reads all.
      damping: of a tower that reads all: see `history_factors`.
      shrinkage: of a tower that reads the latest: see `recent_factors`.
    """

    power: float = 0.0
    damping: float = 0.0
    shrinkage: float = 0.0


# Sparse data want more of a damping.
HISTORY_FORMS = [
    *(Form(power=0.25, damping=damping) for damping in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)),
    *(Form(power=0.0, damping=damping) for damping in (0.01, 0.03, 0.1, 0.3)),
]
RECENT_FORMS = [Form(shrinkage=shrinkage) for shrinkage in (10.0, 100.0)]


@dataclass(frozen=True)
class Factors:
    """What a tower is made of.

    Attributes:
      read: the vectors of items that a user has seen, float32 [items, width].
      scored: the vectors of items that are scored, float32 [items, width].
      form: how they were found.
      values: the singular values, float64 [width], where they were damped; None where not.
      rank: of the decomposition, were none of it left out.
    """

    read: Matrix
    scored: Matrix
    form: Form = field(default_factory=Form)
    values: Values | None = None
    rank: int = 0

    @property
    def width(self) -> int:
        """How many there are of each item."""
        return int(self.read.shape[1])

    def cut(self, rank: int) -> "Factors":
        """Those of the largest singular values."""
        values = None if self.values is None else self.values[:rank]
        return replace(self, read=self.read[:, :rank], scored=self.scored[:, :rank], values=values)

    def of_others(self) -> Matrix | None:
        """What the sums of `read` are multiplied by for a user whose interactions the factors were not found in.

        Of what such a user has seen, less lies within a rank that is not complete, and least along the small singular
        values, which are those that single users shaped. So these are damped less there, and the whole is as large as
        it is for the others. With all of the rank, both are ranked alike: ridge regression without a row of its data
        gives that row what it gave before, but for a factor.

        Returns:
          float32 [width]; None: by nothing.
        """
        if self.values is None or self.width >= self.rank:
            return None
        squares, damping = self.values**2, self.form.damping * self.values[0] ** 2
        more = (squares + damping) / (squares + damping * _DAMPING_OF_OTHERS)  # of a singular value of 0, too
        before = self.values * _kept(self.values, self.form.damping)
        size = np.linalg.norm(before) / np.linalg.norm(before * more)
        factor: Matrix = (size * more).astype(np.float32)
        return factor

    def users(self, history: scipy.sparse.csr_matrix) -> Matrix:
        """The vectors of users, float32 [users, width].

        Args:
          history: how much each of the items counts that a user has seen, float32 [users, items].
        """
        vectors: Matrix = history @ self.read
        return vectors


def history_factors(
    seen: scipy.sparse.csr_matrix, width: int, seed: int, forms: Sequence[Form] = HISTORY_FORMS
) -> list[Callable[[], Factors]]:
    """Candidates for a tower that reads all that a user has seen, whatever its order.

    With X the interactions divided by the fourth roots of how many each user and each item has, and X ~ U S V' to some
    rank, an item's vector is its row of V; where it is read, it is divided by that root, and damped by S^2 / (S^2 + l)
    as in ridge regression. Undivided, and with all of the rank, that is the linear model of all items for each one
    (see EASE: Steck, WWW 2019), which is a candidate too, and the better one on dense data; with square roots, it
    compares items by their cosines. In between, frequent items do not take all of the rank (Nikolakopoulos et al.,
    EigenRec, KAIS 2019).

    Args:
      seen: 1 where a user has interacted with an item, float32 [users, items].
      width: the rank; factors of a smaller one are the first of these.
      seed: of the decomposition's random start.
      forms: the candidates; those of one power follow each other.

    Returns:
      Factors of each form, made when they are asked for: they are large.
    """
    makers: list[Callable[[], Factors]] = []
    for power, of_power in itertools.groupby(forms, key=lambda form: form.power):
        scaled, of_items = scaled_by_counts(seen, power)
        rank = width if power else min(width, _UNDIVIDED_WIDTH)
        values, right = decompose(scaled, rank, seed)
        found = functools.partial(_history, of_items, values, right, min(seen.shape))
        makers += [functools.partial(found, form) for form in of_power]
    return makers


def _history(of_items: Values, values: Values, right: Matrix, rank: int, form: Form) -> Factors:
    return Factors(read_of(right, of_items, values, form), right, form, values, rank)


def scaled_by_counts(seen: scipy.sparse.csr_matrix, power: float) -> tuple[scipy.sparse.csr_matrix, Values]:
    """Interactions divided by a power of how many each user and each item has; one over that of items, [items, 1]."""
    of_users, of_items = (np.maximum(seen.sum(axis=axis).A1, 1) ** -power for axis in (1, 0))
    return scipy.sparse.diags_array(of_users) @ seen @ scipy.sparse.diags_array(of_items), of_items[:, np.newaxis]


def read_of(right: Matrix, of_items: Values, values: Values, form: Form) -> Matrix:
    """The vectors of items where they are read, of those where they are scored."""
    read: Matrix = right * of_items.astype("f4")
    read *= _kept(values, form.damping).astype("f4")
    return read


def _kept(values: Values, damping: float) -> Values:
    """What ridge regression leaves of each singular value's share, the damping being one of the largest squared."""
    kept: Values = values**2 / (values**2 + damping * values[0] ** 2)
    return kept


def recent_factors(
    train: Pairs, items: int, width: int, seed: int, forms: Sequence[Form] = RECENT_FORMS
) -> list[Factors]:
    """Candidates for a tower that reads what a user did last: which items come soon after which others.

    Two items count for one over how many places they are apart, up to `PLACES`; the sums are divided by the roots of
    both items' totals, plus a little. To some rank that is U S V', and an item's vectors are its rows of U S^.5, to be
    read, and of V S^.5, to be scored. It is a factorised Markov chain in closed form (see FPMC: Rendle et al., WWW
    2010).

    Args:
      train: users ascend, a user's items are in their order.
      items: how many there are.
      width: the rank; factors of a smaller one are the first of these.
      seed: of the decomposition's random start.
      forms: the candidates: what is added to the totals.

    Returns:
      Factors of each form.
    """
    follows = count_following(*train, items, PLACES)
    found: list[Factors] = []
    for form in forms:
        scaled = scaled_by_totals(follows, form)
        values, right = decompose(scaled, width, seed)
        roots = np.sqrt(values).astype("f4")
        found.append(Factors(across(scaled, values, right) * roots, right * roots, form))
    return found


def scaled_by_totals(follows: scipy.sparse.csr_matrix, form: Form) -> scipy.sparse.csr_matrix:
    """How closely items follow others, divided by the roots of both one's totals."""
    totals = [follows.sum(axis=axis).A1 for axis in (1, 0)]
    before, after = (scipy.sparse.diags_array((total + form.shrinkage) ** -0.5) for total in totals)
    return before @ follows @ after
