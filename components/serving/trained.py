"""What a model was trained to, as a pushed version carries it: where the next training can start.

What is served is put together of it: towers stand beside the trained weights, users' rows are moved by what they did
since. It lies where SavedModels keep what no signature reads: `assets.extra/trained.npz`, arrays by their names.
"""

import json
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
from components.shared.json_types import JsonObject

TRAINED_FILE = "assets.extra/trained.npz"
_USERS, _ITEMS, _ABOUT = "user_ids", "item_ids", "about"

Ids: TypeAlias = RawIds | npt.NDArray[np.str_]
"""Raw ids: whole numbers, or texts, as objects or as NumPy's own."""


@dataclass(frozen=True)
class Trained:
    """Arrays and whose they are.

    Attributes:
      user_ids: raw ids by the index of a user.
      item_ids: likewise of items.
      arrays: by name.
      about: what else the next training has to know, as JSON has it.
    """

    user_ids: Ids
    item_ids: Ids
    arrays: Mapping[str, npt.NDArray[Any]]
    about: JsonObject


def write_trained(folder: str, trained: Trained) -> None:
    """Writes it into the folder of a SavedModel.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        _USERS: as_written(trained.user_ids),
        _ITEMS: as_written(trained.item_ids),
        _ABOUT: np.array(json.dumps(trained.about)),
        **trained.arrays,
    }
    with write_atomically(posixpath.join(folder, TRAINED_FILE)) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_newest_trained(destination: str) -> tuple[Version, Trained] | None:
    """What the newest version carries that carries such; None where none does.

    Raises:
      UserError: the folder, or the arrays, cannot be read.
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
            found = {name: arrays[name] for name in arrays.files}
        about = json.loads(str(found.pop(_ABOUT, "{}")))
        return Trained(found.pop(_USERS), found.pop(_ITEMS), found, about)
    except (*ZIP_FAULTS, KeyError) as error:
        raise UserError(
            f"{without_secrets(path)} is damaged ({error}); remove that version from the push destination, or set "
            "trainer.warm_start=none"
        ) from error
