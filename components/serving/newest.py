"""The newest pushed model that can be loaded: one that was damaged since does not take the others with it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from components.serving.manifest import DamagedModelError
from components.serving.versions import Version
from components.shared.files.secrets import without_secrets

Model = TypeVar("Model")


class Newest(NamedTuple, Generic[Model]):
    """A loaded version.

    Attributes:
      model: it.
      version: which it is.
      warning: that newer ones are damaged, in a sentence; None where none is.
    """

    model: Model
    version: Version
    warning: str | None


def load_newest(versions: Iterable[Version], load: Callable[[Version], Model]) -> Newest[Model]:
    """Loads the newest version that is not damaged.

    Args:
      versions: at least one, the newest first.
      load: loads one, or raises a DamagedModelError.

    Raises:
      DamagedModelError: every version is; of the newest.
      UserError: the folder cannot be read, or what else `load` raises.
    """
    damaged: list[Version] = []
    first: DamagedModelError | None = None
    for version in versions:
        try:
            model = load(version)
        except DamagedModelError as error:
            damaged.append(version)
            first = first or error
            continue
        return Newest(model, version, _told(damaged, version))
    assert first is not None
    raise first


def _told(damaged: Sequence[Version], taken: Version) -> str | None:
    if not damaged:
        return None
    names = ", ".join(version.name for version in damaged)
    verb = "is" if len(damaged) == 1 else "are"
    return (
        f"version {names} {verb} damaged, and {taken.name} is taken instead; "
        f"remove {without_secrets(damaged[0].path)}, or push again"
    )
