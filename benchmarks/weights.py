"""The weights of our model in the shape that NeuMF usually has, so that other frameworks score the same."""

from collections import defaultdict
from typing import Any

import numpy as np

UsualWeights = dict[str, list[np.ndarray]]


def usual_weights(model: Any) -> UsualWeights:
    """The weights of each layer of the usual NeuMF by its name.

    Args:
      model: `components.trainer.model.NeuMF`, whose sides have one table for both towers.

    Returns:
      `gmf_user`, `gmf_item`, `mlp_user` and `mlp_item`: [embeddings]; `dense_1` and on, and `head`: [kernel, bias],
      kernels being [inputs, outputs].
    """
    factors = model.num_factors
    tables = {"user": np.array(model.user_table), "item": np.array(model.item_table)}
    return {
        **{f"gmf_{side}": [table[:, :factors]] for side, table in tables.items()},
        **{f"mlp_{side}": [table[:, factors:]] for side, table in tables.items()},
        "dense_1": [np.array(model.first_kernel), np.array(model.first_bias)],
        **{layer.name: [np.array(layer.kernel), np.array(layer.bias)] for layer in model.dense_layers},
        "head": [np.array(model.head_kernel), np.array(model.head_bias)],
    }


def save(path: str, weights: UsualWeights) -> None:
    """Writes them as one NumPy file."""
    arrays = {f"{name}:{position}": array for name, group in weights.items() for position, array in enumerate(group)}
    np.savez(path, allow_pickle=False, **arrays)


def load(path: str) -> UsualWeights:
    """What `save` wrote."""
    weights: UsualWeights = defaultdict(list)
    with np.load(path, allow_pickle=False) as arrays:
        for name in sorted(arrays):
            weights[name.partition(":")[0]].append(arrays[name])
    return dict(weights)
