"""Which engine trains what; that it trains right is each engine's own test."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.shared.errors import UserError
from components.trainer.engines import Setup, make_engine
from components.trainer.engines.cpu.engine import CpuEngine
from components.trainer.engines.devices import Device, Kind
from components.trainer.engines.distributed import StrategyEngine
from components.trainer.engines.xla import XlaEngine
from components.trainer.loop import new_optimizer
from components.trainer.losses import LOSSES
from components.trainer.model import NeuMF
from tests.components.trainer.builders import settings
from tests.components.trainer.losses.toys import TOYS

CONFIG: dict[str, Any] = {"num_factors": 4, "layers": (8, 6, 4), "batch_size": 64}


def setup(kind: Kind = "cpu", strategy: Any = None, **fields: Any) -> Setup:
    config = settings(**{**CONFIG, **fields})
    model = NeuMF(9, 7, config.num_factors, config.layers, precision=config.precision)
    optimizer = new_optimizer(config)
    optimizer.build(model.trainable_variables)
    return Setup(model, optimizer, config, config.batch_size, Device(kind, strategy))


def test_the_cpu_has_an_engine_of_its_own() -> None:
    assert isinstance(make_engine(setup()), CpuEngine)


def test_half_precision_on_a_cpu_is_left_to_xla() -> None:
    assert isinstance(make_engine(setup(precision="mixed_bfloat16")), XlaEngine)


def test_a_gpu_is_left_to_xla() -> None:
    assert isinstance(make_engine(setup("gpu")), XlaEngine)


def test_a_loss_without_compiled_form_is_left_to_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES, "binary_cross_entropy", TOYS["squared_error"])
    assert isinstance(make_engine(setup()), XlaEngine)


def test_several_devices_share_a_batch() -> None:
    two = SimpleNamespace(num_replicas_in_sync=2, run=None)
    assert isinstance(make_engine(setup("mirrored", two)), StrategyEngine)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "batch_size is 64, which 3 devices cannot share equally; take a multiple of 3"),
        ({"batch_size": 63, "precision": "mixed_float16"}, "trainer.device=mirrored does not offer"),
    ],
)
def test_what_several_devices_cannot_do(fields: dict[str, Any], message: str) -> None:
    three = SimpleNamespace(num_replicas_in_sync=3)
    with pytest.raises(UserError, match=message):
        make_engine(setup("mirrored", three, **fields))
