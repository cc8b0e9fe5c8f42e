"""The weights that a model was trained to, as a pushed version carries them: where the next training can start.

What is served is other weights: towers stand beside the trained ones, users' rows are moved by what they did since.
They lie where SavedModels keep what no signature reads: `assets.extra/trained.npz`, arrays by their names and raw ids.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from components.artifacts.vocabulary import RawIds
from components.serving.versions import Version, whole_versions
from components.shared.errors import UserError
from components.shared.files.reading import is_file, open_file
from components.shared.files.secrets import without_secrets
from components.shared.files.writing import write_atomically
from components.shared.files.zips import ZIP_FAULTS

TRAINED_FILE = "assets.extra/trained.npz"
_USERS, _ITEMS = "user_ids", "item_ids"

Ids: TypeAlias = RawIds | npt.NDArray[np.str_]
"""Raw ids: whole numbers, or texts, as objects or as NumPy's own."""


@dataclass(frozen=True)
class Trained:
    """Weights and whose they are.

    Attributes:
      user_ids: raw ids by row of the table of users.
      item_ids: likewise of items.
      weights: float32 arrays by name.
    """

    user_ids: Ids
    item_ids: Ids
    weights: Mapping[str, npt.NDArray[np.float32]]


def write_trained(folder: str, trained: Trained) -> None:
    """Writes the weights into the folder of a SavedModel.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    ids = {_USERS: as_written(trained.user_ids), _ITEMS: as_written(trained.item_ids)}
    arrays: dict[str, npt.NDArray[Any]] = {**ids, **trained.weights}
    with write_atomically(posixpath.join(folder, TRAINED_FILE)) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_newest_trained(destination: str) -> tuple[Version, Trained] | None:
    """The weights of the newest version that has them; None where none has.

    Raises:
      UserError: the folder, or the weights, cannot be read.
    """
    for version in whole_versions(destination):
        path = posixpath.join(version.path, TRAINED_FILE)
        if is_file(path):
            return version, _read(path)
    return None


def as_written(ids: Ids) -> Ids:
    """Raw ids as they are kept: texts as NumPy's own."""
    return ids.astype(np.str_) if ids.dtype.kind == "O" else ids


def _read(path: str) -> Trained:
    try:
        with open_file(path) as file, np.load(file, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        return Trained(weights.pop(_USERS), weights.pop(_ITEMS), weights)
    except (*ZIP_FAULTS, KeyError) as error:
        raise UserError(
            f"{without_secrets(path)} is damaged ({error}); remove that version from the push destination, or set "
            "trainer.warm_start=none"
        ) from error
