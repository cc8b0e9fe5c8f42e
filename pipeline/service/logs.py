"""What the service tells of itself: one line of JSON for each event, on standard error."""

import datetime
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from components.shared.files.secrets import without_secrets
from components.shared.json_types import JsonObject

_LOGGER = logging.getLogger("pipeline.service")


def event(name: str, **fields: Any) -> None:
    """Tells that something happened.

    Args:
      name: what.
      **fields: more of it, as JSON has it.
    """
    _LOGGER.info(name, extra={"fields": fields})


def to_stderr() -> None:
    """From now on, all that is logged goes to standard error as JSON, without secrets."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _LOGGER.setLevel(logging.INFO)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line: JsonObject = {"time": at, "level": record.levelname.lower(), "event": record.getMessage()}
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(_told({**line, **fields}), ensure_ascii=False)


def _told(value: Any) -> Any:
    """A value of JSON whose texts have no secrets; a line that was cut afterwards might be no JSON any more."""
    if isinstance(value, dict):
        return {name: _told(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_told(part) for part in value]
    return without_secrets(value) if isinstance(value, str) else value
