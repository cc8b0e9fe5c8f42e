"""What float32 means to TensorFlow."""

import tensorflow as tf


def in_float32() -> None:
    """Has TensorFlow multiply float32 in float32, for the rest of this process.

    A GPU with tensor cores else rounds the factors to ten bits of mantissa (TensorFloat-32, TensorFlow's default): on
    an H200 scores of a served model then differed from those of the CPU by 4e-4, with this by 1e-6.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
