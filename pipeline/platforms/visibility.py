"""What the steps of a compiled pipeline can see: not the files of the machine that it is compiled on."""

import os
from collections.abc import Mapping
from typing import Any

from components.preprocess.datasets import DATASETS
from components.shared.errors import UserError
from components.shared.files.places import expanded, is_remote, is_web
from components.shared.files.secrets import without_secrets
from pipeline.config import Config
from pipeline.platforms.base import Platform

_READ = {"path": "dataset.path", "mirror": "dataset.mirror", "titles": "dataset.titles.path"}
_PARAMETERS = {"dataset.path": "ratings", "pusher.destination": "push_destination"}


def check_config(config: Config, platform: Platform[Any]) -> None:
    """Sees whether the steps can see what a configuration names.

    Raises:
      UserError: they cannot; names the key.
    """
    _check(config.dataset.kind, _names(config), config.pusher.destination, platform)


def check_values(config: Config, values: Mapping[str, Any], platform: Platform[Any]) -> None:
    """The same with the values of a run's parameters on top.

    Raises:
      UserError: as `check_config`.
    """
    names = {**_names(config), "path": values["ratings"]}
    _check(values["dataset"], names, values["push_destination"], platform)


def check_pipeline_root(root: str | None, platform: Platform[Any]) -> None:
    """Sees whether artifacts can go to a place.

    Raises:
      UserError: it is one of this machine.
    """
    if root and not is_remote(root):
        raise UserError(
            f"--pipeline-root {root}: {platform.title} keeps artifacts on a storage; name gs://BUCKET/FOLDER"
        )


def _names(config: Config) -> dict[str, str | None]:
    """What the section `dataset` reads, by its keys."""
    names = {field: getattr(config.dataset, field) for field in _READ}
    return {**names, "titles": names["titles"] and names["titles"].path}


def _check(kind: str, names: Mapping[str, str | None], destination: str | None, platform: Platform[Any]) -> None:
    read = {key: names[field] for field, key in _READ.items() if field in DATASETS[kind].model_fields}
    for key, name in {**read, "pusher.destination": destination}.items():
        if name:
            _check_place(key, name, platform)
    if destination and is_web(destination):
        raise UserError(f"pusher.destination: {without_secrets(destination)} can only be read, as web addresses are")


def _check_place(key: str, name: str, platform: Platform[Any]) -> None:
    parameter = f" ({_PARAMETERS[key]})" if key in _PARAMETERS else ""
    shown = f"{key}{parameter}: {without_secrets(name)}"
    if name.startswith("minio://"):
        raise UserError(
            f"{shown} is for artifacts alone, which the launcher copies; steps reach the same files as "
            f"s3://{name.removeprefix('minio://')}, with AWS_ENDPOINT_URL and credentials in their environment"
        )
    if is_remote(name) or (os.path.isabs(expanded(name)) and not _is_at_home(name) and platform.sees_path(name)):
        return
    raise UserError(
        f"{shown} is a path of this machine, which no step on {platform.title} can see; name gs://..., s3://... "
        f"or {platform.visible_paths}"
    )


def _is_at_home(name: str) -> bool:
    home = os.path.expanduser("~")
    return name.startswith(("~", "file://~")) or (
        home not in ("", "/") and os.path.commonpath([home, expanded(name)]) == home
    )
