"""`python -m pipeline estimate`, and the line of a run."""

import logging
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets
from pipeline.command_options import (
    chosen_pattern,
    config_option,
    files_argument,
    name_of,
    ratings_option,
    root_of,
    root_option,
    set_option,
)
from pipeline.config import Config, load_config
from pipeline.console import for_reading, leave, loading
from pipeline.estimating.counts import Counts

_NAME_WIDTH = 12


@click.command("estimate")
@config_option
@set_option
@ratings_option
@files_argument
@root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, and GB of 10^9 bytes.")
@click.pass_context
def estimate_command(
    context: click.Context,
    config_path: Path,
    assignments: Sequence[str],
    ratings: str | None,
    files: Sequence[str],
    root: str | None,
    as_json: bool,
) -> None:
    """Estimate what a run takes on this machine: rows, time, memory and disk of each step.

    Nothing is run, and of a configuration's files a sample is read; with --ratings, all of them, as `run` does. Warns
    where memory or disk is too small, and says what to change.
    """
    try:
        path = chosen_pattern(context, ratings, files)
        folder, store = root_of(root, config_path.stem if path is None else name_of(path))
    except UserError as error:
        leave(error)
    with for_reading() as console:
        silent = Console(quiet=True) if as_json else console
        config, counts = _looked_at(silent, path, assignments) if path else _configured(config_path, assignments)
        from pipeline.estimating import screen
        from pipeline.estimating.estimate import estimate
        from pipeline.estimating.machine import probe

        found = estimate(config, counts, probe(None if store else folder))
        if as_json:
            console.print(screen.as_json(found), markup=False, soft_wrap=True)
        else:
            screen.show(console, found)


def _looked_at(console: Console, path: str, assignments: Sequence[str]) -> tuple[Config, Counts]:
    with loading(console, "Apache Beam"):
        from pipeline import inspection
        from pipeline.estimating.counts import counts_of

    config, summary = inspection.looked_at(console, path, assignments)
    return config, counts_of(summary)


def _configured(config_path: Path, assignments: Sequence[str]) -> tuple[Config, Counts]:
    from pipeline.estimating.counts import find_counts

    config = load_config(config_path, assignments)
    counts = find_counts(config.dataset.chosen, config.preprocess, config.seed)
    if counts is None:
        raise UserError(f"dataset.kind {config.dataset.kind}: how much that is cannot be told before a run")
    return config, counts


def tell(console: Console, config: Config, counts: Counts | None, root: Path, store: str | None) -> None:
    """Says in a line what a run will take, where that can be told at once; never fails.

    Args:
      console: where to print.
      config: of the run.
      counts: of its data; None where nothing was counted.
      root: the folder that keeps the run.
      store: the folder of a storage that keeps artifacts in its place; None: there is none.
    """
    try:
        _tell(console, config, counts, root, store)
    except Exception as error:  # of whatever: the run says itself what is wrong with its input
        told = without_secrets(str(error)) if isinstance(error, UserError) else type(error).__name__
        logging.getLogger(__name__).info("no estimate: %s", told)


def _tell(console: Console, config: Config, counts: Counts | None, root: Path, store: str | None) -> None:
    from pipeline.estimating import screen
    from pipeline.estimating.counts import find_counts
    from pipeline.estimating.estimate import estimate
    from pipeline.estimating.machine import probe

    elsewhere = config.beam.options() or config.trainer.device not in ("auto", "cpu")
    if elsewhere or config.tuner.trials:
        return
    counts = counts or find_counts(config.dataset.chosen, config.preprocess, config.seed, quick=True)
    if counts is None:
        return
    found = estimate(config, counts, probe(None if store else root))
    cached = ", less what is cached" if (root / "metadata.sqlite").exists() else ""
    console.print(f"{'estimate':<{_NAME_WIDTH}} {screen.in_a_line(found)}{cached}", soft_wrap=True, highlight=False)
    screen.warn(console, found)
