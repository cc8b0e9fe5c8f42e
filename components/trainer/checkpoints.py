"""What a training keeps on disk: checkpoints after whole epochs, so that a killed one goes on, and Keras weights."""

import hashlib
import json
import posixpath
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.model_run import Epoch
from components.artifacts.storage import delete, exists, open_file, write_atomically, write_json
from components.serving.saved.writing import model_written_at_once
from components.shared import progress
from components.shared.errors import UserError, first_line
from components.shared.files.folders import copy_file
from components.trainer.model import NeuMF

Arrays = list[npt.NDArray[Any]]
"""Values of variables, each with its shape and dtype."""

_HDF5_OVERHEAD_BYTES = 1 << 17


@dataclass
class TrainingState:
    """All that a training is after some whole epochs.

    Attributes:
      weights: the model's, in the order of its variables.
      optimizer: the optimiser's, in the order of its variables.
      best_weights: the model's at their best so far.
      start: the metrics on validation of what the training started from; empty where nothing is validated.
      epochs: what happened so far.
    """

    weights: Arrays
    optimizer: Arrays
    best_weights: Arrays
    start: Mapping[str, float] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)


def checkpoint_folder(root: str, identity: Mapping[str, Any]) -> str:
    """Where the training with that identity keeps its checkpoint, whichever execution runs it."""
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return posixpath.join(root, key)


def save(folder: str, state: TrainingState) -> None:
    """Replaces the checkpoint in `folder`; one that is interrupted leaves the former in place.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    groups = {"weights": state.weights, "optimizer": state.optimizer, "best": state.best_weights}
    arrays = {f"{name}_{position:04d}": array for name, group in groups.items() for position, array in enumerate(group)}
    course = json.dumps({"start": dict(state.start), "epochs": [asdict(epoch) for epoch in state.epochs]})
    with write_atomically(_path(folder)) as file:
        np.savez(file, allow_pickle=False, course=np.frombuffer(course.encode(), np.uint8), **arrays)


def load(folder: str) -> TrainingState | None:
    """The checkpoint in `folder`, or None where there is none; a damaged one is told, and set aside."""
    path = _path(folder)
    if not exists(path):
        return None
    try:
        return _read(path)
    except UserError:
        raise
    except Exception as error:
        # What a damaged file raises depends on where the damage is.
        aside = f"{path}.damaged"
        copy_file(path, aside)
        delete([path])
        told = f"the checkpoint was damaged ({first_line(error)}) and is now {aside}"
        progress.warn(f"{told}; the training began anew")
        return None


def _read(path: str) -> TrainingState:
    with open_file(path) as file, np.load(file, allow_pickle=False) as arrays:
        course = json.loads(arrays["course"].tobytes())
        weights, optimizer, best = (_group(arrays, name) for name in ("weights", "optimizer", "best"))
        return TrainingState(
            weights, optimizer, best, course["start"], [Epoch(**fields) for fields in course["epochs"]]
        )


def remove(folder: str) -> None:
    """Removes the checkpoint of a training that has ended."""
    delete([folder])


def _path(folder: str) -> str:
    return posixpath.join(folder, "state.npz")


def _group(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Arrays:
    return [arrays[key] for key in sorted(arrays) if key.startswith(f"{name}_")]


def save_weights(model: NeuMF, folder: str) -> None:
    """Writes a model's weights for those who train on, whole or not at all.

    Args:
      model: whose weights they are.
      folder: for `model.weights.h5` and `config.json`, the arguments of `NeuMF`.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    with model_written_at_once(folder, last="config.json") as temporary:
        path = posixpath.join(temporary, "model.weights.h5")
        _try_room(path, model)
        model.save_weights(path)
        write_json(posixpath.join(temporary, "config.json"), model.get_config())


def _try_room(path: str, model: NeuMF) -> None:
    # HDF5 crashes the whole process when the disk is full; an ordinary file raises an error that can be told.
    with open(path, "wb") as file:
        for variable in model.variables:
            file.write(np.asarray(variable.value).tobytes())
        file.write(bytes(_HDF5_OVERHEAD_BYTES))
