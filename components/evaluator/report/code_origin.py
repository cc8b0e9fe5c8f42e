"""Which version of the code a report comes from."""

import os
import subprocess
from pathlib import Path

VARIABLE = "GIT_VERSION"


def git_version(folder: Path | None = None) -> str:
    """What git calls the code that runs: a tag or a commit, with `-dirty` where files are changed.

    An image has no repository, so the environment variable GIT_VERSION, where it is set, wins.

    Args:
      folder: of the code; this module's own by default.

    Returns:
      The version, or "unknown" where neither the variable nor a repository says it.
    """
    named = os.environ.get(VARIABLE, "").strip()
    return named or _described(folder or Path(__file__).parent) or "unknown"


def _described(folder: Path) -> str:
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--tags"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
