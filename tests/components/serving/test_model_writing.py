"""A model that cannot be written is told in one line, whichever library was writing; the folder stays as it was."""

from pathlib import Path

import pytest
import tensorflow as tf

from components.serving.saved.writing import model_written_at_once
from components.shared.errors import UserError

OF_THE_DISK = {
    "TensorFlow, full": (tf.errors.ResourceExhaustedError(None, None, "f; No space left on device"), "No space left"),
    "TensorFlow, broken": (
        tf.errors.UnknownError(None, None, "{{function_node __wrapped__SaveV2}} f; Input/output error\nand more"),
        ": f; Input/output error; free",
    ),
    "HDF5, closing": (
        RuntimeError("Can't decrement id ref count (file write failed: time = Fri\n, filename = 'f', errno = 5, more)"),
        ": Input/output error; free",
    ),
    "HDF5, writing": (
        OSError("[Errno 28] Can't write data (file write failed: time = Fri\n, filename = 'f', errno = 28, more)"),
        ": No space left on device; free",
    ),
}


@pytest.mark.parametrize(("error", "message"), OF_THE_DISK.values(), ids=OF_THE_DISK.keys())
def test_it_is_one_line(tmp_path: Path, error: Exception, message: str) -> None:
    with pytest.raises(UserError) as told, model_written_at_once(str(tmp_path / "model"), last="b") as folder:
        (Path(folder) / "a").write_text("half")
        raise error
    assert message in str(told.value)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("error", [RuntimeError("a fault"), tf.errors.UnknownError(None, None, "of the program")])
def test_what_is_no_fault_of_the_disk_is_no_fault_of_the_user(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), model_written_at_once(str(tmp_path / "model"), last="b"):
        raise error
