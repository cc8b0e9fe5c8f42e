"""Models that know which items their users took, and models in which some items have another's place."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from components.evaluator import items_check
from components.evaluator.items_check import check_items
from components.ranking.ranks import Holdouts

USERS, ITEMS, FACTORS = 400, 150, 12
USUALLY_TAKEN = 12


@dataclasses.dataclass(frozen=True)
class Products:
    """Scores are products of rows of users and items, and what all users score an item higher by."""

    users: npt.NDArray[np.float32]
    items: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.float32]

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return np.take_along_axis(self.score_all_items(users), items, axis=1)

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return self.users[users] @ self.items.T + self.offsets


@pytest.fixture(scope="module")
def model() -> Products:
    random = np.random.default_rng(0)
    users, items = (random.standard_normal((rows, FACTORS)).astype(np.float32) for rows in (USERS, ITEMS))
    return Products(users, items, np.linspace(-3, 3, ITEMS, dtype=np.float32))


@pytest.fixture(scope="module")
def holdouts(model: Products) -> Holdouts:
    """Users who took what the model scores highest."""
    taken = np.argsort(-model.score_all_items(np.arange(USERS)), axis=1)[:, : USUALLY_TAKEN + 1].astype(np.int32)
    ends = USUALLY_TAKEN * np.arange(1, USERS + 1)
    return Holdouts(np.arange(USERS, dtype=np.int32), taken[:, -1], taken[:, :-1].ravel(), ends)


def _check(model: Products, holdouts: Holdouts, users_per_block: int = 64) -> items_check.ItemsCheck:
    return check_items(model, holdouts, ITEMS, users_per_block, np.random.default_rng(1))


def _exchanged(model: Products, rows: list[int]) -> Products:
    items = model.items.copy()
    items[rows] = items[np.roll(rows, 1)]
    return dataclasses.replace(model, items=items)


def test_a_model_that_knows_what_was_taken_has_no_strangers(model: Products, holdouts: Holdouts) -> None:
    found = _check(model, holdouts)
    takers = np.bincount(holdouts.seen, minlength=ITEMS)
    assert found.items == ((takers >= 5) & (takers <= USERS / 2)).sum() > 100
    assert (found.compared_with, found.strangers, found.usual_share) == (ITEMS, 0, 0)


def test_items_that_changed_places_are_strangers(model: Products, holdouts: Holdouts) -> None:
    wrong = [60, 75, 90]
    found = _check(_exchanged(model, wrong), holdouts)
    assert 1 <= found.strangers <= len(wrong)
    assert found.largest_share > items_check.ALLOWED_SHARE
    assert found.usual_share == 0


def test_blocks_of_users_change_nothing(model: Products, holdouts: Holdouts) -> None:
    wrong = _exchanged(model, [60, 75, 90])
    assert _check(wrong, holdouts, users_per_block=7) == _check(wrong, holdouts, users_per_block=USERS)


def test_an_item_with_the_scores_of_no_one_is_a_stranger(model: Products, holdouts: Holdouts) -> None:
    items = model.items.copy()
    items[75] = -items[75]
    assert _check(dataclasses.replace(model, items=items), holdouts).strangers == 1


def test_a_model_that_knows_nothing_does_not_tell_items_apart(model: Products, holdouts: Holdouts) -> None:
    noise = np.random.default_rng(2).standard_normal(model.items.shape).astype(np.float32)
    assert _check(dataclasses.replace(model, items=noise), holdouts).usual_share > 0.5


def test_users_and_items_are_drawn_where_there_are_too_many(
    model: Products, holdouts: Holdouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in {"MOST_USERS": 300, "MOST_ITEMS": 40, "COMPARED_WITH": 30}.items():
        monkeypatch.setattr(items_check, name, most)
    found = _check(model, holdouts)
    assert (found.items, found.compared_with, found.strangers) == (40, 30, 0)


@pytest.mark.parametrize("taken", [4, 201], ids=["by too few", "by more than half"])
def test_items_taken_by_too_few_or_most_users_are_left_out(model: Products, taken: int) -> None:
    users = np.arange(USERS, dtype=np.int32)
    seen = np.full(taken, 3, np.int32)
    holdouts = Holdouts(users, np.zeros(USERS, np.int32), seen, np.minimum(1 + users, taken).astype(np.int64))
    assert _check(model, holdouts) == items_check.ItemsCheck(0, ITEMS, 0, 0.0, 0.0)


def test_scores_that_are_no_numbers_are_left_to_another_rule(model: Products, holdouts: Holdouts) -> None:
    items = model.items.copy()
    items[75] = np.nan
    assert _check(dataclasses.replace(model, items=items), holdouts).strangers == 0


def test_without_users_there_is_nothing_to_look_at(model: Products, holdouts: Holdouts) -> None:
    nobody = holdouts.take(np.zeros(0, np.int64))
    assert _check(model, nobody) == items_check.ItemsCheck(0, ITEMS, 0, 0.0, 0.0)
