"""One process of a training on several devices, as a function to start it with."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from components.shared import progress
from components.trainer.run_fn import run_fn


class _Bar(progress.Bar):
    """Kills its process in an epoch, numbered from 1, once steps are taken; 0 is none."""

    def __init__(self, killed_in: int):
        self._epochs, self._killed_in = 0, killed_in

    def advance(self, steps: int = 1) -> None:
        if steps and self._epochs + 1 == self._killed_in:
            os.kill(os.getpid(), signal.SIGKILL)

    def describe(self, text: str) -> None:
        self._epochs += 1


class _Reporter(progress.Reporter):
    def __init__(self, killed_in: int):
        self._killed_in = killed_in

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[progress.Bar]:
        yield _Bar(self._killed_in)


def train(fn_args: dict[str, Any], cpus: int, killed_in: int, tf_config: str, errors: str) -> None:
    """Runs `run_fn` in this process, which must not have used TensorFlow before.

    Args:
      fn_args: those of `FnArgs`.
      cpus: number of logical CPU devices.
      killed_in: the epoch in which the process kills itself; 0 for none.
      tf_config: the environment's TF_CONFIG.
      errors: file for what the process writes on standard error.
    """
    with open(errors, "w") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ["TF_CONFIG"] = tf_config
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * cpus)
    progress.show_on(_Reporter(killed_in))
    run_fn(FnArgs(**fn_args))
