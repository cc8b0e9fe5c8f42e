"""What the artifact of interactions says of itself: the summary that Preprocess writes last."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from components.artifacts.data_statistics import DataStatistics
from components.artifacts.held_out_users import HeldOutUsersSummary
from components.artifacts.moments import Unit
from components.artifacts.splits import SPLITS, Split
from components.artifacts.summary import Part, Summary


@dataclass(frozen=True, kw_only=True)
class Dropped(Part):
    """How many rows of the input were dropped, by reason.

    A row whose user and item both go counts as the user's where that had too few items from the start, else as the
    item's.

    Attributes:
      bad_rows: could not be read.
      below_min_rating: rated too low.
      not_wanted: have other values than `dataset.where` asks for.
      duplicates: another row of the same user and item is kept, the latest.
      below_min_interactions: of users with too few items.
      below_min_item_interactions: of items with too few users.
      of_new_users: held out, of users without a training row.
      of_new_items: held out, of items without a training row.
    """

    bad_rows: int = 0
    below_min_rating: int = 0
    not_wanted: int = 0
    duplicates: int = 0
    below_min_interactions: int = 0
    below_min_item_interactions: int = 0
    of_new_users: int = 0
    of_new_items: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{reason: rows + getattr(other, reason) for reason, rows in vars(self).items()})

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(vars(self).values())


@dataclass(frozen=True, kw_only=True)
class Absent(Part):
    """Users and items that can be read, and are not in the artifact.

    Attributes:
      users: how many.
      items: likewise.
      new_users: those of the users who pass the filters, and have no training row.
      new_items: likewise.
    """

    users: int = 0
    items: int = 0
    new_users: int = 0
    new_items: int = 0


@dataclass(frozen=True, kw_only=True)
class MixedIds(Part):
    """Ids that are whole numbers in some files and texts in others; all are texts then.

    Attributes:
      number_files: how many files have whole numbers alone.
      number_file: the first of them.
      text_files: how many have other ids as well.
      text_file: the first of them.
    """

    number_files: int
    number_file: str
    text_files: int
    text_file: str


@dataclass(frozen=True, kw_only=True)
class ShardSummary(Part):
    """One shard.

    Attributes:
      first_user: index of its first user.
      users: the number of its users.
      train: rows of that split.
      validation: likewise; None where the split is switched off.
      test: likewise.
      aside: likewise; None where every held-out row is judged by.
    """

    first_user: int
    users: int
    train: int
    validation: int | None = None
    test: int
    aside: int | None = None

    @property
    def rows(self) -> dict[Split, int]:
        """Rows by split; one that is switched off is not there."""
        rows = {split: getattr(self, split) for split in SPLITS}
        return {split: number for split, number in rows.items() if number is not None}


@dataclass(frozen=True, kw_only=True)
class InteractionsSummary(Summary):
    """What is in the artifact.

    Attributes:
      dataset: name or path.
      rows_read: rows of the input.
      dropped: those of them that are not in the artifact.
      absent: the users and items that are not in it.
      users: the number of users.
      items: the number of items.
      interactions: the number of interactions, by split; splits that are switched off are not there.
      density: interactions by pairs of user and item.
      holdout: how the held-out rows were chosen. last: each user's latest; time: those from a time on, of all users;
        random: drawn; given: by the data set.
      held_out_from: by split, from when on rows are held out, in the unit of the data set; None unless that is by time.
      time_unit: s, ms, us or ns since 1970; None where the timestamps may count anything, or there are none.
      period: the first and the last timestamp that was read, in that unit; None where there are none.
      timed: whether the order of a user's training rows is that of time; without timestamps it is that of the items.
      tied_users: users of whom equal timestamps leave open which row is held out, so that `preprocess.ties` decides.
      mixed_ids: of users and items, what type they are of in which files; None where that is the same in all.
      shards: in their order.
      held_out_users: those who are held out entirely; None where nobody is.
      fingerprint: a digest of interactions and vocabulary.
      statistics: how rows are spread over users, items and time; None where another version wrote the artifact.
      best_possible_hr: of data that was drawn from known tastes, HR@10 of the best ranking, by the number of negatives.
    """

    STEP: ClassVar[str] = "Preprocess"

    dataset: str
    rows_read: int
    dropped: Dropped
    absent: Absent = Absent()
    users: int
    items: int
    interactions: dict[Split, int]
    density: float
    holdout: Literal["last", "time", "random", "given"]
    held_out_from: dict[Split, float] | None = None
    time_unit: Unit | None = None
    period: tuple[float, float] | None = None
    timed: bool
    tied_users: int = 0
    mixed_ids: dict[Literal["user", "item"], MixedIds] | None = None
    shards: tuple[ShardSummary, ...]
    held_out_users: HeldOutUsersSummary | None = None
    fingerprint: str
    statistics: DataStatistics | None = None
    best_possible_hr: dict[str, float] | None = None

    @property
    def latest_held_out(self) -> bool:
        """Whether what is held out of a user's interactions is the latest of them."""
        return self.holdout in ("last", "time")

    @property
    def one_time(self) -> bool:
        """Whether all rows, of which there are several, have one time."""
        return self.period is not None and self.period[0] == self.period[1] and self.rows_read > 1

    @property
    def dropped_share(self) -> float:
        """The share of the rows of the input that is not in the artifact."""
        return self.dropped.rows / self.rows_read if self.rows_read else 0.0

    @property
    def unreadable_share(self) -> float:
        """The share of the rows of the input that could not be read."""
        return self.dropped.bad_rows / self.rows_read if self.rows_read else 0.0

    @property
    def held_out(self) -> int:
        """Rows that are held out, with those that were dropped because their user or item has no training row."""
        kept = sum(rows for split, rows in self.interactions.items() if split != "train")
        return kept + self.dropped.of_new_users + self.dropped.of_new_items

    @property
    def held_out_of_new_items(self) -> int:
        """Those of them whose item has no training row."""
        return self.dropped.of_new_items + (self.statistics.cold if self.statistics else 0)

    @property
    def new_item_share(self) -> float:
        """The share that those are of what is held out."""
        return self.held_out_of_new_items / self.held_out if self.held_out else 0.0
