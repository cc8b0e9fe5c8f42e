"""The evaluation as a whole, and how it stands in `metrics.json`."""

import math
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.artifacts import storage
from components.artifacts.evaluation.judged import Champion, Rival, Soundness, State, Verdict
from components.artifacts.evaluation.measured import (
    ByWay,
    Copies,
    Difference,
    Example,
    LeftOut,
    NewUsers,
    Number,
    Quartile,
    ServingCheck,
    System,
    Way,
)
from components.artifacts.interactions_summary import InteractionsSummary
from components.shared.errors import UserError
from components.shared.json_types import JsonObject

METRICS_FILE = "metrics.json"
REPORT_FILE = "report.html"
SCHEMA_VERSION = 3
MODEL = "model"
"""The name of the model among the systems; the others are baselines."""


@dataclass(frozen=True)
class Evaluation:
    """All of `metrics.json`.

    Attributes:
      gate_k: the length of the list that the gate looks at.
      gate_on: the ranking that the gate looks at.
      ks: all lengths of the list.
      metrics: the names of the metrics without the length: HR, NDCG, ...
      confidence: of the intervals.
      bootstrap_samples: that the intervals come from.
      test_users: how many were ranked.
      systems: the model, and the baselines by their names.
      left_out: the baselines that could not be measured, by their names.
      differences: the model minus each baseline, paired by user.
      best_baselines: by metric at gate_k, the best of them.
      slices: the systems in quartiles of the sampled test users, by the way that they are cut.
      positive_among_negatives: held-out items among their own negatives.
      weights_not_finite: how many of the model's weights are not finite.
      examples: some users.
      soundness: whether the figures can be believed.
      serving: whether what will be served is what was measured.
      champion: how the model stands to the newest pushed one.
      best_possible_hr: the highest HR@10 that synthetic data allow.
      dataset: its name.
      dataset_fingerprint: changes with the data.
      model_path: the folder of the SavedModel.
      seconds: how long the evaluation took.
      rules: the verdicts of the gate.
      new_users: what users get who were held out entirely; None where there are none.
      short_users: how many of the test users have fewer than k rivals to their held-out item, and so no metrics at k,
        by k; those k that every user has metrics at are left out.
      item_titles: of the items of `examples` that have one, by their ids as texts.
      data: what it was trained and judged on; None where an earlier version wrote this.
    """

    gate_k: int
    gate_on: Way
    ks: tuple[int, ...]
    metrics: tuple[str, ...]
    confidence: Number
    bootstrap_samples: int
    test_users: ByWay[int]
    systems: dict[str, System]
    left_out: dict[str, LeftOut]
    differences: dict[str, ByWay[dict[str, Difference]]]
    best_baselines: ByWay[dict[str, Rival]]
    slices: dict[str, tuple[Quartile, ...]]
    positive_among_negatives: Copies
    weights_not_finite: int
    examples: tuple[Example, ...]
    soundness: Soundness
    serving: ServingCheck
    champion: Champion
    best_possible_hr: Number | None
    dataset: str | None
    dataset_fingerprint: str | None
    model_path: str
    seconds: Number
    rules: tuple[Verdict, ...]
    new_users: NewUsers | None = None
    item_titles: dict[str, str] = field(default_factory=dict)
    short_users: ByWay[dict[int, int]] = field(default_factory=lambda: ByWay({}, {}))
    data: InteractionsSummary | None = None

    @property
    def blessed(self) -> bool:
        """Whether no rule failed."""
        return all(verdict.state is not State.FAILED for verdict in self.rules)

    @property
    def reasons(self) -> list[str]:
        """Why the model is not blessed; each reason once, as rules that need the champion may fail for the same one."""
        return list(dict.fromkeys(verdict.detail for verdict in self.rules if verdict.state is State.FAILED))

    @property
    def ways(self) -> tuple[Way, ...]:
        """The two rankings, that which the gate looks at first."""
        return ("full", "sampled") if self.gate_on == "full" else ("sampled", "full")

    @property
    def model(self) -> System:
        """What was measured of the model."""
        return self.systems[MODEL]

    @property
    def baselines(self) -> dict[str, System]:
        """The systems without the model."""
        return {name: system for name, system in self.systems.items() if name != MODEL}

    def judged_users(self, way: Way) -> int:
        """How many test users have metrics at gate_k in one way of ranking."""
        return self.test_users.of(way) - self.short_users.of(way).get(self.gate_k, 0)

    def told_short_users(self, way: Way) -> str:
        """A sentence on the test users without metrics at gate_k; nothing where each has them."""
        short, users = self.short_users.of(way).get(self.gate_k, 0), self.test_users.of(way)
        if not short:
            return ""
        who = f"{short:,} of {users:,} test users have" if short < users else "no test user has more than"
        count = f"{self.gate_k} {_CANDIDATES[way]}" + (" or fewer" if short < users else "")
        outcome = "leave them out" if short < users else "are not given; a lower evaluator.gate_k has them"
        return f"{who} {count} to choose the held-out one from: {' '.join(self.gate_metrics)} {outcome}"

    def new_users_ratio(self, metric: str) -> float:
        """A metric of the new users as a multiple of that of the trained ones, among all unseen items.

        NaN where there are no new users, or the trained ones' is 0.
        """
        trained = self.model.full[metric]
        return self.new_users.metrics[metric] / trained if self.new_users and trained else math.nan

    @property
    def gate_metrics(self) -> list[str]:
        """The metrics that the gate looks at, such as HR@10 and NDCG@10."""
        return [f"{metric}@{self.gate_k}" for metric in self.metrics]

    def to_json(self) -> JsonObject:
        """What `metrics.json` holds."""
        content = _ADAPTER.dump_python(self, mode="json")
        return {"schema_version": SCHEMA_VERSION, "blessed": self.blessed, **content}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Evaluation":
        """Reads what `to_json` gave.

        Raises:
          UserError: it is of another version.
        """
        if content.get("schema_version") != SCHEMA_VERSION:
            raise _of_another_version(f"schema version {content.get('schema_version')}, not {SCHEMA_VERSION}")
        try:
            return _ADAPTER.validate_python(content)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            raise _of_another_version(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}") from None


_ADAPTER = TypeAdapter(Evaluation)
_CANDIDATES: dict[Way, str] = {"sampled": "sampled candidates", "full": "unseen items"}


def _of_another_version(what: str) -> UserError:
    return UserError(f"{METRICS_FILE} was written by another version of this program ({what}); run the Evaluator again")


def write(uri: str, evaluation: Evaluation) -> None:
    """Writes `metrics.json` into the artifact at `uri`."""
    storage.write_json(posixpath.join(uri, METRICS_FILE), evaluation.to_json())


def read(uri: str) -> Evaluation:
    """Reads the artifact at `uri`.

    Raises:
      UserError: there is no `metrics.json`, or it was written by another version.
    """
    path = posixpath.join(uri, METRICS_FILE)
    if not storage.exists(path):
        raise UserError(f"{uri} is not a whole artifact: it has no {METRICS_FILE}; run the Evaluator again")
    return Evaluation.from_json(storage.read_json(path))
