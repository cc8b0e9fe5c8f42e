"""`python -m pipeline compile tfjob`: training on several workers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
import yaml

from components.shared.errors import UserError
from components.shared.files.places import is_remote, is_web
from components.shared.files.secrets import without_secrets
from pipeline.command_options import config_option, image_set, set_option, write_text
from pipeline.config import Config, load_config
from pipeline.console import for_reading, loading
from pipeline.kubeflow.platform import Kubeflow
from pipeline.kubeflow.tfjob import manifest
from pipeline.platforms.images import check_in_registry
from pipeline.platforms.visibility import check_storage

_HEADER = "# Made by `python -m pipeline compile tfjob`. Change the configuration, not this file.\n"


@click.command(short_help="The manifest of a TFJob, for several workers.")
@config_option
@set_option
@click.option("--workers", type=click.IntRange(min=2), default=2, show_default=True, help="How many train together.")
@click.option("--image", default=None, help="That all of them run: the same as --set cluster.image=IMAGE.")
@click.option("--examples", required=True, metavar="URI", help="NegativeGen's examples.")
@click.option("--interactions", required=True, metavar="URI", help="Preprocess' interactions.")
@click.option("--vocabulary", required=True, metavar="URI", help="Preprocess' vocabulary.")
@click.option("--root", required=True, metavar="DIR", help="Folder that receives the artifacts of the steps.")
@click.option("--name", default=None, help="Of the job; default: NAME_OF_THE_CONFIG-trainer.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it here instead of on the screen.")
def tfjob(
    config_path: Path,
    assignments: Sequence[str],
    workers: int,
    image: str | None,
    examples: str,
    interactions: str,
    vocabulary: str,
    root: str,
    name: str | None,
    output: Path | None,
) -> None:
    """Write the manifest of a TFJob: several workers of a cluster train, and one of them evaluates and pushes.

    They go on from what Preprocess and NegativeGen of a run have left, at places that all of them see: gs://...,
    s3://..., or a folder of a volume of cluster.steps.Trainer.volumes. The manifest is for `kubectl apply`; nothing is
    sent anywhere.
    """
    with for_reading() as console:
        config = load_config(config_path, [*assignments, *image_set(image)])
        places = {"--examples": examples, "--interactions": interactions, "--vocabulary": vocabulary, "--root": root}
        check(config, workers, places)
        with loading(console, "TFX"):
            from pipeline.kubeflow import worker_steps
        inputs = {"examples": examples, "interactions": interactions, "vocabulary": vocabulary}
        job = manifest(
            name or f"{config.name}-trainer",
            workers,
            config.cluster.image,
            worker_steps.command(config, inputs, root),
            config.cluster.pod("Trainer"),
            _accelerators(config),
        )
        text = _HEADER + yaml.safe_dump(job, sort_keys=False, width=120, allow_unicode=True)
        if output is None:
            console.print(text, end="", markup=False, soft_wrap=True)
            return
        write_text(output, text)
        console.print(
            f"{output}: {workers} workers, image {config.cluster.image}; next: kubectl apply -f {output}",
            markup=False,
            soft_wrap=True,
        )


def check(config: Config, workers: int, places: Mapping[str, str]) -> None:
    """Sees whether several workers can train what is configured, at places that all of them see.

    Args:
      config: of the run.
      workers: how many.
      places: what the steps read, and the folder that they write to, by the option that says so.

    Raises:
      UserError: they cannot, or no image is named; says what to change.
    """
    trainer, device = config.trainer, config.trainer.device
    if device not in ("auto", "multiworker"):
        raise UserError(f"trainer.device: {device} is one machine; for several workers set multiworker, or auto")
    if config.tuner.trials:
        raise UserError(
            "tuner.trials: this trains what is configured, and tunes nothing; set what was found, and tuner.trials=0"
        )
    check_in_registry(config.cluster.image, "--image ")
    replicas = workers * sum(_accelerators(config).values() or [1])
    if isinstance(trainer.batch_size, int) and trainer.batch_size % replicas:
        raise UserError(
            f"trainer.batch_size is {trainer.batch_size:,}, which {replicas} devices cannot share equally; take a "
            f"multiple of {replicas}"
        )
    written = {"--root": places["--root"], "pusher.destination": config.pusher.destination or places["--root"]}
    mounted = config.cluster.pod("Trainer").volumes
    for option, place in {**places, **written}.items():
        _check_place(option, place, mounted)
        if option in written and is_web(place):
            raise UserError(f"{option} {without_secrets(place)} can only be read, as web addresses are")


def _check_place(option: str, place: str, mounted: Iterable[str]) -> None:
    if place.startswith("minio://"):
        raise UserError(
            f"{option} {place}: a TFJob has no launcher that copies this; its pods reach the same files as "
            f"s3://{place.removeprefix('minio://')}, with cluster.s3_endpoint and credentials in their environment"
        )
    if is_remote(place):
        check_storage(f"{option} {without_secrets(place)}", place)
        return
    if any(f"{place}/".startswith(f"{folder.rstrip('/')}/") for folder in mounted):
        return
    raise UserError(
        f"{option} {place}: not all workers can see this; name gs://..., s3://..., or a folder of a volume, which "
        "cluster.steps.Trainer.volumes={FOLDER: CLAIM} mounts into each"
    )


def _accelerators(config: Config) -> dict[str, int]:
    """What each worker asks for besides cores and memory: resources of the cluster, and how many."""
    cluster = config.cluster
    if cluster.accelerator is None:
        return {}
    return {Kubeflow().accelerator(cluster.accelerator): cluster.accelerator_count}
