"""What nobody may read in a log, on a screen, or in what is kept."""

import logging
import re
from typing import Any

_VARIABLE = r"\$\{\w+\}"
_USER = re.compile(rf"://(?!{_VARIABLE}(?::{_VARIABLE})?@)[^/\s?#]*@")
# Parameters whose names end in such a word, and all that Amazon and Google sign addresses with.
_KEY = re.compile(
    r"([?&;](?:[\w.-]*(?:sig|signature|token|key|key[_-]?id|password|passwd|pwd|secret|auth|authorization|credentials?)"
    rf"|X-(?:Amz|Goog)-[\w-]+)=)(?!{_VARIABLE})[^&;\s'\"]+",
    re.IGNORECASE,
)
_OPTION = r"--\w*(?:secret|password|passwd|token|access_key|connection_string|credential)\w*"
_SET_OPTION = re.compile(rf"({_OPTION}=)(?!{_VARIABLE})[^\s'\",]+", re.IGNORECASE)
_BARE_OPTION = re.compile(_OPTION, re.IGNORECASE)
_IS_ADDRESS = re.compile(r"^https?://|://[^/@]*:[^/@]*@")


def without_secrets(text: str) -> str:
    """The text with user names and passwords left out of its URLs, and what signs them; so with options of programs.

    Example:
      "https://me:secret@host/a?sig=abc" becomes "https://host/a?sig=...", and "--db_password=abc" "--db_password=...".
    """
    return _SET_OPTION.sub(r"\1...", _KEY.sub(r"\1...", _USER.sub("://", text)))


def json_without_secrets(value: Any) -> Any:
    """A value of JSON with `without_secrets` of each text in it; keys stay."""
    if isinstance(value, dict):
        return {key: json_without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [json_without_secrets(inner) for inner in value]
    return without_secrets(value) if isinstance(value, str) else value


def holds_secret(value: str) -> bool:
    """Whether an address or an option of a program has a secret in it, not the name of a variable in its place.

    Example:
      "https://me:secret@host/a" does, "https://${ME}@host/a" and "abfs://container@account/a" do not.
    """
    if _BARE_OPTION.fullmatch(value):
        return True  # what follows is its value
    return value != without_secrets(value) and bool(value.startswith("--") or _IS_ADDRESS.search(value))


class QuietFormatter(logging.Formatter):
    """Formats what is logged, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))
