"""The CustomJob that trains on Vertex AI, on several machines or on a TPU."""

from collections.abc import Mapping

from tfx.extensions.google_cloud_ai_platform import constants
from tfx.extensions.google_cloud_ai_platform.trainer import executor

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.vertex.accelerators import check_accelerator
from pipeline.vertex.config import CustomJobConfig


def training_job(config: Config) -> JsonObject | None:
    """The job as `custom_config` of TFX's Vertex Trainer; None where the configuration has none.

    Raises:
      UserError: the job has several machines, or a TPU, that the trainer would not use; or Vertex does not have its
        accelerator.
    """
    job = config.custom_job
    if job.project is None:
        return None
    if job.accelerator:
        check_accelerator("custom_job.accelerator", job.accelerator)
    wanted = "multiworker" if job.machines > 1 else "tpu" if job.tpu_topology else None
    if wanted and config.trainer.device not in ("auto", wanted):
        raise UserError(f"trainer.device: {config.trainer.device} does not use this custom_job; set {wanted}, or auto")
    spec: JsonObject = {
        "worker_pool_specs": _pools(job, config.cluster.image, config.cluster.pod("Trainer").environment)
    }
    if job.service_account:
        spec["service_account"] = job.service_account
    return {
        constants.ENABLE_VERTEX_KEY: True,
        constants.VERTEX_REGION_KEY: job.region,
        executor.TRAINING_ARGS_KEY: {
            "project": job.project,
            "display_name": f"{config.name}-trainer",
            "job_spec": spec,
        },
    }


def _pools(job: CustomJobConfig, image: str, environment: Mapping[str, str]) -> list[JsonObject]:
    """Vertex's pools of machines: first the chief, then all others."""
    machine: JsonObject = {"machine_type": job.machine_type}
    container: JsonObject = {"image_uri": image}
    variables = dict(environment)
    if job.accelerator:
        machine |= {"accelerator_type": job.accelerator, "accelerator_count": job.accelerator_count}
    if job.tpu_topology:
        machine |= {"tpu_topology": job.tpu_topology}
        variables["TPU_NAME"] = "local"
    if variables:
        container["env"] = [{"name": name, "value": value} for name, value in variables.items()]
    pool = {"machine_spec": machine, "container_spec": container}
    counts = [1, job.machines - 1] if job.machines > 1 else [1]
    return [{**pool, "replica_count": count} for count in counts]
