"""Samples that stay nearly the same where data comes and goes: who is drawn depends on each one's raw id."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


def draw_ids(ids: npt.NDArray[Any], number: int, key: int) -> npt.NDArray[np.int64]:
    """Draws some of all ids, each by a number of its own: where others come or go, they nearly stay the same ones.

    Args:
      ids: raw ids [n], whole numbers or objects that are texts, each of them once.
      number: how many to draw; all of them where there are no more.
      key: of a random stream.

    Returns:
      int64 [at most number], their places, ascending.
    """
    if len(ids) <= number:
        return np.arange(len(ids))
    numbers = pd.util.hash_array(pd.util.hash_array(ids, categorize=False) ^ np.uint64(key))
    return np.sort(np.argpartition(numbers, number)[:number])
