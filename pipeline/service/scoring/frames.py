"""What the two processes of the service tell each other through a socket: frames of a number, a status and a body."""

import socket
import struct
from typing import NamedTuple

HEADER = struct.Struct("<IQH")
"""Bytes of the body, number of the request, status."""

OPENING = 0
"""The number of the first frame, by which the scoring process says that it is ready, or why not."""

_AT_ONCE = 1 << 16


class Frame(NamedTuple):
    """A request, or the answer that has its number.

    Attributes:
      number: of the request.
      status: of an answer, as in HTTP.
      body: JSON.
    """

    number: int
    status: int
    body: bytes

    def encoded(self) -> bytes:
        """As it goes through the socket."""
        return HEADER.pack(len(self.body), self.number, self.status) + self.body


class Inbox:
    """The frames that come in through a socket."""

    def __init__(self, channel: socket.socket):
        """Takes the socket."""
        self._channel, self._bytes = channel, bytearray()

    def receive(self, wait: bool) -> list[Frame]:
        """The frames that have come whole since the last call.

        Args:
          wait: for the first of them.

        Raises:
          EOFError: the other side has left.
        """
        frames: list[Frame] = []
        while True:
            frames += self._whole()
            try:
                part = self._channel.recv(_AT_ONCE, 0 if wait and not frames else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return frames
            if not part:
                raise EOFError
            self._bytes += part

    def _whole(self) -> list[Frame]:
        frames = []
        while len(self._bytes) >= HEADER.size:
            size, number, status = HEADER.unpack_from(self._bytes)
            end = HEADER.size + size
            if len(self._bytes) < end:
                break
            frames.append(Frame(number, status, bytes(self._bytes[HEADER.size : end])))
            del self._bytes[:end]
        return frames
