import signal
import subprocess
import sys
import time

import pytest

_PROGRAM = """
import signal, subprocess, sys, time
from components.shared import stopping

def busy():
    print("working", flush=True)
    time.sleep(60)

def saving():
    with stopping.postponed():
        print("working", flush=True)
        time.sleep(0.2)
        print("saved", flush=True)
    time.sleep(60)

class Finalized:
    def __del__(self):
        print("working", flush=True)
        time.sleep(60)

def losing():
    thing = Finalized()
    del thing
    stopping.heed()
    print("went on", flush=True)

def deaf():
    child = subprocess.Popen(["sleep", "300"], stdout=subprocess.DEVNULL)
    while True:
        try:
            print(child.pid, flush=True)
            print("working", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            continue

with stopping.heeded(lambda number: print("too late", flush=True), grace=0.5):
    try:
        WORK()
    except KeyboardInterrupt:
        print("stopped by", stopping.asked().name, flush=True)
"""


def _stopped(work: str, number: signal.Signals) -> tuple[int, list[str]]:
    """Stops a process that works so; its exit code, and what it said besides "working"."""
    program = [sys.executable, "-c", _PROGRAM.replace("WORK", work)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said: list[str] = []
    while said[-1:] != ["working\n"]:
        said.append(process.stdout.readline())
    process.send_signal(number)
    said += process.stdout.readlines()
    return process.wait(timeout=30), [line.strip() for line in said if line != "working\n"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_work_and_is_remembered(number: signal.Signals) -> None:
    assert _stopped("busy", number) == (0, [f"stopped by {number.name}"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_lost_in_a_finalizer_is_heeded_between_two_parts(number: signal.Signals) -> None:
    assert _stopped("losing", number) == (0, [f"stopped by {number.name}"])


def test_a_part_that_is_worth_its_end_comes_to_it_before_a_sigterm_stops_the_work() -> None:
    assert _stopped("saving", signal.SIGTERM) == (0, ["saved", "stopped by SIGTERM"])
    assert _stopped("saving", signal.SIGINT) == (0, ["stopped by SIGINT"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_work_that_does_not_end_is_ended_with_its_children(number: signal.Signals, code: int) -> None:
    begun = time.monotonic()
    returned, (child, *_, last) = _stopped("deaf", number)

    assert (returned, last) == (code, "too late")
    assert time.monotonic() - begun < 20
    while not _is_gone(int(child)):  # A process that is killed takes a moment to end.
        assert time.monotonic() - begun < 20
        time.sleep(0.01)


def _is_gone(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
