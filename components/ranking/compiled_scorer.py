"""NeuMF's scores of all items, in compiled code: most of an evaluation's work.

The weights are those that the SavedModel declares (`components.serving.contract.Weights`), whose items are projected
already. The GMF tower is one matrix product. A user's MLP row is projected once, and a few items at a time then go
through all layers, so that their values stay in a core's cache; in the signature `score_all_items` they are in memory.
Of a model with 3,264 factors, those of towers in closed form included, two cores score 10,672 items for 196 users in
six tenths of its time.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
import numpy.typing as npt

from components.kernels.compiling import compiled, entry_point
from components.kernels.products import pack, panels_size, product, rectified_product
from components.ranking.difference import largest_difference
from components.serving.contract import Weights
from components.serving.loader import ServedModel
from components.shared.scorer import Scorer

_ITEMS_AT_ONCE = 96
_USERS_TRIED = 4
# Beside so many more items, candidates are looked up one by one. Of vectors of more than 512 columns, one candidate's
# is copied in the time that 38 items are scored in one product.
_MORE_ITEMS, _MORE_ITEMS_OF_WIDE = 8, 32
_WIDE = 512
_TOLERANCE = 1e-4


def fastest_scorer(model: ServedModel) -> Scorer:
    """Scores by compiled code, where it gives what the model's own signature does; else the model itself.

    Args:
      model: any; what does not declare its weights, or has scores that are not finite, is left to itself.
    """
    weights = model.weights()
    if weights is None:
        return model
    scorer = CompiledScorer(model, weights)
    users = np.arange(min(_USERS_TRIED, len(weights.user_table)), dtype=np.int32)
    difference = largest_difference(model.score_all_items(users), scorer.score_all_items(users))
    return scorer if difference <= _TOLERANCE else model


def compile_ahead() -> None:
    """Compiles, and keeps the code on disk."""
    values, row, layers = np.zeros((0, 1), np.float32), np.zeros(0, np.float32), np.zeros((0, 4), np.int64)
    for matrix in (values, np.zeros((2, 2), np.float32)[:, :1].T):
        _packed(matrix)
    score(values, values, row, values, row, values, layers, row, row, row, np.float32(0), values, values)


class CompiledScorer:
    """A `Scorer` for any number of threads at a time."""

    def __init__(self, model: ServedModel, weights: Weights[npt.NDArray[np.float32]]):
        """Packs the layers.

        Args:
          model: scores candidates.
          weights: what it declares.
        """
        self._model = model
        half = len(weights.first_kernel) // 2
        of_users = weights.first_kernel[:half]
        self._gmf_users, self._mlp_users = np.split(weights.user_table, [-half], axis=1)
        gmf_items, mlp_items = np.split(weights.item_rows, [self._gmf_users.shape[1]], axis=1)
        self._gmf_items, self._items = _packed(gmf_items.T), mlp_items + weights.first_bias
        self._of_users = _packed(of_users)
        self._gmf_head, self._mlp_head = np.split(weights.head_kernel[:, 0], [gmf_items.shape[1]])
        (self._head_bias,) = weights.head_bias
        kernels, biases = list(weights.kernels), list(weights.biases)
        panels = [_packed(kernel) for kernel in kernels]
        self._layers = _places(kernels, panels, biases)
        self._panels, self._biases = (np.concatenate([np.zeros(0, np.float32), *parts]) for parts in (panels, biases))
        self._widest = max(len(self._mlp_head), *of_users.shape, *(kernel.shape[0] for kernel in kernels))
        self._more_items = _MORE_ITEMS_OF_WIDE if weights.user_table.shape[1] > _WIDE else _MORE_ITEMS

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        if len(self._items) > self._more_items * items.shape[1]:
            return self._model.score_candidates(users, items)
        return np.take_along_axis(self.score_all_items(users), items, axis=1)

    def score_all_items(self, users: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        # No matrix product of NumPy here: OpenBLAS' threads stay awake after each, and take the cores from the others.
        gmf_users = self._gmf_users[users] * self._gmf_head
        mlp_users = self._mlp_users[users]
        projected = np.empty((len(users), self._items.shape[1]), np.float32)
        room = np.empty((2, _ITEMS_AT_ONCE * self._widest), np.float32)
        scores = np.empty((len(users), len(self._items)), np.float32)
        score(
            gmf_users, mlp_users, self._of_users, projected, self._gmf_items, self._items, self._layers, self._panels,
            self._biases, self._mlp_head, self._head_bias, room, scores,
        )  # fmt: skip
        return scores


def _packed(kernel: np.ndarray) -> np.ndarray:
    panels = np.empty(panels_size(*kernel.shape), np.float32)
    fill(kernel, panels)
    return panels


def _places(kernels: list[np.ndarray], panels: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
    """Of each layer: its inputs and outputs, and where its panels and its biases begin; int64 [layers, 4]."""
    begins = [np.cumsum([0, *map(len, parts)])[:-1] for parts in (panels, biases)]
    shapes = np.array([kernel.shape for kernel in kernels], np.int64).reshape(-1, 2)
    return np.column_stack([shapes, *begins]).astype(np.int64)


@entry_point(hot=True)
def fill(matrix, panels):
    """Packs a matrix, float32 [depth, width]."""
    pack(matrix, panels)


@entry_point(hot=True)
def score(
    gmf_users, mlp_users, of_users, projected, gmf_items, items, layers, panels, biases, head, head_bias, room, scores
):  # fmt: skip
    """Finds the logits of users with all items.

    Args:
      gmf_users: float32 [n, factors], times the head.
      mlp_users: float32 [n, half].
      of_users: their share of the first layer, packed.
      projected: room, float32 [n, width].
      gmf_items: [factors, items], packed.
      items: float32 [items, width], projected, with the first layer's bias.
      layers: those after the first, see `_places`.
      panels: their packed kernels, one after the other.
      biases: their biases, likewise.
      head: float32 [outputs of the last layer].
      head_bias: float32.
      room: float32 [2, items at once * the widest layer].
      scores: float32 [n, items].
    """
    product(gmf_users, gmf_items, scores)
    product(mlp_users, of_users, projected)
    for begin in range(0, len(items), _ITEMS_AT_ONCE):
        end = min(begin + _ITEMS_AT_ONCE, len(items))
        number, width = end - begin, items.shape[1]
        for user in range(len(projected)):
            values = room[0, : number * width].reshape(number, width)
            _combine(projected[user], items[begin:end], values)
            for layer in range(len(layers)):
                outputs_width, bias = layers[layer, 1], layers[layer, 3]
                outputs = room[(layer + 1) % 2, : number * outputs_width].reshape(number, outputs_width)
                rectified_product(values, panels[layers[layer, 2] :], biases[bias : bias + outputs_width], outputs)
                values = outputs
            _add_products(values, head, head_bias, scores[user, begin:end])


@compiled(hot=True)
def _combine(user, items, values):
    for row in range(len(items)):
        for k in range(len(user)):
            values[row, k] = _rectified(user[k] + items[row, k])


@compiled(hot=True)
def _add_products(values, head, bias, scores):
    for row in range(len(values)):
        total = bias
        for k in range(len(head)):
            total += values[row, k] * head[k]
        scores[row] += total


@compiled(hot=True)
def _rectified(value):
    return np.float32(0) if value <= 0 else value  # NaN stays NaN
