import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.trainer.engines import Setup
from components.trainer.engines.devices import Device
from components.trainer.engines.xla import l2_of_rows, make_train_steps
from components.trainer.loop import new_optimizer
from components.trainer.model import NeuMF
from tests.components.trainer.builders import settings


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
        config = settings(num_factors=4, layers=(6, 4), gmf_l2=gmf_l2, mlp_l2=mlp_l2)
        setup = Setup(model, optimizer, config, 64, Device("cpu"))
        rows = np.arange(64, dtype=np.int32)[None]
        label = (rows % 2).astype(np.uint8)
        make_train_steps(setup)(tf.constant(1), rows % 9, rows % 7, label)
        return np.array(model.user_table)

    before, plain, shrunk = np.array(NeuMF(9, 7, 4, (6, 4), 0.5, seed=0).user_table), after(0, 0), after(gmf_l2, mlp_l2)
    occurrences = np.bincount(np.arange(64) % 9)[:, None] / 64
    strength = np.repeat([gmf_l2, mlp_l2], [4, 3])
    np.testing.assert_allclose(shrunk, plain - occurrences * strength * before, atol=1e-6)


# Element types of arrays that a TPU computes with; scalars of 64 bits are Keras's counters of steps.
ON_A_TPU = {"f32", "bf16", "s32", "u32", "u8", "pred"}


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_whole_step_is_one_program_that_a_tpu_could_run(precision: str) -> None:
    config = settings(precision=precision, weight_averaging=0.9, gmf_l2=0.1, mlp_l2=0.1)
    model = NeuMF(300, 200, 4, (8, 6, 4), precision=precision)
    optimizer = new_optimizer(config)
    optimizer.build(model.trainable_variables)
    rows = np.zeros((3, 64), np.int32)
    train_steps = make_train_steps(Setup(model, optimizer, config, 64, Device("cpu")))
    program = train_steps.experimental_get_compiler_ir(tf.constant(2), rows, rows, rows.astype("u1"))(stage="hlo")
    assert set(re.findall(r"\b([a-z]+[0-9]*)\[", program.replace("s64[]", ""))) <= ON_A_TPU
    assert not re.search(r"\[[^\]]*(<=|\?)", program), "a shape is not static"
    instructions = set(re.findall(r"^ .*?= .*? ([a-z][a-z-]*)\(", program, re.MULTILINE))
    assert {"dot", "gather", "while"} <= instructions
    assert not instructions & {"custom-call", "infeed", "outfeed", "send", "recv"}
    products = set(re.findall(r"= ([a-z0-9]+)\S* dot\(", program))
    assert ("bf16" in products) == (precision == "mixed_bfloat16")
