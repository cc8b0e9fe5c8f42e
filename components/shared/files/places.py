"""Names of files and folders, and the file system that each is on."""

import functools
import os
import posixpath
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CONNECT_SECONDS = 10
_READ_SECONDS = 60


def is_remote(name: str) -> bool:
    """Whether a name is one of another machine's storage, such as gs://bucket/folder."""
    return "://" in name and not name.startswith("file://")


def is_web(name: str) -> bool:
    """Whether a name is a web address, which can be read only."""
    return name.startswith(("http://", "https://"))


def expanded(name: str) -> str:
    """The name as it is used: `~` stands for the home, `file://` for this machine, `${NAME}` for a variable.

    Raises:
      UserError: there is no such variable in the environment.
    """
    if name.startswith("file://"):
        return unquote(name.removeprefix("file://").removeprefix("localhost"))
    return with_variables(name) if is_remote(name) else os.path.expanduser(name)


def with_variables(text: str) -> str:
    """The text with the values of the environment's variables in place of each `${NAME}`.

    Raises:
      UserError: there is no such variable.
    """
    return re.sub(r"\$\{(\w+)\}", _value_of, text)


def _value_of(found: re.Match[str]) -> str:
    if (value := os.environ.get(found[1])) is None:
        raise UserError(f"{found[0]} stands for a variable of the environment, and {found[1]} is not set here")
    return value


def absolute(name: str) -> str:
    """The name as it is from any folder of this machine.

    Raises:
      UserError: it is a storage's but for a slash, as `gs:/bucket` is, and would be a folder of this machine.
    """
    if is_remote(name):
        return name
    if found := re.match("(gs|gcs|s3|s3a):/", name):
        raise UserError(f"{name} is a folder of this machine; a storage is {found[1]}://BUCKET/FOLDER")
    return os.path.abspath(expanded(name))


def plain_path(name: str) -> str:
    """The name without what follows the path of a web address.

    Example:
      `plain_path("https://host/clicks.csv?sig=abc")` is "https://host/clicks.csv".
    """
    return name.partition("?")[0].partition("#")[0] if is_web(name) else name


def join(folder: str, *names: str) -> str:
    """A name below a folder."""
    return posixpath.join(folder, *names)


def bucket_of(name: str) -> str:
    """What the storage has at its top: the bucket, in most.

    Example:
      `bucket_of("gs://bucket/folder/file")` is "gs://bucket".
    """
    parts = urlsplit(name)
    return f"{parts.scheme}://{parts.netloc}"


def file_system(name: str) -> tuple["AbstractFileSystem", str]:
    """The file system of a remote name, and the path that it knows the file by.

    Raises:
      UserError: there is no such kind of storage, or its package is not installed.
    """
    import fsspec

    scheme = name.partition("://")[0]
    try:
        found = _make(scheme)
    except (ValueError, ImportError) as error:
        known = "gs://, s3://, http(s)://, file:// and paths are"
        raise UserError(f"{without_secrets(name)}: {scheme}:// is not known here ({error}); {known}") from None
    assert isinstance(found, fsspec.AbstractFileSystem)
    return found, str(found._strip_protocol(name))


def _make(scheme: str) -> Any:
    """The file system of a scheme, which never answers from memory what it was told before."""
    import fsspec

    if scheme in ("gs", "gcs"):
        # The class that gcsfs registers asks for the kind of each bucket first, over another protocol.
        from gcsfs.core import GCSFileSystem

        return GCSFileSystem(use_listings_cache=False, requests_timeout=_READ_SECONDS)
    return fsspec.filesystem(scheme, use_listings_cache=False, **_options(scheme))


@functools.cache
def _options(scheme: str) -> dict[str, dict[str, object]]:
    if scheme in ("s3", "s3a"):
        return {"config_kwargs": {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}}
    if scheme in ("http", "https"):
        return {"client_kwargs": {"trust_env": True}}
    return {}
