"""Training rows straight to a step: drawn by threads ahead of it, and never more of them than the step will soon need.

What is drawn in advance is bounded twice: by files, which are drawn at once, and by elements, which are cut from them.
Both wait for the step. An epoch's first files are drawn while the one before is still trained on and validated.
"""

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from components.sampling.drawing import Drawn, Memory, PackedRows, draw_file, in_columns, pool
from components.sampling.sampler import Sampler
from components.shared.parallel import ahead, map_ahead

FILES_AHEAD = 2  # each by a thread; at eight bytes a row, they are what takes memory
ELEMENTS_AHEAD = 2

TrainingBatches: TypeAlias = tuple[int, npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]
"""Number of batches; users, items and labels of each, [S, B]."""


def stream(
    sampler: Sampler, epochs: Sequence[int], steps_per_call: int
) -> Generator[Iterator[TrainingBatches], None, None]:
    """The batches of some epochs, in the order that their files would have; to be closed where it is not exhausted.

    Args:
      sampler: of the rows.
      epochs: which ones, from 0 on.
      steps_per_call: batches in an element, S.

    Yields:
      An epoch's elements, to be taken before the next epoch is: the number of batches, which is S but for the last one;
      and arrays, which are always of this size.

    Raises:
      UserError: while iterating, that files of the interactions are missing.
    """
    memory = Memory()

    def draw(task: tuple[int, int]) -> Drawn:
        return draw_file(sampler, *task, memory)

    with contextlib.closing(map_ahead(draw, itertools.product(epochs, range(sampler.files)), FILES_AHEAD)) as files:
        for _ in epochs:
            elements = _elements(_parts(sampler, files, memory), steps_per_call, sampler.batch_size)
            with contextlib.closing(ahead(elements, ELEMENTS_AHEAD)) as batches:
                yield batches


def _parts(sampler: Sampler, files: Iterator[Drawn], memory: Memory) -> Iterator[PackedRows]:
    """The rows of an epoch, which the next of the files have, each good until the next one is asked for."""
    left_over = []
    for drawn in itertools.islice(files, sampler.files):
        yield from drawn.parts
        left_over.append(drawn.left_over)
        memory.give_back(drawn.room)
    yield pool(sampler, left_over)


def _elements(parts: Iterator[PackedRows], steps: int, batch_size: int) -> Iterator[TrainingBatches]:
    for rows, (user, item, label) in in_columns(parts, steps * batch_size):
        shape = (steps, batch_size)
        yield rows // batch_size, user.reshape(shape), item.reshape(shape), label.reshape(shape)
