"""A webhook on the loopback."""

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import QuietHandler, serving


@dataclass
class Receiver:
    """Takes JSON by POST.

    Attributes:
      status: that it answers.
      received: what it was sent.
    """

    status: int = 204
    received: list[Any] = field(default_factory=list)

    def __enter__(self) -> "Receiver":
        receiver = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802
                assert self.headers["Content-Type"] == "application/json"
                receiver.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.status)
                self.end_headers()

        self._served = contextlib.ExitStack()
        self._address = self._served.enter_context(serving(Handler))
        return self

    def __exit__(self, *_: object) -> None:
        self._served.close()

    @property
    def url(self) -> str:
        return f"{self._address}/services/T0/s3cret"
