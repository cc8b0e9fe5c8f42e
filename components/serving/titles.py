"""The titles of items, as a pushed model carries them: `assets.extra/item_titles.parquet`, columns `id` and `title`.

They lie where SavedModels keep what no signature reads, so that whoever shows items needs no TensorFlow for it.
"""

import posixpath

import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts.vocabulary import Vocabulary
from components.shared.files.reading import is_file, open_file
from components.shared.files.writing import write_atomically

TITLES_FILE = "assets.extra/item_titles.parquet"


def write_titles(folder: str, vocabulary: Vocabulary) -> None:
    """Writes the titles of those items that have one into the folder of a SavedModel; no file where there are none.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    if vocabulary.item_titles is None:
        return
    titles = pa.array(vocabulary.item_titles, pa.string())
    table = pa.table({"id": pa.array(vocabulary.item_ids), "title": titles}).filter(titles.is_valid())
    with write_atomically(posixpath.join(folder, TITLES_FILE)) as file:
        pq.write_table(table, file, compression="zstd")


def read_titles(folder: str) -> dict[str, str]:
    """The titles that the SavedModel in a folder, on this machine or elsewhere, has for items, by their ids as texts.

    Raises:
      UserError: they cannot be read.
    """
    path = posixpath.join(folder, TITLES_FILE)
    if not is_file(path):
        return {}
    with open_file(path) as file:
        table = pq.read_table(file, columns=["id", "title"])
    return dict(zip(map(str, table["id"].to_pylist()), table["title"].to_pylist(), strict=True))
