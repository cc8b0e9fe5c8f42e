"""Runs on Kubeflow Pipelines, through its own client."""

import contextlib
import hashlib
import io
import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3

from components.shared.errors import UserError, first_line
from pipeline.kubeflow.options import KubeflowOptions
from pipeline.platforms.base import Run, Schedule, Started, Status

# Kubeflow's times have a field more than cron's, for the second; with five it takes the minute for it.
_AT_SECOND_0 = "0 "


class _Client(kfp.Client):
    """kfp's client, without its half a minute of attempts before the first error."""

    def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
        return self._healthz_api.healthz_service_get_healthz()


class KubeflowConnection:
    """An installation of Kubeflow Pipelines v2; see `Connection`."""

    def __init__(self, options: KubeflowOptions):
        """Connects.

        Args:
          options: how to reach it, and what its runs belong to.

        Raises:
          UserError: it cannot be reached, or does not let us in.
        """
        self._options = options
        with self._explained():
            self._client = _Client(
                host=options.host,
                existing_token=options.existing_token,
                ssl_ca_cert=options.ssl_ca_cert,
                verify_ssl=not options.disable_ssl_verification,
                **({"namespace": options.namespace} if options.namespace else {}),
            )

    def start(self, run: Run) -> Started:
        """Uploads the pipeline, unless it is there, and starts a run of it."""
        with self._explained():
            pipeline, version = self._upload(run.text, run.pipeline)
            experiment = self._client.create_experiment(self._options.experiment, namespace=self._options.namespace)
            started = self._client.run_pipeline(
                experiment.experiment_id,
                run.name,
                params=dict(run.values),
                pipeline_id=pipeline,
                version_id=version,
                pipeline_root=self._options.pipeline_root,
                service_account=self._options.service_account,
            )
        return Started(started.run_id, f"{self._options.host.rstrip('/')}/#/runs/details/{started.run_id}")

    def status(self, started: Started) -> Status:
        """See `Connection`."""
        with self._explained():
            run = self._client.get_run(started.id)
        tasks = (run.run_details and run.run_details.task_details) or []
        # The backend lists its own tasks too: the root, and a driver for each step.
        steps = {
            task.display_name: task.state for task in tasks if task.state and not _is_of_backend(task.display_name)
        }
        errors = [task.error.message for task in tasks if task.error and task.error.message]
        if run.error and run.error.message:
            errors.append(run.error.message)
        return Status(run.state or "PENDING", steps, errors[0] if errors else "")

    def schedule(self, run: Run, cron: str) -> Schedule:
        """See `Scheduler`."""
        with self._explained():
            pipeline, version = self._upload(run.text, run.pipeline)
            experiment = self._client.create_experiment(self._options.experiment, namespace=self._options.namespace)
            made = self._client.create_recurring_run(
                experiment.experiment_id,
                run.name,
                cron_expression=f"{_AT_SECOND_0}{cron}",
                max_concurrency=1,
                no_catchup=True,
                params=dict(run.values),
                pipeline_id=pipeline,
                version_id=version,
                pipeline_root=self._options.pipeline_root,
                service_account=self._options.service_account,
            )
        return _schedule(made)

    def schedules(self) -> list[Schedule]:
        """See `Scheduler`."""
        found: list[Schedule] = []
        with self._explained():
            experiment = self._client.create_experiment(self._options.experiment, namespace=self._options.namespace)
            token = ""
            while True:
                page = self._client.list_recurring_runs(
                    token, page_size=100, experiment_id=experiment.experiment_id, namespace=self._options.namespace
                )
                found += [_schedule(run) for run in page.recurring_runs or [] if run.trigger.cron_schedule]
                token = page.next_page_token
                if not token:
                    return found

    def pause(self, schedule: Schedule) -> None:
        """See `Scheduler`."""
        with self._explained():
            self._client.disable_recurring_run(schedule.id)

    def resume(self, schedule: Schedule) -> None:
        """See `Scheduler`."""
        with self._explained():
            self._client.enable_recurring_run(schedule.id)

    def delete(self, schedule: Schedule) -> None:
        """See `Scheduler`."""
        with self._explained():
            self._client.delete_recurring_run(schedule.id)

    def _upload(self, text: str, name: str) -> tuple[str, str]:
        """The ids of the pipeline and of the version with that text."""
        version_name = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        pipelines = self._client.list_pipelines(namespace=self._options.namespace, filter=_named(name)).pipelines
        with tempfile.TemporaryDirectory(prefix="submit-") as folder:
            file = Path(folder) / "pipeline.yaml"
            file.write_text(text, encoding="utf-8")
            if pipelines:
                pipeline = pipelines[0].pipeline_id
            else:
                # The first version of a pipeline is named like the pipeline: the one that is meant follows.
                pipeline = self._client.upload_pipeline(
                    str(file), pipeline_name=name, namespace=self._options.namespace
                ).pipeline_id
            versions = self._client.list_pipeline_versions(pipeline, filter=_named(version_name)).pipeline_versions
            if versions:
                return pipeline, versions[0].pipeline_version_id
            version = self._client.upload_pipeline_version(str(file), version_name, pipeline_id=pipeline)
            return pipeline, version.pipeline_version_id

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Quiet, and with errors that say what to do."""
        host = self._options.host
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
        except kfp_server_api.ApiException as error:
            raise UserError(f"{host} {_refusal(error)}") from error
        except urllib3.exceptions.MaxRetryError as error:
            raise UserError(f"{host} cannot be reached: {first_line(error.reason or error)}") from error
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise UserError(f"{host}: {first_line(error)}") from error


def _schedule(run: kfp_server_api.V2beta1RecurringRun) -> Schedule:
    cron = run.trigger.cron_schedule.cron.removeprefix(_AT_SECOND_0)
    return Schedule(run.recurring_run_id, run.display_name, cron, run.status or "ENABLED")


def _is_of_backend(task: str | None) -> bool:
    return not task or task == "root" or task.endswith("-driver") or task.startswith(("executor", "exit-handler"))


def _named(name: str) -> str:
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _refusal(error: kfp_server_api.ApiException) -> str:
    reasons = {
        401: "does not know you (401); give a token with --existing-token",
        403: "does not allow this (403); check --namespace and the rights of the token",
        404: "does not know this (404); is it the address of Kubeflow Pipelines, without a path too many?",
    }
    said = _message(error.body)
    return reasons.get(error.status, f"refuses ({error.status})") + (f": {said}" if said else "")


def _message(body: Any) -> str:
    try:
        content = json.loads(body)
        return first_line(content.get("error_message") or content.get("message") or content.get("error") or "")
    except (TypeError, ValueError, AttributeError):
        return ""
