"""The section on the data."""

import dataclasses

from tests.components.evaluator.report import builders
from tests.components.evaluator.report.test_page import page, texts


def test_the_data_is_described_with_what_was_dropped_and_what_asks_for_a_look() -> None:
    data = page().by_id("data")
    assert texts(data, "li") == [
        "Dropped 120,209 of 1,000,209 rows (12.0%: 9 that cannot be read, 120,080 duplicates, 120 below "
        "min_item_interactions), 12 of 6,052 users (0.2%), 294 of 3,706 items (7.9%)",
        "Held-out items of 1,502 of 6,040 users (24.9%) decided among equal timestamps by preprocess.ties",
    ]
    rows, spread, drift = (texts(table, "tr")[1:] for table in data.all("table"))
    assert rows[:2] == ["Read 1,000,209 100.0 %", "Dropped: that cannot be read 9 0.0 %"]
    assert rows[4:] == ["Train 867,920 86.8 %", "Validation 6,040 0.6 %", "Test 6,040 0.6 %"]
    assert spread[0] == "User 143.7 1 44 96 208 907 2,312"
    facts = dict(zip(texts(data, "dt"), texts(data, "dd"), strict=True))
    assert facts["Users"] == "6,040; 12 (0.2 %) dropped"
    assert facts["Period"] == "2000-04-25 23:05:32 to 2003-02-28 17:49:50"
    assert facts["Held-out rows of items without a training row"] == "11 (0.1 %)"
    assert "User 4169 has most rows: 0.3 % of all." in data.text
    assert drift == [
        "Users 6,040 5,930 119 (2.0 %) 9 (0.2 %)",
        "Items 3,412 3,400 12 (0.4 %) 0 (0.0 %)",
        "Training rows 867,920 851,002",
    ]
    assert "2.1 % would have to be of other items" in data.text


def test_what_the_champion_does_not_tell_is_left_out() -> None:
    found = builders.evaluation()
    silent = dataclasses.replace(found, champion=dataclasses.replace(found.champion, drift=None))
    assert "champion" not in page(silent).by_id("data").text
    few = dataclasses.replace(builders.drift(), champion_users=None)
    told = dataclasses.replace(found, champion=dataclasses.replace(found.champion, drift=few))
    assert "Users 6,040 none 119 (2.0 %) none" in page(told).by_id("data").text
