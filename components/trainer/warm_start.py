"""Training that starts where the champion's ended, by raw id."""

import keras
import numpy as np
import numpy.typing as npt

from components.artifacts.vocabulary import Vocabulary
from components.serving.trained import Ids, Trained, as_written, read_newest_trained
from components.shared import progress
from components.trainer.fitting import Start
from components.trainer.model import NeuMF

_Rows = npt.NDArray[np.float32]
_TABLES = ("user_table", "item_table")


def trained_weights(model: NeuMF, vocabulary: Vocabulary) -> Trained:
    """What the next training needs of a trained model."""
    return Trained(vocabulary.user_ids, vocabulary.item_ids, {name: np.array(it) for name, it in _named(model).items()})


def from_champion(destination: str, vocabulary: Vocabulary) -> Start | None:
    """The start from the newest pushed model that carries its trained weights; None where there is none.

    Raises:
      UserError: the push destination cannot be read.
    """
    found = read_newest_trained(destination) if destination else None
    if found is None:
        progress.note("no pushed model carries its trained weights yet: training starts without them")
        return None
    version, trained = found

    def start(model: NeuMF) -> None:
        known = start_from(model, trained, vocabulary)
        if known is None:
            progress.warn(
                f"version {version.name} is of another shape than this model: training starts without it; set "
                "trainer.num_factors and trainer.layers to its own, or trainer.warm_start=none"
            )
            return
        progress.note(f"starts from version {version.name}, which knows {known[0]:,} users and {known[1]:,} items")

    return start


def start_from(model: NeuMF, trained: Trained, vocabulary: Vocabulary) -> tuple[int, int] | None:
    """Gives a model the weights of another one, by raw id.

    Users and items whom that does not know keep what pretraining gave them, in the other's coordinates.

    Returns:
      How many users and how many items both know; None, and nothing is changed, where the models differ in shape or
      share no user or no item.
    """
    own = _named(model)
    shapes = {name: weights.shape[name in _TABLES :] for name, weights in trained.weights.items()}
    if shapes != {name: tuple(variable.shape)[name in _TABLES :] for name, variable in own.items()}:
        return None
    users = _shared(vocabulary.user_ids, trained.user_ids)
    items = _shared(vocabulary.item_ids, trained.item_ids)
    if not (len(users[0]) and len(items[0])):
        return None
    for name, (here, there) in zip(_TABLES, (users, items), strict=True):
        own[name].assign(_with_known_rows(np.array(own[name]), here, trained.weights[name][there]))
    for name in own.keys() - set(_TABLES):
        own[name].assign(trained.weights[name])
    return len(users[0]), len(items[0])


def _named(model: NeuMF) -> dict[str, keras.Variable]:
    """The model's variables: the tables by their names, the others by their places."""
    return {
        variable.name if variable.name in _TABLES else f"layer_{place}": variable
        for place, variable in enumerate(model.variables)
    }


def _shared(own: Ids, others: Ids) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the ids that both have, as they are written, stand in each."""
    own, others = as_written(own), as_written(others)
    if own.dtype.kind != others.dtype.kind:
        own, others = own.astype(np.str_), others.astype(np.str_)
    _, here, there = np.intersect1d(own, others, assume_unique=True, return_indices=True)
    return here, there


def _with_known_rows(rows: _Rows, known: npt.NDArray[np.int64], values: _Rows) -> _Rows:
    """Rows with the values of those that are known; the others are moved into the coordinates that these values have.

    Two factorisations of the same data differ by a linear map. It is found by least squares over the known rows.

    Args:
      rows: float32 [n, width], by pretraining.
      known: int64 [m], which of them have other values.
      values: float32 [m, width].
    """
    own = np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)
    moved: _Rows = own @ np.linalg.lstsq(own[known], values)[0].astype(np.float32)
    moved[known] = values
    return moved
