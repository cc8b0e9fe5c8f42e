from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.artifacts.interactions import Interactions
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.splits import Split
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.run import write_artifacts
from tests.components.preprocess.archives import Server


class Prepared:
    """Both artifacts of one run, read back."""

    def __init__(self, folder: Path, summary: InteractionsSummary):
        self.folder = folder
        self.summary = summary

    def rows(self, split: Split) -> list[tuple[int, int]]:
        users, items = Interactions(str(self.folder / "interactions")).split(split)
        return list(zip(users.tolist(), items.tolist(), strict=True))

    def ids(self, name: str) -> list[Any]:
        return pq.read_table(self.folder / "vocabulary" / f"{name}.parquet")["id"].to_pylist()

    def counts(self, name: str) -> list[int]:
        return pq.read_table(self.folder / "vocabulary" / f"{name}.parquet")["count"].to_pylist()

    def raw(self, split: Split) -> list[tuple[Any, Any]]:
        users, items = self.ids("users"), self.ids("items")
        return [(users[user], items[item]) for user, item in self.rows(split)]

    def files(self) -> dict[str, bytes]:
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., Prepared]:
    """Runs Preprocess on `dataset.path`, with options of both sections."""
    number = iter(range(1000))

    def run(
        path: Path | str | None = None,
        *,
        seed: int = 1,
        flags: tuple[str, ...] = (),
        section: type[DatasetConfig] = DatasetConfig,
        new_users: float = 0.0,
        **options: Any,
    ) -> Prepared:
        folder = tmp_path / f"out-{next(number)}"
        everything = {"min_interactions": 1, "min_item_interactions": 1}
        named = {} if path is None else {"path": str(path)}
        sections = {"dataset": {"kind": "files", **named}, "preprocess": everything}
        for name, value in options.items():
            sections["preprocess" if name in PreprocessConfig.model_fields else "dataset"][name] = value
        arguments = ["--direct_num_workers=1", *flags]
        summary = write_artifacts(
            section(**sections["dataset"]),
            PreprocessConfig(**sections["preprocess"]),
            seed,
            str(folder / "interactions"),
            str(folder / "vocabulary"),
            lambda: beam.Pipeline(runner="FnApiRunner", options=PipelineOptions(arguments)),
            new_users,
        )
        return Prepared(folder, summary)

    return run


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.stalls = False
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
