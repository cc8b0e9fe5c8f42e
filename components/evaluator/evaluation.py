"""The whole evaluation: reads, ranks with the model and the baselines, judges."""

import functools
import math
import time
from dataclasses import asdict, dataclass
from typing import Any

from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import Vocabulary
from components.evaluator import gate, inputs, recommendations, slices
from components.evaluator.baselines import Training
from components.evaluator.champion import Trial, compare_with_champion
from components.evaluator.config import EvaluatorConfig
from components.evaluator.measurements import Rankings, measure
from components.evaluator.ranking.compiled_scorer import fastest_scorer
from components.evaluator.ranking.ranks import Holdouts, rank_all_items, rank_candidates
from components.evaluator.ranking.sampled_records import SampledRecords
from components.evaluator.serving_check import check_serving
from components.serving.loader import ServedModel
from components.shared import progress, random_streams
from components.shared.scorer import Scorer


@dataclass(frozen=True)
class Sources:
    """Where the inputs are: the folder of the SavedModel, the URIs of the artifacts, the folder that is pushed to."""

    model: str
    examples: str
    interactions: str
    vocabulary: str
    push_destination: str | None = None


def evaluate(sources: Sources, config: EvaluatorConfig, seed: int) -> dict[str, Any]:
    """Measures the model beside the baselines and the champion, and judges it by the rules of the gate.

    Returns:
      What `metrics.json` holds; numbers that are not finite are None.

    Raises:
      UserError: the model or another input is broken.
    """
    start = time.monotonic()
    interactions, vocabulary = Interactions(sources.interactions), Vocabulary.open(sources.vocabulary)
    user_ids, item_ids, item_counts = vocabulary.user_ids, vocabulary.item_ids, vocabulary.item_counts
    records = SampledRecords(sources.examples)
    holdouts = inputs.read_holdouts(
        interactions, config.full_ranking_users, random_streams.generator(seed, "full ranking users")
    )
    model = ServedModel(sources.model, len(item_ids))
    users_per_block = max(1, min(config.pairs_per_block // len(item_ids), len(user_ids)))
    scorer = fastest_scorer(model)
    rankings = {"model": _rank("model", scorer, records, holdouts, config.gate_k, users_per_block)}
    train = functools.partial(interactions.split, "train")
    training = Training(len(user_ids), item_counts, train, seed)
    for name, baseline in config.baselines().items():
        with progress.bar(f"{name}: fit", baseline.steps(training)) as bar:
            fitted = baseline.fit(training, bar)
        rankings[name] = _rank(name, fitted, records, holdouts, config.gate_k, users_per_block)

    sampled = rankings["model"].sampled
    slicings = slices.slicings(sampled.users, sampled.items, vocabulary.user_counts, item_counts)
    evidence: dict[str, Any] = {
        **measure(rankings, slicings, item_counts, config, seed),
        "examples": recommendations.examples(
            model, holdouts, (user_ids, item_ids), item_counts, random_streams.generator(seed, "example users")
        ),
        "serving": check_serving(
            model,
            scorer,
            holdouts,
            (user_ids, item_ids),
            users_per_block,
            random_streams.generator(seed, "serving check"),
        ),
    }
    trial = Trial(records.read(), user_ids, item_ids, slicings)
    with progress.bar("champion", records.batches) as bar:
        evidence["champion"] = compare_with_champion(
            sources.push_destination, model, trial, config, random_streams.generator(seed, "champion"), bar
        )
    data = interactions.summary
    verdicts = [gate.judge(rule, evidence) for rule in gate.rules(config)]
    return _finite_or_none(
        {
            "blessed": all(verdict.passed for verdict in verdicts),
            **evidence,
            "gate_k": config.gate_k,
            "ks": list(config.ks),
            "confidence": config.confidence,
            "bootstrap_samples": config.bootstrap_samples,
            "rules": [asdict(verdict) for verdict in verdicts],
            "best_possible_hr": (data.best_possible_hr or {}).get(str(records.negatives)),
            "dataset": data.dataset,
            "dataset_fingerprint": data.fingerprint,
            "model_path": sources.model,
            "seconds": round(time.monotonic() - start, 2),
        }
    )


def _rank(
    name: str, scorer: Scorer, records: SampledRecords, holdouts: Holdouts, k: int, users_per_block: int
) -> Rankings:
    with progress.bar(f"{name}: sampled ranking", records.batches) as bar:
        sampled = rank_candidates(scorer, records.read(), bar)
    with progress.bar(f"{name}: full ranking", len(holdouts.users)) as bar:
        full = rank_all_items(scorer, holdouts, k, users_per_block, bar)
    return Rankings(sampled, full)


def describe(report: dict[str, Any]) -> str:
    """The outcome in one line."""
    k = report["gate_k"]

    def numbers(name: str, *titles: str) -> str:
        values = [report[name]["sampled"][f"{metric}@{k}"] for metric in ("HR", "NDCG")]
        texts = ["none" if value is None else f"{value:.4f}" for value in values]
        return " ".join(f"{title} {text}".strip() for title, text in zip(titles, texts, strict=True))

    # Each reason once: rules that need the champion fail for the same one where it cannot be compared.
    failed = dict.fromkeys(verdict["detail"] for verdict in report["rules"] if not verdict["passed"])
    outcome = "blessed" if report["blessed"] else f"not blessed: {'; '.join(failed)}"
    baselines = [f"{name} {numbers(name, '', '')}" for name in ("popularity", "als") if name in report]
    return " · ".join([numbers("model", f"HR@{k}", f"NDCG@{k}"), *baselines, outcome])


def _finite_or_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite_or_none(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite_or_none(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
