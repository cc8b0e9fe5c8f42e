import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.console import StepReporter, noise_to_file


def test_a_line_a_step():
    console = Console(file=io.StringIO(), width=100)
    reporter = StepReporter(console)

    reporter.begin("Preprocess")
    with reporter.bar("reading", 3) as bar:
        bar.advance(2)
        bar.describe("halfway")
    reporter.note("943 users")
    reporter.warn("dropped 3 of 4 rows [of files]")
    reporter.end(cached=False)
    reporter.begin("Trainer")
    reporter.end(cached=True)
    reporter.begin("Pusher")
    reporter.fail()

    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert lines == [
        "Preprocess ✓ 0.0 s 943 users; warning: dropped 3 of 4 rows [of files]",
        "Trainer ✓ cached",
        "Pusher ✗ 0.0 s failed",
    ]


def test_noise_goes_to_the_file_whoever_makes_it(tmp_path, capfd):
    log = tmp_path / "logs" / "run.log"
    with noise_to_file(log) as screen:
        print("printed")
        logging.getLogger("tfx").info("logged")
        os.write(2, b"from native code\n")
        subprocess.run([sys.executable, "-c", "print('from a worker')"], check=True)
        screen.write("for people\n")
    print("afterwards")

    noise = log.read_text()
    assert all(text in noise for text in ("printed", "INFO tfx: logged", "from native code", "from a worker"))
    assert capfd.readouterr().out.splitlines() == ["for people", "afterwards"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_noise_on_a_full_disk_stops_nobody(capfd):
    with noise_to_file(Path("/dev/full")) as screen:
        print("printed")
        logging.getLogger("tfx").info("logged")
        screen.write("for people\n")

    assert capfd.readouterr().out.splitlines() == ["for people"]


def test_half_a_character_is_written_out(tmp_path, capfd):
    with noise_to_file(tmp_path / "log") as screen:
        logging.getLogger("tfx").info("no user \udcff")
        screen.write("user \udcff\n")

    assert r"no user \udcff" in (tmp_path / "log").read_text()
    assert capfd.readouterr().out.splitlines() == [r"user \udcff"]
