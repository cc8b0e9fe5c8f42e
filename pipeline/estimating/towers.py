"""How much work the towers in closed form are: decompositions, and the choice among candidates on validation.

Counted is what `components/trainer/linear` does, which cannot be asked: it needs TensorFlow.
"""

from dataclasses import dataclass

from components.trainer.settings import MOST_EXACT, MOST_WITH_TRIED_STARTS, Settings
from pipeline.estimating.counts import Counts

PAIRS_OF_VALIDATION = 1 << 26
"""Users of validation with all items, at most, where there are more than the least number of users."""

_LEAST_USERS = 500
_EXACT_TIMES_WIDTH = 3
_UNDIVIDED_WIDTH = 512
_MORE, _ITERATIONS = 10, 4
_CANDIDATES = {"divided": 4, "undivided": 3, "recent": 4}  # of 7 and 4 dampings, from 3 on; all of the recent
_RECENT_FORMS = 2
_WEIGHTS_BESIDE = 3
_PLACES = 5
_LEAST_RANK = 32

_SPARSE = 30
"""A product with the interactions waits for memory: it takes so many times as long as one of dense matrices."""


@dataclass(frozen=True)
class Towers:
    """The towers of a run.

    Attributes:
      counts: of the data.
      settings: of the training.
    """

    counts: Counts
    settings: Settings

    @property
    def widths(self) -> dict[str, int]:
        """How wide each of them is, by name; none without validation, which chooses them."""
        settings, counts = self.settings, self.counts
        wanted = {
            "history": min(settings.history_factors, counts.users, counts.items),
            "recent": min(settings.recent_factors, counts.items) if settings.recent_items else 0,
        }
        return {name: width for name, width in wanted.items() if width and counts.validation}

    @property
    def beside_als(self) -> bool:
        """Whether candidates for the first tower are ranked beside the start from ALS, which is fitted for that."""
        return self.settings.pretraining == "als" and self.counts.train <= MOST_WITH_TRIED_STARTS

    @property
    def pairs(self) -> int:
        """Pairs of a user of validation and an item, which candidates are ranked by."""
        counts = self.counts
        return min(counts.validation, max(_LEAST_USERS, PAIRS_OF_VALIDATION // counts.items)) * counts.items

    @property
    def decomposed(self) -> float:
        """Floating-point operations of dense matrices that take as long as the decompositions.

        Those of the two towers are found side by side, and once more with the validation items.
        """
        widths, counts = self.widths, self.counts
        found, again = [0.0], [0.0]
        if width := widths.get("history"):
            sides, entries = (counts.users, counts.items), counts.train
            again.append(_decomposition(sides, entries, width))
            found.append(again[-1] + _decomposition(sides, entries, min(width, _UNDIVIDED_WIDTH)))
        if width := widths.get("recent"):
            sides, entries = (counts.items, counts.items), min(_PLACES * counts.train, counts.items**2)
            again.append(_decomposition(sides, entries, width))
            found.append(_RECENT_FORMS * again[-1])
        return max(found) + max(again)

    @property
    def scored(self) -> float:
        """Floating-point operations of all candidates' scores."""
        return sum(2 * width * number * self.pairs for width, number, _ in self._candidates)

    @property
    def ranked(self) -> float:
        """Scores compared with a held-out item's: at each rank of a candidate, and each weight beside others."""
        return sum(_ranks(width) * number * weights * self.pairs for width, number, weights in self._candidates)

    @property
    def _candidates(self) -> list[tuple[int, int, int]]:
        """Width, number, and how often each is ranked: alone, and beside what is there before."""
        found, widths = [], self.widths
        if width := widths.get("history"):
            times = 1 + _WEIGHTS_BESIDE * self.beside_als
            found.append((width, _CANDIDATES["divided"], times))
            found.append((min(width, _UNDIVIDED_WIDTH), _CANDIDATES["undivided"], times))
        if width := widths.get("recent"):
            found.append((width, _CANDIDATES["recent"], _WEIGHTS_BESIDE))
        return found


def _decomposition(sides: tuple[int, int], entries: int, width: int) -> float:
    """Operations of one: exactly where that is a good part of all there are, or by iterations on the shorter side.

    Args:
      sides: of the matrix.
      entries: that are not zero.
      width: singular values that are found.
    """
    short, long = sorted(sides)
    if short <= min(MOST_EXACT, _EXACT_TIMES_WIDTH * width):
        return 10.0 * short**3
    width += _MORE
    dense = ((_ITERATIONS + 5) * short + 2 * long) * width**2 + 10 * width**3
    return dense + _SPARSE * (4 * _ITERATIONS + 2) * entries * width


def _ranks(width: int) -> int:
    """A width, half of it, and so on."""
    return 1 if width < 2 * _LEAST_RANK else 1 + _ranks(width // 2)
