"""What Prometheus is told, in its text format (https://prometheus.io/docs/instrumenting/exposition_formats)."""

import bisect
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts requests by route and status, their seconds by route, and what became of versions.

    Attributes:
      in_progress: how many requests are being answered.
      reloads: how many versions took the place of another one.
      failed_loads: how many times one could not be loaded.
      lost: how many times a scoring process died.
    """

    def __init__(self) -> None:
        """Begins at nothing."""
        self.in_progress = self.reloads = self.failed_loads = self.lost = 0
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, list[float]] = {}

    @property
    def requests(self) -> int:
        """How many have been answered."""
        return self._requests.total()

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        self._requests[route, status] += 1
        # Each bucket by itself, and the sum at the end; added up where they are written.
        buckets = self._seconds.setdefault(route, [0.0] * (len(_BOUNDS) + 2))
        buckets[bisect.bisect_left(_BOUNDS, seconds)] += 1
        buckets[-1] += seconds

    def text(self, version: str | None, processes: Mapping[str, int]) -> str:
        """All of it.

        Args:
          version: that answers, None where there is none.
          processes: their numbers, by what they do.
        """
        return "".join(f"{line}\n" for line in self._lines(version, processes))

    def _lines(self, version: str | None, processes: Mapping[str, int]) -> Iterator[str]:
        yield from _head("requests_total", "counter", "Requests answered.")
        for (route, status), count in sorted(self._requests.items()):
            yield f"neumf_requests_total{_labels(route=route, status=str(status))} {count}"
        yield from _head("request_seconds", "histogram", "Seconds until a request was answered.")
        for route, buckets in sorted(self._seconds.items()):
            yield from _histogram(route, buckets)
        for name, kind, about, value in (
            ("requests_in_progress", "gauge", "Requests that are being answered.", self.in_progress),
            ("reloads_total", "counter", "Versions that took the place of another one.", self.reloads),
            ("failed_loads_total", "counter", "Times that a version could not be loaded.", self.failed_loads),
            ("lost_scoring_processes_total", "counter", "Scoring processes that died.", self.lost),
            ("ready", "gauge", "Whether a version is loaded.", int(version is not None)),
        ):
            yield from _head(name, kind, about)
            yield f"neumf_{name} {value}"
        yield from _head("model_info", "gauge", "The version that answers.")
        if version is not None:
            yield f"neumf_model_info{_labels(version=version)} 1"
        yield from _head("resident_memory_bytes", "gauge", "Memory of each process.")
        for name, number in processes.items():
            yield f"neumf_resident_memory_bytes{_labels(process=name)} {resident_bytes(number)}"


def resident_bytes(process: int) -> int:
    """The memory of a process, 0 where it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _histogram(route: str, buckets: list[float]) -> Iterator[str]:
    total = 0
    for bound, count in zip((*map(str, _BOUNDS), "+Inf"), buckets, strict=False):
        total += int(count)
        yield f"neumf_request_seconds_bucket{_labels(route=route, le=bound)} {total}"
    yield f"neumf_request_seconds_sum{_labels(route=route)} {buckets[-1]:.6f}"
    yield f"neumf_request_seconds_count{_labels(route=route)} {total}"


def _head(name: str, kind: str, about: str) -> tuple[str, str]:
    return f"# HELP neumf_{name} {about}", f"# TYPE neumf_{name} {kind}"


def _labels(**labels: str) -> str:
    values = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(values) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
