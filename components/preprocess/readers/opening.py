"""Opens files of interactions, wherever they lie, decompressed."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from components.preprocess.readers.base import is_compressed
from components.shared.errors import UserError
from components.shared.files.reading import open_file


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """Opens a file; decompresses where its name says that it is compressed.

    Raises:
      UserError: the file is a damaged gzip file, is not there, may not be read, or cannot be reached.
    """
    try:
        with open_file(path) as file:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_compressed(path) else file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is not a whole gzip file ({error}): fetch or write it again") from error
