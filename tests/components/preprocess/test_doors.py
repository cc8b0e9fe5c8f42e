"""What people add to Preprocess: a format, a kind of data set, a release. Once registered, its rows go through."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pytest
from pydantic import Field

from components.preprocess.config import DatasetConfig, dataset_keys
from components.preprocess.datasets import DATASETS
from components.preprocess.datasets.base import Dataset, Request, Unsplit
from components.preprocess.datasets.movielens import RELEASES, MovieLens, Release
from components.preprocess.given_split import GivenSplit
from components.preprocess.readers import READERS, format_of
from components.preprocess.readers.base import Piece, Reader, Reading, Sample, Source
from components.preprocess.rows import Rows
from components.shared.errors import UserError
from components.shared.parameters import with_keys

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Sentence(Piece):
    """A file of sentences such as `7 took 30 at 2.5`."""

    path: str

    def read(self) -> Iterator[Rows]:
        words = [line.split() for line in Path(self.path).read_text().splitlines()]
        users, items = (np.array([int(word[place]) for word in words]) for place in (0, 2))
        yield Rows(users, items, np.array([float(word[4]) for word in words]))


class Sentences(Reader):
    endings = (".said",)

    def plan(self, source: Source, reading: Reading) -> Sequence[Piece]:
        return [Sentence(path) for path in source.paths]

    def sample(self, source: Source) -> Sample:
        (rows,) = Sentence(source.paths[0]).read()
        return Sample({"user": pa.array(rows.user), "item": pa.array(rows.item)})


@dataclass(frozen=True)
class Column(Piece):
    user: int
    height: int

    def read(self) -> Iterator[Rows]:
        yield Rows(np.full(self.height, self.user), np.arange(self.height), np.arange(self.height))


class Grid(Dataset):
    """Every user has every item, in their order."""

    what: ClassVar[str] = "every pair of a grid"

    grid_users: int = Field(3, ge=1, description="Users of the grid.")
    grid_items: int = Field(description="Items of the grid.")

    def interactions(self, request: Request) -> Unsplit:
        return Unsplit("grid", [Column(user, self.grid_items) for user in range(self.grid_users)], timed=True)


class Halves(Dataset):
    """Brings its own split."""

    what: ClassVar[str] = "a split of two rows"

    def interactions(self, request: Request) -> GivenSplit:
        one, other = ((np.array([5]), np.array([item])) for item in (70, 80))
        return GivenSplit("halves", train=one, validation=None, test=other, negatives=None, rows_read=2)


def with_kind(monkeypatch: pytest.MonkeyPatch, name: str, kind: type[Dataset]) -> type[DatasetConfig]:
    """The section `dataset` as it is where the kind is registered."""
    monkeypatch.setitem(DATASETS, name, kind)
    return with_keys((), dataset_keys(DATASETS))(DatasetConfig)


def test_a_registered_format_is_told_by_its_ending_and_read(prepare, tmp_path, monkeypatch):
    monkeypatch.setitem(READERS, "sentences", Sentences())
    (tmp_path / "one.said").write_text("7 took 30 at 2.5\n7 took 10 at 1.5\n7 took 20 at 3.5\n")
    (tmp_path / "two.said").write_text("4 took 30 at 1\n4 took 20 at 2\n4 took 10 at 3\n")
    out = prepare(tmp_path / "*.said")
    assert out.raw("train") == [(4, 30), (7, 10)]
    assert out.raw("validation") == [(4, 20), (7, 30)]
    assert out.raw("test") == [(4, 10), (7, 20)]


def test_a_compressed_file_has_the_format_of_its_plain_name(monkeypatch):
    monkeypatch.setitem(READERS, "sentences", Sentences())
    assert [format_of(name) for name in ("a.SAID", "a.said.gz", "a.b.tsv.gz", "a.gz")] == [
        "sentences",
        "sentences",
        "tsv",
        None,
    ]


def test_a_name_that_tells_no_format_is_answered_with_the_endings_of_all(prepare, tmp_path, monkeypatch):
    monkeypatch.setitem(READERS, "sentences", Sentences())
    (tmp_path / "rows.xlsx").write_text("")
    with pytest.raises(
        UserError, match=r"rows\.xlsx does not end in \.csv, \.tsv, \.json, \.parquet or \.said; say which it is"
    ):
        prepare(tmp_path / "rows.xlsx")


def test_a_registered_kind_has_keys_of_its_own_and_is_read(prepare, monkeypatch):
    section = with_kind(monkeypatch, "grid", Grid)
    out = prepare(section=section, kind="grid", grid_users=2, grid_items=4)
    assert out.raw("train") == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert out.raw("test") == [(0, 3), (1, 3)]
    assert (out.summary.dataset, out.summary.rows_read) == ("grid", 8)


def test_the_keys_of_a_registered_kind_are_described_and_travel_as_properties(monkeypatch):
    section = with_kind(monkeypatch, "grid", Grid)
    assert section.model_fields["kind"].description.endswith("grid: every pair of a grid.")
    assert section.model_fields["grid_users"].description == "Users of the grid."
    chosen = section(kind="grid", grid_items=4)
    assert section.from_properties(chosen.to_properties()) == chosen
    assert chosen.chosen == Grid(grid_items=4)


def test_a_key_that_a_kind_needs_is_asked_for_where_the_kind_is_chosen_alone(monkeypatch):
    section = with_kind(monkeypatch, "grid", Grid)
    assert section(kind="synthetic").grid_items is None
    with pytest.raises(ValueError, match=r"dataset\.grid_items is needed where dataset\.kind is grid"):
        section(kind="grid")


def test_a_registered_kind_may_bring_its_split(prepare, monkeypatch):
    out = prepare(section=with_kind(monkeypatch, "halves", Halves), kind="halves", validation=False)
    assert (out.raw("train"), out.raw("test")) == ([(5, 70)], [(5, 80)])
    assert (out.summary.dataset, out.summary.holdout) == ("halves", "given")


def test_a_registered_release_is_read_by_its_name(prepare, tmp_path, monkeypatch):
    monkeypatch.setitem(RELEASES, "ml-toy", Release("ml-toy", "ml-toy/ratings.dat", "::", None))

    class MovieLensWithToy(MovieLens):
        name: Literal[*RELEASES] = "ml-toy"

    (tmp_path / "ml-toy").mkdir()
    (tmp_path / "ml-toy" / "ratings.dat").write_text("1::20::5::3\n1::10::4::1\n1::30::4::2\n")
    section = with_kind(monkeypatch, "movielens", MovieLensWithToy)
    out = prepare(section=section, kind="movielens", name="ml-toy", mirror=str(tmp_path))
    assert (out.raw("train"), out.raw("validation"), out.raw("test")) == ([(1, 10)], [(1, 30)], [(1, 20)])
    assert out.summary.dataset == "ml-toy"


def test_kinds_that_share_a_key_each_describe_it():
    assert DatasetConfig.model_fields["path"].description == (
        "kind files: a file or a glob, plain or compressed (.gz, .zst, .bz2, .zip): a path, gs://, s3://, http(s):// "
        "or file://. kind ncf: a folder with NAME.train.rating, ...; a path, gs:// or s3://."
    )


def test_the_configuration_loads_nothing_large():
    large = ("numpy", "pyarrow", "apache_beam", "numba", "requests", "tensorflow")
    code = f"import sys, components.preprocess.config; print([name for name in {large} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
