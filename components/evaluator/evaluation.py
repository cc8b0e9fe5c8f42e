"""The whole evaluation: reads, ranks with the model and the baselines, judges."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from components.artifacts.evaluation import MODEL, ByWay, Evaluation, LeftOut, Means, System
from components.evaluator import inputs, recommendations, slices
from components.evaluator.baselines import Baseline, Training
from components.evaluator.champion import Trial, compare_with_champion
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import judge
from components.evaluator.items_check import check_items
from components.evaluator.measurements import Contender, measure
from components.evaluator.new_users import measure_new_users
from components.evaluator.rows_check import check_rows
from components.evaluator.rules import rules
from components.evaluator.serving_check import check_serving
from components.evaluator.soundness import check_soundness
from components.evaluator.trials import Sources, Trials
from components.metrics import METRICS
from components.ranking.compiled_scorer import fastest_scorer
from components.ranking.ranks import Candidates, FullRanking, SampledRanking, all_candidates
from components.serving.digests import altered
from components.shared import progress, random_streams


@dataclass(frozen=True)
class Rivals:
    """What models of the same data are held against.

    Attributes:
      contenders: the baselines, by name.
      left_out: those that cannot be fitted to the data.
    """

    contenders: Mapping[str, Contender]
    left_out: Mapping[str, LeftOut]


Rank = Callable[[Trials], tuple[SampledRanking, FullRanking]]
"""Ranks the test users with the model that is evaluated."""


def rank_baselines(sources: Sources, config: EvaluatorConfig, seed: int) -> Rivals:
    """Fits the baselines and ranks the test users with each: what several models of the same data may share."""
    return _rank_baselines(Trials.open(sources, config, seed), config, sources.learnt_validation)


def evaluate(
    sources: Sources, config: EvaluatorConfig, seed: int, rivals: Rivals | None = None, rank: Rank | None = None
) -> Evaluation:
    """Measures the model beside the baselines and the champion, and judges it by the rules of the gate.

    Args:
      sources: what is evaluated.
      config: what is measured, and the rules.
      seed: of the run.
      rivals: the baselines on the same data; None: they are fitted here.
      rank: what ranks with the model; None: the threads of this process.

    Raises:
      UserError: the model or another input is broken.
    """
    start = time.monotonic()
    trials = Trials.open(sources, config, seed)
    interactions, vocabulary, holdouts = trials.interactions, trials.vocabulary, trials.holdouts
    user_ids, item_ids, item_counts = vocabulary.user_ids, vocabulary.item_ids, vocabulary.item_counts
    ids, users_per_block = (user_ids, item_ids), trials.users_per_block
    model = trials.load(sources.model)
    scorer = fastest_scorer(model)
    contenders = {MODEL: Contender("NeuMF", "Model", *(rank(trials) if rank else trials.rank(MODEL, scorer)))}
    rivals = rivals or _rank_baselines(trials, config, sources.learnt_validation)
    contenders |= rivals.contenders

    sampled = contenders[MODEL].sampled
    slicings = slices.slicings(sampled.users, sampled.items, vocabulary.user_counts, item_counts)
    measured = measure(contenders, slicings, item_counts, config, seed)
    candidates: ByWay[Iterable[Candidates]] = ByWay(
        trials.records.read(), all_candidates(holdouts, len(item_ids), users_per_block)
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
        left_out=dict(rivals.left_out),
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
        serving=dataclasses.replace(
            check_serving(
                model,
                scorer,
                inputs.with_aside(holdouts, interactions),
                ids,
                users_per_block,
                random_streams.generator(seed, "serving check"),
            ),
            rows=check_rows(model, interactions, config.serving_tolerance) if config.serving_tolerance else None,
            altered=None if sources.exported is None else altered(sources.exported, model.digests()),
            items=check_items(
                scorer, holdouts, len(item_ids), users_per_block, random_streams.generator(seed, "items check")
            )
            if config.items_by_histories
            else None,
        ),
        champion=champion,
        best_possible_hr=(data.best_possible_hr or {}).get(str(trials.records.negatives)),
        dataset=data.dataset,
        dataset_fingerprint=data.fingerprint,
        model_path=sources.model,
        seconds=0.0,
        rules=(),
        new_users=measure_new_users(
            model, contenders[MODEL].full, interactions, item_ids, config, users_per_block, seed
        ),
        item_titles=recommendations.titles_of(examples, vocabulary),
        data=data,
    )
    verdicts = tuple(judge(rule, evidence) for rule in rules(config))
    return dataclasses.replace(evidence, rules=verdicts, seconds=round(time.monotonic() - start, 2))


def _rank_baselines(trials: Trials, config: EvaluatorConfig, learns_validation: bool) -> Rivals:
    contenders, left_out, training = {}, {}, trials.training
    for name, baseline in config.baselines().items():
        if reason := baseline.obstacle(training):
            left_out[name] = LeftOut(baseline.title, reason)
        else:
            contenders[name] = _rank_baseline(name, baseline, training, learns_validation, trials)
    return Rivals(contenders, left_out)


def _rank_baseline(
    name: str, baseline: Baseline, training: Training, learns_validation: bool, trials: Trials
) -> Contender:
    """Fits a baseline and ranks with it; what was fitted is let go before the next one."""
    start = time.monotonic()
    tuned = baseline
    if tries := baseline.tries():
        with progress.bar(f"{name}: settings", tries) as bar:
            tuned = baseline.tuned(training, bar)
    with progress.bar(f"{name}: fit", baseline.steps(training)) as bar:
        fitted = tuned.fit(training.with_validation() if learns_validation else training, bar)
    seconds = round(time.monotonic() - start, 2)
    return Contender(baseline.title, baseline.label, *trials.rank(name, fitted), seconds, baseline.chosen(tuned))


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
