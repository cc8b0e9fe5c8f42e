from pathlib import Path

import pytest

from components.shared.memory import memory_bytes
from pipeline.estimating.machine import free_disk_gb, free_memory_gb, probe


def test_a_machine_is_probed(tmp_path):
    found = probe(tmp_path / "none" / "yet")
    assert 0 < found.speed.loop < 10
    assert 0 < found.speed.product < 10
    assert found.cores >= 1
    assert found.disk_gb == pytest.approx(free_disk_gb(tmp_path), rel=0.5)
    assert probe(None).disk_gb is None


def test_free_memory_is_what_linux_calls_available(tmp_path):
    description = tmp_path / "meminfo"
    description.write_text("MemTotal:       24000000 kB\nMemFree:  5 kB\nMemAvailable:   1000 kB\n")
    assert free_memory_gb(description) == pytest.approx(0.001024)
    assert free_memory_gb(Path("/nowhere")) == memory_bytes() / 1e9
