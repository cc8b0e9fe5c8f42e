"""What the service tells of itself: one line of JSON for each event, on standard error."""

import datetime
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from components.shared.files.secrets import json_without_secrets
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
        # Before it is encoded: a line that was cut afterwards might be no JSON any more.
        return json.dumps(json_without_secrets({**line, **fields}), ensure_ascii=False)
