"""The rules of the gate on whether figures and model can be believed, whatever the figures are."""

import functools
from collections.abc import Callable, Iterator

from components.artifacts.evaluation import MODEL, Evaluation, ItemsCheck, RowsCheck, State
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Figure, Rule, Settled, known

_TIMES_AS_GOOD = 2
_FEWEST_ITEMS = 100
_USUAL_SHARE = 0.001

_none_allowed = functools.partial(Rule, relation="at most", bound=0, bound_name="the allowed")


def rules_of_soundness(config: EvaluatorConfig) -> Iterator[Rule]:
    """Those that the configuration asks for."""
    yield from _rules_of_test(config)
    yield from _rules_of_model(config)
    yield from _rules_of_harness()


def _rules_of_test(config: EvaluatorConfig) -> Iterator[Rule]:
    way, least = config.gate_on, config.minimum_test_users
    path = f"test_users/{way} minus short_users/{way}/{config.gate_k}"
    users = Figure(path, lambda found: found.judged_users(way))
    short = ("left out", lambda found: found.told_short_users(way))
    yield Rule("minimum_test_users", "number of test users", users, "at least", least, "the minimum", told=(short,))
    if config.leak_free:
        path = "soundness/leaked plus soundness/repeated"
        leaks = Figure(path, lambda found: found.soundness.leaked + found.soundness.repeated)
        yield _none_allowed(
            "leak_free",
            "number of test rows that are known before the test",
            leaks,
            told=(
                ("among training or validation rows", lambda found: found.soundness.leaked),
                ("beyond their user's first", lambda found: found.soundness.repeated),
            ),
        )
    if config.suspicious_share is not None:
        plausible = functools.partial(_plausible_share, config.suspicious_share)
        yield Rule(
            "not_too_good",
            "share of users whose held-out item the model ranks before all others",
            Figure(f"soundness/ranked_first/{MODEL}", lambda found: found.soundness.ranked_first[MODEL]),
            "at most",
            Figure("soundness/ranked_first", plausible),
            "the plausible",
            told=(("the best baseline", _best_share_of_baselines),),
        )


def _rules_of_model(config: EvaluatorConfig) -> Iterator[Rule]:
    if config.finite:
        path = "weights_not_finite plus systems/model/not_finite"
        yield _none_allowed(
            "finite",
            "number of weights, scores and metrics that are not finite",
            Figure(path, lambda found: found.weights_not_finite + found.model.not_finite),
            told=(
                ("weights", lambda found: found.weights_not_finite),
                ("scores and metrics", lambda found: found.model.not_finite),
            ),
        )
    if config.serving_tolerance is not None:
        subject, tolerance = "difference between served and measured scores", config.serving_tolerance
        difference = Figure("serving/largest_difference", lambda found: found.serving.largest_difference)
        yield Rule("serving_consistent", subject, difference, "at most", tolerance, "the tolerance")
        subject = "number of known ids that serving takes for unknown"
        unknown = Figure("serving/unknown_ids", lambda found: found.serving.unknown_ids)
        yield _none_allowed("serving_knows_ids", subject, unknown)
        yield from _rules_of_rows()
    if config.items_by_histories:
        yield _none_allowed(
            "items_by_histories",
            "number of items that those who took them score like any other",
            Figure("serving/items/strangers", lambda found: _items(found).strangers),
            settled=_without_items_to_compare,
            told=(
                ("items", lambda found: f"{_items(found).items:,}"),
                ("largest share of others scored as high", lambda found: _items(found).largest_share),
            ),
        )


def _rules_of_rows() -> Iterator[Rule]:
    yield _none_allowed(
        "rows_by_histories",
        "number of users whose rows are not made of what they did",
        Figure("serving/rows/others", lambda found: _rows(found).others),
        settled=_without("rows", "the model does not say what its rows are made of"),
        told=(
            ("users", lambda found: f"{_rows(found).users:,}"),
            ("largest difference", lambda found: _rows(found).largest_difference),
        ),
    )
    yield _none_allowed(
        "as_exported",
        "number of arrays of the model that are not those that were exported",
        Figure("serving/altered", lambda found: len(found.serving.altered or ())),
        settled=_without("altered", "nobody told what was exported"),
        told=(("these", lambda found: ", ".join(found.serving.altered or ())),),
    )


def _rows(evidence: Evaluation) -> RowsCheck:
    return known(evidence.serving.rows, "rows were not looked at")


def _items(evidence: Evaluation) -> ItemsCheck:
    return known(evidence.serving.items, "items were not looked at")


def _without_items_to_compare(evidence: Evaluation) -> Settled | None:
    if evidence.serving.items is None:
        return State.SKIPPED, "skipped: items were not looked at"
    found = evidence.serving.items
    if min(found.items, found.compared_with) < _FEWEST_ITEMS:
        return State.SKIPPED, f"skipped: fewer than {_FEWEST_ITEMS} items can be compared"
    if found.usual_share > _USUAL_SHARE:
        return State.SKIPPED, "skipped: the model hardly tells items apart"
    return None


def _without(name: str, reason: str) -> Callable[[Evaluation], Settled | None]:
    def settled(evidence: Evaluation) -> Settled | None:
        return (State.SKIPPED, f"skipped: {reason}") if getattr(evidence.serving, name) is None else None

    return settled


def _plausible_share(share: float, evidence: Evaluation) -> float:
    """What is easy is easy for a baseline as well."""
    return max(share, _TIMES_AS_GOOD * _best_share_of_baselines(evidence))


def _best_share_of_baselines(evidence: Evaluation) -> float:
    shares = evidence.soundness.ranked_first
    return max((share for name, share in shares.items() if name != MODEL), default=0.0)


def _moved(evidence: Evaluation) -> str:
    return f"{evidence.soundness.moved:,} of {evidence.soundness.ranked_again:,}"


def _rules_of_harness() -> Iterator[Rule]:
    path = "soundness/moved plus soundness/popularity_to_itself"
    yield _none_allowed(
        "harness_agrees_with_itself",
        "what the harness finds between equals",
        Figure(path, lambda found: found.soundness.moved + found.soundness.popularity_to_itself),
        told=(
            ("users whom the model ranks otherwise the second time", _moved),
            ("popularity minus itself", lambda found: found.soundness.popularity_to_itself),
        ),
    )
