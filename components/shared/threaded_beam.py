"""Beam on all the cores of a worker."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from components.shared.parallel import cores


class ThreadedFlatMap(beam.DoFn):
    """`FlatMap` of a function on large array batches, on several threads of the worker.

    Beam's in-memory runner hands one element at a time to one thread. The functions here spend their time in code
    that releases the interpreter lock (NumPy, Arrow, Numba), so a pool of threads makes use of the other cores. At
    most `threads` elements are in work at once, which bounds the memory. For global windows only.
    """

    def __init__(self, function: Callable[..., Iterable[Any]], threads: int = 0):
        """Wraps `function(element, *side_inputs)`; `threads` 0 takes as many as there are cores."""
        self._function = function
        self._threads = threads

    def setup(self) -> None:
        self._pool = ThreadPoolExecutor(self._threads or cores())
        self._running: deque[Future[list[Any]]] = deque()

    def process(self, element: Any, *side_inputs: Any) -> Iterator[Any]:
        # As many again wait in the queue, so that no thread idles while the first of them is still at work.
        if len(self._running) >= 2 * self._pool._max_workers:
            yield from self._wait_for_first()
        self._running.append(self._pool.submit(self._call, element, side_inputs))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        while self._running:
            for value in self._wait_for_first():
                yield WindowedValue(value, window.max_timestamp(), [window])

    def _wait_for_first(self) -> list[Any]:
        try:
            return self._running.popleft().result()
        except BaseException:
            # Whoever cleans up after the failure must find nobody at work.
            wait(self._running)
            self._running.clear()
            raise

    def teardown(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _call(self, element: Any, side_inputs: tuple[Any, ...]) -> list[Any]:
        return list(self._function(element, *side_inputs))
