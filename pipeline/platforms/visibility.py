"""What the steps of a compiled pipeline can see: not the files of the machine that it is compiled on."""

import os
import re
from collections.abc import Mapping
from typing import Any

from components.preprocess.datasets import DATASETS
from components.shared.errors import UserError
from components.shared.files.places import expanded, is_remote, is_web
from components.shared.files.secrets import without_secrets
from pipeline.config import Config
from pipeline.platforms.base import Platform

_READ = {"path": "dataset.path", "mirror": "dataset.mirror", "titles": "dataset.titles.path"}
_IN_BUCKETS = ("gs", "gcs", "s3", "s3a", "minio")
_PARAMETERS = {"dataset.path": "ratings", "pusher.destination": "push_destination"}


def check_config(config: Config, platform: Platform[Any]) -> None:
    """Sees whether the steps can see what a configuration names.

    Raises:
      UserError: they cannot; names the key.
    """
    _check(config.dataset.kind, _names(config), config.pusher.destination, platform)
    _check_server(config.tracking.mlflow, platform)


def check_values(config: Config, values: Mapping[str, Any], platform: Platform[Any]) -> None:
    """The same with the values of a run's parameters on top.

    Raises:
      UserError: as `check_config`.
    """
    names = {**_names(config), "path": values["ratings"]}
    _check(values["dataset"], names, values["push_destination"], platform)
    _check_server(config.tracking.mlflow, platform)


def check_pipeline_root(root: str | None, platform: Platform[Any]) -> None:
    """Sees whether artifacts can go to a place.

    Raises:
      UserError: it is one of this machine, can only be read, or names no bucket.
    """
    if root and (not is_remote(root) or is_web(root) or _names_no_bucket(root)):
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
    if is_remote(name):
        check_storage(shown, name)
        return
    if os.path.isabs(expanded(name)) and not _is_at_home(name) and platform.sees_path(name):
        return
    raise UserError(
        f"{shown} is a path of this machine, which no step on {platform.title} can see; name gs://..., s3://... "
        f"or {platform.visible_paths}"
    )


def _check_server(uri: str | None, platform: Platform[Any]) -> None:
    """MLflow takes folders and files of databases too; `databricks` is a server by its name."""
    found = re.fullmatch(r"(?!databricks)(?:file://|sqlite:///)?([^:$]+)", uri or "")
    if found and not (found[1].startswith("/") and not _is_at_home(found[1]) and platform.sees_path(found[1])):
        raise UserError(
            f"tracking.mlflow: {uri} is a place of this machine, which no step on {platform.title} can see; name a "
            f"server, such as https://mlflow.example.org, or {platform.visible_paths}"
        )


def check_storage(shown: str, name: str) -> None:
    """Sees whether a remote name can be a place on a storage.

    Args:
      shown: the name behind what gave it, for the message.
      name: the name.

    Raises:
      UserError: nobody knows its kind of storage, or it names no bucket.
    """
    import fsspec

    scheme = name.partition("://")[0]
    if scheme not in fsspec.available_protocols():
        raise UserError(f"{shown}: {scheme}:// is no kind of storage that steps know; name gs://... or s3://...")
    if _names_no_bucket(name):
        raise UserError(f"{shown} names no bucket; write {scheme}://BUCKET/FOLDER")


def _names_no_bucket(name: str) -> bool:
    scheme, _, rest = name.partition("://")
    return scheme in _IN_BUCKETS and not rest.partition("/")[0]


def _is_at_home(name: str) -> bool:
    home = os.path.expanduser("~")
    return name.startswith(("~", "file://~")) or (
        home not in ("", "/") and os.path.commonpath([home, expanded(name)]) == home
    )
