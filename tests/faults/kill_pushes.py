"""Kills pushes at drawn moments and looks at what they leave: `python -m tests.faults.kill_pushes KILLS SEED`."""

import argparse
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

from components.serving.versions import add_version

FILES = {"saved_model.pb": b"g" * 70_000, "variables/variables.index": b"w" * 90_000}


def main() -> None:
    """Prints how many kills, versions that count, and unfinished folders there were; fails where a version is cut."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", type=int)
    parser.add_argument("seed", type=int)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        versions, unfinished = kill_pushes(Path(folder), asked.kills, asked.seed)
        left = [path.name for path in (Path(folder) / "serving").glob("*.writing")]
        add_version(str(Path(folder) / "model"), str(Path(folder) / "serving"))
        assert not list((Path(folder) / "serving").glob("*.writing")), "the next push leaves what a killed one left"
    print(f"{asked.kills} kills, {versions} whole versions, {unfinished} unfinished folders, {len(left)} at the end")


def kill_pushes(folder: Path, kills: int, seed: int) -> tuple[int, int]:
    """Kills so many; after each, every folder that counts as a version must be whole."""
    model, serving = folder / "model", folder / "serving"
    for name, content in FILES.items():
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(content)
    took = time.perf_counter()
    add_version(str(model), str(serving))
    took = time.perf_counter() - took
    moments, versions, unfinished = random.Random(seed), 0, 0
    for _ in range(kills):
        _kill(model, serving, moments.uniform(0, 3 * took))
        for path in filter(Path.is_dir, serving.iterdir()):
            if path.name.isdecimal():
                assert contents(path) == FILES, f"{path} is a version, and not whole"
                shutil.rmtree(path)
                versions += 1
            else:
                unfinished += 1
    return versions, unfinished


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder and of those in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _kill(model: Path, serving: Path, after: float) -> None:
    child = os.fork()
    if not child:
        while True:
            add_version(str(model), str(serving))
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main()
