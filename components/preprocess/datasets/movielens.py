"""MovieLens releases by name: downloaded from GroupLens once, checked, and kept.

Cite: F. M. Harper and J. A. Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), 2015.
"""

import hashlib
import os
import posixpath
from dataclasses import dataclass
from typing import IO

from components.preprocess.datasets import download
from components.preprocess.readers.base import Columns, Source
from components.shared.errors import UserError

GROUPLENS = "https://files.grouplens.org/datasets/movielens"


@dataclass(frozen=True)
class Release:
    """One published archive.

    Attributes:
      name: the archive is `NAME.zip`.
      ratings: path of the file of ratings in it.
      separator: between its columns; it has a header where that is a comma.
      md5: as GroupLens publishes it in `NAME.zip.md5`; None where the archive changes, and so its checksum.
    """

    name: str
    ratings: str
    separator: str
    md5: str | None

    def source(self, path: str) -> Source:
        """The layout of the ratings file at `path`."""
        if self.separator == ",":
            columns = Columns(user="userId", item="movieId", timestamp="timestamp", rating="rating")
            return Source((path,), "csv", ",", True, columns, self.name)
        return Source((path,), "csv", self.separator, False, Columns(user=0, item=1, timestamp=3, rating=2), self.name)


# The checksums are those of https://files.grouplens.org/datasets/movielens/NAME.zip.md5, as public code that reads
# these archives repeats them: Keras's examples for 100k to 25m, pooch-based readers for 32m.
RELEASES = {
    release.name: release
    for release in (
        Release("ml-latest-small", "ml-latest-small/ratings.csv", ",", None),
        Release("ml-100k", "ml-100k/u.data", "\t", "0e33842e24a9c977be4e0107933c0723"),
        Release("ml-1m", "ml-1m/ratings.dat", "::", "c4d9eecfca2ab87c1945afe126590906"),
        Release("ml-10m", "ml-10M100K/ratings.dat", "::", "ce571fd55effeba0271552578f2648bd"),
        Release("ml-20m", "ml-20m/ratings.csv", ",", "cd245b17a1ae2cc31bb14903e1204af3"),
        Release("ml-25m", "ml-25m/ratings.csv", ",", "6b51fb2759a8657d3bfcbfc42b592ada"),
        Release("ml-32m", "ml-32m/ratings.csv", ",", "d472be332d4daa821edc399621853b57"),
    )
}


def resolve(name: str, mirror: str | None, cache_dir: str) -> Source:
    """Finds a release's file of ratings: in a mirror's folder, in the cache, or by downloading it.

    Args:
      name: one of `RELEASES`.
      mirror: a folder with `NAME/<ratings file>` or `NAME.zip`, or a base URL under which `NAME.zip` lies; None for
        GroupLens.
      cache_dir: where the files of ratings are kept; `~` and `~/.cache` stand for what they are on this machine.

    Raises:
      UserError: the archive cannot be had, or is not what it should be.
    """
    release = RELEASES[name]
    if mirror is None or download.is_url(mirror):
        return release.source(_from_url(release, mirror or GROUPLENS, cache_dir))
    folder = os.path.expanduser(mirror)
    file_name = posixpath.basename(release.ratings)
    extracted = [os.path.join(folder, inside, file_name) for inside in (name, posixpath.dirname(release.ratings))]
    for path in extracted:
        if os.path.isfile(path):
            return release.source(path)
    if os.path.isfile(os.path.join(folder, f"{name}.zip")):
        return release.source(_from_folder(release, folder, cache_dir))
    raise UserError(f"dataset.mirror: {mirror} has neither {name}/{file_name} nor {name}.zip")


def _from_url(release: Release, base: str, cache_dir: str) -> str:
    path = _cached(release, base, cache_dir)
    if not os.path.exists(path):
        url = f"{base.rstrip('/')}/{release.name}.zip"
        with download.scratch_file(os.path.dirname(path)) as archive:
            download.fetch(url, archive)
            _check(release, archive, url, release.md5 or download.published_md5(f"{url}.md5"))
            download.extract(archive, release.ratings, path, url)
    return path


def _from_folder(release: Release, folder: str, cache_dir: str) -> str:
    archive_path = os.path.join(folder, f"{release.name}.zip")
    stat = os.stat(archive_path)
    path = _cached(release, f"{os.path.abspath(archive_path)} {stat.st_size} {stat.st_mtime_ns}", cache_dir)
    if not os.path.exists(path):
        with open(archive_path, "rb") as archive:
            _check(release, archive, archive_path, release.md5)
            download.extract(archive, release.ratings, path, archive_path)
    return path


def _cached(release: Release, origin: str, cache_dir: str) -> str:
    """Where the ratings are kept: an archive that has a fixed checksum is the same from everywhere."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = cache_dir.replace("~/.cache", cache, 1) if cache_dir.startswith("~/.cache/") else cache_dir
    version = release.md5 or hashlib.md5(origin.encode(), usedforsecurity=False).hexdigest()
    name = posixpath.basename(release.ratings)
    return os.path.join(os.path.expanduser(folder), "movielens", f"{release.name}-{version[:8]}", name)


def _check(release: Release, archive: IO[bytes], origin: str, md5: str | None) -> None:
    digest = download.md5_of(archive)
    if md5 is not None and digest != md5:
        raise UserError(
            f"{origin} has MD5 {digest}, but {release.name}.zip is published with {md5}: run again, or set "
            "dataset.mirror to a folder or URL with the right archive"
        )
