"""Towers brought up to date, against dense algebra."""

from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.shared.sequences import count_following
from components.trainer.linear import Histories
from components.trainer.linear.factors import PLACES, Factors, Form, history_factors, recent_factors, scaled_by_totals
from components.trainer.linear.towers import Tower
from components.trainer.linear.updating import updated

USERS, ITEMS, NEW = 40, 15, [12, 13, 14]


def histories(seed: int = 0) -> Histories:
    """Of now."""
    random = np.random.default_rng(seed)
    rows = [(user, item) for user in range(USERS) for item in random.permutation(ITEMS)[: random.integers(3, 9)]]
    users, items = np.array(rows, np.int32).T
    nothing = Pairs(users[:0], items[:0])
    return Histories(USERS, ITEMS, Pairs(users, items), nothing, nothing, in_order=True)


def before(now: Histories) -> Histories:
    """The same without any row of the items that are new."""
    users, items = now.train
    kept = ~np.isin(items, NEW)
    return replace(now, train=Pairs(users[kept], items[kept]))


def without_new(factors: Factors) -> Factors:
    read, scored = factors.read.copy(), factors.scored.copy()
    read[NEW] = scored[NEW] = 0
    return replace(factors, read=read, scored=scored)


def in_histories(of: Histories, width: int, power: float = 0.25) -> Factors:
    (make,) = history_factors(of.seen, width, 0, [Form(power=power, damping=0.1)])
    return make()


def in_sequences(of: Histories, width: int) -> Factors:
    (found,) = recent_factors(of.train, ITEMS, width, 0, [Form(shrinkage=10.0)])
    return found


@pytest.mark.parametrize("power", [0.0, 0.25])
def test_where_nothing_came_the_tower_of_histories_stays_as_it_was_found(power: float) -> None:
    now = histories()
    found = in_histories(now, 5, power)
    factors = updated(Tower(found), now).factors
    np.testing.assert_allclose(factors.read, found.read, atol=1e-6)
    np.testing.assert_allclose(factors.scored, found.scored, atol=1e-6)


def test_where_nothing_came_the_tower_of_sequences_stays_as_it_was_found() -> None:
    now = histories()
    found = in_sequences(now, 5)
    factors = updated(Tower(found, 10, 0.8), now).factors
    np.testing.assert_allclose(factors.read, found.read, atol=1e-5)
    np.testing.assert_allclose(factors.scored, found.scored, atol=1e-5)


def test_a_new_item_is_the_ridge_regression_of_its_column_on_what_the_others_say_of_users() -> None:
    now = histories()
    found = without_new(in_histories(before(now), 5))
    factors = updated(Tower(found), now).factors
    dense = now.seen.toarray().astype(np.float64)
    of_users, of_items = (np.maximum(dense.sum(axis=axis), 1) ** -0.25 for axis in (1, 0))
    scaled = of_users[:, None] * dense * of_items
    assert found.values is not None
    damping = 0.1 * found.values[0] ** 2
    by_the_others = scaled @ found.scored
    expected = by_the_others.T @ scaled[:, NEW] / (found.values**2 + damping)[:, None]
    np.testing.assert_allclose(factors.scored[NEW], expected.T, atol=1e-5)
    kept = found.values**2 / (found.values**2 + damping)
    np.testing.assert_allclose(factors.read, of_items[:, None] * factors.scored * kept, atol=1e-5)


def test_a_new_item_is_read_as_what_followed_it_and_scored_as_what_it_followed() -> None:
    now = histories()
    found = without_new(in_sequences(before(now), 12))
    factors = updated(Tower(found, 10, 0.8), now).factors
    follows = scaled_by_totals(count_following(*now.train, ITEMS, PLACES), Form(shrinkage=10.0)).toarray()
    values = (found.scored**2).sum(axis=0)
    damped = values + 0.02 * values.max()
    np.testing.assert_allclose(factors.read[NEW], follows[NEW] @ found.scored / damped, atol=1e-5)
    np.testing.assert_allclose(factors.scored[NEW], follows[:, NEW].T @ found.read / damped, atol=1e-5)


@pytest.mark.parametrize(
    "tower", [Tower(in_histories(before(histories()), 5)), Tower(in_sequences(before(histories()), 5), 10)]
)
def test_an_update_comes_nearer_to_a_decomposition_of_now(tower: Tower) -> None:
    now = histories()
    found = in_histories(now, 5) if tower.number is None else in_sequences(now, 5)

    def distance(factors: Factors) -> float:
        return float(np.linalg.norm(factors.read @ factors.scored.T - found.read @ found.scored.T))

    stale = replace(tower, factors=without_new(tower.factors))
    assert distance(updated(stale, now).factors) < 0.8 * distance(stale.factors)
