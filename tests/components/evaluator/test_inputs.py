"""Whom the model is judged by, and what they have seen."""

from pathlib import Path

import numpy as np

from components.artifacts.interactions import Interactions
from components.artifacts.splits import Split
from components.evaluator.inputs import Draw, read_holdouts, with_aside
from components.serving.seen_items import SeenItems
from tests.components.artifacts.handmade import write_interactions

ROWS: dict[Split, list[tuple[int, int]]] = {
    "train": [(0, 6), (1, 5), (1, 7), (2, 3), (3, 8)],
    "validation": [(1, 2)],
    "test": [(1, 9), (3, 4)],
    "aside": [(0, 1), (1, 3), (1, 8)],
}


def test_a_held_out_item_is_ranked_among_what_is_not_in_training_or_validation(tmp_path: Path) -> None:
    write_interactions(str(tmp_path), ROWS, users=4, items=10)
    holdouts = read_holdouts(Interactions(str(tmp_path)))
    assert (holdouts.users.tolist(), holdouts.items.tolist()) == ([1, 3], [9, 4])
    assert (holdouts.seen.tolist(), holdouts.seen_ends.tolist()) == ([5, 7, 2, 8], [3, 4])


def test_some_of_the_users_are_drawn_by_their_raw_ids_with_what_they_have_seen(tmp_path: Path) -> None:
    write_interactions(str(tmp_path), ROWS, users=4, items=10)
    interactions = Interactions(str(tmp_path))
    users_of = {
        key: read_holdouts(interactions, Draw(1, np.array(["a", "b", "c", "d"], object), key)).users.tolist()
        for key in range(20)
    }
    turned = {
        key: read_holdouts(interactions, Draw(1, np.array(["a", "d", "c", "b"], object), key)).users.tolist()
        for key in range(20)
    }
    assert {tuple(users) for users in users_of.values()} == {(1,), (3,)}
    assert all(users_of[key] != turned[key] for key in range(20))  # the ids of users 1 and 3 have changed places
    key = next(key for key, users in users_of.items() if users == [1])
    drawn = read_holdouts(interactions, Draw(1, np.array(["a", "b", "c", "d"], object), key))
    assert (drawn.items.tolist(), drawn.seen.tolist(), drawn.seen_ends.tolist()) == ([9], [5, 7, 2], [3])
    everybody = read_holdouts(interactions, Draw(2, np.arange(4), 0))
    assert everybody.users.tolist() == [1, 3]


def test_what_is_set_aside_is_not_served_either(tmp_path: Path) -> None:
    write_interactions(str(tmp_path), ROWS, users=4, items=10)
    interactions = Interactions(str(tmp_path))
    holdouts = with_aside(read_holdouts(interactions), interactions)
    assert (holdouts.seen.tolist(), holdouts.seen_ends.tolist()) == ([5, 7, 2, 3, 8, 8], [5, 6])
    served = SeenItems.open(str(tmp_path), 4)
    assert served.items[served.ends[0] : served.ends[1]].tolist() == [5, 7, 2, 9, 3, 8]


def test_where_nothing_is_set_aside_nothing_is_read_again(tmp_path: Path) -> None:
    write_interactions(str(tmp_path), {"train": ROWS["train"], "test": ROWS["test"]}, users=4, items=10)
    interactions = Interactions(str(tmp_path))
    holdouts = read_holdouts(interactions)
    assert with_aside(holdouts, interactions) is holdouts
