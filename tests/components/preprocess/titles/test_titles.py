"""Titles of items: read from files of any form, and joined to the items that are left."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.artifacts.vocabulary import TitlesSummary, Vocabulary, VocabularySummary
from components.preprocess.config import DatasetConfig
from components.preprocess.datasets.movielens import MovieLens
from components.preprocess.titles.config import TitlesConfig
from components.preprocess.titles.files import Titles, find_titles
from components.preprocess.titles.join import join
from components.shared.errors import UserError
from pipeline.code_version import input_fingerprint
from tests.components.preprocess.archives import SMALL, Server, zipped

ITEMS = pa.array([7, 8, 12])
FOUND = ["Heat, the", None, "Amélie"]


def csv(path: Path) -> None:
    path.write_text('item,title,year\n7,"Heat, the",1995\n12.0,Amélie,2001\n99,Nobody,1900\n', encoding="utf-8")


def compressed(path: Path) -> None:
    path.write_bytes(gzip.compress("title\titem\nHeat, the\t 7\nAmélie\t12\n".encode()))


def latin(path: Path) -> None:
    path.write_bytes("item|title\n7|Heat, the\n12|Amélie\n".encode("latin-1"))


def lines(path: Path) -> None:
    rows = [{"item": 7, "title": "Heat, the"}, {"title": "Amélie", "item": "12", "more": {"a": 1}}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def parquet(path: Path) -> None:
    pq.write_table(pa.table({"item": [7.0, 12.0], "title": ["Heat, the", "Amélie"]}), path)


FORMS = {
    "titles.csv": csv,
    "titles.tsv.gz": compressed,
    "titles.txt": latin,
    "titles.jsonl": lines,
    "titles.parquet": parquet,
}


def titles(path: Path | str, id: str | int = "item", title: str | int = "title") -> Titles:
    return find_titles(TitlesConfig(path=str(path), id=id, title=title), "auto", None)


@pytest.mark.parametrize("name", FORMS)
def test_titles_are_read_from_files_of_any_form(tmp_path: Path, name: str) -> None:
    FORMS[name](tmp_path / name)
    found = join(titles(tmp_path / name), ITEMS)
    assert found.texts.to_pylist() == FOUND
    assert found.summary == TitlesSummary(items=2, encoding="latin-1" if name == "titles.txt" else None)


def test_a_file_without_a_header_has_positions(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_bytes(b"7::Heat, the::Crime|Drama\n12::Amelie::Romance\n")
    assert join(titles(tmp_path / "movies.dat", 0, 1), ITEMS).texts.to_pylist() == ["Heat, the", None, "Amelie"]


def test_the_first_of_several_titles_counts_and_bad_rows_are_counted(tmp_path: Path) -> None:
    rows = ["item,title", "7,Heat", "7.0,Heat", "8,", "12,Big", "7,Cold", "12,Large", "9", "8, Ran \n"]
    (tmp_path / "titles.csv").write_text("\n".join(rows))
    found = join(titles(tmp_path / "titles.csv"), ITEMS)
    assert found.texts.to_pylist() == ["Heat", "Ran", "Big"]
    assert found.summary == TitlesSummary(items=3, several=2, bad_rows=2)


@pytest.mark.parametrize(
    ("items", "id_type", "found"),
    [
        (pa.array(["012", "12"]), "auto", ["zero", "twelve"]),
        (pa.array(["012", "12"]), "string", ["zero", None]),
        (pa.array(["12.0", "7"]), "string", ["twelve", None]),
        (pa.array([12, 120]), "auto", ["twelve", None]),
        (pa.array([12, 120]), "integer", ["zero", None]),
    ],
)
def test_ids_are_compared_as_those_of_the_interactions_are(tmp_path: Path, items, id_type, found) -> None:
    (tmp_path / "titles.csv").write_text("item,title\n012,zero\n12.0,twelve\n")
    source = find_titles(TitlesConfig(path=str(tmp_path / "titles.csv"), id="item"), id_type, None)
    assert join(source, items).texts.to_pylist() == found


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        ({"path": "gone.csv", "id": "item"}, r"dataset\.titles\.path: .*gone\.csv: it is not there; check it"),
        ({"id": "sku"}, r"has no column 'sku'; set dataset\.titles\.id to one of: item \(0\), title \(1\), year \(2\)"),
        ({"id": "item", "title": "name"}, r"has no column 'name'; set dataset\.titles\.title to one of: item \(0\)"),
        (
            {"id": 3, "title": 1},
            r"dataset\.titles\.id: .* has 3 columns, so there is none at 3; positions",
        ),
    ],
)
def test_what_is_not_there_is_told_by_its_key(tmp_path: Path, assignments: dict[str, str], told: str) -> None:
    csv(tmp_path / "titles.csv")
    config = TitlesConfig(**{"path": "titles.csv", **assignments})
    config = config.model_copy(update={"path": str(tmp_path / config.path)})
    with pytest.raises(UserError, match=told) as error:
        find_titles(config, "auto", None)
    assert "\n" not in str(error.value)


def test_the_vocabulary_has_the_titles_of_the_items_that_are_left(tmp_path: Path, prepare) -> None:
    csv(tmp_path / "titles.csv")
    rows = ["user,item,timestamp"] + [f"{user},{item},{item}" for user in range(4) for item in (7, 8, 12)]
    (tmp_path / "clicks.csv").write_text("\n".join([*rows, "9,99,1\n"]))
    found = {"path": str(tmp_path / "titles.csv"), "id": "item"}
    out = prepare(tmp_path / "clicks.csv", titles=found, min_interactions=2)
    vocabulary = str(out.folder / "vocabulary")
    assert Vocabulary.open(vocabulary).item_titles == FOUND
    assert VocabularySummary.read(vocabulary).titles == TitlesSummary(items=2)
    without = prepare(tmp_path / "clicks.csv", min_interactions=2)
    assert without.summary == out.summary
    assert Vocabulary.open(str(without.folder / "vocabulary")).item_titles is None


def test_another_file_of_titles_is_another_input(tmp_path: Path) -> None:
    csv(tmp_path / "titles.csv")
    (tmp_path / "clicks.csv").touch()
    found = {"path": str(tmp_path / "titles.csv"), "id": "item"}
    config = DatasetConfig(kind="files", path=str(tmp_path / "clicks.csv"), titles=found)
    assert DatasetConfig.from_properties(config.to_properties()) == config
    before = input_fingerprint(config)
    (tmp_path / "titles.csv").write_text("item,title\n7,Heat\n")
    assert input_fingerprint(config) != before


RELEASES = {
    "ml-100k": ("u.data", "u.item", "7|Amélie (2001)|01-Jan-2001||http://a?Am%E9lie|0|1\n".encode("latin-1")),
    "ml-1m": ("ratings.dat", "movies.dat", "7::Amélie (2001)::Romance|Comedy\n".encode("latin-1")),
    "ml-20m": ("ratings.csv", "movies.csv", 'movieId,title,genres\n7,"Amélie (2001)",Comedy\n'.encode()),
}


@pytest.mark.parametrize("name", RELEASES)
def test_movielens_knows_its_own_titles(tmp_path: Path, name: str) -> None:
    ratings, file, content = RELEASES[name]
    folder = tmp_path / name
    folder.mkdir()
    (folder / ratings).touch()
    release = MovieLens(name=name, mirror=str(tmp_path))
    assert release.titles_of(release.source()) is None
    (folder / file).write_bytes(content)
    found = release.titles_of(release.source())
    assert found is not None
    assert join(found, ITEMS).texts.to_pylist() == ["Amélie (2001)", None, None]
    assert str(folder / file) in release.files_read()


def test_titles_of_a_download_are_kept_beside_the_ratings(server: Server, cache: Path) -> None:
    rows = b"userId,movieId,rating,timestamp\n1,7,4.0,100\n"
    movies = b"movieId,title,genres\n7,Heat,Crime\n"
    server.serve(f"{SMALL}.zip", zipped(**{f"{SMALL}/ratings.csv": rows, f"{SMALL}/movies.csv": movies}))
    release = MovieLens(name=SMALL, mirror=server.url, cache_dir=str(cache))
    found = release.titles_of(release.source())
    assert found is not None
    assert join(found, ITEMS).texts.to_pylist() == ["Heat", None, None]


def test_titles_may_lie_on_the_web(server: Server) -> None:
    server.serve("titles.csv", b"item,title\n7,Heat\n")
    assert join(titles(f"{server.url}/titles.csv"), ITEMS).texts.to_pylist() == ["Heat", None, None]
