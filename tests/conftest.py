import contextlib
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.shared import progress
from tests.browser import Browser, find_chromium

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_configure(config: pytest.Config) -> None:
    """Each of several workers keeps to cores of its own: threads that wait for one another would be in its way."""
    worker = getattr(config, "workerinput", None)
    if worker is not None and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        os.sched_setaffinity(0, cores[number % count :: count] or cores)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; tests that ask for it are skipped where there is none."""
    program = find_chromium()
    if program is None:
        pytest.skip("needs chromium: sh scripts/install_browser.sh")
    with Browser(program) as started:
        yield started


@pytest.fixture(scope="session")
def files_of_at_most() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """As on a full disk, writing fails in the middle of a file: once it has so many bytes."""

    @contextlib.contextmanager
    def limit(size: int) -> Iterator[None]:
        # Lifted inside the test: pytest's own output may go to a longer file.
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)

    return limit


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout, which may not be copied into it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data beside the checkout")
    return folder


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What a test has the components say goes nowhere once it is over."""
    yield
    progress.show_on(progress.Reporter())
