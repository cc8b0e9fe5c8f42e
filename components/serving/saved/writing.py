"""Writes a model's files, whole or not at all."""

import contextlib
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
      UserError: the disk is full, or the folder cannot be written.
    """
    try:
        with written_at_once(folder, last) as temporary:
            yield temporary
    except (*_WRITE_ERRORS, OSError) as error:
        reason = getattr(error, "message", None) or str(error)
        # TensorFlow puts the name of its operation in front, in braces.
        reason = reason.splitlines()[0].rpartition("}} ")[2]
        raise UserError(
            f"cannot write the model to {folder}: {reason}; free some space or choose another --root"
        ) from error
