"""The step and the loop; whole trainings are in test_run_fn.py."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.fitting import new_model
from components.trainer.loop import Training, l2_of_rows, make_train_steps
from components.trainer.model import NeuMF

CONFIG: dict[str, Any] = {
    "num_factors": 4, "layers": (8, 6, 4), "batch_size": 64, "learning_rate": 0.02, "embedding_stddev": 0.1,
    "early_stopping_patience": None,
}  # fmt: skip


def trained(inputs: Path, **fields: Any) -> tuple[NeuMF, list[np.ndarray]]:
    """A model after two epochs, and its weights after each step as they are, without averaging."""
    config = TrainerConfig(**{**CONFIG, "epochs": 2, "steps_per_call": 1, **fields})
    model = new_model(Examples.open(str(inputs / "examples")), config, seed=0)
    training = Training(model, Examples.open(str(inputs / "examples")), config)
    steps, train_steps = [], training._train_steps

    def watched(*batch: tf.Tensor) -> tf.Tensor:
        losses = train_steps(*batch)
        steps.append(np.array(model.user_table))
        return losses

    training._train_steps = watched
    training.run(None, lambda state: None)
    return model, steps


def test_averaged_weights_are_the_moving_average_of_all_steps(inputs: Path) -> None:
    model, steps = trained(inputs, weight_averaging=0.9)
    average, averages = steps[0], []
    for step in steps[1:]:
        average = 0.9 * average + 0.1 * step
        averages.append(average)
    exported = np.array(model.user_table)
    per_epoch = len(steps) // 2
    distances = [np.abs(exported - averages[end - 2]).max() for end in (per_epoch, 2 * per_epoch)]
    assert min(distances) < 1e-5
    assert max(distances) > 1e-3


def test_training_goes_on_from_the_weights_and_not_from_their_average(inputs: Path) -> None:
    _, plain = trained(inputs)
    _, averaged = trained(inputs, weight_averaging=0.9)
    np.testing.assert_array_equal(plain[-1], averaged[-1])


def test_l2_counts_a_row_as_often_as_it_occurs() -> None:
    table = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    index = np.array([4, 1, 1, 0], np.int32)
    strength = np.array([0.1, 0.1, 0.3], "f4")
    expected = np.mean([np.sum(strength * table[row].astype("f8") ** 2) / 2 for row in index])
    np.testing.assert_allclose(l2_of_rows(tf.constant(table), tf.constant(index), strength), expected, rtol=1e-6)


@pytest.mark.parametrize(("gmf_l2", "mlp_l2"), [(0.5, 0.0), (0.0, 0.5)])
def test_each_strength_shrinks_the_embeddings_of_its_tower(gmf_l2: float, mlp_l2: float) -> None:
    def after(gmf_l2: float, mlp_l2: float) -> np.ndarray:
        model = NeuMF(9, 7, 4, (6, 4), 0.5, seed=0)
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
        rows = np.arange(64, dtype=np.int32)[None]
        label = (rows % 2).astype(np.uint8)
        make_train_steps(model, optimizer, gmf_l2, mlp_l2)(tf.constant(1), rows % 9, rows % 7, label)
        return np.array(model.user_table)

    before, plain, shrunk = np.array(NeuMF(9, 7, 4, (6, 4), 0.5, seed=0).user_table), after(0, 0), after(gmf_l2, mlp_l2)
    occurrences = np.bincount(np.arange(64) % 9)[:, None] / 64
    strength = np.repeat([gmf_l2, mlp_l2], [4, 3])
    np.testing.assert_allclose(shrunk, plain - occurrences * strength * before, atol=1e-6)
