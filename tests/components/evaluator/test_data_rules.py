"""The rules on the data, each with a figure that holds it to its bound and one that does not."""

import dataclasses
from typing import Any

import pytest

from components.artifacts.evaluation import Champion, ChampionStatus, Evaluation, State
from components.artifacts.interactions_summary import Dropped
from components.evaluator.config import EvaluatorConfig
from components.evaluator.data_rules import rules_of_data
from components.evaluator.gate import judge
from tests.components.evaluator.evidence import NO_CHAMPION
from tests.components.evaluator.report import builders

BOUNDS = {
    "maximum_unreadable_share": 9 / 1_000_209,
    "maximum_dropped_share": 120_209 / 1_000_209,
    "maximum_tied_share": 1502 / 6040,
    "maximum_new_item_share": 11 / 12_080,
    "maximum_lost_user_share": 9 / 5930,
    "maximum_lost_item_share": 0.0,
    "minimum_rows_ratio": 867_920 / 851_002,
    "maximum_popularity_shift": 0.0213,
}
OF_DRIFT = [*BOUNDS][4:]


def verdicts(evidence: Evaluation, **bounds: Any) -> dict[str, tuple[State, str]]:
    nothing = dict.fromkeys(BOUNDS)
    found = [judge(rule, evidence) for rule in rules_of_data(EvaluatorConfig(**{**nothing, **bounds}))]
    return {verdict.rule: (verdict.state, verdict.detail) for verdict in found}


def test_all_but_the_unreadable_share_are_off() -> None:
    assert [rule.name for rule in rules_of_data(EvaluatorConfig())] == ["maximum_unreadable_share"]


@pytest.mark.parametrize("name", BOUNDS)
def test_a_rule_holds_at_its_bound_and_fails_beyond(name: str) -> None:
    bound, evidence = BOUNDS[name], builders.evaluation()
    beyond = bound + (1e-6 if name.startswith("minimum") else -1e-6)
    ((state, _),) = verdicts(evidence, **{name: bound + (-1e-9 if name.startswith("minimum") else 1e-9)}).values()
    assert state is State.PASSED
    if beyond > 0:
        ((state, _),) = verdicts(evidence, **{name: beyond}).values()
        assert state is State.FAILED


def test_the_verdict_says_the_figure() -> None:
    found = verdicts(builders.evaluation(), maximum_dropped_share=0.1, minimum_rows_ratio=1.5)
    assert [detail for _, detail in found.values()] == [
        "share of the rows that is dropped 0.1202 is above the allowed 0.1",
        "training rows as a multiple of the champion's 1.0199 is below the allowed 1.5",
    ]


def test_a_file_of_which_most_cannot_be_read_is_refused_without_being_asked() -> None:
    data = dataclasses.replace(builders.data(), rows_read=100, dropped=Dropped(bad_rows=51))
    evidence = dataclasses.replace(builders.evaluation(), data=data)
    (rule,) = rules_of_data(EvaluatorConfig())
    assert judge(rule, evidence).state is State.FAILED


@pytest.mark.parametrize(
    ("champion", "state", "says"),
    [
        (NO_CHAMPION, State.SKIPPED, "skipped: there is no champion yet"),
        (Champion(ChampionStatus.BROKEN, "it cannot be loaded"), State.FAILED, "it cannot be loaded"),
        (Champion(ChampionStatus.COMPARED, "compared"), State.FAILED, "the champion does not tell of its data"),
    ],
    ids=["no champion", "a broken one", "one that does not tell"],
)
def test_without_the_champions_data(champion: Champion, state: State, says: str) -> None:
    evidence = dataclasses.replace(builders.evaluation(), champion=champion)
    found = verdicts(evidence, **{name: BOUNDS[name] for name in OF_DRIFT})
    assert [*found] == OF_DRIFT
    assert all(verdict[0] is state and says in verdict[1] for verdict in found.values())


def test_a_champion_that_does_not_count_its_users_cannot_be_judged_by_them() -> None:
    champion = dataclasses.replace(
        builders.champion(), drift=dataclasses.replace(builders.drift(), champion_users=None)
    )
    found = verdicts(dataclasses.replace(builders.evaluation(), champion=champion), maximum_lost_user_share=1.0)
    assert found["maximum_lost_user_share"][0] is State.FAILED
