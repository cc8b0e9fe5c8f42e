"""Inputs of a few rows: something is left to train on and to test by, or one line says what is missing."""

import pytest

from components.shared.errors import UserError

SHAPES = {
    "one row": [(1, 1)],
    "one user, two rows": [(1, 1), (1, 2)],
    "one user, three rows": [(1, 1), (1, 2), (1, 3)],
    "one row, again and again": [(1, 1)] * 9,
    "two users, one item": [(1, 1), (2, 1)],
    "a row of each user": [(user, user % 3) for user in range(10)],
    "a row of most users": [(user, 1) for user in range(5)] + [(9, item) for item in range(3)],
    "every user has every item": [(user, item) for user in range(4) for item in range(5)],
}
NOTHING_LEFT = "no row is left to train on, as no user has more items than are held out"


@pytest.mark.parametrize("split", ["last", "time", "random"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_few_rows_are_split_or_refused_with_one_line(tmp_path, prepare, shape, split):
    rows = SHAPES[shape]
    path = tmp_path / "few.csv"
    lines = [f"{user},{item},{1_000_000_000 + time}" for time, (user, item) in enumerate(rows)]
    path.write_text("\n".join(["user,item,timestamp", *lines]))
    most = max(len({item for user, item in rows if user == one}) for one, _ in rows)
    if split == "time":
        try:
            found = prepare(path, split=split)
        except UserError as error:
            assert "\n" not in str(error)
            return
    elif most <= 2:
        with pytest.raises(UserError, match=NOTHING_LEFT) as raised:
            prepare(path, split=split)
        assert "\n" not in str(raised.value)
        assert not list(tmp_path.glob("out-*/*/*.json"))
        return
    else:
        found = prepare(path, split=split)
    assert found.summary.interactions["train"] > 0
    assert found.summary.interactions["test"] > 0
    kept = [pair for part in found.summary.interactions for pair in found.raw(part)]
    assert sorted(kept) == sorted(set(kept))
    assert set(kept) <= set(rows)


def test_without_validation_two_rows_are_enough(tmp_path, prepare):
    (tmp_path / "few.csv").write_text("user,item,timestamp\n1,1,1\n1,2,2\n")
    assert prepare(tmp_path / "few.csv", validation=False).summary.interactions == {"train": 1, "test": 1}
    (tmp_path / "few.csv").write_text("user,item,timestamp\n1,1,1\n2,2,2\n")
    with pytest.raises(UserError, match=rf"{NOTHING_LEFT} \(the last one for the test\); give more rows"):
        prepare(tmp_path / "few.csv", validation=False)
