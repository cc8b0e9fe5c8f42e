"""Ratings wherever they lie: the same rows from everywhere, and one line where they cannot be had."""

import gzip
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from components.preprocess.config import DatasetConfig
from components.preprocess.datasets import movielens
from components.preprocess.datasets.base import Request, Unsplit
from components.shared.errors import UserError
from components.shared.files import web, writing
from components.shared.files.reading import open_file
from pipeline.code_version import input_fingerprint
from tests.components.preprocess.archives import GOOD, RATINGS, SMALL
from tests.storages import STORAGES, Website, forget, proxy, website, write

FORMATS = ("csv", "csv.gz", "parquet")


@pytest.fixture(scope="module", params=list(STORAGES))
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environment, STORAGES[request.param](environment) as url:
        yield url


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files in each format."""
    folder = tmp_path_factory.mktemp("inputs")
    draw = random.Random(1)
    for number in range(3):
        rows = [f"{draw.randrange(50)},{draw.randrange(30)},{draw.randrange(10**6)}" for _ in range(300)]
        path = folder / f"clicks-{number}.csv"
        path.write_text("user,item,timestamp\n" + "\n".join(rows) + "\n")
        (folder / f"clicks-{number}.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
        pq.write_table(pyarrow.csv.read_csv(path), folder / f"clicks-{number}.parquet")
    return folder


@pytest.fixture
def site(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Website]:
    monkeypatch.setattr(web, "_WAITS_SECONDS", (0.0, 0.0))
    with website(inputs, monkeypatch) as shown:
        yield shown


def _rows(path: str) -> list[tuple[int, int, int]]:
    """All rows of the input, in their order."""
    batches = [rows for piece in _pieces(path).pieces for rows in piece.read()]
    tables = [(rows.user, rows.item, rows.timestamp) for rows in batches]
    return [row for table in tables for row in zip(*(np.asarray(column).tolist() for column in table), strict=True)]


def _pieces(path: str) -> Unsplit:
    found = DatasetConfig(kind="files", path=path).chosen.interactions(Request(None, True, 1))
    assert isinstance(found, Unsplit)
    return found


@pytest.mark.parametrize("ending", FORMATS)
def test_a_signed_address_is_read_by_the_name_in_it(
    inputs: Path, site: Website, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNATURE", "hush.zip")
    assert _rows(f"{site.url}/clicks-0.{ending}?token=${{SIGNATURE}}") == _rows(f"{inputs}/clicks-0.{ending}")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_glob_on_a_storage_gives_what_it_gives_here(inputs: Path, bucket: str, ending: str) -> None:
    for number in range(3):
        write(f"{bucket}/{ending}/clicks-{number}.{ending}", (inputs / f"clicks-{number}.{ending}").read_bytes())

    assert _rows(f"{bucket}/{ending}/clicks-*.{ending}") == _rows(f"{inputs}/clicks-*.{ending}")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_glob_on_a_web_server_gives_what_it_gives_here(inputs: Path, site: Website, ending: str) -> None:
    assert _rows(f"{site.url}/clicks-*.{ending}") == _rows(f"{inputs}/clicks-*.{ending}")


def test_a_file_url_is_a_path(inputs: Path) -> None:
    assert _rows(f"file://{inputs}/clicks-0.csv") == _rows(f"{inputs}/clicks-0.csv")


def test_a_changed_file_changes_the_fingerprint(bucket: str) -> None:
    config = DatasetConfig(kind="files", path=f"{bucket}/changing/*.csv")
    write(f"{bucket}/changing/a.csv", b"user,item,timestamp\n1,2,3\n")
    before = input_fingerprint(config)
    assert input_fingerprint(config) == before

    write(f"{bucket}/changing/a.csv", b"user,item,timestamp\n1,2,4\n")

    assert input_fingerprint(config) != before


def test_a_changed_file_on_a_web_server_changes_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("user,item,timestamp\n1,2,3\n")
    with website(tmp_path, monkeypatch) as site:
        config = DatasetConfig(kind="files", path=f"{site.url}/a.csv")
        before = input_fingerprint(config)
        assert input_fingerprint(config) == before
        (tmp_path / "a.csv").write_text("user,item,timestamp\n1,2,3\n4,5,6\n")
        assert input_fingerprint(config) != before


def test_a_file_that_vanishes_between_the_passes_is_told(bucket: str) -> None:
    write(f"{bucket}/vanishing/a.csv", b"user,item,timestamp\n1,2,3\n")
    pieces = _pieces(f"{bucket}/vanishing/*.csv").pieces
    assert sum(len(rows.user) for piece in pieces for rows in piece.read()) == 1

    writing.delete([f"{bucket}/vanishing/a.csv"])

    with pytest.raises(UserError, match=rf"^cannot read {bucket}/vanishing/a\.csv: it is not there$"):
        list(pieces[0].read())


def test_a_bucket_of_nobody_and_a_glob_of_nothing(bucket: str) -> None:
    with pytest.raises(
        UserError, match=rf"^dataset\.path: {bucket}-no/\*\.csv: there is no bucket {bucket}-no; check it"
    ):
        _pieces(f"{bucket}-no/*.csv")
    with pytest.raises(UserError, match=rf"^dataset\.path: {bucket}/no-\*\.csv: it is not there; check it"):
        _pieces(f"{bucket}/no-*.csv")


_ENDPOINTS = {"gs": "STORAGE_EMULATOR_HOST", "s3": "AWS_ENDPOINT_URL"}


def test_a_storage_that_breaks_off_is_asked_again(bucket: str, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"{bucket}/cut/a.csv", (inputs / "clicks-0.csv").read_bytes())
    endpoint = _ENDPOINTS[bucket.partition(":")[0]]
    with proxy(os.environ[endpoint]) as between:
        monkeypatch.setenv(endpoint, between.url)
        forget()
        pieces = _pieces(f"{bucket}/cut/a.csv").pieces
        between.cuts = 1
        assert sum(len(rows.user) for piece in pieces for rows in piece.read()) == 300
        assert between.cuts == 0
    forget()


def test_an_s3_that_always_breaks_off_is_told(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with STORAGES["s3"](monkeypatch) as bucket, proxy(os.environ["AWS_ENDPOINT_URL"]) as between:
        write(f"{bucket}/cut.csv", (inputs / "clicks-0.csv").read_bytes())
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
        forget()
        between.cuts = 10**6
        with pytest.raises(UserError, match=r"^cannot read s3://models/cut\.csv: .* breaks off .*; run again$"):
            _pieces(f"{bucket}/cut.csv")
    forget()


def test_a_web_server_that_breaks_off_is_asked_again(inputs: Path, site: Website) -> None:
    site.cuts = 2
    assert _rows(f"{site.url}/clicks-1.csv") == _rows(f"{inputs}/clicks-1.csv")

    site.cuts = 10**6
    with pytest.raises(UserError, match=r"clicks-2\.csv was cut short.*run again$"):
        _pieces(f"{site.url}/clicks-2.csv")


def test_a_name_and_a_password_of_an_address_are_in_the_environment(
    site: Website, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = site.url.replace("://", "://${ME}@")
    with pytest.raises(UserError, match=r"\$\{ME\} stands for a variable of the environment, and ME is not set here"):
        _pieces(f"{address}/clicks-0.csv")

    monkeypatch.setenv("ME", "me:hush")
    assert _pieces(f"{address}/clicks-0.csv").name == f"{address}/clicks-0.csv"
    assert _rows(f"{address}/clicks-0.csv") == _rows(f"{inputs}/clicks-0.csv")
    assert set(site.credentials) == {"Basic bWU6aHVzaA=="}
    with pytest.raises(UserError) as error:
        _pieces(f"{address}/missing.csv")
    assert str(error.value).startswith(f"dataset.path: {address}/missing.csv: it is not there")
    assert "hush" not in str(error.value)


def test_no_credentials_for_s3_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with STORAGES["s3"](monkeypatch) as bucket:
        write(f"{bucket}/a.csv", b"1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        forget()
        with pytest.raises(UserError, match=r"there are no credentials that s3:// takes; set AWS_ACCESS_KEY_ID and "):
            _pieces(f"{bucket}/a.csv")
    forget()


def test_no_credentials_for_gs_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with STORAGES["gs"](monkeypatch), proxy("") as refusing:
        # The emulator lets everybody in.
        monkeypatch.setattr("requests.request", lambda *_, **__: _refusal())
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", refusing.url)
        forget()
        with pytest.raises(UserError, match=r"there are no credentials that gs:// takes; run `gcloud auth"):
            _pieces("gs://models/a.csv")
    forget()


def _refusal() -> object:
    import requests

    answer = requests.Response()
    answer.status_code, answer.headers["Content-Type"] = 401, "application/json"
    answer._content = (
        b'{"error": {"code": 401, "message": "Anonymous caller does not have storage.objects.get access."}}'
    )
    return answer


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "extracted"])
def test_a_mirror_of_movielens_on_a_storage(bucket: str, tmp_path: Path, packed: bool) -> None:
    mirror = f"{bucket}/mirror-{packed}"
    write(f"{mirror}/{SMALL}.zip" if packed else f"{mirror}/{SMALL}/ratings.csv", GOOD if packed else RATINGS)

    (path,) = movielens.resolve(SMALL, mirror, str(tmp_path)).paths

    with open_file(path) as file:
        assert file.read() == RATINGS
    assert path.startswith(str(tmp_path) if packed else mirror)
