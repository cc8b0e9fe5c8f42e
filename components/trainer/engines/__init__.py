"""What trains a model: an engine for the CPU, one for whatever XLA compiles for, and one for several devices."""

from components.trainer.engines.base import Engine, Setup
from components.trainer.engines.cpu.engine import CpuEngine
from components.trainer.engines.distributed import StrategyEngine
from components.trainer.engines.xla import XlaEngine

__all__ = ["Engine", "Setup", "make_engine"]


def make_engine(setup: Setup) -> Engine:
    """Makes the fastest engine that can train so.

    Several devices, or a TPU, have an engine of their own, and so has the CPU: for float32 and for losses with a
    compiled form. XLA does the rest.

    Raises:
      UserError: several devices cannot share the batch, or do not offer the precision.
    """
    if setup.device.strategy is not None:
        return StrategyEngine(setup)
    compiles = setup.loss.compiled_form is not None and setup.config.precision == "float32"
    if setup.device.kind == "cpu" and compiles:
        return CpuEngine(setup)
    return XlaEngine(setup)
