"""What nobody may read in a log or on a screen."""

import logging
import re

_USER = re.compile(r"://[^/\s?#]*@")
# Parameters whose names end in such a word, and all that Amazon and Google sign addresses with.
_KEY = re.compile(
    r"([?&;](?:[\w.-]*(?:sig|signature|token|key|key[_-]?id|password|passwd|pwd|secret|auth|authorization|credentials?)"
    r"|X-(?:Amz|Goog)-[\w-]+)=)[^&;\s'\"]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text with user names and passwords left out of its URLs, and what signs them.

    Example:
      "https://me:secret@host/a?sig=abc" becomes "https://host/a?sig=...".
    """
    return _KEY.sub(r"\1...", _USER.sub("://", text))


class QuietFormatter(logging.Formatter):
    """Formats what is logged, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))
