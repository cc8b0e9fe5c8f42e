"""Files that are something else than their names say, told in one line before they are read as text."""

import re

from components.shared.errors import UserError

_KINDS = (
    (rb"\x1f\x8b", "compressed with gzip: let its name end in .gz"),
    (rb"BZh[1-9]1AY&SY", "compressed with bzip2: let its name end in .bz2"),
    (rb"\x28\xb5\x2f\xfd", "compressed with zstd: let its name end in .zst"),
    (
        rb"\xfd7zXZ\x00|7z\xbc\xaf\x27\x1c|Rar!",
        "compressed with what is not read here: unpack it, or pack it with gzip",
    ),
    (rb"PK\x03\x04", "a zip archive or an Excel workbook: let its name end in .zip, or save the sheet as CSV"),
    (rb"PAR1", "Parquet: set dataset.format=parquet"),
    (rb"[\s\S]{257}ustar", "a tar archive: unpack it and set dataset.path to the right file"),
    (
        rb"\s*<(?i:!doctype html|html)",
        "a web page, not the data: fetch it again, or set dataset.path to the file itself",
    ),
)

HEAD_BYTES = 512
"""How much of a file tells what it is."""


def refuse_other_forms(path: str, head: bytes) -> None:
    """Says what a file is that is no text.

    Args:
      path: where it is.
      head: its first `HEAD_BYTES`, decompressed where its name says that it is compressed.

    Raises:
      UserError: it is none.
    """
    for pattern, kind in _KINDS:
        if re.match(pattern, head):
            raise UserError(f"{path} is {kind}")
    if b"\0" in head.split(b"\n", 1)[0]:
        raise UserError(
            f"{path} line 1 has NUL bytes: if it is text in another encoding, say which with "
            "dataset.encoding, such as utf-16-le"
        )


def refuse_carriage_returns(path: str, head: bytes) -> None:
    """Says of a file that nothing ends its lines but carriage returns, as on old Macintoshes.

    Args:
      path: where it is.
      head: its beginning, which has the first line feed where there is any.

    Raises:
      UserError: it is such a file.
    """
    if b"\n" not in head and b"\r" in head.rstrip(b"\r"):
        raise UserError(
            f"{path} has carriage returns where its lines should end: write them anew, such as by "
            r"tr '\r' '\n' < OLD > NEW"
        )
