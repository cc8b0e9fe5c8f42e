"""A run's end, told to the standard library's HTTP server."""

import socket

import pytest

from pipeline.tracking import webhook
from pipeline.tracking.ended import Ended, Results, Run
from tests.pipeline.tracking.receiver import Receiver

RUN = Run("clicks", "clicks-20261126-030000")


def test_a_webhook_receives_the_verdict_the_metrics_and_the_model(receiver: Receiver, pushed: Results) -> None:
    assert webhook.post(receiver.url, Ended.with_verdict(RUN, pushed)) is None
    (told,) = receiver.received
    assert told["text"] == "clicks-20261126-030000: blessed"
    assert (told["pipeline"], told["run"], told["state"]) == ("clicks", "clicks-20261126-030000", "blessed")
    assert (told["reasons"], told["model"]) == ([], "gs://bucket/serving/17")
    assert told["metrics"]["blessed"] == 1
    assert 0 < told["metrics"]["HR@10 of all items"] < told["metrics"]["HR@10"] < 1


def test_it_is_told_why_a_model_is_not_blessed(receiver: Receiver, refused: Results) -> None:
    assert webhook.post(receiver.url, Ended.with_verdict(RUN, refused)) is None
    (told,) = receiver.received
    assert (told["state"], told["model"], told["metrics"]["blessed"]) == ("not blessed", None, 0)
    assert told["reasons"] == ["HR@10 0.1 is below the minimum 0.2"]
    assert told["text"].endswith(": not blessed: HR@10 0.1 is below the minimum 0.2")


def test_a_secret_in_a_reason_is_left_out(receiver: Receiver) -> None:
    ended = Ended.with_failure(RUN, "https://me:hush@host/clicks.csv?sig=abc is not there")
    assert webhook.post(receiver.url, ended) is None
    (told,) = receiver.received
    assert (told["state"], told["metrics"]) == ("failed", {})
    assert told["reasons"] == ["https://host/clicks.csv?sig=... is not there"]
    assert "hush" not in str(told)


def test_an_address_may_be_a_variable(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", receiver.url)
    assert webhook.post("${HOOK}", Ended.with_failure(RUN, "why")) is None
    assert len(receiver.received) == 1
    monkeypatch.delenv("HOOK")
    fault = webhook.post("${HOOK}", Ended.with_failure(RUN, "why"))
    assert fault == "notify.webhook: ${HOOK} stands for a variable of the environment, and HOOK is not set here"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_none_is_told_without_the_path(receiver: Receiver, status: int) -> None:
    receiver.status = status
    fault = webhook.post(receiver.url, Ended.with_failure(RUN, "why"))
    assert fault == f"notify.webhook: 127.0.0.1 answers {status}"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/s3cret", "http://[/s3cret", "s3cret", "http://", "http://*/s3cret"]
)
def test_an_address_where_nobody_is_does_no_harm(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    fault = webhook.post(address, Ended.with_failure(RUN, "why"))
    assert fault is not None
    assert fault.startswith("notify.webhook: the address does not answer, or is none (")
    assert "s3cret" not in fault


def test_a_webhook_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_TIMEOUT_SECONDS", (0.5, 0.5))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fault = webhook.post(f"http://127.0.0.1:{silent.getsockname()[1]}/s3cret", Ended.with_failure(RUN, "why"))
    assert fault == "notify.webhook: the address does not answer, or is none (ReadTimeout)"
