"""The weights as Keras keeps them, for those who train on."""

import posixpath

import numpy as np
import tensorflow as tf

from components.artifacts.storage import write_json
from components.serving.exporter import folder_atomically
from components.trainer.model import NeuMF

_HDF5_OVERHEAD_BYTES = 1 << 17


def save_weights(model: NeuMF, folder: str) -> None:
    """Writes `model.weights.h5` and `config.json` (the arguments of `NeuMF`) into a folder, whole or not at all."""
    with folder_atomically(folder) as temporary:
        tf.io.gfile.makedirs(temporary)
        path = posixpath.join(temporary, "model.weights.h5")
        _try_room(path, model)
        model.save_weights(path)
        write_json(posixpath.join(temporary, "config.json"), model.get_config())


def _try_room(path: str, model: NeuMF) -> None:
    # HDF5 crashes the whole process when the disk is full; an ordinary file raises an error that can be told.
    with tf.io.gfile.GFile(path, "wb") as file:
        for variable in model.variables:
            file.write(np.asarray(variable.value).tobytes())
        file.write(bytes(_HDF5_OVERHEAD_BYTES))
