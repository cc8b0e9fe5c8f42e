"""Runs on Vertex AI Pipelines, through Google's own client."""

import contextlib
import tempfile
from pathlib import Path

from google.cloud import aiplatform

from components.shared.errors import UserError
from pipeline.platforms.base import Run, Schedule, Started, Status
from pipeline.vertex.errors import explained
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

    def _explained(self) -> contextlib.AbstractContextManager[None]:
        """Quiet, and with errors that say what to do."""
        return explained(self._options.project, self._options.region)


def _schedule(schedule: aiplatform.PipelineJobSchedule) -> Schedule:
    state = schedule.state.name if schedule.state else "ACTIVE"
    return Schedule(schedule.resource_name, schedule.display_name, schedule.cron, state)
