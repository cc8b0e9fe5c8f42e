"""The whole evaluation: reads, ranks with the model and the baselines, judges."""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from components import artifacts, progress, random_streams
from components.evaluator import gate, inputs, metrics
from components.evaluator.baselines import Popularity
from components.evaluator.config import EvaluatorConfig
from components.evaluator.ranking import Holdouts, Ranking, rank_all_items, rank_candidates
from components.evaluator.sampled_records import SampledRecords
from components.evaluator.scorer import Scorer
from components.evaluator.served_model import ServedModel
from components.evaluator.serving_check import check_serving


@dataclass(frozen=True)
class Sources:
    """Where the inputs are: the folder of the SavedModel, and the URIs of the artifacts."""

    model: str
    examples: str
    interactions: str
    vocabulary: str


def evaluate(sources: Sources, config: EvaluatorConfig, seed: int) -> dict[str, Any]:
    """Measures the model beside item popularity and judges it by the rules of the gate.

    Returns:
      What `metrics.json` holds; numbers that are not finite are None.

    Raises:
      UserError: the model or another input is broken.
    """
    start = time.monotonic()
    data = artifacts.read_summary(sources.interactions)
    user_ids, _ = inputs.read_vocabulary(sources.vocabulary, artifacts.USERS_VOCABULARY)
    item_ids, counts = inputs.read_vocabulary(sources.vocabulary, artifacts.ITEMS_VOCABULARY)
    records = SampledRecords(sources.examples)
    holdouts = inputs.read_holdouts(
        sources.interactions, config.full_ranking_users, random_streams.generator(seed, "full ranking users")
    )
    model = ServedModel(sources.model, len(item_ids))
    scorers: dict[str, Scorer] = {"model": model, "popularity": Popularity(counts)}
    users_per_block = max(1, min(config.pairs_per_block // len(item_ids), len(user_ids)))
    rankings = {name: _rank(name, scorer, records, holdouts, users_per_block) for name, scorer in scorers.items()}

    evidence: dict[str, Any] = {
        "test_users": {way: len(ranking.users) for way, ranking in rankings["model"].items()},
        **{name: _summarise(found, config) for name, found in rankings.items()},
        "serving": check_serving(
            model, user_ids, item_ids, users_per_block, random_streams.generator(seed, "serving check")
        ),
    }
    verdicts = [gate.judge(rule, evidence) for rule in gate.rules(config)]
    return _finite_or_none(
        {
            "blessed": all(verdict.passed for verdict in verdicts),
            **evidence,
            "gate_k": config.gate_k,
            "rules": [asdict(verdict) for verdict in verdicts],
            "best_possible_hr": data.get("best_possible_hr", {}).get(str(records.negatives)),
            "dataset": data.get("dataset"),
            "dataset_fingerprint": data.get("fingerprint"),
            "model_path": sources.model,
            "seconds": round(time.monotonic() - start, 2),
        }
    )


def _rank(
    name: str, scorer: Scorer, records: SampledRecords, holdouts: Holdouts, users_per_block: int
) -> dict[str, Ranking]:
    with progress.bar(f"{name}: sampled ranking", records.batches) as bar:
        sampled = rank_candidates(scorer, records.read(), bar)
    with progress.bar(f"{name}: full ranking", len(holdouts.users)) as bar:
        full = rank_all_items(scorer, holdouts, users_per_block, bar)
    return {"sampled": sampled, "full": full}


def _summarise(rankings: dict[str, Ranking], config: EvaluatorConfig) -> dict[str, Any]:
    summaries = {way: metrics.summarise(ranking.ranks, config.ks) for way, ranking in rankings.items()}
    values = [value for summary in summaries.values() for value in summary.values()]
    not_finite = sum(ranking.not_finite for ranking in rankings.values()) + int((~np.isfinite(values)).sum())
    return {**summaries, "not_finite": not_finite}


def describe(report: dict[str, Any]) -> str:
    """The outcome in one line."""
    k = report["gate_k"]

    def numbers(name: str, *titles: str) -> str:
        values = [report[name]["sampled"][f"{metric}@{k}"] for metric in ("HR", "NDCG")]
        texts = ["none" if value is None else f"{value:.4f}" for value in values]
        return " ".join(f"{title} {text}".strip() for title, text in zip(titles, texts, strict=True))

    failed = [verdict["detail"] for verdict in report["rules"] if not verdict["passed"]]
    outcome = "blessed" if report["blessed"] else f"not blessed: {'; '.join(failed)}"
    return f"{numbers('model', f'HR@{k}', f'NDCG@{k}')} · popularity {numbers('popularity', '', '')} · {outcome}"


def _finite_or_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite_or_none(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite_or_none(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
