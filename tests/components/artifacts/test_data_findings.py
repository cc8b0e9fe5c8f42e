"""What asks for a look, each case beside one that does not."""

from dataclasses import replace
from typing import Any

import pytest

from components.artifacts.data_findings import findings
from components.artifacts.data_statistics import QUANTILES, TOP, Calendar, DataStatistics, Gap, Largest, Spread
from components.artifacts.interactions_summary import Absent, Dropped, InteractionsSummary, ShardSummary


def spread(rows: int, id_: int | str = 7) -> Spread:
    largest = Largest(id=id_, rows=rows)
    return Spread(mean=10.0, quantiles=(1,) * len(QUANTILES), curve=(1.0,) * len(TOP), largest=largest)


USUAL = DataStatistics(users=spread(50), items=spread(60))
SUMMARY = InteractionsSummary(
    dataset="clicks",
    rows_read=2_000,
    dropped=Dropped(),
    users=60,
    items=30,
    interactions={"train": 1_000, "validation": 60, "test": 60},
    density=1.0,
    holdout="last",
    timed=True,
    time_unit="s",
    period=(1_000_000_000, 1_000_001_000),
    shards=(ShardSummary(first_user=0, users=60, train=1_000, validation=60, test=60),),
    fingerprint="0",
    statistics=USUAL,
)


def with_gap(begin: float, end: float) -> DataStatistics:
    gap = Gap(begin=1_000_000_000 + begin, end=1_000_000_000 + end)
    return replace(USUAL, calendar=Calendar(rows=(1,) * 50, gap=gap))


FOUND: dict[str, tuple[dict[str, Any], str]] = {
    "a tenth of the rows dropped": (
        {"dropped": Dropped(duplicates=200)},
        "dropped 200 of 2,000 rows (10.0%: 200 duplicates)",
    ),
    "few rows, but most of the users": (
        {"dropped": Dropped(below_min_interactions=90), "absent": Absent(users=60)},
        "dropped 90 of 2,000 rows (4.5%: 90 below min_interactions), 60 of 120 users (50.0%)",
    ),
    "one time": (
        {"period": (1_000_000_000, 1_000_000_000), "tied_users": 60},
        "all rows have one time, 2001-09-09 01:46:40, so that preprocess.ties decides what is latest: is "
        "dataset.timestamp_column the right one?",
    ),
    "one time, drawn at random": (
        {"period": (5.0, 5.0), "time_unit": None, "holdout": "random"},
        "all rows have one time, 5: is dataset.timestamp_column the right one?",
    ),
    "a gap": (
        {"statistics": with_gap(100.25, 700)},
        "no row from about 2001-09-09 01:48:20 to 2001-09-09 01:58:20, 60.0% of the period: is a time wrong?",
    ),
    "ties": (
        {"tied_users": 6},
        "held-out items of 6 of 60 users (10.0%) decided among equal timestamps by preprocess.ties",
    ),
    "one user": (
        {"statistics": replace(USUAL, users=spread(101, "guest"))},
        "user guest has 101 of 1,000 training rows (10.1%)",
    ),
    "one user, mostly repeated": (
        {"statistics": replace(USUAL, busiest_user=Largest(id=0, rows=600))},
        "user 0 has 600 of 2,000 rows (30.0%)",
    ),
    "one item": (
        {"statistics": replace(USUAL, items=spread(400, 12))},
        "item 12 has 400 of 1,000 training rows (40.0%)",
    ),
    "new items": (
        {"statistics": replace(USUAL, cold=12)},
        "12 of 120 held-out rows (10.0%) are of items without a training row, which no model can know",
    ),
    "new items that were dropped": (
        {"holdout": "time", "dropped": Dropped(of_new_items=30, of_new_users=30)},
        "30 of 180 held-out rows (16.7%) are of items without a training row, which no model can know",
    ),
}
NOT_FOUND: dict[str, dict[str, Any]] = {
    "nothing": {},
    "of another version": {"statistics": None},
    "fewer dropped": {"dropped": Dropped(duplicates=199), "absent": Absent(users=6)},
    "a shorter gap": {"statistics": with_gap(100, 599)},
    "fewer ties": {"tied_users": 5},
    "ties that decide nothing": {"tied_users": 60, "holdout": "random"},
    "a tenth of the rows": {"statistics": replace(USUAL, users=spread(100))},
    "of so few users that one has a tenth": {"users": 8, "statistics": replace(USUAL, users=spread(150))},
    "a tenth of all rows": {"statistics": replace(USUAL, busiest_user=Largest(id=7, rows=200))},
    "fewer new items": {"statistics": replace(USUAL, cold=11)},
    "a single row": {"rows_read": 1, "period": (5.0, 5.0)},
    "nothing held out": {"interactions": {"train": 1_000, "test": 0}},
}


@pytest.mark.parametrize("case", FOUND)
def test_it_is_told(case: str) -> None:
    fields, sentence = FOUND[case]
    assert findings(replace(SUMMARY, **fields)) == [sentence]


@pytest.mark.parametrize("case", NOT_FOUND)
def test_it_is_not_worth_a_word(case: str) -> None:
    assert findings(replace(SUMMARY, **NOT_FOUND[case])) == []
