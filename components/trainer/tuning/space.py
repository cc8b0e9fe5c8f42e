"""What is tuned, and over which ranges: the table `TUNED`.

To have another key tuned: a line there, and `make configuration`.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import optuna

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from components.trainer.config import TrainerConfig

Drawn = int | float | str
"""What Optuna keeps of a drawn value: a number, or the name of a choice."""


class Range(Protocol):
    """The values that a key may take."""

    def around(self, value: Any) -> Self:
        """The range, widened so that it holds the configuration's own value, where such a value can be in it."""

    def draw(self, trial: optuna.Trial, key: str) -> Any:
        """A value for a trial, as the configuration has it."""

    def drawn(self, value: Any) -> Drawn | None:
        """What Optuna would have drawn for the configuration's own value; None: it is in no such range, as `auto`."""

    def in_words(self) -> tuple[str, str]:
        """The range and its scale, for the documentation."""


@dataclass(frozen=True)
class Number:
    """Numbers from `low` to `high`.

    Attributes:
      low: the least of them.
      high: the greatest.
      scale: log: twice as much is as far anywhere.
      whole: whether they are whole numbers.
      or_none: 0, which no logarithm has, counts as the least.
    """

    low: float
    high: float
    scale: Literal["linear", "log"] = "log"
    whole: bool = False
    or_none: bool = False

    def around(self, value: Any) -> Self:
        """See `Range`."""
        if not self._can_hold(value):
            return self
        return dataclasses.replace(self, low=min(self.low, value), high=max(self.high, value))

    def draw(self, trial: optuna.Trial, key: str) -> Any:
        """See `Range`; three digits, so that a configuration is pleasant to read."""
        if self.whole:
            return trial.suggest_int(key, int(self.low), int(self.high), log=self.scale == "log")
        return float(f"{trial.suggest_float(key, self.low, self.high, log=self.scale == 'log'):.3g}")

    def drawn(self, value: Any) -> Drawn | None:
        """See `Range`."""
        if self.or_none and value == 0:
            return self.low
        return value if self._can_hold(value) else None

    def in_words(self) -> tuple[str, str]:
        """See `Range`."""
        return f"{self.low:g} to {self.high:g}", f"{self.scale}, 0 as the least" if self.or_none else self.scale

    def _can_hold(self, value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (value > 0 or self.scale == "linear")


@dataclass(frozen=True)
class Choice:
    """One of a few values, none of which is nearer to another."""

    values: tuple[Any, ...]

    def around(self, value: Any) -> Self:
        """See `Range`."""
        return self if value in self.values else dataclasses.replace(self, values=(*self.values, value))

    def draw(self, trial: optuna.Trial, key: str) -> Any:
        """See `Range`."""
        by_name = {in_a_word(value): value for value in self.values}
        return by_name[trial.suggest_categorical(key, list(by_name))]

    def drawn(self, value: Any) -> Drawn | None:
        """See `Range`."""
        return in_a_word(value)

    def in_words(self) -> tuple[str, str]:
        """See `Range`."""
        return " or ".join(map(in_a_word, self.values)), "choice"


def in_a_word(value: Any) -> str:
    """A value in a word: 64-32-16 for widths, none for no widths at all."""
    if isinstance(value, tuple | list):
        return "-".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Tuned:
    """A key that is tuned.

    Attributes:
      range: what it may take.
      where: the key has a meaning only where these others have one of these values.
    """

    range: Range
    where: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)


_WITH_ALS = {"pretraining": ("als", "als_towers")}

TUNED: Mapping[str, Tuned] = {
    "pretraining": Tuned(Choice(("none", "als"))),
    "als_regularization": Tuned(Number(0.001, 1.0), _WITH_ALS),
    "als_unobserved_weight": Tuned(Number(0.002, 0.5), _WITH_ALS),
    "num_factors": Tuned(Number(8, 256, whole=True)),
    "layers": Tuned(Choice(((), (32, 16, 8), (64, 32, 16), (128, 64, 32, 16)))),
    "gmf_head": Tuned(Choice(("learned", "ones"))),
    "embedding_stddev": Tuned(Number(0.003, 0.3)),
    "learning_rate": Tuned(Number(0.0001, 0.01)),
    "gmf_l2": Tuned(Number(0.00001, 0.1, or_none=True)),
    "mlp_l2": Tuned(Number(0.00001, 0.1, or_none=True)),
    "weight_averaging": Tuned(Choice((0.0, 0.99, 0.999))),
}
"""In their order: a key stands below those that it depends on."""


@dataclass(frozen=True)
class Space:
    """What is searched for one configuration: the ranges of `TUNED`, widened to hold what it says itself.

    Attributes:
      config: the configuration's own section.
      keys: which keys are tuned, of those in `TUNED`; the others stay as they are.
    """

    config: TrainerConfig
    keys: Sequence[str]

    def draw(self, trial: optuna.Trial) -> JsonObject:
        """The values that a trial takes in place of the configuration's own, by key, as JSON has them."""
        changes: JsonObject = {}
        for key, range_ in self._ranges(changes):
            value = range_.draw(trial, key)
            changes[key] = list(value) if isinstance(value, tuple) else value
        return changes

    def own(self) -> dict[str, Drawn]:
        """What Optuna would have drawn for the configuration as it is; without the keys that are in no range."""
        drawn = {key: range_.drawn(getattr(self.config, key)) for key, range_ in self._ranges({})}
        return {key: value for key, value in drawn.items() if value is not None}

    def draw_own(self, trial: optuna.Trial) -> JsonObject:
        """Has a trial draw what `own` gave, so that Optuna knows the ranges; it takes no other values."""
        own = self.own()
        for key, range_ in self._ranges({}):
            if key in own:
                range_.draw(trial, key)
        return {}

    def with_changes(self, changes: Mapping[str, Any]) -> JsonObject:
        """The section with other values, as JSON has it."""
        return {**self.config.model_dump(mode="json"), **changes}

    def identity(self) -> list[str]:
        """A text for each key, which differs wherever its range does."""
        return [f"{key}: {TUNED[key].range.around(getattr(self.config, key))}" for key in self._chosen()]

    def _ranges(self, changes: Mapping[str, Any]) -> Iterator[tuple[str, Range]]:
        """Each key with its range, where it has a meaning; `changes` may grow meanwhile."""
        for key in self._chosen():
            now = self.with_changes(changes)
            if all(now[other] in allowed for other, allowed in TUNED[key].where.items()):
                yield key, TUNED[key].range.around(getattr(self.config, key))

    def _chosen(self) -> list[str]:
        return [key for key in TUNED if key in self.keys]


def parse_keys(text: str | None) -> tuple[str, ...]:
    """The keys to tune, of a list such as `learning_rate,gmf_l2`; None: all of them.

    Raises:
      UserError: one of them is not tuned.
    """
    if text is None:
        return tuple(TUNED)
    keys = tuple(key.strip().removeprefix("trainer.") for key in text.split(",") if key.strip())
    if unknown := [key for key in keys if key not in TUNED]:
        raise UserError(f"--keys: '{unknown[0]}' is none that is tuned; allowed: {', '.join(TUNED)}")
    if not keys:
        raise UserError(f"--keys names none; allowed: {', '.join(TUNED)}")
    return keys


def documentation() -> list[tuple[str, str, str, str]]:
    """The table for people: each key, its range, its scale, and where it has a meaning."""
    return [(key, *tuned.range.in_words(), _where(tuned.where)) for key, tuned in TUNED.items()]


def _where(conditions: Mapping[str, Sequence[Any]]) -> str:
    return "; ".join(f"{key} is {' or '.join(map(in_a_word, values))}" for key, values in conditions.items())
