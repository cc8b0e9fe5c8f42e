"""Rows of users whom a model never saw, beside those of users whom it knows."""

import numpy as np
import scipy.sparse
import tensorflow as tf

from components.artifacts.interactions import Pairs
from components.trainer.linear import Ensemble, Histories
from components.trainer.linear.folding import Folding, Reading, fold_trained, grown_rows, moved_rows
from components.trainer.model import NeuMF
from tests.components.trainer.builders import settings
from tests.components.trainer.linear.test_ensemble import FIELDS, USERS, cycles, model

VECTORS = np.random.default_rng(0).normal(size=(6, 3)).astype("f4")


def rows(folding: Folding, *items: list[int]) -> np.ndarray:
    width = max(map(len, items))
    padded = [[-1] * (width - len(some)) + some for some in items]
    return folding.user_rows(tf.constant(padded, tf.int32)).numpy()


def test_a_row_is_the_sum_of_what_was_seen() -> None:
    found = rows(Folding([Reading(VECTORS)]), [0, 2, 5], [4])
    np.testing.assert_allclose(found, [VECTORS[[0, 2, 5]].sum(axis=0), VECTORS[4]], rtol=1e-5)


def test_of_the_latest_items_the_last_counts_most_and_others_not_at_all() -> None:
    found = rows(Folding([Reading(VECTORS, number=2, decay=0.5)]), [0, 2, 5])
    np.testing.assert_allclose(found, [VECTORS[5] + 0.5 * VECTORS[2]], rtol=1e-5)


def test_an_item_counts_once_at_its_later_place() -> None:
    both = Folding([Reading(VECTORS), Reading(VECTORS, number=2, decay=0.5)])
    np.testing.assert_allclose(rows(both, [2, 5, 2]), rows(both, [5, 2]), rtol=1e-5)


def test_padding_in_between_changes_nothing() -> None:
    both = Folding([Reading(VECTORS), Reading(VECTORS, number=2, decay=0.5)])
    np.testing.assert_allclose(rows(both, [1, -1, 3, -1]), rows(both, [1, 3]), rtol=1e-5)


def test_a_mean_is_over_the_root_of_the_number_and_has_an_offset() -> None:
    folding = Folding([Reading(VECTORS, mean=True, offset=np.array([1, 2, 3], "f4"))])
    expected = VECTORS[:4].sum(axis=0) / 2 + [1, 2, 3]
    np.testing.assert_allclose(rows(folding, [0, 1, 2, 3]), [expected], rtol=1e-5)


def towers_alone(**fields: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of users from what they did, and their own ones: before the test, and as they are served."""
    histories, nothing = cycles(), model()
    nothing.user_table.assign(np.zeros_like(nothing.user_table))
    ensemble = Ensemble.prepare(histories, settings(**{**FIELDS, **fields}), seed=0, negatives=4)
    whole = ensemble.join(nothing)
    found = []
    for pairs, table in ((histories.complete, whole.model.user_table), (histories.everything, whole.served_users)):
        done = [pairs.items[pairs.users == user].tolist() for user in range(USERS)]
        found.append((rows(whole.folding, *done), np.array(table)))
    return found


def test_rows_by_the_latest_items_are_those_of_known_users() -> None:
    for folded, own in towers_alone(history_factors=0):
        np.testing.assert_allclose(folded, own, atol=1e-5)


def test_rows_by_all_items_are_those_of_known_users_but_for_the_damping() -> None:
    for folded, own in towers_alone(recent_items=0):
        by_column = (folded * own).sum(axis=0) / (own**2).sum(axis=0)
        np.testing.assert_allclose(folded, own * by_column, rtol=1e-5, atol=1e-5)
        assert by_column[0] < 1 < by_column[-1]


def trained_on_items(seen: list[np.ndarray]) -> tuple[NeuMF, Histories]:
    """A model whose rows of users are a function of the items that they have seen, and those."""
    trained = NeuMF(len(seen), 20, 4, (8, 4), embedding_stddev=1.0, seed=0)
    trained.user_table.assign(function_of(trained, seen))
    pairs = Pairs(np.repeat(np.arange(len(seen), dtype="i4"), [len(some) for some in seen]), np.concatenate(seen))
    nothing = Pairs(np.zeros(0, "i4"), np.zeros(0, "i4"))
    return trained, Histories(len(seen), 20, pairs, nothing, nothing, in_order=False)


def function_of(trained: NeuMF, seen: list[np.ndarray]) -> np.ndarray:
    items, turned = np.array(trained.item_table), np.random.default_rng(1).normal(size=(8, 8)).astype("f4")
    return np.stack([items[some].sum(axis=0) / np.sqrt(len(some)) @ turned + 0.5 for some in seen])


def some_items() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [np.sort(random.choice(20, random.integers(2, 9), replace=False)).astype("i4") for _ in range(300)]


def test_trained_rows_that_are_a_function_of_the_items_are_found_again() -> None:
    trained, histories = trained_on_items(some_items())
    users = np.array(trained.user_table)
    found = rows(Folding(fold_trained(trained, histories)), *(some.tolist() for some in some_items()))
    assert np.abs(found - users).max() < 0.05 * np.abs(users).max()


def test_trained_rows_move_as_if_they_were_trained_with_what_came_later() -> None:
    longer = some_items()
    trained, histories = trained_on_items([some[:-1] for some in longer[:200]] + longer[200:])
    users = np.repeat(np.arange(300, dtype="i4"), [len(some) for some in longer])
    moved = moved_rows(trained, fold_trained(trained, histories), histories, Pairs(users, np.concatenate(longer)))
    expected, before = function_of(trained, longer), np.array(trained.user_table)
    assert np.abs(moved - expected).max() < 0.1 * np.abs(expected - before).max()
    np.testing.assert_array_equal(moved[200:], before[200:])


def test_rows_grow_with_what_came_since_and_new_ones_are_made_of_it_all() -> None:
    longer = some_items()
    # The first hundred have one item more than when they were trained, and the last fifty were not there.
    shorter = [some[:-1] for some in longer[:100]] + longer[100:250] + [some[:0] for some in longer[250:]]
    trained, _ = trained_on_items(longer)
    expected = np.array(trained.user_table)
    with np.errstate(invalid="ignore"):
        rows_before = np.nan_to_num(function_of(trained, shorter))
    before, now = (
        scipy.sparse.csr_matrix(np.stack([np.isin(np.arange(20), some) for some in seen]).astype("f4"))
        for seen in (shorter, longer)
    )
    known = np.arange(300) < 250
    grown = grown_rows(rows_before, known, before, now, np.array(trained.item_table))
    change = np.abs(expected[:100] - rows_before[:100]).max()
    assert np.abs(grown[:100] - expected[:100]).max() < 0.1 * change
    np.testing.assert_allclose(grown[100:250], rows_before[100:250], rtol=1e-6)
    assert np.abs(grown[250:] - expected[250:]).max() < 0.05 * np.abs(expected).max()
