"""`python -m components.trainer.cpu` compiles the training step, so that no training has to wait for it."""

import keras
import numpy as np

from components.trainer.config import TrainerConfig
from components.trainer.cpu.engine import CpuEngine
from components.trainer.model import NeuMF


def main() -> None:
    """Takes no step, but compiles all that steps need."""
    config = TrainerConfig()
    model = NeuMF(1, 1, config.num_factors, config.layers)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    none = np.zeros((0, 1), "i4")
    CpuEngine(model, optimizer, config, batch_size=1, threads=1).train_steps(0, none, none, none.astype("u1"))


if __name__ == "__main__":
    main()
