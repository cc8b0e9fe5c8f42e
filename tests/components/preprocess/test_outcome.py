"""What the step says of its outcome."""

from typing import Any

import pytest

from components.artifacts.data_findings import describe_dropped
from components.artifacts.interactions_summary import Absent, Dropped, InteractionsSummary, ShardSummary
from components.artifacts.vocabulary import TitlesSummary
from components.preprocess import outcome
from components.shared import progress


def summary(**fields: Any) -> InteractionsSummary:
    known: dict[str, Any] = {
        "dataset": "clicks",
        "rows_read": 2_000,
        "dropped": Dropped(),
        "users": 60,
        "items": 30,
        "interactions": {"train": 1_880, "validation": 60, "test": 60},
        "density": 1.0,
        "holdout": "last",
        "timed": True,
        "shards": (ShardSummary(first_user=0, users=60, train=1_880, validation=60, test=60),),
        "fingerprint": "0",
    }
    return InteractionsSummary(**{**known, **fields})


ROWS = "2,000 rows: 60 users, 30 items, 1,880 train, 60 validation, 60 test"
LINES = {
    "nothing to say": ({}, ROWS),
    "drawn": ({"holdout": "random"}, ROWS + " (held-out items drawn at random)"),
    "no timestamps": (
        {"holdout": "random", "timed": False},
        ROWS + " (no timestamps: held-out items drawn at random)",
    ),
    "by time": (
        {"holdout": "time", "held_out_from": {"validation": 880606923.0, "test": 888888888.5}},
        ROWS + " (validation from 880606923 on, test from 888888888.5 on)",
    ),
    "times of a known unit": (
        {"time_unit": "ms", "period": (1_000_424_599_277, 1_000_428_999_000)},
        ROWS + "; times in milliseconds, 2001-09-13 23:43:19.277000 to 2001-09-14 00:56:39",
    ),
    "by time, of a known unit": (
        {"holdout": "time", "held_out_from": {"test": 1_000_424_599.0}, "time_unit": "s"},
        ROWS + " (test from 2001-09-13 23:43:19 on)",
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_the_line_says_what_there_is_and_how_it_was_held_out(case: str) -> None:
    fields, line = LINES[case]
    assert outcome.describe(summary(**fields)) == line


def test_what_was_dropped_is_said_with_counts_shares_and_reasons() -> None:
    dropped = Dropped(duplicates=12, below_min_interactions=88, of_new_users=100)
    absent = Absent(users=20, items=10, new_users=5)
    assert describe_dropped(summary(dropped=dropped, absent=absent)) == (
        "dropped 200 of 2,000 rows (10.0%: 12 duplicates, 88 below min_interactions, 100 of new users), "
        "20 of 80 users (25.0%: 5 of them new), 10 of 40 items (25.0%)"
    )
    assert describe_dropped(summary()) == ""


def test_every_reason_has_words() -> None:
    reasons = vars(Dropped())
    text = describe_dropped(summary(dropped=Dropped(**dict.fromkeys(reasons, 1))))
    assert text.count(",") == len(reasons)  # one of them in 2,000


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is said on the step's line: notes and warnings."""
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(progress, "note", lambda text: said.append(("note", text)))
    monkeypatch.setattr(progress, "warn", lambda text: said.append(("warning", text)))
    return said


@pytest.mark.parametrize(("users", "warns"), [(5, False), (6, True)])
def test_ties_are_told_and_a_warning_from_a_tenth_of_the_users_on(
    said: list[tuple[str, str]], users: int, warns: bool
) -> None:
    outcome.show(summary(tied_users=users))
    ties = f"held-out items of {users} of 60 users ({users / 60:.1%}) decided among equal timestamps by preprocess.ties"
    assert said == ([("note", ROWS), ("warning", ties)] if warns else [("note", f"{ROWS}; {ties}")])


@pytest.mark.parametrize(("rows", "warns"), [(0, False), (1, False), (199, False), (200, True), (2_000, True)])
def test_it_is_a_warning_from_a_tenth_of_the_rows_on(said: list[tuple[str, str]], rows: int, warns: bool) -> None:
    outcome.show(summary(dropped=Dropped(below_min_interactions=rows)))
    dropped = f"dropped {rows:,} of 2,000 rows ({rows / 2_000:.1%}: {rows:,} below min_interactions)"
    if warns:
        assert said == [("note", ROWS), ("warning", dropped)]
    else:
        assert said == [("note", f"{ROWS}; {dropped}" if rows else ROWS)]


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        (TitlesSummary(items=28), "titles for 28 of 30 items"),
        (
            TitlesSummary(items=30, several=2, bad_rows=5, encoding="latin-1"),
            "titles for 30 of 30 items (2 with several, of which the first counts; 5 rows that cannot be read; "
            "read as latin-1, as they are not UTF-8)",
        ),
    ],
)
def test_titles_are_told_with_what_is_odd(said: list[tuple[str, str]], titles: TitlesSummary, told: str) -> None:
    outcome.show(summary(), titles)
    assert said == [("note", f"{ROWS}; {told}")]


def test_titles_of_no_item_are_a_warning(said: list[tuple[str, str]]) -> None:
    outcome.show(summary(), TitlesSummary(items=0))
    warning = "titles for 0 of 30 items: see whether dataset.titles.id is the column of the same ids"
    assert said == [("note", ROWS), ("warning", warning)]
