from pathlib import Path

import numpy as np
import pytest

from components.artifacts.model_run import Epoch
from components.trainer import checkpoints
from components.trainer.checkpoints import TrainingState, checkpoint_folder


def state(value: float) -> TrainingState:
    weights = [np.full((2, 3), value, np.float32), np.zeros(1, np.float32)]
    optimizer = [np.array(7, np.int64), np.full(11, value, np.float32)]
    epochs = [Epoch(value, {"HR@10": 0.1 + 0.2}, 1.5, 2.5), Epoch(value, {}, 1.5, 2.5)]
    return TrainingState(weights, optimizer, weights, {"HR@10": value}, epochs)


def test_comes_back_bit_by_bit(tmp_path: Path) -> None:
    folder = str(tmp_path / "root" / "key")
    assert checkpoints.load(folder) is None
    checkpoints.save(folder, state(0.1))
    checkpoints.save(folder, state(1 / 3))
    loaded, saved = checkpoints.load(folder), state(1 / 3)
    assert loaded is not None
    assert (loaded.start, loaded.epochs) == (saved.start, saved.epochs)
    for name in ("weights", "optimizer", "best_weights"):
        for left, right in zip(getattr(loaded, name), getattr(saved, name), strict=True):
            np.testing.assert_array_equal(left, right)
            assert left.dtype == right.dtype
    checkpoints.remove(folder)
    checkpoints.remove(folder)
    assert not Path(folder).exists()


def test_an_interrupted_save_leaves_the_former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.save(str(tmp_path), state(1))

    def half(file: object, **arrays: np.ndarray) -> None:
        file.write(b"PK half a file")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(str(tmp_path), state(2))
    loaded = checkpoints.load(str(tmp_path))
    assert loaded is not None
    assert loaded.weights[0][0, 0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_folder_depends_on_the_training_and_not_on_the_order_of_its_description() -> None:
    folder = checkpoint_folder("/root", {"seed": 1, "config": {"epochs": 2, "lr": 3}})
    assert folder == checkpoint_folder("/root", {"config": {"lr": 3, "epochs": 2}, "seed": 1})
    assert folder != checkpoint_folder("/root", {"seed": 2, "config": {"epochs": 2, "lr": 3}})


@pytest.mark.parametrize("damage", ["cut", "emptied", "flipped", "replaced"])
def test_a_damaged_checkpoint_is_told_and_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    checkpoints.save(str(tmp_path), state(1))
    path = tmp_path / "state.npz"
    whole = path.read_bytes()
    middle = whole.index(np.float32(1).tobytes() * 3)
    damaged = {
        "cut": whole[: len(whole) // 2],
        "emptied": b"",
        "flipped": whole[:middle] + b"\1" + whole[middle + 1 :],
        "replaced": b"no archive",
    }[damage]
    path.write_bytes(damaged)
    told: list[str] = []
    monkeypatch.setattr(checkpoints.progress, "warn", told.append)

    assert checkpoints.load(str(tmp_path)) is None
    assert checkpoints.load(str(tmp_path)) is None

    assert (tmp_path / "state.npz.damaged").read_bytes() == damaged
    (line,) = told
    assert line.startswith("the checkpoint was damaged (")
    assert line.endswith(f" and is now {path}.damaged; the training began anew")
    assert "\n" not in line
