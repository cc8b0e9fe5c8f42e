"""What the model was held to: the champion, and the rules of the gate."""

import enum
from dataclasses import dataclass, field

from components.artifacts.evaluation.measured import Difference, Means, Number, Way


class State(enum.StrEnum):
    """What became of a rule: it failed, it passed, or there was nothing to compare with."""

    FAILED = "failed"
    PASSED = "passed"
    SKIPPED = "skipped"


class ChampionStatus(enum.StrEnum):
    """Whether model and champion were compared: they were, there is no champion, or it cannot be compared."""

    COMPARED = "compared"
    NONE = "none"
    BROKEN = "broken"


@dataclass(frozen=True)
class Rival:
    """The baseline that is best by one metric, and how the model stands to it.

    Attributes:
      name: its key among the systems.
      title: its name in a sentence.
      value: its mean.
      difference: the model minus it, paired by user; each bound is one-sided, of the gate's confidence.
    """

    name: str
    title: str
    value: Number
    difference: Difference


@dataclass(frozen=True)
class Soundness:
    """What tells whether the figures can be believed.

    Attributes:
      leaked: test rows whose item stands among the user's training or validation items.
      repeated: test rows beyond the first of their user.
      ranked_first: by system, the share of users whose held-out item comes before all other unseen items.
      ranked_again: how many users the model ranked a second time.
      moved: for how many of them the held-out item then had another rank.
      popularity_to_itself: the largest of the paired differences between popularity and itself, and of their bounds.
    """

    leaked: int
    repeated: int
    ranked_first: dict[str, Number]
    ranked_again: int
    moved: int
    popularity_to_itself: Number


@dataclass(frozen=True)
class ChampionQuartile:
    """A quartile of the users that both models know, and the challenger's means minus the champion's there."""

    name: str
    users: int
    differences: Means


@dataclass(frozen=True)
class WorstSlice:
    """The quartile in which the challenger lost most."""

    slice: str
    difference: Number


@dataclass(frozen=True)
class Comparison:
    """Challenger and champion on what both know, by the gate's metrics.

    Attributes:
      shared_users: how many test users both know.
      shared_items: how many items both know.
      confidence: of each one-sided bound of `differences`.
      challenger: its means.
      champion: its means.
      differences: challenger minus champion.
      slices: the same in quartiles, by the way that they are cut.
      worst_slice: for each metric.
    """

    shared_users: int
    shared_items: int
    confidence: Number
    challenger: Means
    champion: Means
    differences: dict[str, Difference]
    slices: dict[str, tuple[ChampionQuartile, ...]]
    worst_slice: dict[str, WorstSlice]


@dataclass(frozen=True)
class Drift:
    """The data beside that which the champion was trained on, by raw id.

    Attributes:
      users: how many users this data has.
      new_users: those of them whom the champion does not know.
      champion_users: how many users the champion knows; None where it does not say.
      items: how many items this data has.
      new_items: those of them that the champion does not know.
      champion_items: how many items the champion knows.
      rows: training rows of this data.
      champion_rows: those of the champion's; nearly, where an item has more than a million.
      popularity_shift: the total variation distance between the items' shares of the training rows: which share of the
        rows would have to be of other items for both to be equally popular.
    """

    users: int
    new_users: int
    champion_users: int | None
    items: int
    new_items: int
    champion_items: int
    rows: int
    champion_rows: int
    popularity_shift: Number

    @property
    def lost_user_share(self) -> float:
        """The share of the champion's users that this data does not have.

        Raises:
          LookupError: the champion does not say how many users it knows.
        """
        if not self.champion_users:
            raise LookupError("the champion does not say how many users it knows")
        return 1 - (self.users - self.new_users) / self.champion_users

    @property
    def lost_item_share(self) -> float:
        """The share of the champion's items that this data does not have."""
        return 1 - (self.items - self.new_items) / self.champion_items

    @property
    def rows_ratio(self) -> float:
        """The training rows as a multiple of the champion's."""
        return self.rows / self.champion_rows


@dataclass(frozen=True)
class Champion:
    """The newest pushed model, and how the model stands to it.

    Attributes:
      status: whether they were compared.
      detail: a sentence on that.
      version: of the champion; None where there is none.
      path: its folder.
      comparisons: in each ranking that the gate looks at, the first of which matters most.
      warning: what makes the comparison a doubtful one; None where nothing does.
      drift: the data beside the champion's; None where there is no champion, or it does not tell.
    """

    status: ChampionStatus
    detail: str
    version: str | None = None
    path: str | None = None
    comparisons: dict[Way, Comparison] = field(default_factory=dict)
    warning: str | None = None
    drift: Drift | None = None

    @property
    def comparison(self) -> Comparison | None:
        """That in the ranking that matters most; None unless they were compared."""
        return next(iter(self.comparisons.values()), None)

    @property
    def compared(self) -> Comparison:
        """That in the ranking that matters most.

        Raises:
          LookupError: there is none.
        """
        if self.comparison is None:
            raise LookupError("the champion was not compared")
        return self.comparison


@dataclass(frozen=True)
class Verdict:
    """What became of a rule of the gate.

    Attributes:
      rule: its name.
      state: a rule that cannot be judged fails; one that has nothing to compare with is skipped.
      value: the number that was judged; NaN where there is none.
      bound: what it was compared with, margin included; NaN where there is none.
      detail: a sentence with the numbers.
    """

    rule: str
    state: State
    value: Number
    bound: Number
    detail: str
