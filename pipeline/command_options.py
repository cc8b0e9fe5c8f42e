"""The options that several commands have."""

import csv
import glob
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import click

from components.shared.errors import UserError
from components.shared.files import reading
from components.shared.files.places import absolute, is_remote, plain_path
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
ratings_option = click.option(
    "--ratings",
    metavar="FILES",
    help="Instead of a configuration: a file of interactions or a glob, on this machine or a storage. How it is to be "
    "read is found by looking, as `init` does.",
)
# A shell makes several files of a glob: the first is the value of --ratings, the others are arguments.
files_argument = click.argument("files", nargs=-1, metavar="")
root_option = click.option(
    "--root",
    default=None,
    metavar="DIR",
    help="Where the run keeps everything; default: runs/NAME_OF_THE_CONFIG. Of gs://... or s3://..., artifacts and "
    "models go there, and what must be a file of this machine (metadata, log, checkpoints) to a folder below runs/.",
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


def chosen_pattern(context: click.Context, ratings: str | None, files: Sequence[str]) -> str | None:
    """What stands for the files that `--ratings` asks for; None where a configuration says what to read.

    Raises:
      click.UsageError: there are files without it, or a configuration beside it.
      UserError: see `one_pattern`.
    """
    if files and ratings is None:
        raise click.UsageError(f"Got unexpected extra argument ({files[0]}): which files to read, --ratings says")
    if ratings is None:
        return None
    if context.get_parameter_source("config_path") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--ratings stands instead of --config: in a configuration, set dataset.path")
    return one_pattern([ratings, *files])


def one_pattern(files: Sequence[str]) -> str:
    """What stands for some files, as a shell lists them: the one, or a glob that finds them and no others.

    Example:
      "clicks-1.csv" and "clicks-2.csv" are "clicks-*.csv".

    Raises:
      UserError: there is no such glob.
    """
    if len(files) == 1:
        return files[0]
    start = _common_start(files)
    end = _common_start([file[len(start) :][::-1] for file in files])[::-1]
    pattern = f"{glob.escape(start)}*{glob.escape(end)}"
    if sorted(reading.match(pattern)) != sorted(files):
        raise UserError(f"{' '.join(files)}: no glob finds these alone; put them into a folder, or give one in quotes")
    return pattern


def name_of(path: str) -> str:
    """What a run of some files is called.

    Example:
      "s3://shop/clicks-*.csv.gz" is "clicks", and so is "https://host/clicks.csv?token=abc".
    """
    file = re.sub(r"(\.[a-z0-9]+)+$", "", plain_path(path).lower().rpartition("/")[2])
    return re.sub(r"[^a-z0-9]+", "-", file).strip("-") or "ratings"


def _common_start(texts: Sequence[str]) -> str:
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


def root_of(root: str | None, name: str) -> tuple[Path, str | None]:
    """The folder of this machine that keeps a run, and that of a storage for what may lie elsewhere.

    Args:
      root: what `--root` says.
      name: of the run, for the default.

    Returns:
      The folder, absolute; and the name on a storage, None where everything is in the folder.

    Raises:
      UserError: see `absolute`.
    """
    if root is None:
        return (Path("runs") / name).absolute(), None
    if not is_remote(root):
        return Path(absolute(root)), None
    return (Path("runs") / re.sub(r"[^\w.-]+", "-", without_secrets(root)).strip("-")).absolute(), root.rstrip("/")


def image_set(image: str | None) -> list[str]:
    """What `--image` sets on top of a configuration.

    Raises:
      UserError: it is empty, as it is of a variable that is not set.
    """
    if image == "":
        raise UserError("--image: is empty; name the image that the steps run in, such as REGISTRY/neumf-pipeline:1")
    return [] if image is None else [f"cluster.image={image}"]


def write_text(output: Path, text: str) -> None:
    """Writes what a command was asked for with `--output`.

    Raises:
      UserError: the file cannot be written.
    """
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--output {output}: cannot write there: {error.strerror}") from None
