"""The rules of the gate on the data: what was dropped, what cannot be learnt, what became of the champion's."""

from collections.abc import Callable, Iterator

from components.artifacts.evaluation import ChampionStatus, Drift, Evaluation, State
from components.artifacts.interactions_summary import InteractionsSummary
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import Figure, Relation, Rule, Settled, known


def rules_of_data(config: EvaluatorConfig) -> Iterator[Rule]:
    """Those that the configuration asks for."""
    for name, (subject, figure) in _OF_INPUT.items():
        if (bound := getattr(config, name)) is not None:
            yield Rule(name, subject, figure, "at most", bound, "the allowed")
    for name, (subject, figure) in _OF_DRIFT.items():
        if (bound := getattr(config, name)) is not None:
            relation: Relation = "at least" if name.startswith("minimum") else "at most"
            yield Rule(name, subject, figure, relation, bound, "the allowed", settled=_without_drift)


def _data(path: str, get: Callable[[InteractionsSummary], float]) -> Figure:
    return Figure(f"data/{path}", lambda evidence: get(known(evidence.data, "the data is not described")))


def _drift(path: str, get: Callable[[Drift], float]) -> Figure:
    return Figure(
        f"champion/drift/{path}",
        lambda evidence: get(known(evidence.champion.drift, "the champion's data is not known")),
    )


def _without_drift(evidence: Evaluation) -> Settled | None:
    champion = evidence.champion
    if champion.drift is not None:
        return None
    if champion.status is ChampionStatus.NONE:
        return State.SKIPPED, champion.detail
    detail = champion.detail if champion.status is ChampionStatus.BROKEN else "the champion does not tell of its data"
    return State.FAILED, detail


_OF_INPUT = {
    "maximum_unreadable_share": (
        "share of the rows that cannot be read",
        _data("dropped/bad_rows", lambda data: data.unreadable_share),
    ),
    "maximum_dropped_share": (
        "share of the rows that is dropped",
        _data("dropped", lambda data: data.dropped_share),
    ),
    "maximum_tied_share": (
        "share of the users whose held-out items ties decide",
        _data("tied_users", lambda data: data.tied_users / data.users),
    ),
    "maximum_new_item_share": (
        "share of the held-out rows whose item has no training row",
        _data("statistics/cold plus data/dropped/of_new_items", lambda data: data.new_item_share),
    ),
}
"""What must be at most the bound of that name: what it is called, and the figure."""

_OF_DRIFT = {
    "maximum_lost_user_share": (
        "share of the champion's users that are not there",
        _drift("champion_users", lambda drift: drift.lost_user_share),
    ),
    "maximum_lost_item_share": (
        "share of the champion's items that are not there",
        _drift("champion_items", lambda drift: drift.lost_item_share),
    ),
    "minimum_rows_ratio": (
        "training rows as a multiple of the champion's",
        _drift("champion_rows", lambda drift: drift.rows_ratio),
    ),
    "maximum_popularity_shift": (
        "distance between the items' popularity and that in the champion's data",
        _drift("popularity_shift", lambda drift: drift.popularity_shift),
    ),
}
"""What is asked where there is a champion; a least value of what begins with minimum."""
