import socket

import pytest

from pipeline.service.scoring.frames import Frame, Inbox


def test_frames_come_out_as_they_went_in_however_they_are_cut() -> None:
    frames = [Frame(1, 200, b"one"), Frame(2**40, 404, b""), Frame(3, 0, b"x" * 200_000)]
    data = b"".join(frame.encoded() for frame in frames)
    found: list[Frame] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        inbox = Inbox(theirs)
        for begin in range(0, len(data), 70_001):
            ours.sendall(data[begin : begin + 70_001])
            found += inbox.receive(wait=False)
        assert found == frames
        assert inbox.receive(wait=False) == []


def test_the_other_side_leaves() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        with pytest.raises(EOFError):
            Inbox(theirs).receive(wait=True)
