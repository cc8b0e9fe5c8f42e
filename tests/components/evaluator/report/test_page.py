"""The page as a whole: that it is well made, says everything, escapes everything, and bears with missing parts."""

import copy
import dataclasses
import enum
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from components.artifacts.evaluation import Bounds, Champion, ChampionStatus, Evaluation, LeftOut
from components.artifacts.model_run import History
from components.evaluator.report import render
from tests.components.evaluator.report import builders
from tests.components.evaluator.report.pages import Node, read

NASTY = """<script>alert("1")</script> & 'it' {{ 7 * 7 }} </style>"""


def page(evaluation: Evaluation | None = None, history: History | None = None, **run: Any) -> Node:
    return read(render(evaluation or builders.evaluation(), history, {**builders.run(), **run}))


def texts(node: Node, tag: str) -> list[str]:
    return [found.text for found in node.all(tag)]


def test_it_is_well_made() -> None:
    document = page(history=builders.history())
    identifiers = [node.attributes["id"] for node in document.all() if "id" in node.attributes]
    assert len(identifiers) == len(set(identifiers))
    named = [
        node.attributes.get(key) or "" for node in document.all() for key in ("aria-labelledby", "aria-describedby")
    ]
    assert {name for names in named for name in names.split()} <= set(identifiers)
    targets = [str(node.attributes["href"]).removeprefix("#") for node in document.all("a")]
    assert targets
    assert set(targets) <= set(identifiers)

    levels = [int(node.tag[1]) for node in document.all() if re.fullmatch("h[1-6]", node.tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(node.attributes.get("scope") for node in document.all("th"))
    for picture in document.all("svg"):
        assert picture.attributes["role"] == "img"
        title, description = picture.children[:2]
        assert (title.tag, description.tag) == ("title", "desc")
        assert title.text
        assert description.text


def test_every_chart_is_there_and_tells_its_numbers() -> None:
    document = page(history=builders.history())
    titles = [picture.children[0].text for picture in document.all("svg")]
    assert len(titles) == 4 + 2 + 1 + 2 + 2 + 2 + 1  # accuracy, HR@K, champion, data, training, slices, catalogue
    assert len(set(titles)) == len(titles)
    curve = document.by_id("curve-sampled-description").text
    assert "K = 10: Model 0.7350, Popularity 0.4557, ALS 0.6835" in curve


def test_the_verdict_comes_first() -> None:
    document = page()
    masthead = document.all("header")[0]
    assert texts(masthead, "h1") == ["Blessed"]
    assert "All 6 rules passed, 1 skipped." in masthead.text
    for fact in (
        "ml-1m",
        "e23de6091f76980b",
        "v0.1.0-12-g1acd4eb",
        "6,040 test users",
        "95 % confidence",
        "0.7240–0.7460",
    ):
        assert fact in masthead.text


def test_a_refusal_says_why() -> None:
    document = page(builders.evaluation(blessed=False))
    masthead = document.all("header")[0]
    assert texts(masthead, "h1") == ["Not blessed"]
    assert texts(masthead, "li") == ["HR@10 0.7321 is below the minimum 0.99"]
    assert "1 of 6 rules failed, 1 skipped." in masthead.text


def test_every_rule_with_its_state_and_numbers() -> None:
    gate = page(builders.evaluation(blessed=False)).by_id("gate")
    rules = [(rule.attributes["class"], rule.all("h3")[0].text, texts(rule, "dd")) for rule in gate.all("li")]
    assert rules == [
        ("failed", "Minimum HR", ["0.7321", "0.9900"]),
        ("passed", "Minimum test users", ["6,040", "100"]),
        ("passed", "Finite", ["0", "0"]),
        ("passed", "Better than ALS HR", ["0.7321", "0.6805"]),
        ("passed", "Not worse than champion HR", ["0.0101", "−0.0100"]),
        ("passed", "Serving consistent", ["3.0 × 10⁻⁷", "0.0001"]),
        ("skipped", "Slices not worse than champion", ["none", "none"]),
    ]


def test_metrics_with_intervals_against_baselines() -> None:
    accuracy = page().by_id("accuracy")
    differences, full, sampled = accuracy.all("table")
    (row,) = (row for row in sampled.all("tr") if row.text.startswith("HR@10"))
    assert row.text == "HR@10 0.7350 0.7240–0.7460 0.4557 0.4489–0.4625 0.6835 0.6733–0.6938"
    assert texts(full.all("thead")[0], "th") == ["Metric", "Model", "Popularity", "ALS"]
    assert len(sampled.all("tbody")[0].all("tr")) == 8
    row = differences.all("tbody")[0].all("tr")[0]
    assert row.text.startswith("HR@10 against Popularity +0.0410 +0.0400 to +0.0421 better")
    assert "156 users" in accuracy.text
    assert "left out of the negatives" in accuracy.text
    assert "0.7812" in accuracy.text


def test_the_champion_compared() -> None:
    champion = page().by_id("champion")
    assert "5,921 shared users, 3,512 shared items; each bound holds at 95 % confidence." in champion.text
    rows = texts(champion.all("tbody")[0], "tr")
    assert rows[0] == "HR@10 0.7321 0.7276 +0.0045 −0.0011 to +0.0101 no clear difference"
    assert rows[1] == "NDCG@10 0.4551 0.4502 +0.0049 +0.0008 to +0.0090 better"
    assert "quartile 4 1,484 −0.0004 +0.0010" in champion.text


@pytest.mark.parametrize("status", ["none", "broken"])
def test_a_champion_that_was_not_compared(status: str) -> None:
    detail = f"there is <no> comparison: {status}"
    other = Champion(ChampionStatus(status), detail)
    champion = page(dataclasses.replace(builders.evaluation(), champion=other)).by_id("champion")
    (said,) = (node for node in champion.all("p") if node.attributes.get("class") in ("empty", "alarm"))
    assert said.text == detail.capitalize()
    assert (said.attributes["class"] == "alarm") == (status == "broken")
    assert not champion.all("table")
    assert not champion.all("svg")


def test_learning_curves_mark_the_chosen_epoch() -> None:
    training = page(history=builders.history(epochs=12)).by_id("training")
    assert "Epoch 8 of 12 was exported, chosen by: ndcg@10 on validation." in training.text
    for picture in training.all("svg"):
        assert [mark for mark in texts(picture, "text") if mark.endswith("chosen")] == ["epoch 8 chosen"]
    (chosen,) = (row for row in training.all("tr") if row.attributes.get("class") == "chosen")
    assert chosen.text.startswith("8 ")
    assert "12.5 1,530,000" in chosen.text


@pytest.mark.parametrize("epochs", [1, 2, 300])
def test_any_number_of_epochs(epochs: int) -> None:
    training = page(history=builders.history(epochs)).by_id("training")
    assert len(training.all("tbody")[0].all("tr")) == epochs
    assert all(
        len([text for text in texts(picture, "text") if text.isdigit()]) <= 12 for picture in training.all("svg")
    )


def test_a_training_without_validation() -> None:
    training = page(history=builders.history(validated=False)).by_id("training")
    assert len(training.all("svg")) == 1
    assert "There is no validation split" in training.text
    assert "0.2221 12.5" in training.text
    assert "HR@10" not in training.text


def test_slices_and_catalogue() -> None:
    document = page()
    activity, popularity = document.by_id("slices").all("table")
    assert texts(activity.all("tbody")[0], "tr")[0].startswith("quartile 1 1–44 1,510 0.7025 0.4355 0.6533 0.4500")
    assert "1,081–1,920" in popularity.text
    catalogue = document.by_id("catalogue")
    assert texts(catalogue.all("tbody")[0], "tr")[0] == "Model 2,100 57.0 % 812.4"
    assert "76 %" in texts(catalogue.all("svg")[0], "text")


def test_users_with_history_and_recommendations() -> None:
    users = page().by_id("users").all("article")
    assert len(users) == 10
    first = users[0]
    assert texts(first, "h3") == ["User 17"]
    assert texts(first, "li") == [str(2000 + 7 * place) for place in range(20)]
    assert len(first.all("tbody")[0].all("tr")) == 10
    (hit,) = (row for row in first.all("tr") if row.attributes.get("class") == "hit")
    assert hit.text == "1 100 3.2000 2,900"
    assert texts(hit, "mark") == ["100"]
    missed = users[2]
    assert "Held out: 3999, ranked 15 among all unseen items" in missed.text
    assert not [row for row in missed.all("tr") if row.attributes.get("class") == "hit"]


def test_provenance_holds_the_whole_configuration() -> None:
    provenance = page().by_id("provenance").text
    for fact in ("neumf-ml-1m", "ml-1m", "e23de6091f76980b", "v0.1.0-12-g1acd4eb", "runs/neumf/serving/1", "21.4 s"):
        assert fact in provenance
    for entry in (
        "seed 0",
        "layers [128, 64, 32, 16]",
        "learning_rate 0.001",
        "path null",
        "baseline_margin 0.0",
    ):
        assert entry in provenance


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of some evidence with all its numbers and texts changed; names of systems and metrics stay."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = {field.name: changed(getattr(value, field.name), change) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **inner)
    if isinstance(value, dict):
        return {key: changed(inner, change) for key, inner in value.items()}
    if isinstance(value, Bounds):
        return Bounds(*(changed(inner, change) for inner in value))
    if isinstance(value, tuple | list):
        return type(value)(changed(inner, change) for inner in value)
    return value if isinstance(value, enum.Enum) else change(value)


def test_all_text_is_escaped() -> None:
    def poison(value: Any) -> Any:
        return NASTY if isinstance(value, str) else value

    evaluation = builders.evaluation()
    evaluation = dataclasses.replace(changed(evaluation, poison), metrics=evaluation.metrics)
    assert evaluation.data is not None
    data = dataclasses.replace(evaluation.data, holdout="last", time_unit="s")
    first = dataclasses.replace(evaluation.examples[0], user=NASTY, held_out=NASTY, history=(NASTY,))
    item = dataclasses.replace(first.recommended[0], item=NASTY)
    examples = (dataclasses.replace(first, recommended=(item,)), *evaluation.examples[1:])
    run = {"pipeline": NASTY, "git_version": NASTY, "config": {NASTY: {NASTY: NASTY}}}
    history = builders.history()
    history = dataclasses.replace(history, whole=dataclasses.replace(history.whole, chosen_by=NASTY, stopped=NASTY))
    html = render(dataclasses.replace(evaluation, examples=examples, data=data), history, run)
    assert "<script" not in html
    assert html.count("</style>") == 1
    document = read(html)
    shown = " ".join(NASTY.split())
    first_user = document.by_id("users").all("article")[0]
    assert texts(first_user, "h3") == [f"User {shown}"]
    assert texts(first_user, "li") == [shown]
    assert shown in document.by_id("provenance").text
    assert shown in document.all("title")[0].text
    assert shown in document.by_id("slices-activity-description").text
    assert [rule.text for rule in document.by_id("gate").all("p")[1:]] == [shown] * 7
    assert f"Item {shown} has most rows" in document.by_id("data").text


def test_it_asks_for_nothing() -> None:
    html = render(builders.evaluation(), builders.history(), builders.run())
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|\ssrc=|\son[a-z]+=", html)
    document = read(html)
    assert [node.attributes.get("href") for node in document.all("link")] == ["data:,"]
    policies = [node.attributes["content"] for node in document.all("meta") if "http-equiv" in node.attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_same_input_same_bytes() -> None:
    evaluation, history, run = builders.evaluation(), builders.history(), builders.run()
    before = copy.deepcopy((evaluation, history, run))
    again = render(*copy.deepcopy((evaluation, history, run)))
    assert render(evaluation, history, run) == again
    assert (history, run) == before[1:]


def test_what_was_not_measured_leaves_its_section_empty() -> None:
    empty = dataclasses.replace(
        builders.evaluation(),
        differences={},
        slices={"activity": (), "item_popularity": ()},
        examples=(),
        best_possible_hr=None,
        dataset=None,
        dataset_fingerprint=None,
        rules=(),
        new_users=None,
        data=None,
    )
    document = read(render(empty, None, {}))
    masthead = document.all("header")[0].text
    assert "The gate has no rules." in masthead
    assert "trained on an unnamed data set, by code unknown;" in masthead
    assert len(document.all("section")) == 8
    assert "None" not in document.text.split()
    assert [node.text for node in document.all("p") if node.attributes.get("class") == "empty"] == [
        "The gate has no rules.",
        "No paired differences were measured.",
        "No history of the training was given to the evaluation.",
        "No slices were measured.",
        "There are no users to show.",
        "The configuration was not given to the evaluation.",
    ]


def test_numbers_that_are_not_finite_are_called_none() -> None:
    def empty(value: Any) -> Any:
        return math.nan if isinstance(value, float) else value

    evaluation = changed(builders.evaluation(blessed=False), empty)
    comparison = dataclasses.replace(evaluation.champion.compared, confidence=0.95)
    champion = dataclasses.replace(evaluation.champion, comparisons={"full": comparison})
    counted = builders.data()  # which divides by nothing that may be 0
    evaluation = dataclasses.replace(evaluation, confidence=0.95, seconds=1.0, champion=champion, data=counted)
    document = read(render(evaluation, None, builders.run()))
    assert "nan" not in document.text.lower().split()
    assert "None" not in document.text.split()
    _, full, _ = document.by_id("accuracy").all("table")
    assert texts(full.all("tbody")[0], "tr")[2] == "HR@10 none none none"
    shares = texts(document.by_id("catalogue").all("svg")[0], "text")
    assert shares == ["Model", "none", "Popularity", "none", "ALS", "none"]


def test_every_system_and_metric_that_was_measured_is_shown() -> None:
    found = builders.evaluation(strength={"model": 1.0, "popularity": 0.6, "one": 0.7, "two": 0.8})
    document = page(found)
    heads = [texts(table, "th") for table in document.by_id("accuracy").all("thead")]
    assert heads[1] == ["Metric", "Model", "Popularity", "one", "two"]
    labels = [node for node in document.by_id("accuracy").all("text") if "label" in str(node.attributes["class"])]
    assert {(node.text, node.attributes["class"]) for node in labels} == {
        ("Model", "label model"),
        ("Popularity", "label popularity"),
        ("one", "label further-1"),
        ("two", "label further-2"),
    }


def test_how_long_the_baselines_took_and_what_was_left_out() -> None:
    left_out = {"ease": LeftOut("EASE", "26,744 items are more than 12,000")}
    accuracy = page(dataclasses.replace(builders.evaluation(), left_out=left_out)).by_id("accuracy").text
    assert "Fitting the baselines took: Popularity 1.2 s, ALS 1.9 s." in accuracy
    assert "EASE was not measured: 26,744 items are more than 12,000." in accuracy


def test_settings_that_were_chosen_on_validation_are_told() -> None:
    found = builders.evaluation()
    als = dataclasses.replace(found.systems["als"], chosen={"als_factors": 128, "als_regularization": 0.03})
    accuracy = page(dataclasses.replace(found, systems={**found.systems, "als": als})).by_id("accuracy").text
    assert "Chosen on the validation items: ALS als_factors 128, als_regularization 0.03." in accuracy
    assert "Chosen on" not in page(found).by_id("accuracy").text
