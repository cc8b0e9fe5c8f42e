"""Rows of the first pass, kept for the second one."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from components.preprocess.kept_rows import KeptRows, kept_rows
from components.preprocess.rows import Rows


def batches(number: int = 2) -> list[Rows]:
    """Batches of 10 rows with times, 240 bytes each."""
    columns = np.arange(30 * number, dtype=np.int64).reshape(number, 3, 10)
    return [Rows(*of_batch, bad=1, time_unit="s") for of_batch in columns]


def same(some: Rows, others: Rows) -> bool:
    columns = zip((some.user, some.item, some.timestamp), (others.user, others.item, others.timestamp), strict=True)
    return all(np.array_equal(one, other) for one, other in columns) and (some.bad, some.time_unit) == (
        others.bad,
        others.time_unit,
    )


def test_a_piece_is_handed_on_and_kept_until_it_is_asked_for() -> None:
    kept, read = KeptRows(480, quick=0), batches()
    assert list(map(id, kept.keep(7, read))) == list(map(id, read))
    again = kept.pop(7)
    assert again is not None
    assert all(map(same, again, read))
    assert kept.pop(7) is None


def test_what_is_kept_does_not_change_with_what_was_read() -> None:
    kept, (read,) = KeptRows(480, quick=0), batches(1)
    list(kept.keep(0, [read]))
    before = read.user.copy()
    read.user[:] = -1
    (again,) = kept.pop(0) or []
    assert np.array_equal(again.user, before)


def test_texts_are_kept_too() -> None:
    texts = pa.array(["a", "b", "a"]).dictionary_encode()
    kept = KeptRows(1 << 10, quick=0)
    list(kept.keep(0, [Rows(texts, texts, None)]))
    (again,) = kept.pop(0) or []
    assert again.user.to_pylist() == ["a", "b", "a"]


def test_a_piece_without_room_is_not_kept_and_takes_none_from_others() -> None:
    kept = KeptRows(500, quick=0)
    assert len(list(kept.keep(0, batches(3)))) == 3
    assert kept.pop(0) is None
    list(kept.keep(1, batches(2)))
    list(kept.keep(2, batches(1)))
    assert kept.pop(2) is None
    assert len(kept.pop(1) or ()) == 2
    list(kept.keep(3, batches(2)))
    assert len(kept.pop(3) or ()) == 2


def test_a_piece_that_is_read_quickly_is_read_again() -> None:
    kept = KeptRows(1 << 10, quick=1)
    assert len(list(kept.keep(0, batches()))) == 2
    assert kept.pop(0) is None


def test_a_piece_that_cannot_be_read_to_its_end_is_not_kept() -> None:
    def breaks() -> Iterator[Rows]:
        yield from batches(1)
        raise OSError("cut off")

    kept = KeptRows(1 << 10, quick=0)
    with pytest.raises(OSError, match="cut off"):
        list(kept.keep(0, breaks()))
    assert kept.pop(0) is None


def test_a_job_has_what_is_kept_of_it_alone() -> None:
    list(kept_rows("one").keep(0, batches()))
    assert kept_rows("other").pop(0) is None
    assert kept_rows("one").pop(0) is None
