"""How a run ended, in the words that are told to others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from components.artifacts import evaluation
from components.shared.files.secrets import without_secrets
from components.shared.json_types import JsonObject
from pipeline.results import figures

State = Literal["blessed", "not blessed", "failed"]


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
      pipeline: name of the pipeline.
      name: of the run.
      config: its configuration as plain data, by section, without what may hold a secret.
    """

    pipeline: str
    name: str
    config: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """Where a run that came to its end left its results.

    Attributes:
      evaluation: URI of the Evaluator's artifact.
      model_run: URI of the Trainer's logs.
      model: address that the model was pushed to; None where it was not pushed.
    """

    evaluation: str
    model_run: str
    model: str | None


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
      run: which.
      state: the gate's verdict; or failed, where there is none.
      metrics: the figures that a console shows of the Evaluator; empty where the run failed.
      reasons: why the model is not blessed, or why the run failed.
      results: None where the run failed.
      new: whether the run did anything; else there was nothing new, and all that is told comes from the cache.
    """

    run: Run
    state: State
    metrics: Mapping[str, float] = field(default_factory=dict)
    reasons: Sequence[str] = ()
    results: Results | None = None
    new: bool = True

    @classmethod
    def with_verdict(cls, run: Run, results: Results, new: bool = True) -> Self:
        """A run that came to its end, and whether it did anything on its way.

        Raises:
          UserError: the evaluation was written by another version of the program.
        """
        found = evaluation.read(results.evaluation)
        state: State = "blessed" if found.blessed else "not blessed"
        return cls(run, state, figures.of_evaluation(results.evaluation), found.reasons, results, new)

    @classmethod
    def with_failure(cls, run: Run, reason: str) -> Self:
        """A run that did not come to its end."""
        return cls(run, "failed", reasons=[without_secrets(reason)])

    def to_json(self) -> JsonObject:
        """What a webhook receives."""
        model = self.results.model if self.results else None
        return {
            "text": self.told,
            "pipeline": self.run.pipeline,
            "run": self.run.name,
            "state": self.state,
            "new": self.new,
            "metrics": dict(self.metrics),
            "reasons": list(self.reasons),
            "model": model and without_secrets(model),
        }

    @property
    def told(self) -> str:
        """A line for people.

        Example:
          "neumf-20261126-030000: not blessed: HR@10 0.11 is below the minimum 0.15"
        """
        state = self.state if self.new else f"nothing new, as before {self.state}"
        return ": ".join(filter(None, [self.run.name, state, "; ".join(self.reasons)]))
