"""Runs on Vertex AI Pipelines, through Google's own client."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.api_core import exceptions as api_errors
from google.auth import exceptions as auth_errors
from google.cloud import aiplatform

from components.shared.errors import UserError, first_line
from pipeline.platforms.base import Run, Schedule, Started, Status
from pipeline.vertex.options import VertexOptions

_PREFIX = "PIPELINE_STATE_"


class VertexConnection:
    """Vertex AI Pipelines in a region of a project; see `Connection`."""

    def __init__(self, options: VertexOptions):
        """Takes the credentials of the environment, as Google's other tools do.

        Args:
          options: where to run, and as whom.

        Raises:
          UserError: the root is no folder of Cloud Storage.
        """
        if not options.pipeline_root.startswith("gs://"):
            raise UserError(f"--pipeline-root {options.pipeline_root}: Vertex keeps artifacts at gs://BUCKET/FOLDER")
        self._options = options

    def start(self, run: Run) -> Started:
        """See `Connection`."""
        with self._explained():
            job = self._job(run)
            job.submit(service_account=self._options.service_account)
        where = f"locations/{self._options.region}/pipelines/runs/{job.name}?project={self._options.project}"
        return Started(job.resource_name, f"https://console.cloud.google.com/vertex-ai/{where}")

    def status(self, started: Started) -> Status:
        """See `Connection`."""
        with self._explained():
            job = aiplatform.PipelineJob.get(started.id, project=self._options.project, location=self._options.region)
            run = job.gca_resource
        tasks = run.job_detail.task_details
        errors = [error.message for error in (*(task.error for task in tasks), run.error) if error and error.message]
        # The pipeline itself is among its tasks, under its own name.
        steps = {task.task_name: task.state.name for task in tasks if task.task_name[:1].isupper()}
        return Status(run.state.name.removeprefix(_PREFIX), steps, errors[0] if errors else "")

    def schedule(self, run: Run, cron: str) -> Schedule:
        """See `Scheduler`."""
        with self._explained():
            made = self._job(run).create_schedule(
                display_name=run.name,
                cron=cron,
                max_concurrent_run_count=1,
                service_account=self._options.service_account,
            )
        return _schedule(made)

    def schedules(self) -> list[Schedule]:
        """See `Scheduler`."""
        with self._explained():
            found = aiplatform.PipelineJobSchedule.list(project=self._options.project, location=self._options.region)
            return [_schedule(schedule) for schedule in found]

    def pause(self, schedule: Schedule) -> None:
        """See `Scheduler`."""
        with self._explained():
            self._known(schedule).pause()

    def resume(self, schedule: Schedule) -> None:
        """See `Scheduler`."""
        with self._explained():
            self._known(schedule).resume()

    def delete(self, schedule: Schedule) -> None:
        """See `Scheduler`."""
        with self._explained():
            self._known(schedule).delete()

    def _known(self, schedule: Schedule) -> aiplatform.PipelineJobSchedule:
        known: aiplatform.PipelineJobSchedule = aiplatform.PipelineJobSchedule.get(
            schedule.id, project=self._options.project, location=self._options.region
        )
        return known

    def _job(self, run: Run) -> aiplatform.PipelineJob:
        with tempfile.TemporaryDirectory(prefix="submit-") as folder:
            file = Path(folder) / "pipeline.yaml"
            file.write_text(run.text, encoding="utf-8")
            return aiplatform.PipelineJob(
                display_name=run.name,
                template_path=str(file),
                pipeline_root=self._options.pipeline_root,
                parameter_values=dict(run.values),
                project=self._options.project,
                location=self._options.region,
            )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Quiet, and with errors that say what to do."""
        where = f"Vertex AI ({self._options.project}, {self._options.region})"
        logging.getLogger("google.cloud.aiplatform").setLevel(logging.WARNING)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except auth_errors.DefaultCredentialsError as error:
            raise UserError(
                "there are no Google credentials; run `gcloud auth application-default login`, or set "
                "GOOGLE_APPLICATION_CREDENTIALS to a key file"
            ) from error
        except auth_errors.GoogleAuthError as error:
            raise UserError(f"Google does not accept the credentials: {first_line(error)}") from error
        except api_errors.RetryError as error:
            raise UserError(f"{where} cannot be reached: {first_line(error)}") from error
        except api_errors.GoogleAPICallError as error:
            raise UserError(f"{where} {_refusal(error)}") from error
        except ValueError as error:
            raise UserError(f"{where}: {first_line(error)}") from error


def _schedule(schedule: aiplatform.PipelineJobSchedule) -> Schedule:
    state = schedule.state.name if schedule.state else "ACTIVE"
    return Schedule(schedule.resource_name, schedule.display_name, schedule.cron, state)


def _refusal(error: api_errors.GoogleAPICallError) -> str:
    reasons = {
        401: "does not know you (401); log in again: `gcloud auth application-default login`",
        403: "does not allow this (403); check --project and the rights of your account",
        404: "does not know this (404); check --project and --region",
        503: "cannot be reached (503)",
    }
    said = first_line(error.message or "")
    return reasons.get(error.code or 0, f"refuses ({error.code})") + (f": {said}" if said else "")
