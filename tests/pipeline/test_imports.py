"""What a command waits for before it says a word."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

ONLY_FOR_RUNS = ["apache_beam", "tensorflow", "tfx", "kfp"]


def test_the_command_line_does_not_load_what_only_runs_need() -> None:
    program = f"import sys, pipeline.cli; print([name for name in {ONLY_FOR_RUNS} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Programs that are started here heed SIGINT, also where the tests run in the background of a shell."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_before_it_has_begun_is_no_traceback() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.endswith(" click\n"):  # of what `pipeline.cli` imports, the first
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, err
    assert "Traceback" not in err
    assert not out
