"""The values that stand for `auto`: rules of a few counts of the data, found on several sets (docs/accuracy.md)."""

from dataclasses import dataclass

from components.trainer.config import TrainerConfig

MOST_EXACT = 6144
"""Up to so many users or items, all singular values are found in little more time than 2,048 of them."""

MOST_WITH_TRIED_STARTS = 1_000_000
"""Up to so many interactions, ALS is fitted in seconds: with more factors, and with more than one setting."""

_WIDEST = 3072
_MOST_CELLS = 1 << 27


@dataclass(frozen=True)
class Counts:
    """What the rules go by.

    Attributes:
      users: how many there are.
      items: how many there are.
      interactions: those for training.
      in_order: whether a user's interactions are in the order of their times, the held-out ones being the latest.
      batch_size: what the examples were cut for.
      validation: how many interactions are held out for validation.
    """

    users: int
    items: int
    interactions: int
    in_order: bool
    batch_size: int
    validation: int = 0

    @property
    def density(self) -> float:
        """The share of all pairs of user and item that have interacted."""
        return self.interactions / (self.users * self.items)


class Settings(TrainerConfig):
    """The configuration of a training with a value in place of each `auto`."""

    num_factors: int
    als_regularization: float
    als_unobserved_weight: float
    history_factors: int
    recent_items: int
    recent_factors: int
    batch_size: int
    learning_rate: float
    gmf_l2: float
    mlp_l2: float
    least_gain: float


def settle(config: TrainerConfig, counts: Counts) -> Settings:
    """Puts values in place of `auto`; what the configuration says itself stays.

    Example:
      >>> settle(TrainerConfig(recent_items=3), Counts(1000, 1000, 40_000, True, 2048)).als_unobserved_weight
      0.2
    """
    return Settings.model_validate({**config.model_dump(), **_by_rules(config, counts)})


def starts(config: TrainerConfig, counts: Counts) -> list[Settings]:
    """The settings, and others whose start from ALS may rank better: no count tells which one does.

    Example:
      >>> tried = starts(TrainerConfig(recent_items=3), Counts(1000, 1000, 40_000, True, 2048))
      >>> [(settings.als_regularization, settings.als_unobserved_weight) for settings in tried]
      [(0.009, 0.2), (0.003, 0.05)]
    """
    settings = settle(config, counts)
    is_open = config.als_regularization == config.als_unobserved_weight == "auto"
    if not (is_open and _tries_starts(config, counts)):
        return [settings]
    looser = {"als_regularization": 0.003, "als_unobserved_weight": settings.als_unobserved_weight / 4}
    return [settings, settings.model_copy(update=looser)]


def chosen(config: TrainerConfig, settings: Settings) -> dict[str, float]:
    """The values that stand in place of each `auto`, by key."""
    return {key: getattr(settings, key) for key in Settings.__annotations__ if getattr(config, key) == "auto"}


def _by_rules(config: TrainerConfig, counts: Counts) -> dict[str, float]:
    pretrained = config.pretraining != "none"
    l2 = 0.005 if pretrained else 0.0
    width = history_width(counts)
    rules: dict[str, float] = {
        "num_factors": _num_factors(config, counts),
        "als_regularization": 0.009,
        "als_unobserved_weight": round(min(max(counts.density**0.5, 0.005), 0.5), 3),
        "history_factors": width,
        "recent_items": 10 if counts.in_order else 0,
        "recent_factors": min(max(width, 256), 1024),
        "batch_size": counts.batch_size,
        "learning_rate": 0.0005 if pretrained else 0.001,
        "gmf_l2": l2,
        "mlp_l2": l2,
        "least_gain": round(max(counts.validation / counts.interactions, 0.01), 3),
    }
    return {key: value for key, value in rules.items() if getattr(config, key) == "auto"}


def _tries_starts(config: TrainerConfig, counts: Counts) -> bool:
    return config.starts_from_als and counts.interactions <= MOST_WITH_TRIED_STARTS


def _num_factors(config: TrainerConfig, counts: Counts) -> int:
    if _tries_starts(config, counts):
        return 192
    return 64 if counts.interactions <= 10_000_000 else 32


def history_width(counts: Counts) -> int:
    """The width of the tower that reads all that a user has seen: as wide as can be had in about a minute.

    Wider by a half, up to half a gigabyte, where the decomposition is exact: sparse data has not levelled off before.

    Example:
      >>> [history_width(Counts(20_000, 8_000, n, False, 4096)) for n in (100_000, 1_000_000, 20_000_000)]
      [2048, 512, 128]
      >>> history_width(Counts(5_500, 15_000, 200_000, False, 4096))
      3072
    """
    width = next((width for width in (2048, 1024, 512, 256) if width * counts.interactions <= 1 << 29), 128)
    exact = min(counts.users, counts.items) <= MOST_EXACT and _WIDEST * (counts.users + counts.items) <= _MOST_CELLS
    return _WIDEST if width == 2048 and exact else width
