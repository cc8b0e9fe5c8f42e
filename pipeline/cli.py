"""The command line."""

from collections.abc import Sequence
from pathlib import Path

import click

from components.shared.errors import UserError
from pipeline.command_options import comma_separated, config_option, root_of, set_option
from pipeline.config import load_config
from pipeline.console import StepReporter, for_reading, leave, loading, log_file
from pipeline.platforms.command import submit
from pipeline.platforms.registry import PLATFORMS
from pipeline.tuning.command import tune


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From a file of ratings to a gated, pushed NeuMF recommender.

    Exit codes: 0: it ran to its end, whether the model was blessed or not. 2: something that you can mend. 1: a fault
    of the program.
    """


main.add_command(submit)
main.add_command(tune)


@main.command()
@config_option
@set_option
@click.option(
    "--root",
    default=None,
    metavar="DIR",
    help="Where the run keeps everything; default: runs/NAME_OF_THE_CONFIG. Of gs://... or s3://..., artifacts and "
    "models go there, and what must be a file of this machine (metadata, log, checkpoints) to a folder below runs/.",
)
def run(config_path: Path, assignments: Sequence[str], root: str | None) -> None:
    """Run the whole pipeline on this machine."""
    try:
        config = load_config(config_path, assignments)
        folder, store = root_of(root, config_path)
        log = log_file(folder)
    except UserError as error:
        leave(error)
    with for_reading(log) as console:
        with loading(console, "TFX and TensorFlow"):
            from pipeline.local import runner
            from pipeline.local.summary import show
        show(console, runner.run(config, folder, StepReporter(console), store=store), folder, log)


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
        visibility.check_config(config, PLATFORMS[target])
        text = compilation.to_yaml(compilation.compile_pipeline(config, PLATFORMS[target]))
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"--output {output}: cannot write there: {error.strerror}") from None
        console.print(f"{output}: {config.name} for {target}, image {config.cluster.image}", soft_wrap=True)


@main.command()
@click.option("--model", required=True, metavar="DIR", help="A SavedModel, or where versions of it are pushed to.")
@click.option("--user", "users", multiple=True, metavar="ID", help="Whom to recommend to; repeatable.")
@click.option(
    "--items",
    default=None,
    metavar="ID,ID,...",
    help="What somebody did, oldest first, for a user that the model does not know. An id with a comma goes in "
    "quotes: '\"a,b\",c'.",
)
@click.option("-k", "k", type=click.IntRange(min=1), default=10, show_default=True, help="How many items.")
def recommend(model: str, users: Sequence[str], items: str | None, k: int) -> None:
    """Show the best items that a user has not seen yet.

    A user that the model does not know gets items that go with --items, or else the most popular ones. Without --user,
    --items alone says for whom.
    """
    with for_reading() as console:
        given = comma_separated("--items", items) if items is not None else []
        if not users and not given:
            raise UserError("whom to recommend to? Give --user ID, or --items ID,ID,... of what somebody did")
        with loading(console, "the model"):
            from components.serving.recommend import recommend as ask
            from pipeline.recommendation import show
        for found in ask(model, users, k, given):
            show(console, found, len(given))
