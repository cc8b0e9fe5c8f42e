"""Opens files of interactions on any file system that Beam knows, decompressed."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.preprocess.readers.base import is_compressed
from components.shared.errors import UserError


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """Opens a file; decompresses where its name says that it is compressed.

    Raises:
      UserError: the file is a damaged gzip file, or may not be read.
    """
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_compressed(path) else file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is not a whole gzip file ({error}): fetch or write it again") from error
    except PermissionError as error:
        raise UserError(f"{path} may not be read: permission denied") from error


def size_of(path: str) -> int:
    """The bytes of a file as it lies there, compressed or not."""
    return int(FileSystems.match([path])[0].metadata_list[0].size_in_bytes)
