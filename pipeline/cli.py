"""The command line."""

from collections.abc import Sequence
from pathlib import Path

import click

from components.shared.errors import UserError
from pipeline.config import Target, load_config
from pipeline.console import StepReporter, for_reading, leave, log_file

_DEFAULT_CONFIG = Path(__file__).resolve().parents[1] / "configs" / "synthetic.yaml"

_config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=_DEFAULT_CONFIG,
    show_default=False,
    help="YAML file; default: the synthetic demonstration.",
)
_set_option = click.option(
    "--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From a file of ratings to a gated, pushed NeuMF recommender.

    Exit codes: 0: it ran to its end, whether the model was blessed or not. 2: something that you can mend. 1: a fault
    of the program.
    """


@main.command()
@_config_option
@_set_option
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=None,
    help="Where the run keeps everything; default: runs/NAME_OF_THE_CONFIG.",
)
def run(config_path: Path, assignments: Sequence[str], root: Path | None) -> None:
    """Run the whole pipeline on this machine."""
    try:
        config = load_config(config_path, assignments)
        root = (root or Path("runs") / config_path.stem).absolute()
        log = log_file(root)
    except UserError as error:
        leave(error)
    with for_reading(log) as console:
        with console.status("loading TFX and TensorFlow"):
            from pipeline.local import runner
            from pipeline.local.summary import show
        show(console, runner.run(config, root, StepReporter(console)), root, log)


@main.command("compile")
@_config_option
@_set_option
@click.option("--target", type=click.Choice(["kfp", "vertex"]), default="kfp", show_default=True)
@click.option("--image", default=None, help="The image of all steps: the same as --set cluster.image=IMAGE.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="kfp_pipeline.yaml", show_default=True)
def compile_command(
    config_path: Path, assignments: Sequence[str], target: Target, image: str | None, output: Path
) -> None:
    """Compile the pipeline for Kubeflow Pipelines v2 or Vertex AI Pipelines.

    What each run may choose has its default from the configuration; everything else is fixed here.
    """
    with for_reading() as console:
        config = load_config(config_path, [*assignments, *([f"cluster.image={image}"] if image else [])])
        with console.status("loading TFX"):
            from pipeline import compilation
        text = compilation.to_yaml(compilation.compile_pipeline(config, target))
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"--output {output}: cannot write there: {error.strerror}") from None
        console.print(f"{output}: {config.name} for {target}, image {config.cluster.image}", soft_wrap=True)


@main.command()
@_config_option
@_set_option
@click.option("--target", type=click.Choice(["kfp", "vertex"]), required=True)
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Choose one value for this run.")
@click.option("--no-cache", is_flag=True, help="Run every step, even where an earlier run's result would do.")
@click.option("--watch", is_flag=True, help="Follow the run to its end.")
@click.option("--pipeline-root", default=None, metavar="URI", help="Where artifacts go; Vertex needs it (gs://...).")
@click.option("--service-account", default=None, help="That the steps run as.")
@click.option("--host", default=None, metavar="URL", help="kfp: address of Kubeflow Pipelines.")
@click.option("--experiment", default="neumf", show_default=True, help="kfp: that the run belongs to.")
@click.option("--namespace", default=None, help="kfp: your namespace, where the installation has several.")
@click.option("--existing-token", envvar="KFP_TOKEN", default=None, help="kfp: bearer token; better in $KFP_TOKEN.")
@click.option("--ssl-ca-cert", type=click.Path(exists=True), default=None, help="kfp: file of certificates to trust.")
@click.option("--disable-ssl-verification", is_flag=True, help="kfp: do not check the server's certificate.")
@click.option("--project", default=None, help="vertex: Google Cloud project.")
@click.option("--region", default=None, help="vertex: such as us-central1.")
def submit(
    config_path: Path,
    assignments: Sequence[str],
    target: Target,
    parameters: Sequence[str],
    no_cache: bool,
    watch: bool,
    pipeline_root: str | None,
    service_account: str | None,
    **options: str | bool | None,
) -> None:
    """Compile the pipeline, start a run of it and print its link.

    The parameters that --param does not name have the configuration's values.
    """
    with for_reading() as console:
        with console.status("loading TFX"):
            from pipeline import submission
        run = submission.prepare(config_path, assignments, parameters, target, cache=not no_cache)
        platform = submission.connect(target, pipeline_root, service_account, options)
        started = platform.start(run)
        console.print(f"{run.name}: {started.link}", soft_wrap=True)
        if watch:
            submission.follow(platform, started, lambda line: console.print(line, soft_wrap=True))


@main.command()
@click.option("--model", required=True, metavar="DIR", help="A SavedModel, or where versions of it are pushed to.")
@click.option("--user", "users", required=True, multiple=True, metavar="ID", help="Whom to recommend to; repeatable.")
@click.option("-k", "k", type=click.IntRange(min=1), default=10, show_default=True, help="How many items.")
def recommend(model: str, users: Sequence[str], k: int) -> None:
    """Show the best items that a user has not met yet.

    A user that the model does not know gets the most popular items.
    """
    with for_reading() as console:
        with console.status("loading the model"):
            from components.serving.recommend import recommend as ask
            from pipeline.recommendation import show
        for found in ask(model, users, k):
            show(console, found)
