import dataclasses
import math

import pytest

from components.artifacts.evaluation import (
    Champion,
    ChampionStatus,
    State,
)
from components.evaluator.config import EvaluatorConfig
from components.evaluator.gate import judge
from components.evaluator.rules import rules
from tests.components.evaluator.evidence import (
    CONFIG,
    GOOD,
    NO_SLICE_WORSE,
    NOT_WORSE,
    OF_CHAMPION,
    POOR,
    compared,
    duel,
    evidence_of,
    failed_rules,
)
from tests.components.evaluator.report import builders


@pytest.mark.parametrize(
    ("users", "won", "lost", "failed"),
    [
        pytest.param(1000, 100, 0, [], id="better"),
        pytest.param(1000, 0, 0, [], id="identical"),
        pytest.param(1000, 30, 30, [], id="equal"),
        pytest.param(1000, 30, 40, [], id="worse, as it happens among equals"),
        pytest.param(1000, 10, 40, NOT_WORSE, id="worse for certain"),
        pytest.param(1000, 0, 200, NOT_WORSE, id="much worse"),
        pytest.param(60, 6, 10, [], id="worse, but too few users to tell"),
        pytest.param(1, 1, 0, [], id="a single user, won"),
        pytest.param(1, 0, 1, NOT_WORSE, id="a single user, lost"),
    ],
)
def test_champion_on_real_ranks(users: int, won: int, lost: int, failed: list[str]) -> None:
    evidence = evidence_of(GOOD, POOR, champion=duel(users, won, lost, CONFIG))
    assert failed_rules(evidence) == failed


def test_no_quartile_may_lose_too_much() -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.05)
    # As many won as lost, but the losses are all among the most active users.
    evidence = evidence_of(GOOD, POOR, champion=duel(1000, 30, 30, config))
    assert failed_rules(evidence, config) == NO_SLICE_WORSE
    detail = next(judge(rule, evidence).detail for rule in rules(config) if rule.name == NO_SLICE_WORSE[0])
    assert detail == (
        "HR@10 minus the champion's in the quartile that lost most -0.12 is below the allowed -0.05 "
        "(the quartile: activity, quartile 4)"
    )
    assert failed_rules(evidence, EvaluatorConfig(minimum_test_users=2, slice_margin=0.12)) == []


def test_without_a_champion_its_rules_are_skipped_and_say_so() -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.1)
    verdicts = [judge(rule, evidence_of(GOOD, POOR)) for rule in rules(config)]
    skipped = {verdict.rule: verdict for verdict in verdicts if verdict.state is State.SKIPPED}
    assert [*skipped] == OF_CHAMPION
    assert not any(verdict.state is State.FAILED for verdict in verdicts)
    assert {verdict.detail for verdict in skipped.values()} == {"skipped: there is no champion yet to compare with"}


NOTHING = dataclasses.replace(builders.champion().compared, differences={}, worst_slice={})


@pytest.mark.parametrize(
    ("champion", "detail"),
    [
        (Champion(ChampionStatus.BROKEN, "the champion cannot be compared: lost"), "cannot be compared: lost"),
        (compared(NOTHING), "is missing or not a finite number"),
        (Champion(ChampionStatus.COMPARED, "compared"), "is missing or not a finite number"),
    ],
    ids=["broken", "metrics missing", "comparison missing"],
)
def test_a_champion_that_cannot_be_compared_blocks(champion: Champion, detail: str) -> None:
    config = EvaluatorConfig(minimum_test_users=2, slice_margin=0.1)
    evidence = evidence_of(GOOD, POOR, champion=champion)
    assert failed_rules(evidence, config) == OF_CHAMPION
    verdicts = [judge(rule, evidence) for rule in rules(config) if "champion" in rule.name]
    assert all(detail in verdict.detail for verdict in verdicts)


def test_a_difference_that_is_not_a_number_blocks() -> None:
    found = duel(1000, 100, 0, CONFIG)
    differences = found.compared.differences
    spoilt = differences | {"NDCG@10": dataclasses.replace(differences["NDCG@10"], high=math.nan)}
    champion = compared(dataclasses.replace(found.compared, differences=spoilt))
    assert failed_rules(evidence_of(GOOD, POOR, champion=champion)) == NOT_WORSE


def test_champion_verdict_says_the_numbers() -> None:
    champion = duel(1000, 0, 200, CONFIG)
    rule = next(rule for rule in rules(CONFIG) if rule.name == NOT_WORSE[0])
    found = champion.compared.differences["NDCG@10"]
    verdict = judge(rule, evidence_of(GOOD, POOR, champion=champion))
    confidence, tolerance = CONFIG.champion_confidence, CONFIG.noise_tolerance
    assert (verdict.value, verdict.bound) == (found.high, -tolerance * champion.compared.champion["NDCG@10"])
    assert verdict.detail.startswith(
        f"NDCG@10 over all items minus the champion's (upper bound at {confidence} confidence) "
        f"{round(found.high, 4):g} is below the allowed {round(-0.6 * tolerance, 4):g} "
        "(this model: 0.4, the champion: version 1, 0.6, losses found 95 times in 100: from "
    )
