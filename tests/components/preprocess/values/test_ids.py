"""Raw ids: which are the same, which are none."""

import numpy as np
import pyarrow as pa
import pytest

from components.preprocess.rows import Rows, merge_censuses, positions, take_census
from components.preprocess.values.ids import read_ids

TEXTS = {
    "integers": (["7", "-12", "0"], [7, -12, 0]),
    "blanks around": ([" 7", "12\t"], [7, 12]),
    "12 and 12.0": (["12", "12.0", "12.00"], [12, 12, 12]),
    "leading zeros": (["7", "0124"], ["7", "0124"]),
    "a sign": (["7", "-0"], ["7", "-0"]),
    "a text among numbers": (["7", " x", "12.0"], ["7", "x", "12"]),
    "64 bits": (["9223372036854775807", "7"], [2**63 - 1, 7]),
    "64 bits unsigned": (["18446744073709551615", "7"], ["18446744073709551615", "7"]),
    "a fraction": (["7", "1.5"], ["7", "1.5"]),
}


@pytest.mark.parametrize("case", TEXTS)
def test_texts_are_integers_where_every_one_prints_back(case: str) -> None:
    written, ids = TEXTS[case]
    found, bad = read_ids(pa.array(written), "auto")
    assert found.tolist() == ids
    assert not bad.any()


@pytest.mark.parametrize("missing", ["", "NULL", "null", "NaN", "nan", "None", r"\N", " ", " nan "])
@pytest.mark.parametrize("other", ["7", "x"])
def test_what_says_that_there_is_no_value_is_no_id(missing: str, other: str) -> None:
    found, bad = read_ids(pa.array([other, missing, None]), "auto")
    assert bad.tolist() == [False, True, True]
    assert str(found[0]) == other


COLUMNS = {
    "unsigned": (pa.array([2**64 - 1, 7], pa.uint64()), [str(2**64 - 1), "7"]),
    "small": (pa.array([200, 7], pa.uint8()), [200, 7]),
    "floats": (pa.array([12.0, 7.0]), [12, 7]),
    "large floats": (pa.array([2.0**60, 7.0]), None),
    "texts that are declared": (pa.array(["12", "7"]), ["12", "7"]),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_with_a_type_keeps_every_id_apart(case: str) -> None:
    column, ids = COLUMNS[case]
    found, bad = read_ids(column, "auto", is_declared=True)
    assert not bad.any()
    assert len(set(found.tolist())) == len(set(column.to_pylist()))
    assert ids is None or found.tolist() == ids


def test_a_value_that_no_row_has_is_no_user() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([2, 0, None], pa.int32()), pa.array(["a ", "b", "a"]))
    bad = read_ids(column, "auto", is_declared=True)[1]
    assert bad.tolist() == [False, False, True]
    kept, _ = read_ids(column.filter(pa.array(~bad)), "auto", is_declared=True)
    assert kept.dictionary_decode().to_pylist() == ["a", "a"]
    census = take_census(Rows(kept, np.array([1, 1]), None))
    assert (census.users.to_pylist(), census.user_rows.tolist()) == (["a"], [2])


def test_integers_of_one_batch_are_the_texts_of_another() -> None:
    batches = [
        Rows(read_ids(pa.array(users), "auto")[0], np.array([1, 1]), None) for users in (["7", "12.0"], ["012", "12"])
    ]
    census = merge_censuses(map(take_census, batches))
    assert census.users.to_pylist() == ["012", "12", "7"]
    assert census.user_rows.tolist() == [1, 2, 1]
    assert [positions(batch.user, census.users).tolist() for batch in batches] == [[2, 1], [0, 1]]


def test_an_id_of_the_wrong_type_is_bad_where_integers_are_asked_for() -> None:
    found, bad = read_ids(pa.array(["007", "x", "1e3", "9" * 19]), "integer")
    assert bad.tolist() == [False, True, True, True]
    assert found[0] == 7
    assert read_ids(pa.array(["007", " 7.0"]), "string")[0].tolist() == ["007", "7.0"]


def test_none_of_the_bytes_makes_an_id_of_what_is_none() -> None:
    with pytest.raises(Exception, match="neither numbers nor texts"):
        read_ids(pa.array([[1], [2]]), "auto")
