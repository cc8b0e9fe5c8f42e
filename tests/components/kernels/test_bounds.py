"""The property tests of all compiled loops once more, with Numba's bounds checks.

Compiled code neither checks its indexes nor fails where it leaves an array: it reads and writes whatever stands beside.
Under `NUMBA_BOUNDSCHECK` it raises IndexError instead, at some cost and with code of its own on disk. An index from -1
down to -n counts from the end as in Python and is no error. Of addresses, as the matrix products take them, only those
of the last elements are checked: their tests put values around the results that must stay as they are.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPONENTS = "tests/components"
LOOPS = {
    "products": [f"{COMPONENTS}/kernels/test_products.py", "-k=AVX2"],  # the same loops as for other registers
    "readers and shards": [
        f"{COMPONENTS}/preprocess/readers/test_text.py",
        f"{COMPONENTS}/preprocess/readers/test_json_loops.py",
        f"{COMPONENTS}/preprocess/test_loops.py",
    ],
    "synthetic data": [
        f"{COMPONENTS}/preprocess/datasets/test_synthetic.py",
        "-k=every_size or draws_without_replacement or alias_tables or closed_form",
    ],
    "negatives": [
        f"{COMPONENTS}/negative_gen",
        f"{COMPONENTS}/sampling",
        "-k=larger_than_all_rows or exactly or pooled or nearly_all or all_items or without_training_items or too_small"
        " or any_density or all_candidates or replacement or padded or given",
    ],
    "training": [
        f"{COMPONENTS}/trainer/engines/cpu/test_engine.py",
        "-k=several_blocks or wide or (gmf and alone) or averaged",
    ],
    "scoring": [f"{COMPONENTS}/ranking/test_compiled_scorer.py", "-k=signature"],
}


def checked(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("loops", LOOPS)
def test_no_loop_leaves_its_arrays(loops: str, tmp_path: Path) -> None:
    done = checked("-m", "pytest", "-p", "no:cacheprovider", *LOOPS[loops], cache=tmp_path)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout


_LEAVES_ITS_ARRAY = """
import numpy as np
from components.kernels.compiling import compiled, entry_point
from numba import njit

def put(values, place):
    values[place] = 1

for decorate in (compiled, entry_point, njit(nogil=True)):
    try:
        decorate(put)(np.zeros(3, np.float32), 3)
    except IndexError as error:
        print(error)
"""


def test_bounds_are_checked_however_a_loop_is_compiled(tmp_path: Path) -> None:
    script = tmp_path / "leaves.py"
    script.write_text(_LEAVES_ITS_ARRAY)
    done = checked("-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import leaves", cache=tmp_path)
    assert done.stdout.count("out of bounds") == 3, done.stderr
