from pathlib import Path

import pytest

from components.shared import memory


@pytest.mark.parametrize(("text", "limit"), [("1073741824\n", 1 << 30), ("max\n", 2**63 - 1), (None, 2**63 - 1)])
def test_a_containers_limit_counts(text: str | None, limit: int, tmp_path: Path) -> None:
    file = tmp_path / "memory.max"
    if text is not None:
        file.write_text(text)
    assert memory._limit(file) == limit


def test_there_is_some_memory() -> None:
    assert 1 << 28 < memory.memory_bytes() < 1 << 50
