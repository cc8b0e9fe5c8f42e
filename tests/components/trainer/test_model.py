from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.trainer.engines.xla import mean_loss
from components.trainer.losses.binary_cross_entropy import BINARY_CROSS_ENTROPY
from components.trainer.model import NeuMF

USERS, ITEMS = 13, 11
MODELS = {
    "neumf": (4, (8, 6, 5, 3)),
    "one layer": (4, (8, 6)),
    "gmf alone": (4, ()),
    "mlp alone": (0, (8, 6, 5)),
}


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def model(request: pytest.FixtureRequest) -> NeuMF:
    factors, layers = request.param
    model = NeuMF(USERS, ITEMS, factors, layers, embedding_stddev=0.5, seed=3)
    rng = np.random.default_rng(0)
    for variable in model.variables:  # biases start at zero, where a mistake would not show
        if "bias" in variable.path:
            variable.assign(rng.normal(0, 0.5, variable.shape))
    return model


def pairs(size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.integers(0, USERS, size, dtype=np.int32), rng.integers(0, ITEMS, size, dtype=np.int32)


def numpy_logits(model: NeuMF, user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """The paper's formulas in float64: concatenate the embeddings, then multiply."""
    weights = {variable.path.removeprefix("neumf/"): np.asarray(variable.value, "f8") for variable in model.variables}
    user_row, item_row = weights["user_table"][user], weights["item_table"][item]
    factors = model.num_factors
    fused = [user_row[:, :factors] * item_row[:, :factors]]
    if "first_kernel" in weights:
        hidden = np.concatenate([user_row[:, factors:], item_row[:, factors:]], axis=1)
        hidden = np.maximum(hidden @ weights["first_kernel"] + weights["first_bias"], 0)
        for layer in model.dense_layers:
            hidden = np.maximum(hidden @ weights[f"{layer.name}/kernel"] + weights[f"{layer.name}/bias"], 0)
        fused.append(hidden)
    return np.concatenate(fused, axis=1) @ weights["head_kernel"][:, 0] + weights["head_bias"][0]


@pytest.mark.parametrize("batch", [5, 500], ids=["rows projected", "tables projected"])
def test_logits_and_loss_agree_with_float64_numpy(model: NeuMF, batch: int) -> None:
    user, item = pairs(batch)
    label = (np.arange(batch) % 3 == 0).astype(np.uint8)
    expected = numpy_logits(model, user, item)
    logits = model(tf.constant(user), tf.constant(item))
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    probability = 1 / (1 + np.exp(-expected))
    loss = -np.mean(np.log(np.where(label == 1, probability, 1 - probability)))
    np.testing.assert_allclose(mean_loss(BINARY_CROSS_ENTROPY, logits, tf.constant(label)), loss, atol=1e-5)


@pytest.mark.parametrize("at_once", [4096, 11, 4, 1], ids=lambda size: f"{size} items at once")
def test_all_items_of_a_user_have_the_scores_of_their_pairs(
    model: NeuMF, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("components.trainer.model._ITEMS_AT_ONCE", at_once)
    user = np.array([4, 0, 12], np.int32)
    grid = model.score_all(model.user_rows(user), model.item_rows(np.arange(ITEMS, dtype=np.int32)))
    expected = numpy_logits(model, np.repeat(user, ITEMS), np.tile(np.arange(ITEMS), 3)).reshape(3, ITEMS)
    np.testing.assert_allclose(grid, expected, atol=1e-5)
    np.testing.assert_allclose(model(user[:, None], np.arange(ITEMS, dtype=np.int32)[None]), expected, atol=1e-5)


def test_gradients_do_not_depend_on_what_is_projected(model: NeuMF) -> None:
    user, item = pairs(60)

    def gradients(parts: list[slice]) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            logits = tf.concat([model(tf.constant(user[part]), tf.constant(item[part])) for part in parts], axis=0)
            loss = tf.reduce_sum(tf.sin(logits))
        values = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        return [tf.convert_to_tensor(value).numpy() for value in values]

    of_tables = gradients([slice(0, 60)])
    of_rows = gradients([slice(at, at + 10) for at in range(0, 60, 10)])
    for left, right in zip(of_tables, of_rows, strict=True):
        np.testing.assert_allclose(left, right, atol=2e-5)


@pytest.mark.parametrize("batch", [5, 500], ids=["rows projected", "tables projected"])
def test_gradients_of_the_factorised_first_layer_equal_those_of_the_plain_one(batch: int) -> None:
    model = NeuMF(USERS, ITEMS, 4, (8, 6, 5), embedding_stddev=0.5, seed=3)
    user, item = pairs(batch)
    label = (np.arange(batch) % 3 == 0).astype(np.uint8)

    def plain(user: np.ndarray, item: np.ndarray) -> tf.Tensor:
        user_row, item_row = tf.gather(model.user_table.value, user), tf.gather(model.item_table.value, item)
        pair = tf.concat([user_row[:, 4:], item_row[:, 4:]], axis=1)
        hidden = tf.nn.relu(pair @ model.first_kernel.value + model.first_bias.value)
        for layer in model.dense_layers:
            hidden = layer(hidden)
        fused = tf.concat([user_row[:, :4] * item_row[:, :4], hidden], axis=1)
        return (fused @ model.head_kernel.value)[:, 0] + model.head_bias.value

    def gradients(forward: Callable[[np.ndarray, np.ndarray], tf.Tensor]) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            loss = mean_loss(BINARY_CROSS_ENTROPY, forward(user, item), tf.constant(label))
        values = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        return [tf.convert_to_tensor(value).numpy() for value in values]

    for factorised, reference in zip(gradients(model), gradients(plain), strict=True):
        np.testing.assert_allclose(factorised, reference, atol=1e-6)
        assert np.abs(reference).max() > 1e-4


def test_initial_weights_come_from_the_seed_alone() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        keras.utils.set_random_seed(np.random.randint(1000))
        return [np.asarray(value) for value in NeuMF(USERS, ITEMS, 4, (8, 6, 5), 0.1, seed).get_weights()]

    for first, again, other in zip(weights(1), weights(1), weights(2), strict=True):
        np.testing.assert_array_equal(first, again)
        assert not first.any() or (first != other).any()
    user_table, item_table = weights(1)[:2]
    assert (user_table[:ITEMS] != item_table).all()


def test_embeddings_start_with_the_configured_deviation() -> None:
    model = NeuMF(4000, 3, 8, (16, 8), embedding_stddev=0.01)
    table = np.asarray(model.user_table.value)
    assert np.std(table) == pytest.approx(0.01, rel=0.02)
    assert np.mean(table) == pytest.approx(0, abs=3e-4)


def test_config_rebuilds_the_model() -> None:
    model = NeuMF(USERS, ITEMS, 4, (8, 6), 0.1, seed=5)
    again = NeuMF.from_config(model.get_config())
    for left, right in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_head_of_ones_stays() -> None:
    model = NeuMF(USERS, ITEMS, 4, (8, 6, 5), seed=3, gmf_head="ones")
    np.testing.assert_array_equal(model.head_kernel[:4], np.ones((4, 1)))
    assert (np.asarray(model.head_kernel[4:]) != 1).all()
    user, item = pairs(20)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.constant(user), tf.constant(item)))
    gradient = np.asarray(tape.gradient(loss, model.head_kernel.value))
    assert (gradient[:4] == 0).all()
    assert np.abs(gradient[4:]).max() > 0
