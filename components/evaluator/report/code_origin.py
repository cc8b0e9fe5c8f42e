"""Which version of the code a report comes from."""

import importlib.metadata
import os
import subprocess
from pathlib import Path

VARIABLE = "GIT_VERSION"
DISTRIBUTION = "neumf-pipeline"


def git_version(folder: Path | None = None) -> str:
    """What git calls the code that runs: a tag or a commit, with `-dirty` where files are changed.

    An image has no repository, so the environment variable GIT_VERSION, where it is set, wins. Code that was installed
    from a wheel has none either: it has the version of its distribution.

    Args:
      folder: of the code; this module's own by default.

    Returns:
      The version, or "unknown" where nothing says it.
    """
    named = os.environ.get(VARIABLE, "").strip()
    return named or _described(folder or Path(__file__).parent) or _installed() or "unknown"


def _described(folder: Path) -> str:
    # An environment may lie inside somebody else's repository, which then does not track the code.
    if not _git(folder, "ls-files", "--error-unmatch", "."):
        return ""
    return _git(folder, "describe", "--always", "--dirty", "--tags")


def _git(folder: Path, *arguments: str) -> str:
    """What git prints, or nothing where it fails or is not there."""
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _installed() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return ""
