"""The checksum that TensorFlow's files carry."""

import google_crc32c
import numpy as np
import numpy.typing as npt


def masked_crc32c(data: bytes | npt.NDArray[np.uint8]) -> int:
    """CRC-32C, masked as in TFRecords and tensor bundles: a checksum of what holds checksums would be a weak one."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
