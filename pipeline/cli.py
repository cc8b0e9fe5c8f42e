"""The command line."""

import datetime
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from components.errors import UserError, find_user_error
from pipeline.config import Config, load_config
from pipeline.console import StepReporter, noise_to_file

_DEFAULT_CONFIG = Path(__file__).resolve().parents[1] / "configs" / "synthetic.yaml"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From a file of ratings to a gated, pushed NeuMF recommender."""


@main.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=_DEFAULT_CONFIG,
    show_default=False,
    help="YAML file; default: configs/synthetic.yaml.",
)
@click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=None,
    help="Where the run keeps everything; default: runs/NAME_OF_THE_CONFIG.",
)
def run(config_path: Path, assignments: Sequence[str], root: Path | None) -> None:
    """Run the whole pipeline on this machine.

    Exit code 0: it ran to its end, whether the model was blessed or not. 2: something that you can mend. 1: a fault
    of the program.
    """
    try:
        config = load_config(config_path, assignments)
        _run_locally(config, (root or Path("runs") / config_path.stem).absolute())
    except UserError as error:
        _leave(error)


def _run_locally(config: Config, root: Path) -> None:
    log = _log_file(root)
    error: BaseException | None = None
    with noise_to_file(log) as screen:
        # A file or a pipe has no width of its own: lines are then as long as they need to be.
        console = Console(file=screen, highlight=False, width=None if screen.isatty() else 160)
        try:
            with console.status("loading TFX and TensorFlow"):
                from pipeline.local_runner import run
                from pipeline.pipeline import Places
                from pipeline.summary import show
            places = Places(str(root))
            outcomes = run(config, places, StepReporter(console))
            show(console, outcomes, places, log)
        except (Exception, KeyboardInterrupt) as raised:
            logging.getLogger(__name__).exception("the run failed")
            error = raised
    if error is not None:
        _leave(error, log)


def _log_file(root: Path) -> Path:
    log = root / "logs" / f"{datetime.datetime.now():%Y%m%d-%H%M%S}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise UserError(f"--root {root}: cannot write there: {error.strerror}; choose another --root") from None
    return log


def _leave(error: BaseException, log: Path | None = None) -> NoReturn:
    """Ends the process with one line that says what went wrong."""
    if isinstance(error, KeyboardInterrupt):
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(130)
    if user_error := find_user_error(error):
        click.echo(f"error: {user_error}", err=True)
        sys.exit(2)
    last = (str(error).strip() or type(error).__name__).splitlines()[-1]
    click.echo(f"internal error: {last}\nThe traceback is in {log}", err=True)
    sys.exit(1)
