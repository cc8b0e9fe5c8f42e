"""The step and the loop; whole trainings are in test_run_fn.py."""

from pathlib import Path
from typing import Any

import numpy as np

from components.trainer.data import Examples
from components.trainer.engines.devices import Device
from components.trainer.fitting import new_model
from components.trainer.loop import Training
from components.trainer.model import NeuMF
from components.trainer.validation import OnRecords
from tests.components.trainer.builders import settings

CONFIG: dict[str, Any] = {
    "num_factors": 4, "layers": (8, 6, 4), "batch_size": 64, "learning_rate": 0.02, "embedding_stddev": 0.1,
    "early_stopping_patience": None,
}  # fmt: skip


def trained(inputs: Path, **fields: Any) -> tuple[NeuMF, list[np.ndarray]]:
    """A model after two epochs, and its weights after each step as they are, without averaging."""
    config = settings(**{**CONFIG, "epochs": 2, "steps_per_call": 1, **fields})
    examples = Examples.open(str(inputs / "examples"))
    model = new_model(examples, config, seed=0)
    training = Training(model, examples, config, Device("cpu"), OnRecords(examples))
    steps: list[np.ndarray] = []
    engine = training._engine
    train_steps = engine.train_steps

    def watched(*batch: Any) -> np.ndarray:
        losses = train_steps(*batch)
        engine.store()
        steps.append(np.array(model.user_table))
        return losses

    training._engine.train_steps = watched  # type: ignore[method-assign]
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
