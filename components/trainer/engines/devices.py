"""Where a training runs: the devices that there are, and TensorFlow's strategy for several of them."""

import contextlib
import glob
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

from components.shared.errors import UserError
from components.shared.float32 import in_float32

# What calls that wait for another worker raise when it is gone, or does not answer.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)

Kind = Literal["cpu", "gpu", "mirrored", "multiworker", "tpu"]


@dataclass(frozen=True)
class Device:
    """What a training runs on.

    Attributes:
      kind: of devices.
      strategy: how several of them, or a TPU, work together; None for one CPU or GPU.
    """

    kind: Kind
    strategy: tf.distribute.Strategy | None = None

    @property
    def is_chief(self) -> bool:
        """Whether this process writes what a training leaves; of several workers, just one does."""
        if self.kind != "multiworker":
            return True
        assert self.strategy is not None
        chief = self.strategy.cluster_resolver.cluster_spec().as_dict().get("chief")
        return self.worker == ("chief-0" if chief else "worker-0")

    @property
    def worker(self) -> str:
        """Which of several workers this is, such as worker-1; one that is alone is worker-0."""
        if self.kind != "multiworker":
            return "worker-0"
        assert self.strategy is not None
        resolver = self.strategy.cluster_resolver
        return f"{resolver.task_type}-{resolver.task_id}"

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Where the model and its optimiser are made, trained and validated."""
        return self.strategy.scope() if self.strategy is not None else self.placement()

    def placement(self) -> contextlib.AbstractContextManager[object]:
        """Where a model is that one device alone has: before and after several train a copy of it."""
        if self.strategy is not None:
            return contextlib.nullcontext()
        placement: contextlib.AbstractContextManager[object] = tf.device("/GPU:0" if self.kind == "gpu" else "/CPU:0")
        return placement

    def wait_for_all(self) -> None:
        """Returns once all workers are here: one that leaves early would end the others.

        The chief, which has written all by then, does not mind if they are gone: once they have met, one may leave
        before the word of it has come back to the chief.
        """
        strategy = self.strategy
        if strategy is None or self.kind != "multiworker":
            return

        @tf.function(autograph=False)
        def meet() -> tf.Tensor:
            return strategy.reduce("SUM", strategy.run(lambda: tf.constant(1.0)), axis=None)

        try:
            with self.telling_lost_workers():
                meet()
        except UserError:
            if not self.is_chief:
                raise

    @contextlib.contextmanager
    def telling_lost_workers(self) -> Iterator[None]:
        """Turns what TensorFlow raises when a worker is gone into a UserError."""
        try:
            yield
        except _LOST as error:
            if self.kind != "multiworker":
                raise
            found = re.search(r"aborted by: *([^\n]+)", error.message or "")
            reason = found[1] if found else type(error).__name__
            raise UserError(
                f"a worker of this training is gone ({reason}); start all of them again to go on from the last "
                "checkpoint"
            ) from error


def find_device(name: str) -> Device:
    """Finds the device of `trainer.device`, and joins the other workers or the TPU where that is several.

    To be called once, before TensorFlow does anything: a process can make some strategies only then.

    Args:
      name: `auto`, or a `Kind`.

    Raises:
      UserError: this machine has no such device.
    """
    in_float32()
    if name == "auto":
        name = _best_kind()
    return {"cpu": _cpu, "gpu": _gpu, "mirrored": _mirrored, "multiworker": _multiworker, "tpu": _tpu}[name]()


def _best_kind() -> Kind:
    if "TPU_NAME" in os.environ or glob.glob("/dev/accel*"):
        return "tpu"
    if _number_of_workers() > 1:
        return "multiworker"
    gpus = len(tf.config.list_physical_devices("GPU"))
    return "mirrored" if gpus > 1 else "gpu" if gpus else "cpu"


def _cpu() -> Device:
    return Device("cpu")


def _gpu() -> Device:
    if not tf.config.list_physical_devices("GPU"):
        raise UserError("trainer.device is gpu, but TensorFlow sees no GPU here; set trainer.device=auto")
    return Device("gpu")


def _mirrored() -> Device:
    # Only one device of a kind is usual for CPUs; tests cut theirs into several logical ones.
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise UserError(
            "trainer.device is mirrored, which needs several GPUs, but TensorFlow sees "
            f"{len(tf.config.list_physical_devices('GPU'))} here; set trainer.device=auto"
        )
    return Device("mirrored", tf.distribute.MirroredStrategy([device.name for device in devices]))


def _multiworker() -> Device:
    if _number_of_workers() < 2:
        raise UserError(
            "trainer.device is multiworker, but TF_CONFIG in the environment names no several workers; set it for each "
            "of them (see docs/accelerators.md), or set trainer.device=auto"
        )
    try:
        return Device("multiworker", tf.distribute.MultiWorkerMirroredStrategy())
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"the workers of TF_CONFIG cannot be joined ({reason}); see docs/accelerators.md") from error


def _number_of_workers() -> int:
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
        return sum(len(cluster.get(job, ())) for job in ("chief", "worker"))
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(f"TF_CONFIG in the environment is not what TensorFlow defines: {error}") from error


def _tpu() -> Device:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(os.environ.get("TPU_NAME", "local"))
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"the TPU cannot be had ({reason}); name it in TPU_NAME, or set trainer.device=cpu") from error
    return Device("tpu", tf.distribute.TPUStrategy(resolver))
