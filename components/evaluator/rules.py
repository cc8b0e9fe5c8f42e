"""The rules of the gate, as the configuration asks for them.

What those against the best baseline and the champion let pass, and what not, is simulated by
`python -m benchmarks gate`.
"""

import functools
import math
from collections.abc import Callable, Iterator
from statistics import NormalDist

from components.artifacts.evaluation import MODEL, ChampionStatus, Evaluation, Rival, State, Way
from components.evaluator.baselines import BASELINES
from components.evaluator.config import EvaluatorConfig
from components.evaluator.data_rules import rules_of_data
from components.evaluator.gate import Figure, Rule, Settled, number_text
from components.evaluator.soundness_rules import rules_of_soundness
from components.metrics import METRICS

_IN_WORDS: dict[Way, str] = {"full": "over all items", "sampled": "on the sampled records"}
_FOUND = 0.95


def rules(config: EvaluatorConfig) -> list[Rule]:
    """The rules that the configuration asks for."""
    return [
        *rules_of_soundness(config),
        *_rules_of_accuracy(config),
        *_rules_of_rivals(config),
        *_rules_of_slices(config),
        *rules_of_data(config),
    ]


def _rules_of_accuracy(config: EvaluatorConfig) -> Iterator[Rule]:
    for short, metric in _metrics(config).items():
        if (minimum := config.minimum(short)) is not None:
            yield Rule(
                f"minimum_{short}",
                metric,
                _mean(MODEL, metric, config),
                "at least",
                minimum,
                "the minimum",
                settled=_given(config.gate_on, config),
            )
    for baseline, kind in BASELINES.items():
        margin = config.margin_over(baseline)
        for short, metric in _metrics(config).items() if margin is not None else ():
            yield Rule(
                f"better_than_{baseline}_{short}",
                metric,
                _mean(MODEL, metric, config),
                "above",
                _mean(baseline, metric, config),
                f"that of {kind.title}",
                margin or 0.0,
                settled=_given(config.gate_on, config, functools.partial(_left_out, baseline)),
            )
    if config.minimum_coverage is not None:
        subject = f"share of the items in the users' top {config.gate_k}"
        share = Figure("systems/model/coverage/share", lambda found: found.model.coverage.share)
        yield Rule("minimum_coverage", subject, share, "at least", config.minimum_coverage, "the minimum")


def _rules_of_rivals(config: EvaluatorConfig) -> Iterator[Rule]:
    for way in config.gate_ways:
        for short in config.decisive_metrics if config.baseline_margin is not None else ():
            metric = _metrics(config)[short]
            yield _not_below(
                f"not_below_best_baseline_{short}{_suffix(way, config)}",
                f"{metric} {_IN_WORDS[way]} minus the best baseline's",
                "the best baseline",
                f"best_baselines/{way}/{metric}/difference/high",
                functools.partial(_best_baseline, way, metric),
                config.baseline_margin or 0.0,
                config,
                _given(way, config, _without_baselines),
            )
    for way in config.gate_ways:
        for short in config.decisive_metrics if config.champion_margin is not None else ():
            metric = _metrics(config)[short]
            yield _not_below(
                f"not_worse_than_champion_{short}{_suffix(way, config)}",
                f"{metric} {_IN_WORDS[way]} minus the champion's",
                "the champion",
                f"champion/comparisons/{way}/differences/{metric}/high",
                functools.partial(_champion, way, metric),
                config.champion_margin or 0.0,
                config,
                _given(way, config, _without_champion),
            )


def _suffix(way: Way, config: EvaluatorConfig) -> str:
    return "" if way == config.gate_on else f"_{way}"


def _not_below(
    name: str,
    subject: str,
    whose: str,
    path: str,
    rival_in: Callable[[Evaluation], Rival],
    margin: float,
    config: EvaluatorConfig,
    settled: Callable[[Evaluation], Settled | None],
) -> Rule:
    """Fails where the model is, for certain, below a rival by more than the margin and what is noise."""
    confidence, allowed = config.champion_confidence, margin + config.noise_tolerance
    return Rule(
        name,
        f"{subject} (upper bound at {confidence:.4g} confidence)",
        Figure(path, lambda found: rival_in(found).difference.high),
        "at least",
        Figure(path, lambda found: 0.0 - allowed * rival_in(found).value),
        "the allowed",
        settled=settled,
        told=(
            ("this model", lambda found: rival_in(found).value + rival_in(found).difference.mean),
            (whose, lambda found: f"{rival_in(found).title}, {number_text(rival_in(found).value)}"),
            ("losses found 95 times in 100", lambda found: _losses_found(rival_in(found), allowed, confidence)),
        ),
    )


def _losses_found(rival: Rival, allowed: float, confidence: float) -> str:
    """How far below the rival's metric, as a share of it, a model has to be to fail that often on as many users."""
    quantile = NormalDist().inv_cdf(confidence)
    if not quantile or not rival.value:
        return number_text(math.nan)
    error = (rival.difference.high - rival.difference.low) / (2 * quantile)
    share = allowed + (quantile + NormalDist().inv_cdf(_FOUND)) * error / rival.value
    return f"from {100 * share:.2g} % on"


def _best_baseline(way: Way, metric: str, evidence: Evaluation) -> Rival:
    return evidence.best_baselines.of(way)[metric]


def _champion(way: Way, metric: str, evidence: Evaluation) -> Rival:
    found = evidence.champion.comparisons[way]
    return Rival("champion", f"version {evidence.champion.version}", found.champion[metric], found.differences[metric])


def _rules_of_slices(config: EvaluatorConfig) -> Iterator[Rule]:
    for short, metric in _metrics(config).items() if config.slice_margin is not None else ():
        yield _no_slice_worse(short, metric, config)


def _no_slice_worse(short: str, metric: str, config: EvaluatorConfig) -> Rule:
    return Rule(
        f"no_slice_worse_than_champion_{short}",
        f"{metric} minus the champion's in the quartile that lost most",
        Figure(
            f"champion/comparisons/{config.gate_on}/worst_slice/{metric}/difference",
            lambda found: found.champion.compared.worst_slice[metric].difference,
        ),
        "at least",
        -(config.slice_margin or 0.0),
        "the allowed",
        settled=_given(config.gate_on, config, _without_champion),
        told=(("the quartile", lambda found: found.champion.compared.worst_slice[metric].slice),),
    )


def _metrics(config: EvaluatorConfig) -> dict[str, str]:
    return {name.lower(): f"{name}@{config.gate_k}" for name in METRICS}


def _mean(system: str, metric: str, config: EvaluatorConfig) -> Figure:
    way = config.gate_on
    return Figure(f"systems/{system}/{way}/{metric}", lambda found: found.systems[system].of(way)[metric])


def _given(
    way: Way, config: EvaluatorConfig, otherwise: Callable[[Evaluation], Settled | None] = lambda evidence: None
) -> Callable[[Evaluation], Settled | None]:
    """Skips a rule on metrics in a ranking that too few users have; the least number of test users is judged anyway."""

    def settled(evidence: Evaluation) -> Settled | None:
        users, judged = evidence.test_users.of(way), evidence.judged_users(way)
        if config.leaves_too_few(users, users - judged):
            few = f", and {judged:,} are fewer than the minimum {config.minimum_test_users:,}" if judged else ""
            return State.SKIPPED, f"skipped: {evidence.told_short_users(way)}{few}"
        return otherwise(evidence)

    return settled


def _left_out(baseline: str, evidence: Evaluation) -> Settled | None:
    found = evidence.left_out.get(baseline)
    return (State.FAILED, f"{found.title} cannot be compared with: {found.reason}") if found else None


def _without_baselines(evidence: Evaluation) -> Settled | None:
    return None if evidence.baselines else (State.SKIPPED, "skipped: there is no baseline to compare with")


def _without_champion(evidence: Evaluation) -> Settled | None:
    settled = {ChampionStatus.NONE: State.SKIPPED, ChampionStatus.BROKEN: State.FAILED}
    state = settled.get(evidence.champion.status)
    return (state, evidence.champion.detail) if state else None
