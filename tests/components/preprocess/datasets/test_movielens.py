import contextlib
import dataclasses
import io
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from components.preprocess.config import DatasetConfig
from components.preprocess.datasets import download, movielens
from components.shared import progress
from components.shared.errors import UserError
from tests.components.preprocess.archives import GOOD, RATINGS, SMALL, Server, files_in, md5, one_line, zipped
from tests.damaged_zips import NO_NAME, damaged_zip

BIG = zipped(**{f"{SMALL}/ratings.csv": os.urandom(3_000_000)})


def test_releases_are_those_of_the_configuration() -> None:
    assert tuple(movielens.RELEASES) == get_args(DatasetConfig.model_fields["name"].annotation)
    assert movielens.GROUPLENS == "https://files.grouplens.org/datasets/movielens"
    assert all(len(release.md5 or "0" * 32) == 32 for release in movielens.RELEASES.values())


@pytest.mark.parametrize(
    ("name", "file", "separator", "header"),
    [
        ("ml-latest-small", "ml-latest-small/ratings.csv", ",", True),
        ("ml-100k", "ml-100k/u.data", "\t", False),
        ("ml-1m", "ml-1m/ratings.dat", "::", False),
        ("ml-10m", "ml-10M100K/ratings.dat", "::", False),
        ("ml-20m", "ml-20m/ratings.csv", ",", True),
        ("ml-25m", "ml-25m/ratings.csv", ",", True),
        ("ml-32m", "ml-32m/ratings.csv", ",", True),
    ],
)
def test_layout_of_each_release(name: str, file: str, separator: str, header: bool, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_bytes(b"x")
    source = movielens.resolve(name, str(tmp_path), "/nowhere")
    assert source.paths == (str(tmp_path / file),)
    assert (source.format, source.separator, source.header, source.name) == ("csv", separator, header, name)
    expected = ("userId", "movieId", "timestamp", "rating") if header else (0, 1, 3, 2)
    columns = source.columns
    assert (columns.user, columns.item, columns.timestamp, columns.rating) == expected


def test_downloads_once_and_reads_the_cache_afterwards(server: Server, cache: Path) -> None:
    server.serve(f"{SMALL}.zip", GOOD)
    server.serve(f"{SMALL}.zip.md5", f"MD5 ({SMALL}.zip) = {md5(GOOD)}\n".encode())
    source = movielens.resolve(SMALL, server.url, str(cache))
    assert Path(source.paths[0]).read_bytes() == RATINGS
    assert files_in(cache) == [Path(source.paths[0])]
    assert server.requests == [f"/datasets/{SMALL}.zip", f"/datasets/{SMALL}.zip.md5"]
    server.http.shutdown()
    server.http.server_close()
    assert movielens.resolve(SMALL, server.url, str(cache)) == source


def test_checksum_file_may_be_absent(server: Server, cache: Path) -> None:
    server.serve(f"{SMALL}.zip", GOOD)
    assert Path(movielens.resolve(SMALL, f"{server.url}/", str(cache)).paths[0]).read_bytes() == RATINGS


def test_published_checksum_is_enforced(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(**{"ml-100k/u.data": b"1\t2\t3\t4\n"})
    server.serve("ml-100k.zip", archive)
    with pytest.raises(
        UserError, match=f"MD5 {md5(archive)}.*0e33842e24a9c977be4e0107933c0723.*dataset.mirror"
    ) as error:
        movielens.resolve("ml-100k", server.url, str(cache))
    one_line(error)
    assert files_in(cache) == []

    release = dataclasses.replace(movielens.RELEASES["ml-100k"], md5=md5(archive))
    monkeypatch.setitem(movielens.RELEASES, "ml-100k", release)
    source = movielens.resolve("ml-100k", server.url, str(cache))
    assert Path(source.paths[0]).read_bytes() == b"1\t2\t3\t4\n"
    # A fixed checksum means the same archive everywhere: no mirror is asked again.
    assert movielens.resolve("ml-100k", "http://127.0.0.1:1/other", str(cache)) == source


def test_wrong_checksum_beside_the_archive(server: Server, cache: Path) -> None:
    server.serve(f"{SMALL}.zip", GOOD)
    server.serve(f"{SMALL}.zip.md5", b"A" * 32 + f"  {SMALL}.zip\n".encode())
    with pytest.raises(UserError, match=r"is published with a{32}") as error:
        movielens.resolve(SMALL, server.url, str(cache))
    one_line(error)
    assert files_in(cache) == []


def spoil(content: bytes) -> bytes:
    """Changes a byte of the packed ratings."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo(f"{SMALL}/ratings.csv").header_offset + 30 + len(f"{SMALL}/ratings.csv") + 10
    return content[:start] + bytes([content[start] ^ 0xFF]) + content[start + 1 :]


@pytest.mark.parametrize(
    ("content", "sent", "status", "message"),
    [
        pytest.param(GOOD, len(GOOD) // 2, 200, "cut short.*run again", id="truncated"),
        pytest.param(GOOD, None, 404, "404 Not Found.*dataset.mirror", id="not found"),
        pytest.param(GOOD, None, 503, "503 Service Unavailable.*dataset.mirror", id="server error"),
        pytest.param(b"<html>sign in</html>", None, 200, "not a whole zip archive", id="not a zip"),
        pytest.param(GOOD[: len(GOOD) // 2], None, 200, "not a whole zip archive", id="half a zip"),
        pytest.param(spoil(GOOD), None, 200, "not a whole zip archive", id="damaged"),
        pytest.param(damaged_zip(GOOD, NO_NAME), None, 200, "not a whole zip archive", id="no name"),
        pytest.param(zipped(readme=b"?"), None, 200, f"has no file {SMALL}/ratings.csv", id="other archive"),
    ],
)
def test_bad_answers(content: bytes, sent: int | None, status: int, message: str, server: Server, cache: Path) -> None:
    name = f"datasets/{SMALL}.zip"
    server.files[name] = content
    server.status[name] = status
    if sent is not None:
        server.sent_bytes[name] = sent
    with pytest.raises(UserError, match=message) as error:
        movielens.resolve(SMALL, server.url, str(cache))
    assert f"{server.url}/{SMALL}.zip" in one_line(error)
    assert files_in(cache) == []


def test_unreachable(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UserError, match=r"cannot be reached.*dataset\.mirror") as error:
            movielens.resolve(SMALL, url, str(cache))
    one_line(error)
    assert files_in(cache) == []


def test_only_the_ratings_leave_the_archive(server: Server, cache: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    server.serve(
        f"{SMALL}.zip",
        zipped(
            **{
                "../../../../escaped": b"evil",
                str(outside): b"evil",
                f"{SMALL}/../../escaped": b"evil",
                f"{SMALL}/ratings.csv": RATINGS,
            }
        ),
    )
    source = movielens.resolve(SMALL, server.url, str(cache))
    assert files_in(tmp_path) == [Path(source.paths[0])]


def test_a_link_in_the_archive_is_no_link_here(server: Server, cache: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        link = zipfile.ZipInfo(f"{SMALL}/ratings.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    server.serve(f"{SMALL}.zip", content.getvalue())
    path = Path(movielens.resolve(SMALL, server.url, str(cache)).paths[0])
    assert not path.is_symlink()
    assert path.read_bytes() == b"/etc/passwd"


def test_zip_bomb(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_MOST_BYTES", 1_000_000)
    server.serve(f"{SMALL}.zip", zipped(**{f"{SMALL}/ratings.csv": b"0" * 2_000_000}))
    with pytest.raises(UserError, match="would unpack to"):
        movielens.resolve(SMALL, server.url, str(cache))
    assert files_in(cache) == []


class Bar:
    """Counts, and pulls the plug after some steps."""

    def __init__(self, most: float = float("inf")):
        self.steps, self.most = 0, most

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > self.most:
            raise KeyboardInterrupt

    def describe(self, text: str) -> None:
        """Shows nothing."""


class Reporter(progress.Reporter):
    def __init__(self, bar: Bar):
        self.shown, self.total, self.title = bar, 0, ""

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[progress.Bar]:
        self.title, self.total = title, total
        yield self.shown


def test_progress(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(Bar())
    monkeypatch.setattr(progress, "_reporter", reporter)
    server.serve(f"{SMALL}.zip", BIG)
    movielens.resolve(SMALL, server.url, str(cache))
    assert reporter.title == f"{SMALL}.zip, KiB"
    assert reporter.total == -(-len(BIG) // 1024)
    assert reporter.total - 1 <= reporter.shown.steps <= reporter.total


def test_interruption_leaves_nothing(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_reporter", Reporter(Bar(most=1000)))
    server.serve(f"{SMALL}.zip", BIG)
    with pytest.raises(KeyboardInterrupt):
        movielens.resolve(SMALL, server.url, str(cache))
    assert files_in(cache) == []


def test_kill_leaves_nothing(server: Server, cache: Path) -> None:
    server.serve(f"{SMALL}.zip", BIG)
    server.sent_bytes[f"datasets/{SMALL}.zip"] = 2_000_000
    server.stalls = True
    arguments = f"{SMALL!r}, {server.url!r}, {str(cache)!r}"
    code = f"from components.preprocess.datasets import movielens; movielens.resolve({arguments})"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[4])
    deadline = time.monotonic() + 60
    while not server.requests and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert server.requests
    assert files_in(cache) == []


def test_mirror_folder_with_an_archive(tmp_path: Path, cache: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / f"{SMALL}.zip").write_bytes(GOOD)
    source = movielens.resolve(SMALL, str(mirror), str(cache))
    assert Path(source.paths[0]).read_bytes() == RATINGS
    assert cache in Path(source.paths[0]).parents
    newer = RATINGS + b"2,7,1.0,5\n"
    (mirror / f"{SMALL}.zip").write_bytes(zipped(**{f"{SMALL}/ratings.csv": newer}))
    assert Path(movielens.resolve(SMALL, str(mirror), str(cache)).paths[0]).read_bytes() == newer


def test_mirror_folder_with_the_wrong_archive(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "ml-1m.zip").write_bytes(GOOD)
    with pytest.raises(UserError, match="c4d9eecfca2ab87c1945afe126590906"):
        movielens.resolve("ml-1m", str(tmp_path), str(cache))


def test_mirror_folder_without_it(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.mirror: .* has neither ml-1m/ratings\.dat nor ml-1m\.zip"):
        movielens.resolve("ml-1m", str(tmp_path), str(cache))


def test_cache_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server.serve(f"{SMALL}.zip", GOOD)
    with pytest.raises(UserError, match=r"cannot write .*dataset\.cache_dir") as error:
        movielens.resolve(SMALL, server.url, str(tmp_path / "file" / "cache"))
    one_line(error)


@pytest.mark.parametrize("archive_bytes", [100, 3_000_000], ids=["while unpacking", "while downloading"])
def test_disk_full(archive_bytes: int, server: Server, cache: Path, files_of_at_most: Any) -> None:
    ratings = b"0" * 3_000_000 if archive_bytes < 1_000_000 else os.urandom(archive_bytes)
    server.serve(f"{SMALL}.zip", zipped(**{f"{SMALL}/ratings.csv": ratings}))
    message = r"cannot write .*: File too large; .*dataset\.cache_dir"
    with files_of_at_most(1_000_000), pytest.raises(UserError, match=message) as error:
        movielens.resolve(SMALL, server.url, str(cache))
    one_line(error)
    assert files_in(cache) == []


def test_default_cache_follows_xdg(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    server.serve(f"{SMALL}.zip", GOOD)
    path = movielens.resolve(SMALL, server.url, "~/.cache/neumf-pipeline").paths[0]
    assert path.startswith(str(tmp_path / "xdg" / "neumf-pipeline" / "movielens" / SMALL))


@pytest.mark.parametrize("place", ["ml-10m/ratings.dat", "ml-10M100K/ratings.dat"])
def test_a_change_in_a_mirror_is_looked_for_where_the_ratings_are_read(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir()
    path.write_text("1::2::5::3\n")
    release = movielens.MovieLens(name="ml-10m", mirror=str(tmp_path))
    assert release.source().paths[0] in release.files_read()
    assert f"{tmp_path}/ml-10m.zip" in release.files_read()


def test_real_release_as_mirror(shared_data: Path) -> None:
    source = movielens.resolve("ml-100k", str(shared_data), "/nowhere")
    assert Path(source.paths[0]).read_bytes().count(b"\n") == 100_000
