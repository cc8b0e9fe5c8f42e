"""Opens files of interactions, wherever they lie, decompressed and in UTF-8."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

import pyarrow as pa

from components.preprocess.readers.base import is_compressed
from components.preprocess.readers.other_forms import HEAD_BYTES, refuse_other_forms
from components.shared.errors import UserError, first_line
from components.shared.files.faults import told
from components.shared.files.places import plain_path
from components.shared.files.reading import open_file, size_of
from components.shared.files.zips import ZIP_FAULTS

_CHUNK_BYTES = 1 << 20
_MOST_TIMES = 300
"""How many times its size a file may unpack to; interactions come to some ten times, rarely to a hundred."""
_FREE_BYTES = 64 << 20
"""What a file may unpack to however small it is."""
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@contextmanager
def open_bytes(path: str, encoding: str | None = None) -> Iterator[BinaryIO]:
    """Opens a file; decompresses where its name says that it is compressed.

    Args:
      path: where it is.
      encoding: of its text, which is then read as UTF-8; None leaves the bytes as they are.

    Raises:
      UserError: the file is damaged, may not be read, unpacks to more than any interactions do, or is not in this
        encoding.
    """
    try:
        with open_file(path) as file:
            plain = _plain(file, path)
            yield plain if encoding is None else cast(BinaryIO, io.BufferedReader(_Recoded(plain, encoding)))
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error
    except UnicodeError as error:
        raise UserError(f"{path} is not in the encoding of dataset.encoding, {encoding} ({error})") from error
    except OSError as error:
        # What decompressors say has no number.
        if is_compressed(path) and error.errno is None:
            raise _damaged(path, error) from error
        with told(path):
            raise


def encoding_of(path: str, encoding: str | None) -> str | None:
    """The encoding that a file has to be read from; None where it is UTF-8.

    Args:
      path: where the file is.
      encoding: what the configuration says; None: UTF-8, or UTF-16 where the file begins with its mark.

    Raises:
      UserError: there is no such encoding, or the file is no text by its first bytes.
    """
    with open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
    if encoding is None and head[:2] in _MARKS:
        return _MARKS[head[:2]]
    if encoding is None:
        refuse_other_forms(path, head)
        return None
    try:
        name = codecs.lookup(encoding).name
        " ".encode(encoding)
    except (LookupError, ValueError):  # none of that name, or one that is not of texts
        raise UserError(f"dataset.encoding: there is no encoding {encoding!r}; try utf-8, latin-1 or cp1252") from None
    return None if name in ("utf-8", "utf-8-sig", "ascii") else name


def is_unicode(path: str) -> bool:
    """Whether a text is UTF-8 to its end, or marked as UTF-16."""
    if encoding_of(path, None) is not None:
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as file:
        try:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def most_bytes(path: str) -> int:
    """What a file may unpack to."""
    return max(_MOST_TIMES * size_of(path), _FREE_BYTES)


def _plain(file: BinaryIO, path: str) -> BinaryIO:
    ending = os.path.splitext(plain_path(path))[1].lower()
    unpack = _UNPACK.get(ending)
    if unpack is None:
        return file
    return cast(BinaryIO, io.BufferedReader(_Bounded(unpack(file, path), path, most_bytes(path)), _CHUNK_BYTES))


def _unzip(file: BinaryIO, path: str) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(file)
    except RuntimeError as error:
        raise _not_here(path, error) from error
    except ZIP_FAULTS as error:
        raise _damaged(path, error) from error
    names = [info.filename for info in archive.infolist() if _is_data(info)]
    if not names:
        raise UserError(f"{path} has no file in it")
    if len(names) > 1:
        raise UserError(
            f"{path} has {len(names)} files ({', '.join(names[:3])}{', ...' * (len(names) > 3)}) where one is "
            "expected: unpack it and set dataset.path to the right one"
        )
    try:
        return archive.open(names[0])
    except RuntimeError as error:  # a password is asked for, or a method is not known
        raise _not_here(path, error) from error
    except ZIP_FAULTS as error:
        raise _damaged(path, error) from error


def _not_here(path: str, error: Exception) -> UserError:
    return UserError(f"{path} cannot be unpacked here ({first_line(error)}): unpack it yourself")


def _is_data(info: zipfile.ZipInfo) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in info.filename.split("/"))
    return not (info.is_dir() or hidden)


def _unzstd(file: BinaryIO, path: str) -> IO[bytes]:
    return cast(IO[bytes], pa.CompressedInputStream(file, "zstd"))


_UNPACK: dict[str, Callable[[BinaryIO, str], IO[bytes]]] = {
    ".gz": lambda file, _: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    ".bz2": lambda file, _: bz2.BZ2File(file),
    ".zst": _unzstd,
    ".zip": _unzip,
}


def _damaged(path: str, error: Exception) -> UserError:
    kind = os.path.splitext(plain_path(path))[1][1:].lower().replace("gz", "gzip")
    return UserError(f"{path} is not a whole {kind} file ({error}): fetch or write it again")


class _Bounded(io.RawIOBase):
    """What a file unpacks to, as long as it is no more than so many bytes."""

    def __init__(self, file: IO[bytes], path: str, most: int):
        super().__init__()
        self._file, self._path, self._left = file, path, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise UserError(
                f"{self._path} unpacks to more than {_MOST_TIMES} times its size, as no file of interactions does: "
                "where it is one all the same, unpack it and set dataset.path to what comes of it"
            )
        buffer[: len(data)] = data
        return len(data)


class _Recoded(io.RawIOBase):
    """Text in UTF-8 that lies in another encoding."""

    def __init__(self, file: BinaryIO, encoding: str):
        super().__init__()
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            data = self._file.read(_CHUNK_BYTES)
            self._rest = self._decoder.decode(data, final=not data).encode()
            if not data:
                break
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
