"""The options that several commands have."""

import csv
from pathlib import Path

import click

from components.shared.errors import UserError

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
