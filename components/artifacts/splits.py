"""The splits that interactions and examples consist of, and the names of their files."""

import posixpath
from typing import Literal

Split = Literal["train", "validation", "test", "aside"]
"""What is trained on; one item of a user each to judge by; and what is held out but judges nothing."""

SPLITS: tuple[Split, ...] = ("train", "validation", "test", "aside")


def split_dir(uri: str, split: Split) -> str:
    """The folder of a split, as TFX names it."""
    return posixpath.join(uri, f"Split-{split}")


def shard_name(shard: int, of: int, suffix: str) -> str:
    """The file name of one shard: `shard-00003-of-00020.parquet`."""
    return f"shard-{shard:05d}-of-{of:05d}.{suffix}"
