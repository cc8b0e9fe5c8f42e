"""The options that several commands have."""

import csv
import re
from pathlib import Path

import click

from components.shared.errors import UserError
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


def comma_separated(option: str, text: str) -> list[str]:
    """The values that an option gives at once, as a line of a CSV file does.

    Raises:
      UserError: it is no such line, or a value is empty.
    """
    try:
        values = [value for line in csv.reader([text], strict=True) for value in line]
    except csv.Error as error:
        raise UserError(f"{option} {text!r}: values and commas are expected, on one line ({error})") from None
    if "" in values:
        raise UserError(f"{option} {text}: there is nothing before or after one of the commas")
    return values


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
