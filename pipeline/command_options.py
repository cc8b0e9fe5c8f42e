"""The options that several commands have."""

import re
from pathlib import Path

import click

from components.shared.files.places import expanded, is_remote
from components.shared.files.secrets import without_secrets

_DEFAULT_CONFIG = Path(__file__).resolve().parents[1] / "configs" / "synthetic.yaml"

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=_DEFAULT_CONFIG,
    show_default=False,
    help="YAML file; default: the synthetic demonstration.",
)
set_option = click.option(
    "--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it."
)


def root_of(root: str | None, config_path: Path) -> tuple[Path, str | None]:
    """The folder of this machine that keeps a run, and that of a storage for what may lie elsewhere.

    Args:
      root: what `--root` says.
      config_path: of the configuration, whose name is the default.

    Returns:
      The folder, absolute; and the name on a storage, None where everything is in the folder.
    """
    if root is None:
        return (Path("runs") / config_path.stem).absolute(), None
    if not is_remote(root):
        return Path(expanded(root)).absolute(), None
    return (Path("runs") / re.sub(r"[^\w.-]+", "-", without_secrets(root)).strip("-")).absolute(), root.rstrip("/")
