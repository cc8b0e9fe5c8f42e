"""The weights of a SavedModel, taken out, and put back into a copy of it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""By the names that the exporter gives the variables."""

_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_VARIABLES = "variables/variables"


def read_arrays(model: str) -> dict[str, npt.NDArray[Any]]:
    """All variables.

    Args:
      model: the folder of the SavedModel.
    """
    reader = tf.train.load_checkpoint(f"{model}/{_VARIABLES}")
    names = [name for name in reader.get_variable_to_shape_map() if name.endswith(_SUFFIX)]
    return {name.removesuffix(_SUFFIX): reader.get_tensor(name) for name in names}


def write_with(model: str, folder: Path, changed: Arrays) -> str:
    """Copies a SavedModel, with other values for some of its variables.

    Args:
      model: the folder of the SavedModel.
      folder: where the copy goes.
      changed: the values, of the shapes that the variables have.

    Returns:
      The folder of the copy.

    Raises:
      KeyError: there is no such variable.
      ValueError: a value has another shape.
    """
    reader = tf.train.load_checkpoint(f"{model}/{_VARIABLES}")
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    for name, value in changed.items():
        own = values[f"{name}{_SUFFIX}"]
        if value.shape != own.shape:
            raise ValueError(f"{name} has the shape {value.shape} and not {own.shape}")
        values[f"{name}{_SUFFIX}"] = np.asarray(value, own.dtype)
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("variables"))
    (folder / "variables").mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / _VARIABLES),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )
    (data,) = (folder / "variables").glob("variables.data-*")
    assert data.name == "variables.data-00000-of-00001"
    return str(folder)
