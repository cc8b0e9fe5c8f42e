"""What the page says of users: those who are new, those who are shown, those without metrics."""

import dataclasses

from components.artifacts.evaluation import ByWay
from tests.components.evaluator.report import builders
from tests.components.evaluator.report.test_page import page, texts


def test_new_users_stand_beside_the_trained_ones() -> None:
    section = page().by_id("new-users").text
    assert "Among all unseen items, 604 new users, drawn of 612 and 6,040 trained users" in section
    assert "HR@10 0.0972 0.0957–0.0987 0.1080 0.1064–0.1096 0.9000 0.8600–0.9400" in section
    assert "left out of 3 users, which counts as a miss, and no item of the history of 1 user, who got" in section


def test_a_ratio_of_an_earlier_version_has_no_interval() -> None:
    usual = builders.evaluation()
    assert usual.new_users is not None
    earlier = dataclasses.replace(usual.new_users, ratio_intervals={})
    section = page(dataclasses.replace(usual, new_users=earlier)).by_id("new-users").text
    assert "0.1080 0.1064–0.1096 0.9000 HR@20" in section


def test_without_new_users_the_page_does_not_speak_of_them() -> None:
    assert "New users" in page().text
    assert "New users" not in page(dataclasses.replace(builders.evaluation(), new_users=None)).text


def test_titles_stand_beside_the_ids_of_items() -> None:
    titles = {"100": "Heat <1>", "2000": "Big"}
    evaluation = dataclasses.replace(builders.evaluation(), item_titles=titles)
    first = page(evaluation).by_id("users").all("article")[0]
    assert texts(first, "li")[:2] == ["Big 2000", "2007"]
    (hit,) = (row for row in first.all("tr") if row.attributes.get("class") == "hit")
    assert hit.text == "1 Heat <1> 100 3.2000 2,900"
    assert "Held out: Heat <1> 100 , ranked 1 among all unseen items" in first.text


def test_users_without_metrics_are_told_with_what_is_left_of_them() -> None:
    usual = builders.evaluation()
    short = dataclasses.replace(usual, short_users=ByWay({10: 6040}, {10: 40, 20: 1200}))
    accuracy = page(short).by_id("accuracy").text
    assert "Left out: 40 of 6,040 test users have 10 unseen items or fewer to choose the held-out one from" in accuracy
    assert "Left out: no test user has more than 10 sampled candidates" in accuracy
    assert "6,040 users; 40 without metrics at 10; 1,200 without metrics at 20" in accuracy
    assert "Left out:" not in page(usual).by_id("accuracy").text
