"""Which columns are what, by names and by values."""

import random

import pyarrow as pa
import pytest

from components.preprocess.inspection.columns import choose_columns
from components.shared.errors import UserError

USERS = ["7", "7", "8", "9", "9", "9"]
ITEMS = ["a1", "a2", "a1", "a3", "a2", "a1"]
ISO = [f"2001-09-{day}T10:00:00Z" for day in range(10, 16)]
SECONDS = [str(1_000_424_599 + 60 * step) for step in range(6)]
RATINGS = ["4", "3.5", "5", "1", "2", "4"]
PLACES = ["30.0000", "-97.2000", "30.1", "30.0", "30.0", "30.5"]


def texts(*columns, names=None):
    return {name: pa.array(column) for name, column in zip(names or range(len(columns)), columns, strict=True)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["t_dat", "customer_id", "article_id", "price"], {"timestamp": 0, "user": 1, "item": 2}),
        (["overall", "asin", "reviewerID", "unixReviewTime"], {"rating": 0, "item": 1, "user": 2, "timestamp": 3}),
        (["timestamp", "visitorid", "event", "itemid"], {"timestamp": 0, "user": 1, "item": 3}),
        (["User-ID", "ISBN", "Book-Rating"], {"user": 0, "item": 1, "rating": 2}),
        (["movieId", "userId", "movie", "user"], {"user": 1, "item": 0}),
    ],
)
def test_usual_names_tell_columns(names, expected):
    sample = texts(*[[f"{name}{number % 3}" for number in range(6)] for name in names], names=names)
    choice = choose_columns(sample, {})
    assert choice.columns == {role: names[place] for role, place in expected.items()}
    assert set(choice.why.values()) == {"by its name"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ((USERS, ITEMS, RATINGS, SECONDS), {"user": 0, "item": 1, "rating": 2, "timestamp": 3}),
        ((USERS, ISO, PLACES, PLACES, ITEMS), {"user": 0, "timestamp": 1, "item": 4}),
        # Ids as large as times are taken for such only where no column has any that are written out.
        ((USERS, ISO, SECONDS), {"user": 0, "timestamp": 1, "item": 2}),
        ((RATINGS, USERS, ITEMS), {"user": 1, "item": 2, "rating": 0}),
        # In the order of users, their ids look like a few small numbers.
        ((["0", "0", "1", "1", "2", "2"], ITEMS, RATINGS), {"user": 0, "item": 1, "rating": 2}),
        ((["x", "x", "x", "x", "x", "x"], USERS, ITEMS), {"user": 1, "item": 2}),
    ],
)
def test_values_tell_columns_without_names(columns, expected):
    choice = choose_columns(texts(*columns), {})
    assert choice.columns == expected
    assert any("as no name tells it" in doubt for doubt in choice.doubts)


def test_columns_that_may_be_ids_too_are_told():
    doubts = choose_columns(texts(USERS, ITEMS, ["n b", "n c", "n b", "n d", "n c", "n b"]), {}).doubts
    assert doubts[0] == (
        "column 0 is taken for the user and column 1 is taken for the item, as no name tells it (column 2 may be it)"
    )


def test_what_is_given_wins_and_is_not_looked_for():
    sample = texts(USERS, ITEMS, SECONDS, names=["user", "item", "time"])
    choice = choose_columns(sample, {"user": "item", "item": 0, "timestamp": None})
    assert choice.columns == {"user": "item", "item": "user"}
    assert not choice.doubts


@pytest.mark.parametrize("name", ["stamp", 3, -1])
def test_a_column_that_is_not_there_is_told(name):
    sample = texts(USERS, ITEMS, SECONDS, names=["user", "item", "time"])
    with pytest.raises(UserError, match=f"dataset.timestamp_column: there is no column {name!r}; there are user, item"):
        choose_columns(sample, {"timestamp": name})


def test_without_a_second_column_of_ids_there_is_one_line():
    with pytest.raises(UserError, match=r"which column is the item: set dataset.item_column to one of 0, 1"):
        choose_columns(texts(USERS, PLACES), {})


@pytest.mark.parametrize(
    ("written", "expected", "doubtful"),
    [
        (["13/09/2001 10:00", "01/10/2001 11:30"], "%d/%m/%Y %H:%M", False),
        (["09/13/2001", "10/01/2001"], "%m/%d/%Y", False),
        (["01/10/2001", "02/10/2001"], "%d/%m/%Y", True),
        (["09 13, 2009", "12 1, 2010"], "%m %d, %Y", False),
        (["2001-09-13", "NULL"], "auto", False),
        (["20200101", "20200102"], "auto", False),
    ],
)
def test_the_format_of_times_is_found(written, expected, doubtful):
    sample = texts(USERS[:2], ITEMS[:2], written, names=["user", "item", "date"])
    choice = choose_columns(sample, {})
    assert choice.time_format == expected
    assert any("times fit" in doubt for doubt in choice.doubts) is doubtful


def test_kinds_of_events_are_told():
    sample = texts(USERS, ITEMS, ["view", "buy", "view", "view", "cart", "buy"], names=["user", "item", "event"])
    assert choose_columns(sample, {}).doubts == (
        "column 'event' has few values (buy, cart, view): where only some count, keep those with dataset.where",
    )


def test_any_table_is_told_or_refused_in_one_line():
    kinds = [USERS, ITEMS, ISO, SECONDS, RATINGS, PLACES, [None] * 6, [""] * 6, ["é", "\n", "'", '"', " ", "x"]]
    draw = random.Random(0)
    for _ in range(300):
        columns = draw.choices(kinds, k=draw.randint(1, 5))
        try:
            choice = choose_columns(texts(*[pa.array(column, pa.string()) for column in columns]), {})
        except UserError as error:
            assert "\n" not in str(error)
            continue
        assert len(set(choice.columns.values())) == len(choice.columns) >= 2
