"""How much memory there is."""

import os
from pathlib import Path

_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory_bytes() -> int:
    """The bytes of memory that this process may use: no more than a container's limit, where there is one."""
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), _limit(_LIMIT))


def _limit(path: Path) -> int:
    """What `memory.max` of control groups, version 2, allows; the largest int64 where there is no limit."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # there is no such file, or it says "max"
        return 2**63 - 1
