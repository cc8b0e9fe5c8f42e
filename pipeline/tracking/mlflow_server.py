"""Logs a run that has ended to MLflow, through its own client."""

import importlib.util
import logging
import os
import posixpath
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts import evaluation, storage
from components.artifacts.model_run import History
from components.shared.errors import UserError, first_line
from components.shared.files.places import with_variables
from components.shared.files.secrets import without_secrets
from pipeline.tracking.ended import Ended, Results

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

INSTALL = "python -m pip install --group mlflow"
_BATCH = 100
"""How much MLflow takes at once."""
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""MLflow's own defaults ask a server that is down for minutes, and tell its makers of each use."""


def check_installed() -> None:
    """Sees whether MLflow's client is there.

    Raises:
      UserError: it is not; says how to install it.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise UserError(f"tracking.mlflow: MLflow's client is not installed; in a checkout: {INSTALL}")


def log(uri: str, experiment: str, ended: Ended) -> str | None:
    """Logs a run, with its parameters, metrics, report and verdict.

    Args:
      uri: MLflow's tracking URI, as `tracking.mlflow` has it.
      experiment: that the run belongs to.
      ended: the run.

    Returns:
      What went wrong, in one line without secrets; None where all was logged.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        check_installed()
        _log(with_variables(uri), experiment, ended)
    except UserError as error:
        return str(error)
    except Exception as error:  # whatever a server or a client of somebody else does, the run has ended well
        logging.getLogger(__name__).info("MLflow", exc_info=True)
        return without_secrets(f"tracking.mlflow: {uri} does not take the run: {first_line(error)}")
    return None


def name_of(figure: str) -> str:
    """A figure's name, as MLflow allows it.

    Example:
      "HR@10 of all items" is "HR_at_10_of_all_items".
    """
    return figure.replace("@", "_at_").replace(" ", "_")


def _log(uri: str, experiment: str, ended: Ended) -> None:
    # Slow to import, and needed where runs are tracked alone.
    from mlflow import MlflowClient
    from mlflow.entities import Param

    client = MlflowClient(tracking_uri=uri)
    made = client.create_run(_experiment(client, experiment), tags=_tags(ended), run_name=ended.run.name)
    run = made.info.run_id
    parameters = [Param(key, value) for key, value in _flat(ended.run.config)]
    metrics = list(_metrics(ended))
    for start in range(0, max(len(parameters), len(metrics)), _BATCH):
        part = slice(start, start + _BATCH)
        client.log_batch(run, metrics=metrics[part], params=parameters[part])
    if ended.results:
        _log_files(client, run, ended.results)
    client.set_terminated(run, "FAILED" if ended.state == "failed" else "FINISHED")


def _experiment(client: "MlflowClient", name: str) -> str:
    found = client.get_experiment_by_name(name)
    made: str = found.experiment_id if found else client.create_experiment(name)
    return made


def _tags(ended: Ended) -> dict[str, str]:
    tags = {"pipeline": ended.run.pipeline, "verdict": ended.state}
    if ended.reasons:
        tags["reasons"] = "; ".join(ended.reasons)
    if ended.results and ended.results.model:
        tags["model"] = without_secrets(ended.results.model)
    return tags


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each key of a configuration with its value as a text: `trainer.epochs`, "20"."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", "null" if value is None else str(value)


def _metrics(ended: Ended) -> Iterator["Metric"]:
    """The Evaluator's figures; and for each epoch, counted from 1, the loss and the metrics on validation."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    for name, value in ended.metrics.items():
        yield Metric(name_of(name), value, now, 0)
    history = History.read(ended.results.model_run) if ended.results else None
    for number, epoch in enumerate(history.whole.epochs if history else (), start=1):
        yield Metric("epoch/loss", epoch.loss, now, number)
        for name, value in epoch.metrics.items():
            yield Metric(f"epoch/validation_{name_of(name)}", value, now, number)


def _log_files(client: "MlflowClient", run: str, results: Results) -> None:
    with tempfile.TemporaryDirectory(prefix="mlflow-") as folder:
        for name in (evaluation.REPORT_FILE, evaluation.METRICS_FILE):
            with storage.open_file(posixpath.join(results.evaluation, name)) as file:
                (Path(folder) / name).write_bytes(file.read())
        client.log_artifacts(run, folder)
