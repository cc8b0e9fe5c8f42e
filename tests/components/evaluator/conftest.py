"""A small world of artifacts and a real SavedModel for the evaluator to judge."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.artifacts.examples import EvaluationLayout, ExamplesSummary, evaluation_file
from components.artifacts.records import write_batches
from components.artifacts.vocabulary import write_vocabulary
from tests.components.artifacts.handmade import write_interactions

USERS, ITEMS, NEGATIVES, USERS_PER_BATCH, SHARDS = 130, 40, 9, 50, 3


@dataclass(frozen=True)
class World:
    """Artifacts on disk, and what is in them.

    Attributes:
      root: the folder of the artifacts `interactions`, `vocabulary`, `examples`.
      positives: the test item of each user, -1 for those that have none.
      seen: train and validation items of each user.
      negatives: the sampled negatives of each user with a test item.
      masked: those of them that do not count.
      train_counts: training interactions of each item.
      user_ids: raw ids by index.
      item_ids: raw ids by index.
    """

    root: Path
    positives: np.ndarray
    seen: list[set[int]]
    negatives: dict[int, list[int]]
    masked: dict[int, list[bool]]
    train_counts: np.ndarray
    user_ids: np.ndarray
    item_ids: np.ndarray

    def uri(self, name: str) -> str:
        return str(self.root / name)

    def good_scores(self) -> np.ndarray:
        """A model's scores [users, items] that put most test items first, with small noise elsewhere."""
        scores = np.random.default_rng(5).normal(size=(USERS, ITEMS)).astype(np.float32)
        tested = np.flatnonzero(self.positives >= 0)
        scores[tested, self.positives[tested]] += 1.5
        return scores


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    """Writes a world; takes what `_make_world` takes."""
    return functools.partial(_make_world, tmp_path)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def save_model() -> Callable[..., None]:
    """Saves a model; takes what `_save_model` takes."""
    return _save_model


def _make_world(root: Path, users_with_test: int = USERS - 7, text_ids: bool = False, leaked: int = 0) -> World:
    """Writes the artifacts of a world where the last users have no test item, and the first ones have learnt theirs."""
    random = np.random.default_rng(3)
    permuted = [random.permutation(ITEMS) for _ in range(USERS)]
    validation = np.array([items[1] for items in permuted])
    train = [items[2 : 2 + random.integers(3, 20)] for items in permuted]
    train[:leaked] = [np.append(items, permuted[user][0]) for user, items in enumerate(train[:leaked])]
    positives = np.array([items[0] if user < users_with_test else -1 for user, items in enumerate(permuted)])
    seen = [{*map(int, items), int(validation[user])} for user, items in enumerate(train)]
    negatives = {
        user: [int(item) for item in random.permutation(sorted(set(range(ITEMS)) - seen[user]))[:NEGATIVES]]
        for user in range(users_with_test)
    }
    masked = {
        user: [item == positives[user] or bool(random.random() < 0.1) for item in items]
        for user, items in negatives.items()
    }
    user_ids, item_ids = 1000 + 7 * np.arange(USERS), 5 + 3 * np.arange(ITEMS)
    if text_ids:
        user_ids, item_ids = (np.array([f"é{id_:05d}" for id_ in ids], object) for ids in (user_ids, item_ids))
    train_counts = np.bincount(np.concatenate(train), minlength=ITEMS)
    world = World(root, positives, seen, negatives, masked, train_counts, user_ids, item_ids)

    users, tested = np.arange(USERS), np.flatnonzero(positives >= 0)
    counts = np.array([len(items) for items in train])
    rows = {
        "train": (np.repeat(users, counts), np.concatenate(train)),
        "validation": (users, validation),
        "test": (tested, positives[tested]),
    }
    write_interactions(
        world.uri("interactions"),
        {split: np.stack(columns, axis=1) for split, columns in rows.items()},
        USERS,
        ITEMS,
        SHARDS,
        dataset="a small world",
        best_possible_hr={"9": 0.9},
    )
    write_vocabulary(world.uri("vocabulary"), pa.array(user_ids), pa.array(item_ids), counts, train_counts)
    _write_examples(world, users_with_test)
    return world


def _write_examples(world: World, users: int) -> None:
    batches = -(-users // USERS_PER_BATCH)
    shape = (batches * USERS_PER_BATCH, 1 + NEGATIVES)
    user = np.zeros(shape, np.int32)
    item = np.zeros(shape, np.int32)
    mask = np.zeros(shape, np.uint8)
    mask[users:, 0] = 1
    for row in range(users):
        user[row] = row
        item[row] = [world.positives[row], *world.negatives[row]]
        mask[row, 1:] = world.masked[row]
    columns = {"user": user, "item": item, "mask": mask}
    cut = [{name: values.reshape(batches, -1)[batch] for name, values in columns.items()} for batch in range(batches)]
    write_batches(f"{world.uri('examples')}/{evaluation_file('test')}", cut)
    layout = EvaluationLayout(users=users, width=1 + NEGATIVES, users_per_batch=USERS_PER_BATCH, batches=batches)
    positives = sum(map(len, world.seen)) - USERS
    ExamplesSummary(
        batch_size=100, epochs=0, num_negatives=4, rows_per_epoch=5 * positives, batches_per_epoch=-(-positives // 20),
        users=USERS, items=ITEMS, train_positives=positives, protocol="standard", evaluation={"test": layout}, seed=0,
        fingerprint="0123456789abcdef",
    ).write(world.uri("examples"))  # fmt: skip


def _save_model(
    path: str,
    scores: np.ndarray,
    world: World,
    serving_scale: float = 1.0,
    known_users: int = USERS,
    recommends: str = "unseen",
) -> None:
    """Saves a model that knows the score of every pair, with the signatures of the contract.

    Args:
      path: folder of the SavedModel.
      scores: float32 [users, items].
      world: whose raw ids it takes.
      serving_scale: makes `serving_default` give other scores.
      known_users: how many of the users `serving_default` knows.
      recommends: "unseen" items, "seen" ones too, or their scores with "other ids".
    """
    import tensorflow as tf

    raw = tf.int64 if np.issubdtype(world.user_ids.dtype, np.integer) else tf.string

    def table(ids: np.ndarray) -> tf.lookup.StaticHashTable:
        keys = tf.constant(ids, raw)
        return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, tf.range(len(ids))), -1)

    unseen = np.ones(scores.shape, bool)
    if recommends != "seen":
        tested = np.flatnonzero(world.positives >= 0)
        unseen[tested, world.positives[tested]] = False
        for user, items in enumerate(world.seen):
            unseen[user, list(items)] = False

    class Model(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scores = tf.Variable(scores)
            self.users = table(world.user_ids[:known_users])
            self.items = table(world.item_ids)
            ids = np.roll(world.item_ids, 1) if recommends == "other ids" else world.item_ids
            self.item_ids = tf.Variable(tf.constant(ids, raw))
            self.unseen = tf.Variable(unseen)

        @tf.function(input_signature=[tf.TensorSpec([None], raw), tf.TensorSpec([None, None], raw)])
        def serve(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> dict[str, tf.Tensor]:
            user, item = self.users.lookup(user_id), self.items.lookup(item_ids)
            known = tf.gather(tf.gather(self.scores, tf.maximum(user, 0)), tf.maximum(item, 0), batch_dims=1)
            return {"scores": known * serving_scale, "known_user": user >= 0, "known_item": item >= 0}

        @tf.function(input_signature=[tf.TensorSpec([None], raw), tf.TensorSpec([], tf.int32)])
        def recommend(self, user_id: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
            user = self.users.lookup(user_id)
            row = tf.maximum(user, 0)
            best = tf.math.top_k(tf.where(tf.gather(self.unseen, row), tf.gather(self.scores, row), -1e30), k)
            return {
                "item_ids": tf.gather(self.item_ids, best.indices), "scores": best.values, "known_user": user >= 0
            }  # fmt: skip

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, None], tf.int32)])
        def score_candidates(self, user: tf.Tensor, item: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": tf.gather(tf.gather(self.scores, user), item, batch_dims=1)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def score_all_items(self, user: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": tf.gather(self.scores, user)}

    model = Model()
    signatures = {
        "serving_default": model.serve,
        "recommend": model.recommend,
        "score_candidates": model.score_candidates,
        "score_all_items": model.score_all_items,
    }
    tf.saved_model.save(model, path, signatures=signatures)


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """Where champions are pushed to."""
    return tmp_path / "serving"
