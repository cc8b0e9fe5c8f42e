"""The factors of towers in closed form, against dense algebra."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from components.artifacts.interactions import Pairs
from components.shared.sequences import count_following
from components.trainer.linear.decomposition import decompose
from components.trainer.linear.factors import HISTORY_FORMS, PLACES, Form, history_factors, recent_factors


def interactions(users: int = 30, items: int = 12) -> scipy.sparse.csr_matrix:
    random = np.random.default_rng(3)
    return scipy.sparse.csr_matrix((random.random((users, items)) < 0.3).astype(np.float32))


def test_with_all_of_the_rank_the_history_tower_is_ridge_regression() -> None:
    seen = interactions()
    dense = seen.toarray().astype(np.float64)
    of_users, of_items = (np.maximum(dense.sum(axis=axis), 1) ** -0.25 for axis in (1, 0))
    scaled = of_users[:, None] * dense * of_items
    l2 = 0.01 * np.linalg.norm(scaled, 2) ** 2
    # The weights of all items for each one: of X, by what was read with its items divided by their roots.
    weights = np.linalg.solve(scaled.T @ scaled + l2 * np.eye(12), scaled.T @ scaled)
    factors = history_factors(seen, 12, seed=0)[0]()
    np.testing.assert_allclose(factors.users(seen) @ factors.scored.T, (dense * of_items) @ weights, atol=1e-4)


def test_undivided_with_all_of_the_rank_it_is_the_linear_model_of_all_items() -> None:
    seen = interactions()
    dense = seen.toarray().astype(np.float64)
    gram = dense.T @ dense
    weights = np.linalg.solve(gram + 0.01 * np.linalg.norm(gram, 2) * np.eye(12), gram)
    (make,) = history_factors(seen, 12, seed=0, forms=[Form(power=0.0, damping=0.01)])
    factors = make()
    np.testing.assert_allclose(factors.users(seen) @ factors.scored.T, dense @ weights, atol=1e-4)


def test_candidates_share_a_rank_and_differ_in_damping() -> None:
    seen = scipy.sparse.csr_matrix((np.random.default_rng(0).random((300, 200)) < 0.1).astype(np.float32))
    candidates = [make() for make in history_factors(seen, 128, seed=0)]
    assert [factors.read.shape[1] for factors in candidates] == [128] * len(HISTORY_FORMS)
    for power in (0.25, 0.0):
        norms = [np.linalg.norm(factors.read) for factors in candidates if factors.form.power == power]
        assert norms == sorted(norms, reverse=True)
        assert norms[0] > norms[-1]


def test_whoever_was_not_decomposed_is_read_as_large_and_with_half_of_the_damping() -> None:
    seen = interactions(300, 40)
    of_users, of_items = (np.maximum(seen.sum(axis=axis).A1, 1) ** -0.25 for axis in (1, 0))
    scaled = scipy.sparse.diags_array(of_users) @ seen @ scipy.sparse.diags_array(of_items)
    values = decompose(scaled, 20, seed=0)[0]
    damping = 0.1 * values[0] ** 2
    for rank in (20, 10):
        factors = history_factors(seen, 20, seed=0)[2]().cut(rank)
        found = factors.of_others()
        assert found is not None
        kept = values[:rank] ** 2
        expected = (kept + damping) / (kept + damping / 2)
        np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-4)
        sizes = [np.linalg.norm(of_users[:, None] * (seen @ read)) for read in (factors.read, factors.read * found)]
        assert sizes[0] == pytest.approx(sizes[1], rel=2e-3)


def test_singular_values_of_nothing_are_no_trouble() -> None:
    same = scipy.sparse.csr_matrix(np.ones((9, 8), np.float32))
    factors = history_factors(same, 4, seed=0)[0]()
    exact = replace(factors, form=Form(damping=0.1), values=np.array([2.0, 1.0, 0.0, 0.0]), rank=8)
    for of_others in (factors.of_others(), exact.of_others()):
        assert of_others is not None
        assert np.isfinite(of_others).all()


def test_with_all_of_the_rank_everybody_is_read_alike() -> None:
    factors = history_factors(interactions(), 12, seed=0)[0]()
    assert factors.of_others() is None
    assert factors.cut(6).of_others() is not None


def test_what_came_last_is_read_alike_by_everybody() -> None:
    train = Pairs(np.repeat(np.arange(20, dtype=np.int32), 8), np.arange(160, dtype=np.int32) % 10)
    factors = recent_factors(train, 10, 4, seed=0)[0]
    assert factors.of_others() is None


def test_with_all_of_the_rank_the_recent_tower_scores_by_normalised_successions() -> None:
    random = np.random.default_rng(5)
    train = Pairs(np.repeat(np.arange(20, dtype=np.int32), 8), random.integers(0, 10, 160, dtype=np.int32))
    follows = count_following(*train, 10, PLACES).toarray()
    expected = follows / np.sqrt(np.outer(follows.sum(axis=1) + 10, follows.sum(axis=0) + 10))
    factors = recent_factors(train, 10, 10, seed=0)[0]
    np.testing.assert_allclose(factors.read @ factors.scored.T, expected, atol=1e-5)
