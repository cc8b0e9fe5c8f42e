"""Gives the items of a vocabulary their titles."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.artifacts.vocabulary import ItemTitles, TitlesSummary
from components.preprocess.titles.files import Titles
from components.preprocess.values.ids import find_ids


def join(titles: Titles, items: pa.Array) -> ItemTitles:
    """Finds the title of each item; of several different ones, the first counts.

    Example:
      The rows (7, "Heat"), (9, "Big"), (7, "Heat 2") give the items [7, 8] the titles ["Heat", none], and one item has
      several.

    Args:
      titles: the files.
      items: raw ids of the vocabulary, int64 or string, by index.

    Raises:
      UserError: a file cannot be read any more.
    """
    found: dict[int, str] = {}
    several: set[int] = set()
    bad_rows = 0
    for places, texts, bad in _rows(titles, items):
        bad_rows += bad
        for place, text in zip(places.tolist(), texts, strict=True):
            if place >= 0 and found.setdefault(place, line := " ".join(text.split())) != line:
                several.add(place)
    column = pa.array([found.get(place) for place in range(len(items))], pa.string())
    return ItemTitles(
        column,
        TitlesSummary(items=len(found), several=len(several), bad_rows=bad_rows, encoding=titles.encoding),
    )


def _rows(titles: Titles, items: pa.Array) -> Iterator[tuple[npt.NDArray[np.int32], list[str], int]]:
    """Batches: the place of each row's item, -1 where it is none of these; the titles; how many rows are bad."""
    for piece in titles.pieces:
        for rows in piece.read():
            assert isinstance(rows.item, pa.Array)
            assert isinstance(rows.user, pa.Array)
            places = find_ids(rows.item.dictionary, items, titles.id_type)
            yield places[rows.item.indices.to_numpy()], rows.user.to_pylist(), rows.bad
