"""The hyperparameters artifact: values for keys of the section `trainer` that a search has found (`summary.json`)."""

from dataclasses import dataclass
from typing import ClassVar

from components.artifacts.summary import Summary
from components.shared.json_types import JsonObject


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(Summary):
    """What was found.

    Attributes:
      values: by key, as JSON has them; none where nothing was better than the configuration as it is.
      metric: the one that chose, such as NDCG@10.
      value: what it is on validation with these values.
      own_value: what it is with the configuration as it is; None where that could not be trained.
      trials: how many trainings were compared.
    """

    STEP: ClassVar[str] = "Tuner"

    values: JsonObject
    metric: str
    value: float
    own_value: float | None = None
    trials: int
