"""The command `tune`."""

from collections.abc import Sequence
from pathlib import Path

import click

from components.shared.errors import UserError
from components.trainer.tuning.workers import share_cores
from pipeline.command_options import config_option, root_of, set_option
from pipeline.config import load_config, read_tree
from pipeline.console import for_reading, leave, loading, log_file


@click.command()
@config_option
@set_option
@click.option("--trials", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many trainings.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="At most so long, data steps included.",
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Trainings at once.")
@click.option(
    "--keys", default=None, metavar="KEY,KEY", help="Tune these of the section trainer; default: all there are."
)
@click.option(
    "--root",
    default=None,
    metavar="DIR",
    help="Where everything is kept, as that of `run`; default: runs/NAME_OF_THE_CONFIG.",
)
def tune(
    config_path: Path,
    assignments: Sequence[str],
    trials: int,
    minutes: float,
    workers: int,
    keys: str | None,
    root: str | None,
) -> None:
    """Find better values for the section `trainer`, on validation.

    The test split is never read. Both limits are those of the whole study: the same command goes on with one that was
    interrupted, and larger limits go on with one that had ended.
    """
    # Optuna, which the other commands need not wait for.
    from components.trainer.tuning.space import parse_keys

    try:
        config, chosen = load_config(config_path, assignments), parse_keys(keys)
        share_cores(workers)
        folder, store = root_of(root, config_path.stem)
        if store is not None:
            raise UserError(f"--root {store}: a study is kept on this machine; name a folder")
        log = log_file(folder)
    except UserError as error:
        leave(error)
    with for_reading(log) as console:
        with loading(console, "TFX and TensorFlow"):
            from pipeline.tuning import run
        request = run.Request(
            config, read_tree(config_path, assignments), folder, trials, 60 * minutes, workers, chosen
        )
        run.tune(request, console, log)
