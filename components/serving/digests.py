"""Digests of the arrays that a model declares: whether what was read is what was exported."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.serving.contract import CATALOG, FOLDING, MEASURED_USERS, SCORING_WEIGHTS, SERVED_USERS, VECTORS

_DECLARED = (SERVED_USERS, MEASURED_USERS, VECTORS, SCORING_WEIGHTS, CATALOG, FOLDING)


def digests(model: Any) -> dict[str, str]:
    """SHA-256, in hexadecimal digits, of each array that a model declares, by its name such as `vectors/item_rows`.

    Args:
      model: what is exported or was loaded; what it does not declare is left out.
    """
    named = dict(_arrays({name: getattr(model, name, None) for name in _DECLARED}))
    by_identity = {id(array): array for array in named.values()}  # some have several names
    found = {key: _digest(np.asarray(array)) for key, array in by_identity.items()}
    return {name: found[id(array)] for name, array in named.items()}


def altered(exported: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the arrays whose digests differ, or that only one of the two has.

    Args:
      exported: digests by the names of the arrays.
      found: likewise.

    Example:
      >>> altered({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4"})
      ('b', 'c')
    """
    return tuple(sorted(name for name in exported.keys() | found.keys() if exported.get(name) != found.get(name)))


def _arrays(declared: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Arrays by their names, which lead through dictionaries and lists."""
    if isinstance(declared, Mapping):
        for key, part in declared.items():
            yield from _arrays(part, f"{name}/{key}" if name else key)
    elif isinstance(declared, Sequence):
        for place, part in enumerate(declared):
            yield from _arrays(part, f"{name}/{place}")
    elif declared is not None:
        yield name, declared


def _digest(array: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    if array.dtype.kind == "O":
        for text in array.reshape(-1).tolist():
            digest.update(len(text).to_bytes(8, "little"))
            digest.update(text)
    else:
        digest.update(np.ascontiguousarray(array).data.cast("B"))
    return digest.hexdigest()
