"""The command line."""

import functools
from collections.abc import Sequence
from pathlib import Path

import click
from rich.markup import escape

from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets
from pipeline.command_options import (
    chosen_pattern,
    config_option,
    files_argument,
    image_set,
    name_of,
    one_pattern,
    ratings_option,
    root_of,
    root_option,
    set_option,
    write_text,
)
from pipeline.config import load_config
from pipeline.console import StepReporter, for_reading, leave, loading, log_file
from pipeline.estimating.command import estimate_command, tell
from pipeline.kubeflow.kserve import kserve
from pipeline.kubeflow.tfjob_command import tfjob
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


main.add_command(estimate_command)
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
@ratings_option
@files_argument
@root_option
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
    try:
        path = chosen_pattern(context, ratings, files)
        config = load_config(config_path, assignments) if path is None else None
        folder, store = root_of(root, config_path.stem if path is None else name_of(path))
        log = log_file(folder)
    except UserError as error:
        leave(error)
    with for_reading(log) as console:
        with loading(console, "TFX and TensorFlow"):
            from pipeline import inspection
            from pipeline.estimating.counts import counts_of
            from pipeline.local import runner
            from pipeline.local.summary import show
            from pipeline.tracking import local as tracking
        counts = None
        if config is None:
            config, summary = inspection.looked_at(console, str(path), assignments)
            counts = counts_of(summary)
        tell(console, config, counts, folder, store)
        reporter = StepReporter(console)
        go = functools.partial(runner.run, config, folder, reporter, store=store, repair=repair)
        show(console, tracking.told(config, f"{config.name}-{log.stem}", go, reporter.say), folder, log)


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


@main.group("compile", invoke_without_command=True, subcommand_metavar="[tfjob ...]")
@config_option
@set_option
@click.option("--target", type=click.Choice(list(PLATFORMS)), default="kfp", show_default=True)
@click.option("--image", default=None, help="The image of all steps: the same as --set cluster.image=IMAGE.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="kfp_pipeline.yaml", show_default=True)
@click.pass_context
def compile_command(
    context: click.Context, config_path: Path, assignments: Sequence[str], target: str, image: str | None, output: Path
) -> None:
    """Compile the pipeline for a platform, or its Trainer for several workers.

    What each run may choose has its default from the configuration; everything else is fixed here.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context, context.invoked_subcommand)
        return
    with for_reading() as console:
        config = load_config(config_path, [*assignments, *image_set(image)])
        with loading(console, "TFX"):
            from pipeline.platforms import compilation, visibility
        platform = PLATFORMS[target]
        visibility.check_config(config, platform)
        spec = compilation.compile_pipeline(config, platform)
        compilation.finish(spec, config)
        write_text(output, compilation.to_yaml(spec, config, platform))
        console.print(f"{output}: {config.name} for {target}, image {config.cluster.image}", soft_wrap=True)


def _refuse_options_before(context: click.Context, command: str) -> None:
    for parameter in context.command.params:
        if context.get_parameter_source(str(parameter.name)) is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(
                f"{parameter.opts[-1]} stands behind {command}: compile {command} {parameter.opts[-1]} ..."
            )


compile_command.add_command(tfjob)
