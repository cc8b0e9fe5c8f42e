"""What zip archives raise."""

import struct
import zipfile
import zlib

ZIP_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, EOFError),
    *(RuntimeError, ValueError, IndexError, OverflowError, struct.error),
)
"""What Python's `zipfile` raises, depending on where the damage is: RuntimeError also where a password or a method is
asked for that it does not have."""
