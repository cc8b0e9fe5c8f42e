"""The rows of users and items of a pushed model, for those with a vector database."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.bulk_recommend.fast import as_asked
from components.bulk_recommend.tables import written
from components.serving.loader import ServedModel
from components.shared.errors import UserError

_ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Exported:
    """What is in a file.

    Attributes:
      users: rows of users.
      items: rows of items.
      width: of each vector.
      exact: whether the dot product of a user's and an item's vector is what items are ranked by; else an MLP tower has
        a share that no vectors have.
    """

    users: int
    items: int
    width: int
    exact: bool


def export_vectors(served: ServedModel, output: str) -> Exported:
    """Writes the columns `kind` (user or item), `id` as a text, and `vector`, float32.

    With the bias, which is the same for all and so no part of the order, the dot product of a user's vector and an
    item's is the logit; where the model has an MLP tower, it is the GMF tower's share of it.

    Raises:
      UserError: the model does not declare its rows, has no factors, or the file cannot be written.
    """
    if not output.lower().endswith(".parquet"):
        raise UserError(f"--output {output}: a name that ends in .parquet is expected")
    catalog, vectors, weights = served.catalog(), served.vectors(), served.weights()
    if catalog is None or vectors is None:
        raise UserError("--model: this model does not say what its rows are; train and push a new one")
    half = 0 if weights is None else len(weights.first_kernel) // 2
    width = vectors.user_rows.shape[1] - half
    if not width:
        raise UserError("--model: this model has an MLP tower alone, whose scores are no products of vectors")
    head = vectors.head[:width, 0]
    schema = pa.schema({"kind": pa.string(), "id": pa.string(), "vector": pa.list_(pa.float32(), width)})
    exact = {b"dot_products_are_logits": b"false" if half else b"true"}
    with written(output, schema.with_metadata(exact)) as write:
        for kind, ids, rows, scale in (
            ("user", catalog.user_ids, vectors.user_rows, head),
            ("item", catalog.item_ids, vectors.item_rows, np.ones_like(head)),
        ):
            for table in _tables(kind, ids, rows[:, :width], scale, schema.with_metadata(exact)):
                write(table)
    return Exported(len(catalog.user_ids), len(catalog.item_ids), width, exact=not half)


def _tables(
    kind: str, ids: npt.NDArray[Any], rows: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], schema: pa.Schema
) -> Iterator[pa.Table]:
    for begin in range(0, len(ids), _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        values = pa.array((rows[part] * scale).ravel(), pa.float32())
        texts = pa.array(as_asked(ids[part])).cast(pa.string())
        kinds = pa.array([kind] * len(texts), pa.string())
        yield pa.table([kinds, texts, pa.FixedSizeListArray.from_arrays(values, rows.shape[1])], schema=schema)
