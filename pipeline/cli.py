"""The command line."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets
from pipeline.command_options import (
    config_option,
    name_of,
    one_pattern,
    root_of,
    set_option,
    write_text,
)
from pipeline.config import Config, config_of, load_config
from pipeline.console import StepReporter, for_reading, leave, loading, log_file
from pipeline.kubeflow.kserve import kserve
from pipeline.platforms.command import submit
from pipeline.platforms.registry import PLATFORMS
from pipeline.platforms.schedule_command import schedule
from pipeline.recommending.command import export_vectors, recommend
from pipeline.runs.command import runs
from pipeline.service.command import serve
from pipeline.tuning.command import tune


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From a file of ratings to a gated, pushed NeuMF recommender.

    Exit codes: 0: it ran to its end, whether the model was blessed or not. 2: something that you can mend. 1: a fault
    of the program.
    """


main.add_command(export_vectors)
main.add_command(kserve)
main.add_command(recommend)
main.add_command(runs)
main.add_command(schedule)
main.add_command(serve)
main.add_command(submit)
main.add_command(tune)


@main.command()
@config_option
@set_option
@click.option(
    "--ratings",
    metavar="FILES",
    help="Instead of a configuration: a file of interactions or a glob, on this machine or a storage. How it is to be "
    "read is found by looking, as `init` does.",
)
@click.argument("files", nargs=-1, metavar="")
@click.option(
    "--root",
    default=None,
    metavar="DIR",
    help="Where the run keeps everything; default: runs/NAME_OF_THE_CONFIG. Of gs://... or s3://..., artifacts and "
    "models go there, and what must be a file of this machine (metadata, log, checkpoints) to a folder below runs/.",
)
@click.option(
    "--repair",
    is_flag=True,
    help="Where the root's metadata.sqlite is damaged: set it aside and begin a new one. Steps run again; artifacts "
    "and pushed models stay.",
)
@click.pass_context
def run(
    context: click.Context,
    config_path: Path,
    assignments: Sequence[str],
    ratings: str | None,
    files: Sequence[str],
    root: str | None,
    repair: bool,
) -> None:
    """Run the whole pipeline on this machine."""
    # A shell makes several files of a glob: the first is the option's value, the others are arguments.
    if files and ratings is None:
        raise click.UsageError(f"Got unexpected extra argument ({files[0]}): which files to read, --ratings says")
    if ratings is not None and context.get_parameter_source("config_path") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--ratings stands instead of --config: in a configuration, set dataset.path")
    try:
        path = None if ratings is None else one_pattern([ratings, *files])
        config = load_config(config_path, assignments) if path is None else None
        folder, store = root_of(root, config_path.stem if path is None else name_of(path))
        log = log_file(folder)
    except UserError as error:
        leave(error)
    with for_reading(log) as console:
        with loading(console, "TFX and TensorFlow"):
            from pipeline.local import runner
            from pipeline.local.summary import show
            from pipeline.tracking import local as tracking
        chosen = config or _look_at(console, str(path), assignments)
        reporter = StepReporter(console)
        outcomes = tracking.told(
            chosen,
            f"{chosen.name}-{log.stem}",
            lambda: runner.run(chosen, folder, reporter, store=store, repair=repair),
            reporter.say,
        )
        show(console, outcomes, folder, log)


def _look_at(console: Console, path: str, assignments: Sequence[str]) -> Config:
    """The configuration that some files ask for; says what is assumed."""
    from pipeline import inspection

    with console.status(escape(f"looking at {without_secrets(path)}")):
        found = inspection.found_in(path, assignments)
    for line in inspection.assumed(found):
        console.print(line, markup=False, soft_wrap=True)
    return config_of(inspection.tree_of(found, assignments), path, assignments)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it here instead of on the screen.")
@set_option
def init(files: Sequence[str], output: Path | None, assignments: Sequence[str]) -> None:
    """Look at files of interactions and write a configuration for them.

    It says in comments what was found (format, columns, ids, times, counts, what each filter drops) and what is
    doubtful. A key that you know better is set with --set, and the rest is found with it.
    """
    with for_reading() as console:
        path = one_pattern(files)
        if output is not None and output.exists():
            raise UserError(f"--output {output}: is there already; choose another name, or remove it")
        with loading(console, "Apache Beam"):
            from pipeline import inspection
        with console.status(escape(f"looking at {without_secrets(path)}")):
            found = inspection.found_in(path, assignments)
        text = inspection.as_yaml(found, assignments)
        if output is None:
            console.print(text, end="", markup=False, soft_wrap=True)
            return
        write_text(output, text)
        for line in inspection.assumed(found):
            console.print(line, markup=False, soft_wrap=True)
        console.print(
            f"{output}: written; next: python -m pipeline run --config {output}", markup=False, soft_wrap=True
        )


@main.command("compile")
@config_option
@set_option
@click.option("--target", type=click.Choice(list(PLATFORMS)), default="kfp", show_default=True)
@click.option("--image", default=None, help="The image of all steps: the same as --set cluster.image=IMAGE.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="kfp_pipeline.yaml", show_default=True)
def compile_command(
    config_path: Path, assignments: Sequence[str], target: str, image: str | None, output: Path
) -> None:
    """Compile the pipeline for a platform.

    What each run may choose has its default from the configuration; everything else is fixed here.
    """
    with for_reading() as console:
        config = load_config(config_path, [*assignments, *([f"cluster.image={image}"] if image else [])])
        with loading(console, "TFX"):
            from pipeline.platforms import compilation, visibility
        platform = PLATFORMS[target]
        visibility.check_config(config, platform)
        spec = compilation.compile_pipeline(config, platform)
        compilation.finish(spec, config)
        write_text(output, compilation.to_yaml(spec, config, platform))
        console.print(f"{output}: {config.name} for {target}, image {config.cluster.image}", soft_wrap=True)
