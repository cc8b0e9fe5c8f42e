import numpy as np

from components.kernels.compiling import compiled
from components.kernels.memory import ask_for


def test_a_row_is_asked_for_by_an_instruction_of_the_cpu_and_stays_as_it_is() -> None:
    @compiled(hot=True)
    def total(rows: np.ndarray) -> float:
        found = 0.0
        for row in range(len(rows)):
            ask_for(rows[row])
            found += rows[row].sum()
        return found

    for width in (0, 1, 16, 33):
        rows = np.arange(5 * width, dtype=np.float32).reshape(5, width)
        before = rows.copy()
        assert total(rows) == before.sum()
        assert (rows == before).all()
    assert "prefetch" in "".join(total.inspect_asm().values())
