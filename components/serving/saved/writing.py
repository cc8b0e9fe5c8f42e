"""Writes a model's files, whole or not at all."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator

import tensorflow as tf

from components.shared.errors import UserError
from components.shared.files.folders import written_at_once

# How TensorFlow reports a full disk, a quota, a file size limit and missing permission.
_WRITE_ERRORS = (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError, tf.errors.PermissionDeniedError)


@contextlib.contextmanager
def model_written_at_once(folder: str, last: str) -> Iterator[str]:
    """A folder of this machine for a model's files, which then take the place of those of `folder`.

    Args:
      folder: where they go, on this machine or elsewhere.
      last: name of the file that makes it whole.

    Raises:
      UserError: the disk is full, or fails, or the folder cannot be written.
    """
    try:
        with written_at_once(folder, last) as temporary:
            yield temporary
    except (tf.errors.OpError, OSError, RuntimeError) as error:
        if (reason := _fault_of_disk(error)) is None:
            raise
        raise UserError(
            f"cannot write the model to {folder}: {reason}; free some space or choose another --root"
        ) from error


def _fault_of_disk(error: tf.errors.OpError | OSError | RuntimeError) -> str | None:
    """What the system said when a file could not be written; None where it is not that."""
    said = str(getattr(error, "message", None) or error)
    # HDF5 has the number in a text of several lines, and of what it cannot close makes a RuntimeError.
    if number := re.search(r"\berrno = (\d+)", said):
        return os.strerror(int(number[1]))
    if isinstance(error, (*_WRITE_ERRORS, OSError)) or os.strerror(errno.EIO) in said:
        # TensorFlow puts the name of its operation in front, in braces.
        return said.splitlines()[0].rpartition("}} ")[2]
    return None
