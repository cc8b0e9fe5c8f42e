"""A platform's options: a dataclass, and from it the options of its command."""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

import click


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every platform may be told.

    Each platform adds fields of its own. A field of the type `bool` is a flag; one without default must be given. Its
    metadata are what `click.Option` takes: `help`, `metavar`, `envvar`, ...

    Attributes:
      pipeline_root: where artifacts go; None: the platform's own place for them.
      service_account: that the steps run as; None: the platform's default.
    """

    pipeline_root: str | None = field(
        default=None, metadata={"metavar": "URI", "help": "Where artifacts go; default: the platform's own place."}
    )
    service_account: str | None = field(
        default=None,
        metadata={"metavar": "NAME", "help": "Account that the steps run as; default: the platform's own."},
    )


def click_options(kind: type[Options]) -> list[click.Option]:
    """The options of a command that is to make a `kind`: first those that must be given."""
    return sorted(map(_click_option, fields(kind)), key=lambda option: not option.required)


def _click_option(of: Field[Any]) -> click.Option:
    name = f"--{of.name.replace('_', '-')}"
    if of.default is MISSING:
        return click.Option([name], required=True, **of.metadata)
    return click.Option(
        [name], default=of.default, is_flag=of.type is bool, show_default=bool(of.default), **of.metadata
    )
