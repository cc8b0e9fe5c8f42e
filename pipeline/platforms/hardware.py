"""Whether the Trainer's machine has the device that it is to train on."""

from components.shared.errors import UserError
from pipeline.config import Config


def check(config: Config) -> None:
    """Sees whether `trainer.device` will be there; auto takes what is.

    Raises:
      UserError: it will not; says which key asks for it.
    """
    job, device = config.custom_job, config.trainer.device
    in_job = job.project is not None
    accelerator = job.accelerator if in_job else config.cluster.accelerator
    key = "custom_job.accelerator" if in_job else "cluster.accelerator"
    if device in ("gpu", "mirrored") and (accelerator is None or _is_tpu(accelerator)):
        asked = "no step asks for one" if accelerator is None else f"{key} is {accelerator}"
        raise UserError(f"trainer.device: {device} needs a GPU, and {asked}; set {key}, or device auto")
    if device == "tpu" and not (job.tpu_topology if in_job else accelerator and _is_tpu(accelerator)):
        raise UserError(
            "trainer.device: tpu needs a TPU, and no step asks for one; on Vertex set custom_job.tpu_topology, on "
            "Kubeflow cluster.accelerator: google.com/tpu, or device auto"
        )
    if device == "multiworker" and not (in_job and job.machines > 1):
        raise UserError(
            "trainer.device: multiworker needs several machines, which a step does not have; on Vertex set "
            "custom_job.machines, or device auto"
        )


def _is_tpu(accelerator: str) -> bool:
    return "tpu" in accelerator.lower()
