"""The whole evaluation: reads, ranks with the model and the baselines, judges."""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from components.artifacts.evaluation import MODEL, ByWay, Evaluation, LeftOut, Means, System
from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import Vocabulary
from components.evaluator import inputs, recommendations, slices
from components.evaluator.baselines import Baseline, Training
from components.evaluator.champion import Trial, compare_with_champion
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import judge
from components.evaluator.measurements import Contender, measure
from components.evaluator.new_users import measure_new_users
from components.evaluator.rules import rules
from components.evaluator.serving_check import check_serving
from components.evaluator.soundness import check_soundness
from components.metrics import METRICS
from components.ranking.compiled_scorer import fastest_scorer
from components.ranking.ranks import (
    Candidates,
    FullRanking,
    Holdouts,
    SampledRanking,
    all_candidates,
    rank_all_items,
    rank_candidates,
)
from components.ranking.sampled_records import SampledRecords
from components.serving.contract import RECOMMEND_FOR_ITEMS, SIGNATURES
from components.serving.loader import ServedModel
from components.shared import progress, random_streams
from components.shared.scorer import Scorer

Rank = Callable[[str, Scorer], tuple[SampledRanking, FullRanking]]
"""Ranks the test users with a scorer, whose name the bars show."""


@dataclass(frozen=True)
class Sources:
    """What is evaluated.

    Attributes:
      model: the folder of the SavedModel.
      examples: the URI of the artifact.
      interactions: likewise.
      vocabulary: likewise.
      push_destination: the folder that is pushed to, where the champion is; None: there is none.
      learnt_validation: whether the model learnt from the validation items in the end; then baselines do so too.
    """

    model: str
    examples: str
    interactions: str
    vocabulary: str
    push_destination: str | None = None
    learnt_validation: bool = False


def evaluate(sources: Sources, config: EvaluatorConfig, seed: int) -> Evaluation:
    """Measures the model beside the baselines and the champion, and judges it by the rules of the gate.

    Raises:
      UserError: the model or another input is broken.
    """
    start = time.monotonic()
    interactions, vocabulary = Interactions(sources.interactions), Vocabulary.open(sources.vocabulary)
    user_ids, item_ids, item_counts = vocabulary.user_ids, vocabulary.item_ids, vocabulary.item_counts
    ids = user_ids, item_ids
    records = SampledRecords(sources.examples)
    holdouts = inputs.read_holdouts(
        interactions, config.full_ranking_users, random_streams.generator(seed, "full ranking users")
    )
    asked_by_items = [RECOMMEND_FOR_ITEMS] if interactions.summary.held_out_users else []
    model = ServedModel(sources.model, len(item_ids), [*SIGNATURES, *asked_by_items])
    scorer = fastest_scorer(model)
    users_per_block = max(1, min(config.pairs_per_block // len(item_ids), len(user_ids)))
    rank = functools.partial(_rank, records, holdouts, config.gate_k, users_per_block)
    training = Training(
        users=len(user_ids),
        item_counts=item_counts,
        read=functools.partial(interactions.split, "train"),
        read_validation=functools.partial(interactions.split, "validation"),
        by_time=interactions.summary.latest_held_out,
        seed=seed,
    )
    contenders = {MODEL: Contender("NeuMF", "Model", *rank(MODEL, scorer))}
    left_out = {}
    for name, baseline in config.baselines().items():
        if reason := baseline.obstacle(training):
            left_out[name] = LeftOut(baseline.title, reason)
        else:
            contenders[name] = _rank_baseline(name, baseline, training, sources.learnt_validation, rank)

    sampled = contenders[MODEL].sampled
    slicings = slices.slicings(sampled.users, sampled.items, vocabulary.user_counts, item_counts)
    measured = measure(contenders, slicings, item_counts, config, seed)
    candidates: ByWay[Iterable[Candidates]] = ByWay(
        records.read(), all_candidates(holdouts, len(item_ids), users_per_block)
    )
    ways = [way for way in config.gate_ways if not config.leaves_too_few(*measured.users_of(way, config.gate_k))]
    trial = Trial({way: candidates.of(way) for way in ways}, user_ids, item_ids, item_counts, slicings)
    with progress.bar("champion", sum(measured.test_users.of(way) for way in ways)) as bar:
        champion = compare_with_champion(
            sources.push_destination, model, trial, config, random_streams.generator(seed, "champion"), bar
        )
    data = interactions.summary
    examples = recommendations.examples(
        model, holdouts, ids, item_counts, random_streams.generator(seed, "example users")
    )
    evidence = Evaluation(
        gate_k=config.gate_k,
        gate_on=config.gate_on,
        ks=config.ks,
        metrics=tuple(METRICS),
        confidence=config.confidence,
        bootstrap_samples=config.bootstrap_samples,
        test_users=measured.test_users,
        short_users=measured.short_users,
        systems=measured.systems,
        left_out=left_out,
        differences=measured.differences,
        best_baselines=measured.best_baselines,
        slices=measured.slices,
        positive_among_negatives=measured.positive_among_negatives,
        weights_not_finite=model.weights_not_finite(),
        examples=examples,
        soundness=check_soundness(
            scorer,
            {name: found.full for name, found in contenders.items()},
            holdouts,
            interactions,
            item_counts,
            users_per_block,
            random_streams.generator(seed, "soundness"),
        ),
        serving=check_serving(
            model,
            scorer,
            inputs.with_aside(holdouts, interactions),
            ids,
            users_per_block,
            random_streams.generator(seed, "serving check"),
        ),
        champion=champion,
        best_possible_hr=(data.best_possible_hr or {}).get(str(records.negatives)),
        dataset=data.dataset,
        dataset_fingerprint=data.fingerprint,
        model_path=sources.model,
        seconds=0.0,
        rules=(),
        new_users=measure_new_users(model, interactions, item_ids, config, users_per_block, seed),
        item_titles=recommendations.titles_of(examples, vocabulary),
        data=data,
    )
    verdicts = tuple(judge(rule, evidence) for rule in rules(config))
    return dataclasses.replace(evidence, rules=verdicts, seconds=round(time.monotonic() - start, 2))


def _rank_baseline(name: str, baseline: Baseline, training: Training, learns_validation: bool, rank: Rank) -> Contender:
    """Fits a baseline and ranks with it; what was fitted is let go before the next one."""
    start = time.monotonic()
    tuned = baseline
    if tries := baseline.tries():
        with progress.bar(f"{name}: settings", tries) as bar:
            tuned = baseline.tuned(training, bar)
    with progress.bar(f"{name}: fit", baseline.steps(training)) as bar:
        fitted = tuned.fit(training.with_validation() if learns_validation else training, bar)
    seconds = round(time.monotonic() - start, 2)
    return Contender(baseline.title, baseline.label, *rank(name, fitted), seconds, baseline.chosen(tuned))


def _rank(
    records: SampledRecords, holdouts: Holdouts, k: int, users_per_block: int, name: str, scorer: Scorer
) -> tuple[SampledRanking, FullRanking]:
    with progress.bar(f"{name}: sampled ranking", records.batches) as bar:
        sampled = rank_candidates(scorer, records.read(), bar)
    with progress.bar(f"{name}: full ranking", len(holdouts.users)) as bar:
        full = rank_all_items(scorer, holdouts, k, users_per_block, bar)
    return sampled, full


def describe(evaluation: Evaluation) -> str:
    """The outcome in one line: the model, the baseline that the gate's first metric finds best, the verdict."""
    first, *_ = evaluation.gate_metrics
    metrics = " ".join(f"{metric} {_number(value)}" for metric, value in _gated(evaluation, evaluation.model).items())
    best = max(evaluation.baselines.values(), key=lambda system: _gated(evaluation, system)[first], default=None)
    beside = [f"{best.title} {' '.join(map(_number, _gated(evaluation, best).values()))}"] if best else []
    outcome = "blessed" if evaluation.blessed else f"not blessed: {'; '.join(evaluation.reasons)}"
    return " · ".join([metrics, *beside, outcome])


def _gated(evaluation: Evaluation, system: System) -> Means:
    """What the gate looks at of a system."""
    return {metric: system.of(evaluation.gate_on)[metric] for metric in evaluation.gate_metrics}


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "none"
