"""Zip archives with damage that `zipfile` has an exception of its own for."""

LATER_VERSION, NO_NAME, HALF_A_CHARACTER = "of a later version", "a file without a name", "a name that is no UTF-8"
DAMAGE = (LATER_VERSION, NO_NAME, HALF_A_CHARACTER)


def damaged_zip(content: bytes, damage: str) -> bytes:
    """Changes what an archive's list of files says of the first one."""
    entry = content.index(b"PK\x01\x02")
    damaged = bytearray(content)
    if damage == LATER_VERSION:
        damaged[entry + 6] = 255
    elif damage == NO_NAME:
        damaged[entry + 28] = 0
    else:
        damaged[entry + 9] |= 8
        damaged[entry + 46] = 255
    return bytes(damaged)
