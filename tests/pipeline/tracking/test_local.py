"""What is told of a run on this machine."""

from collections.abc import Container
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.shared import stopping
from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.local.lineage import NodeOutcome
from pipeline.tracking import local
from pipeline.tracking.ended import Results
from tests.pipeline.tracking.receiver import Receiver

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
STEPS = ("Trainer", "Evaluator", "Pusher")


def outcomes(results: Results, ran: Container[str] = STEPS) -> dict[str, NodeOutcome]:
    pushed = mlmd.Artifact()
    pushed.custom_properties["pushed"].int_value = int(results.model is not None)
    pushed.custom_properties["pushed_destination"].string_value = results.model or ""
    return {
        "Evaluator": NodeOutcome("Evaluator" not in ran, {"evaluation": mlmd.Artifact(uri=results.evaluation)}),
        "Trainer": NodeOutcome("Trainer" not in ran, {"model_run": mlmd.Artifact(uri=results.model_run)}),
        "Pusher": NodeOutcome("Pusher" not in ran, {"pushed_model": pushed}),
    }


def told(address: str | None, go: Any) -> list[str]:
    """What is said on the screen."""
    said: list[str] = []
    config = load_config(CONFIG, [f"notify.webhook={address}"] if address else [])
    local.told(config, "synthetic-1", go, said.append)
    return said


def failing(error: BaseException) -> Any:
    def go() -> Any:
        raise error

    return go


def test_the_verdict_is_told_when_the_run_has_ended(receiver: Receiver, pushed: Results) -> None:
    assert told(receiver.url, lambda: outcomes(pushed)) == []
    (message,) = receiver.received
    assert (message["run"], message["state"]) == ("synthetic-1", "blessed")
    assert message["model"] == "gs://bucket/serving/17"
    assert message["new"]


@pytest.mark.parametrize(("ran", "new"), [((), False), (("Pusher",), True), (STEPS, True)])
def test_where_every_step_was_cached_nothing_is_new(
    receiver: Receiver, pushed: Results, ran: Container[str], new: bool
) -> None:
    assert told(receiver.url, lambda: outcomes(pushed, ran)) == []
    (message,) = receiver.received
    assert (message["new"], message["state"]) == (new, "blessed")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UserError("clicks.csv:7: it has no item"), "clicks.csv:7: it has no item"),
        (RuntimeError("all wrong\nat length"), "internal error: all wrong"),
    ],
)
def test_a_failure_is_told_and_stays_one(receiver: Receiver, error: Exception, reason: str) -> None:
    with pytest.raises(type(error)):
        told(receiver.url, failing(error))
    (message,) = receiver.received
    assert (message["state"], message["reasons"]) == ("failed", [reason])


def test_nobody_is_told_of_a_run_that_was_interrupted(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        told(receiver.url, failing(KeyboardInterrupt()))
    # Beam makes a text of the exception on its way.
    monkeypatch.setattr(stopping, "asked", lambda: 15)
    with pytest.raises(RuntimeError):
        told(receiver.url, failing(RuntimeError("KeyboardInterrupt")))
    assert not receiver.received


def test_a_webhook_that_refuses_is_a_warning(receiver: Receiver, pushed: Results) -> None:
    receiver.status = 500
    said = told(receiver.url, lambda: outcomes(pushed))
    assert said == ["warning: notify.webhook: 127.0.0.1 answers 500"]


def test_nothing_is_read_where_nobody_is_to_know() -> None:
    assert told(None, dict) == []


def test_a_variable_that_is_not_set_is_told_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    with pytest.raises(UserError, match=r"HOOK is not set here"):
        told("${HOOK}", failing(AssertionError("it has run")))


@pytest.mark.parametrize(
    "address", ["hooks.example.org", "ftp://host/x", "https://me:hush@host/x", "https://host/x?token=hush"]
)
def test_an_address_that_cannot_be_or_would_be_kept_is_refused(address: str) -> None:
    with pytest.raises(UserError, match=r"notify"):
        load_config(CONFIG, [f"notify.webhook={address}"])
