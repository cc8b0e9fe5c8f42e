"""`python -m scripts.compile_ahead` compiles the loops of training and evaluation, so that no run waits for it."""

import keras
import numpy as np

from components.evaluator.baselines.linear import history_scorer, neighbours
from components.ranking import compiled_scorer
from components.sampling import chunks, drawing
from components.sampling import loops as sampling
from components.trainer.config import TrainerConfig
from components.trainer.engines import Setup, make_engine
from components.trainer.engines.cpu import steps
from components.trainer.engines.devices import Device
from components.trainer.model import NeuMF
from components.trainer.settings import Counts, settle


def main() -> int:
    """Takes no step and scores nobody, but compiles all that is needed for it.

    Returns:
      How many loops were compiled, because no code was kept.
    """
    config = settle(TrainerConfig(), Counts(1, 1, 1, in_order=True, batch_size=1))
    model = NeuMF(1, 1, config.num_factors, config.layers)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    none = np.zeros((0, 1), "i4")
    make_engine(Setup(model, optimizer, config, 1, Device("cpu"))).train_steps(0, none, none, none.astype("u1"))
    compiled_scorer.compile_ahead()
    neighbours.compile_ahead()
    history_scorer.compile_ahead()
    drawing.compile_ahead()
    drawn = (sampling.spread_out, chunks.mark_chunks, sampling.scatter_rows, sampling.shuffle, sampling.unpack)
    scored = (
        compiled_scorer.fill,
        compiled_scorer.score,
        neighbours.find_nearest,
        history_scorer.score_candidates,
        history_scorer.score_all_items,
    )
    loops = (steps.train, *scored, *drawn)
    return sum(bool(loop.stats.cache_misses) for loop in loops)


if __name__ == "__main__":
    main()
