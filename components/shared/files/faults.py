"""What goes wrong on the way to a storage, in one line."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Literal

from components.shared.errors import UserError, first_line
from components.shared.files.places import bucket_of, file_system, is_remote, is_web
from components.shared.files.secrets import without_secrets

Doing = Literal["read", "written"]

_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
    "DefaultCredentialsError",
    "RefreshError",
}
_CREDENTIALS = {
    "gs": "run `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key",
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (FSSPEC_S3_ANON=true reads public ones)",
}
_CREDENTIALS["gcs"], _CREDENTIALS["s3a"] = _CREDENTIALS["gs"], _CREDENTIALS["s3"]
_WRITE_REASONS = {
    errno.ENOSPC: "no space left on the device; free some, or choose another --root",
    errno.EDQUOT: "the disk quota is used up; free some space, or choose another --root",
    errno.EFBIG: "the file is larger than this system allows; choose another --root",
    errno.EACCES: "permission denied; choose a --root that you may write to",
    errno.EPERM: "permission denied; choose a --root that you may write to",
    errno.EROFS: "the file system is read-only; choose another --root",
    errno.EIO: "the device fails (input/output error); check it, or choose another --root",
    errno.ENOTDIR: "a part of its path is no folder; choose another --root",
    errno.ENAMETOOLONG: "its path is longer than this system allows; choose a shorter --root",
    errno.ENOLCK: "the file system has no locks; choose another --root",
    errno.EOPNOTSUPP: "the file system has no locks; choose another --root",
}
_NETWORK = ("aiohttp", "requests", "urllib3", "botocore.httpsession")
_NETWORK_NAMES = {
    "HTTPClientError",
    "EndpointConnectionError",
    "ConnectionClosedError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "FSTimeoutError",
    "ResponseParserError",
    "TransportError",
}


@contextlib.contextmanager
def told(name: str, doing: Doing = "read") -> Iterator[None]:
    """Tells what goes wrong with a file or folder as a `UserError`; the fault of a program stays what it is.

    Args:
      name: what is worked on.
      doing: what is done with it.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = _of_storage(name, error) if is_remote(name) else _of_this_machine(name, error, doing)
        if reason is None:
            raise
        verb = "read" if doing == "read" else "write"
        raise UserError(f"cannot {verb} {without_secrets(name)}: {without_secrets(reason)}") from error


def absence(name: str) -> str:
    """Says that there is nothing of that name, or not even the bucket."""
    if is_remote(name) and not is_web(name) and bucket_is_missing(name):
        return f"there is no bucket {bucket_of(name)}"
    return "it is not there"


def bucket_is_missing(name: str) -> bool:
    """Whether a storage says for certain that it has no such bucket."""
    bucket = bucket_of(name)
    system, path = file_system(bucket)
    try:
        # To ask for the bucket itself is a right of its own, which whoever reads its files may not have.
        system.ls(path)
    except FileNotFoundError:
        return True
    except Exception:
        return False
    return False


def _of_this_machine(name: str, error: Exception, doing: Doing) -> str | None:
    if doing == "written":
        return _WRITE_REASONS.get(error.errno or 0) if isinstance(error, OSError) else None
    if isinstance(error, FileNotFoundError):
        return absence(name)
    if isinstance(error, NotADirectoryError):
        return "it is no folder"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "its name has a null byte" if isinstance(error, ValueError) and "null byte" in str(error) else None


def _of_storage(name: str, error: Exception) -> str | None:
    scheme = name.partition("://")[0]
    chain = list(_chain(error))
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    if kinds & _NO_CREDENTIALS or getattr(error, "code", None) in (401, "401") or "Anonymous caller" in str(error):
        return f"there are no credentials that {scheme}:// takes; {_CREDENTIALS.get(scheme, 'see its documentation')}"
    if isinstance(error, FileNotFoundError):
        return absence(name)
    if isinstance(error, PermissionError) or str(error).startswith("Forbidden"):
        return f"the storage refuses these credentials ({_last_line(error)})"
    if kinds & _NETWORK_NAMES or any(map(_is_of_network, chain)):
        return f"the storage cannot be reached, or breaks off ({type(error).__name__}); run again"
    if isinstance(error, OSError) or kinds & {"ClientError", "HttpError"}:
        return f"the storage answers: {first_line(error)}"
    return None


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _is_of_network(error: BaseException) -> bool:
    return isinstance(error, ConnectionError | TimeoutError) or type(error).__module__.startswith(_NETWORK)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
