"""What zip archives raise."""

import struct
import zipfile
import zlib

ZIP_FAULTS = (
    EOFError,
    IndexError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Python's `zipfile` raises, depending on where the damage is: RuntimeError also where a password or a method is
asked for that it does not have."""
