"""MovieLens releases by name: downloaded from GroupLens once, checked, and kept.

Cite: F. M. Harper and J. A. Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), 2015.
"""

import hashlib
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from components.preprocess.datasets import download
from components.preprocess.datasets.base import FilesOfRows
from components.preprocess.readers.base import Columns, Source
from components.shared.errors import UserError
from components.shared.files.places import absolute, expanded, is_web, join
from components.shared.files.reading import fingerprint_of, is_file
from components.shared.files.secrets import without_secrets

GROUPLENS = "https://files.grouplens.org/datasets/movielens"


@dataclass(frozen=True)
class Release:
    """One published archive.

    Attributes:
      name: what the archive, `NAME.zip`, is called.
      ratings: path of the file of ratings in the archive.
      separator: what stands between the columns of that file, which has a header where this is a comma.
      md5: the archive's, as GroupLens publishes it in `NAME.zip.md5`; None where the archive changes, and so its MD5.
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

    def source_of_titles(self, path: str) -> Source:
        """The layout of the file of titles at `path`; what is a user in other files is a title there."""
        if self.separator == ",":
            return Source((path,), "csv", ",", True, Columns(user="title", item="movieId"), self.name)
        # The oldest release has tabs between the columns of its ratings, and bars here.
        separator = "|" if self.separator == "\t" else self.separator
        return Source((path,), "csv", separator, False, Columns(user=1, item=0), self.name, quoting="off")

    @property
    def titles(self) -> str:
        """The name of the file of titles, which lies beside the ratings."""
        return {",": "movies.csv", "\t": "u.item"}.get(self.separator, "movies.dat")

    @property
    def members(self) -> tuple[str, str]:
        """Paths of the files of titles and of ratings in the archive."""
        return posixpath.join(posixpath.dirname(self.ratings), self.titles), self.ratings


# A new release is a line here. The checksums are those of
# https://files.grouplens.org/datasets/movielens/NAME.zip.md5, as public code that reads these archives repeats them:
# Keras's examples for 100k to 25m, pooch-based readers for 32m.
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


if TYPE_CHECKING:
    from components.preprocess.titles.files import Titles

    Name = str
else:
    Name = Literal[*RELEASES]


class MovieLens(FilesOfRows):
    """A MovieLens release."""

    what: ClassVar[str] = "a release by its name"

    name: Name = Field("ml-latest-small", description="The MovieLens release (kind: movielens).")
    mirror: str | None = Field(None, description="A folder, gs://, s3:// or http(s):// with the MovieLens archives.")
    cache_dir: str = Field("~/.cache/neumf-pipeline", description="Where downloaded archives are kept.")

    def source(self) -> Source:
        return resolve(self.name, self.mirror, self.cache_dir)

    def titles_of(self, source: Source) -> "Titles | None":
        """Those that lie beside the ratings; nobody has asked for them, so it is no error where there are none."""
        from components.preprocess.titles.files import titles_in

        release = RELEASES[self.name]
        path = join(posixpath.dirname(source.paths[0]), release.titles)
        return titles_in(release.source_of_titles(path), self.id_type) if is_file(path) else None

    def files_read(self) -> list[str]:
        # What a web address has for a release is cached by its checksum, or by its address where there is none.
        if self.mirror is None or is_web(self.mirror):
            return []
        release = RELEASES[self.name]
        ratings = _extracted(release, self.mirror)
        titles = [join(posixpath.dirname(path), release.titles) for path in ratings]
        return [*ratings, *titles, _archive(release, self.mirror)]


def resolve(name: str, mirror: str | None, cache_dir: str) -> Source:
    """Finds a release's file of ratings: in a mirror's folder, in the cache, or by downloading it.

    Args:
      name: one of `RELEASES`.
      mirror: a folder with `NAME/<ratings file>` or `NAME.zip`, or a base URL under which `NAME.zip` lies; None
        stands for GroupLens.
      cache_dir: where the files of ratings are kept; `~` and `~/.cache` stand for what they are on this machine.

    Raises:
      UserError: the archive cannot be had, or is not what it should be.
    """
    release = RELEASES[name]
    if mirror is None or is_web(mirror):
        return release.source(_from_url(release, mirror or GROUPLENS, cache_dir))
    for path in _extracted(release, mirror):
        if is_file(path):
            return release.source(path)
    archive = _archive(release, mirror)
    if is_file(archive):
        return release.source(_from_archive(release, archive, cache_dir))
    raise UserError(f"dataset.mirror: {mirror} has neither {name}/{posixpath.basename(release.ratings)} nor {name}.zip")


def _extracted(release: Release, mirror: str) -> list[str]:
    """Where a mirror's folder may have the file of ratings."""
    inside = (release.name, posixpath.dirname(release.ratings))
    return [join(expanded(mirror), name, posixpath.basename(release.ratings)) for name in inside]


def _archive(release: Release, mirror: str) -> str:
    """Where a mirror has the archive."""
    return join(expanded(mirror), f"{release.name}.zip")


def _from_url(release: Release, base: str, cache_dir: str) -> str:
    path = _cached(release, base, cache_dir)
    if not os.path.exists(path):
        url = _archive(release, base)
        _extract(release, url, path, lambda: release.md5 or download.published_md5(f"{url}.md5"))
    return path


def _from_archive(release: Release, archive: str, cache_dir: str) -> str:
    path = _cached(release, f"{absolute(archive)} {fingerprint_of([archive])}", cache_dir)
    if not os.path.exists(path):
        _extract(release, archive, path, lambda: release.md5)
    return path


def _extract(release: Release, name: str, path: str, md5: Callable[[], str | None]) -> None:
    with download.scratch_file(os.path.dirname(path)) as archive:
        download.fetch(name, archive)
        _check(release, archive, without_secrets(name), md5())
        for member in release.members:  # the ratings last: with them, a folder of the cache is whole
            there = os.path.join(os.path.dirname(path), posixpath.basename(member))
            download.extract(archive, member, there, without_secrets(name), needed=member == release.ratings)


def _cached(release: Release, origin: str, cache_dir: str) -> str:
    """Where ratings and titles are kept: an archive that has a fixed checksum is the same from everywhere."""
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
