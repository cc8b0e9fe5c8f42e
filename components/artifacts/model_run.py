"""The model run artifact: what happened in each epoch of a training (`history.json`), beside TensorBoard's logs."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from components.artifacts.storage import exists, read_json, write_json
from components.metrics import by_user
from components.shared.json_types import JsonObject

HISTORY = "history.json"
K = 10
"""Metrics on validation are at this length of the recommended list."""

METRIC_NAMES = tuple(by_user.names((K,)))
"""The metrics that a validated epoch has: HR@10, NDCG@10, ...; in JSON their names are in lower case."""

PARTS = {
    "neumf": "NeuMF, as trained",
    "history": "All that a user has seen, in closed form",
    "recent_items": "What a user did last, in closed form",
}
"""What a model may be put together of: names, and how people read them."""


@dataclass(frozen=True)
class Epoch:
    """One epoch of training.

    Attributes:
      loss: mean over the epoch's steps.
      metrics: on validation, by name ("HR@10"); empty where there is no such split.
      seconds: of training, without validation.
      examples_per_second: rows of the epoch over `seconds`.
    """

    loss: float
    metrics: Mapping[str, float]
    seconds: float
    examples_per_second: float

    def to_json(self, number: int) -> JsonObject:
        """The epoch as JSON has it, with its number, from 1; metrics are null where there are none."""
        return {
            "epoch": number,
            "loss": self.loss,
            **{name.lower(): self.metrics.get(name) for name in METRIC_NAMES},
            "seconds": round(self.seconds, 3),
            "examples_per_second": round(self.examples_per_second),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The epoch back from JSON; a metric that is not there, or that nobody knows any more, is left out."""
        found = {name: content.get(name.lower()) for name in METRIC_NAMES}
        metrics = {name: value for name, value in found.items() if value is not None}
        return cls(content["loss"], metrics, content["seconds"], content["examples_per_second"])


@dataclass(frozen=True)
class Stage:
    """A training that is over: of one tower before the whole, or of the whole model.

    Attributes:
      name: `gmf`, `mlp` or `neumf`.
      epochs: in their order.
      best_epoch: the number of the epoch whose weights were taken, from 1; 0: those that it started from.
      chosen_by: by what they were.
      stopped: why there were no more epochs.
      start: the metrics on validation of what it started from, by name; empty where they were not measured.
    """

    name: str
    epochs: Sequence[Epoch]
    best_epoch: int
    chosen_by: str
    stopped: str
    start: Mapping[str, float] = field(default_factory=dict)

    @property
    def best(self) -> Mapping[str, float]:
        """The metrics on validation of the weights that were taken; empty where there are none."""
        return self.epochs[self.best_epoch - 1].metrics if self.best_epoch else self.start

    def to_json(self) -> JsonObject:
        """The stage as JSON has it."""
        return {
            "stage": self.name,
            "start": _in_lower_case(self.start),
            "epochs": [epoch.to_json(number) for number, epoch in enumerate(self.epochs, start=1)],
            "best_epoch": self.best_epoch,
            "chosen_by": self.chosen_by,
            "stopped": self.stopped,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The stage back from JSON."""
        epochs = tuple(map(Epoch.from_json, content["epochs"]))
        start = _as_named(content.get("start", {}))
        return cls(content["stage"], epochs, content["best_epoch"], content["chosen_by"], content["stopped"], start)


@dataclass(frozen=True)
class Blend:
    """What a model is put together of, and how its parts rank all unseen items on validation.

    Attributes:
      users: how many users that was measured on.
      widths: of each tower in closed form, by name.
      weights: of each part, where all have scores of the same standard deviation.
      alone: by part, its metrics by itself, by name ("HR@10").
      together: the metrics of all.
      learnt_validation: whether parts were fitted once more after that, with the validation items too.
    """

    users: int
    widths: Mapping[str, int]
    weights: Mapping[str, float]
    alone: Mapping[str, Mapping[str, float]]
    together: Mapping[str, float]
    learnt_validation: bool = False

    def to_json(self) -> JsonObject:
        """The parts as JSON has them."""
        return {
            "users": self.users,
            "parts": {
                name: {"width": self.widths.get(name), "weight": weight, "alone": _in_lower_case(self.alone[name])}
                for name, weight in self.weights.items()
            },
            "together": _in_lower_case(self.together),
            "learnt_validation": self.learnt_validation,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The parts back from JSON."""
        parts: Mapping[str, Any] = content["parts"]
        return cls(
            users=content["users"],
            widths={name: part["width"] for name, part in parts.items() if part["width"] is not None},
            weights={name: part["weight"] for name, part in parts.items()},
            alone={name: _as_named(part["alone"]) for name, part in parts.items()},
            together=_as_named(content["together"]),
            learnt_validation=content.get("learnt_validation", False),
        )


def _in_lower_case(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name.lower(): value for name, value in metrics.items()}


def _as_named(content: Mapping[str, float]) -> dict[str, float]:
    return {name: content[name.lower()] for name in METRIC_NAMES if name.lower() in content}


@dataclass(frozen=True)
class History:
    """A training from its start to its model.

    Attributes:
      whole: the training of the whole model.
      seconds: of all of it, from the start of the step to its end.
      config: the section `trainer` that it was told, as JSON has it.
      pretraining: the trainings of the towers before it; empty where there were none.
      blend: what the exported model is put together of; None where it is the trained one alone.
      exported: digests of the arrays that were exported, by their names; None where that was not told.
    """

    whole: Stage
    seconds: float
    config: Mapping[str, Any]
    pretraining: Sequence[Stage] = field(default=())
    blend: Blend | None = None
    exported: Mapping[str, str] | None = None

    def to_json(self) -> JsonObject:
        """The content of `history.json`."""
        return {
            **self.whole.to_json(),
            "pretraining": [stage.to_json() for stage in self.pretraining],
            "seconds": self.seconds,
            "config": dict(self.config),
            **({"blend": self.blend.to_json()} if self.blend else {}),
            **({"exported": dict(self.exported)} if self.exported else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The history back from the content of `history.json`."""
        pretraining = tuple(map(Stage.from_json, content["pretraining"]))
        blend = Blend.from_json(content["blend"]) if "blend" in content else None
        whole, exported = Stage.from_json(content), content.get("exported")
        return cls(whole, content["seconds"], content["config"], pretraining, blend, exported)

    def write(self, uri: str) -> None:
        """Writes it into the model run at `uri`."""
        write_json(posixpath.join(uri, HISTORY), self.to_json())

    @classmethod
    def read(cls, uri: str) -> Self | None:
        """Reads it from the model run at `uri`; None where none was written, as by a trainer of somebody else."""
        path = posixpath.join(uri, HISTORY)
        return cls.from_json(read_json(path)) if exists(path) else None
