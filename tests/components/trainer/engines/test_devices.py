import json
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from components.shared.errors import UserError
from components.trainer.data import Examples
from components.trainer.engines import devices
from components.trainer.engines.devices import Device, find_device
from components.trainer.fitting import fit
from tests.components.trainer.builders import settings

CONFIG: dict[str, Any] = {"num_factors": 4, "layers": (8, 6, 4), "batch_size": 64, "epochs": 2, "learning_rate": 0.02}


@pytest.fixture(autouse=True)
def no_devices_but_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TF_CONFIG", "TPU_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(devices.glob, "glob", lambda pattern: [])
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["cpu"] if kind == "CPU" else [])


def tf_config(workers: int) -> str:
    return json.dumps({"cluster": {"worker": [f"host-{n}:1" for n in range(workers)]}, "task": {"type": "worker"}})


@pytest.mark.parametrize(
    ("environment", "gpus", "expected"),
    [
        ({}, 0, "cpu"),
        ({}, 1, "gpu"),
        ({}, 2, "mirrored"),
        ({"TF_CONFIG": tf_config(1)}, 0, "cpu"),
        ({"TF_CONFIG": tf_config(2)}, 2, "multiworker"),
        ({"TF_CONFIG": tf_config(2), "TPU_NAME": "local"}, 2, "tpu"),
    ],
)
def test_auto_takes_the_most_that_is_there(
    environment: dict[str, str], gpus: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"] * gpus)
    for kind in ("cpu", "gpu", "mirrored", "multiworker", "tpu"):
        monkeypatch.setattr(devices, f"_{kind}", lambda kind=kind: Device(kind))
    assert find_device("auto").kind == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "TensorFlow sees no GPU here"),
        ("mirrored", "needs several GPUs, but TensorFlow sees 0"),
        ("multiworker", "TF_CONFIG in the environment names no several workers"),
        ("tpu", "the TPU cannot be had"),
    ],
)
def test_a_device_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_device(name)


def test_what_trains_multiplies_float32_without_rounding_it() -> None:
    tf.config.experimental.enable_tensor_float_32_execution(True)
    find_device("cpu")
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.parametrize("value", ["{", "[]", '{"cluster": 3}'])
def test_a_tf_config_that_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(UserError, match="TF_CONFIG in the environment is not what TensorFlow defines"):
        find_device("auto")


def test_a_training_goes_the_way_of_a_tpu(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Resolver:
        def __init__(self, tpu: str):
            calls.append(("resolve", tpu))

    def strategy(resolver: Resolver) -> tf.distribute.Strategy:
        calls.append(("strategy", type(resolver)))
        return tf.distribute.OneDeviceStrategy("/CPU:0")

    monkeypatch.setenv("TPU_NAME", "a-tpu")
    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", Resolver)
    monkeypatch.setattr(tf.config, "experimental_connect_to_cluster", lambda it: calls.append(("connect", type(it))))
    monkeypatch.setattr(tf.tpu.experimental, "initialize_tpu_system", lambda it: calls.append(("initialize", type(it))))
    monkeypatch.setattr(tf.distribute, "TPUStrategy", strategy)

    examples = Examples.open(str(inputs / "examples_without_validation"))
    losses = {}
    for device in ("cpu", "auto"):
        config = settings(**CONFIG, device=device)
        places = (str(tmp_path / device / name) for name in ("checkpoint", "logs"))
        trained = fit(examples, config, 0, find_device(device), None, *places)
        losses[device] = [epoch.loss for epoch in trained.stages[-1].epochs]
    assert calls == [("resolve", "a-tpu"), ("connect", Resolver), ("initialize", Resolver), ("strategy", Resolver)]
    assert losses["auto"] == pytest.approx(losses["cpu"], abs=1e-4)


class _AllOthersAreGone:
    """A strategy whose collective fails, as it does at the one whose word comes back last."""

    def __init__(self, task_id: int):
        self.task_id, self.task_type, self.cluster_resolver = task_id, "worker", self

    def cluster_spec(self) -> tf.train.ClusterSpec:
        return tf.train.ClusterSpec({"worker": ["127.0.0.1:1", "127.0.0.1:2"]})

    def run(self, function: Any) -> Any:
        return function()

    def reduce(self, *_: object, axis: None) -> tf.Tensor:
        raise tf.errors.UnavailableError(None, None, "aborted by: a socket that was closed")


def test_the_chief_has_written_all_by_the_time_that_others_may_leave() -> None:
    Device("multiworker", _AllOthersAreGone(0)).wait_for_all()  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"a worker of this training is gone \(a socket that was closed\)"):
        Device("multiworker", _AllOthersAreGone(1)).wait_for_all()  # type: ignore[arg-type]
