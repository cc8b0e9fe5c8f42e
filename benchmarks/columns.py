"""Rows of examples as NumPy files, so that a framework needs nothing of ours to read them."""

import numpy as np

_NAMES = ("user", "item", "label")


def save_columns(folder: str, *columns: np.ndarray) -> None:
    """Saves users and items, int32 [n], and labels, uint8 [n]."""
    for name, column in zip(_NAMES, columns, strict=True):
        np.save(f"{folder}/{name}.npy", column)


def load_columns(folder: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `save_columns` saved."""
    user, item, label = (np.load(f"{folder}/{name}.npy") for name in _NAMES)
    return user, item, label
