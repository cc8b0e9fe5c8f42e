"""`python -m pipeline runs`."""

from pathlib import Path

import click

from components.shared.errors import UserError
from pipeline.console import for_reading, loading

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def runs() -> None:
    """Look at runs on this machine, and tidy up.

    A run is named by its root, then the newest evaluation there is meant, or by ROOT:NUMBER.
    """


@runs.command("list")
@click.argument("folder", type=_FOLDER, default=Path("runs"))
def list_command(folder: Path) -> None:
    """List the runs of a root, or of all roots in FOLDER (default: runs)."""
    with for_reading() as console:
        from pipeline.runs import found, shown

        runs_there = found.runs_below(folder)
        if not runs_there:
            raise UserError(f"{folder}: there is no run that was evaluated")
        shown.show_list(console, runs_there)


@runs.command()
@click.argument("run")
def show(run: str) -> None:
    """Show what a run found, and what lies in its root."""
    with for_reading() as console:
        from pipeline.runs import found, shown

        shown.show_one(console, found.run_named(run))


@runs.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN...")
def compare(names: tuple[str, ...]) -> None:
    """Hold the verdicts and metrics of runs side by side."""
    with for_reading() as console:
        from pipeline.runs import found, shown

        shown.compare(console, list(map(found.run_named, names)))


@runs.command()
@click.argument("root", type=_FOLDER)
@click.option("--yes", is_flag=True, help="Delete; without it, only say what would be deleted.")
def prune(root: Path, yes: bool) -> None:
    """Delete what a root no longer needs.

    Kept are the artifacts of each step's newest execution, those that led to a pushed model that is still there, pushed
    models themselves (the champion among them), checkpoints, the metadata, and the newest logs.
    """
    with for_reading() as console:
        if not (root / "metadata.sqlite").is_file():
            raise UserError(f"{root}: there is no metadata.sqlite, so nobody can tell what is needed there")
        with loading(console, "TFX"):
            from pipeline.local import metadata_file
            from pipeline.local.runner import exclusive
            from pipeline.runs import pruning
        with exclusive(root):
            metadata_file.prepare(str(root / "metadata.sqlite"), str(root / "artifacts"), repair=False)
            found = list(pruning.leftovers(root))
            size = sum(leftover.size for leftover in found)
            for leftover in found:
                console.print(f"{leftover.path}  {leftover.size / 1e6:,.1f} MB: {leftover.why}", markup=False)
                if yes:
                    leftover.remove()
        done = "deleted" if yes else "would be deleted; --yes does it"
        console.print(f"{len(found):,} files and folders, {size / 1e6:,.1f} MB {done}", markup=False)
