"""The service as its users meet it."""

import json
import re
import shlex
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline.service import bodies, guard
from tests.pipeline.service.conftest import FEW_FILES, SECONDS, Service
from tests.pipeline.service.models import USERS, seen_by

PROJECT = Path(__file__).parents[3]
DEEP = b'{"signature_name": "recommend", "inputs": %s1%s}' % (b"[" * 800, b"]" * 800)


def connected(service: Service) -> socket.socket:
    host, port = service.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_user_gets_the_best_of_what_they_have_not_seen(service: Service) -> None:
    answer = service.get("/recommend/11?k=4")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    found = bodies.Recommendations.model_validate(answer.json())
    assert (found.version, found.user, found.known_user) == ("1", "11", True)
    history = bodies.History.model_validate(service.get("/history/11").json())
    assert history.seen == len(seen_by(0))
    assert len(found.items) == 4
    assert not {item.item for item in found.items} & {item.item for item in history.items}
    assert [item.score for item in found.items] == sorted((item.score for item in found.items), reverse=True)
    assert len(service.get("/recommend/11").json()["items"]) == 10


def test_somebody_new_is_recommended_what_goes_with_what_they_did(service: Service) -> None:
    found = service.post("/recommend", json={"items": [100, "103", "999"], "k": 3})
    answer = bodies.Recommendations.model_validate(found.json())
    assert (answer.user, answer.known_user, answer.known_items) == (None, False, 2)
    assert not {"100", "103"} & {item.item for item in answer.items}
    by_user = service.post("/recommend", json={"user": 11, "items": [100], "k": 3}).json()
    assert by_user == service.get("/recommend/11?k=3").json()


def test_items_users_and_likeness_are_what_the_document_says(service: Service) -> None:
    similar = bodies.SimilarItems.model_validate(service.get("/similar/103?k=5").json())
    assert (similar.item, similar.title, len(similar.items)) == ("103", "Title 1", 5)
    assert bodies.Users.model_validate(service.get("/users?limit=5").json()).known == USERS
    assert bodies.Items.model_validate(service.get("/items?q=title%2011").json()).items[0].title == "Title 11"


def test_the_addresses_of_tensorflow_serving(service: Service) -> None:
    rows = {"instances": [{"user_id": 11, "item_ids": [100, 103]}]}
    (row,) = service.post("/v1/models/neumf:predict", json=rows).json()["predictions"]
    assert (row["known_user"], row["known_item"]) == (True, [True, True])
    again = service.post(
        "/v1/models/neumf/versions/1:predict", json={"inputs": {"user_id": [11], "item_ids": [[100, 103]]}}
    )
    assert again.json()["outputs"]["scores"] == [row["scores"]]
    state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert service.get("/v1/models/neumf").json() == {"model_version_status": [state]}
    assert service.get("/v1/models/neumf/metadata").json()["model_spec"]["version"] == "1"


def test_the_requests_of_the_readme_are_answered(service: Service) -> None:
    lines = re.findall(r"^curl (.*)$", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    for *options, address in map(shlex.split, lines):
        path = address.removeprefix("http://127.0.0.1:8501")
        answer = service.post(path, data=options[1]) if options else service.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/recommend/abc", None, 400, "whole numbers"),
        ("GET", "/recommend/..%2F..%2Fetc%2Fpasswd", None, 400, "whole numbers"),
        ("GET", "/recommend/11?k=0", None, 400, "from 1 to 1,000"),
        ("GET", "/recommend/11?k=1001", None, 400, "from 1 to 1,000"),
        ("GET", "/recommend/11?k=x", None, 400, "from 1 to 1,000"),
        ("GET", "/similar/7", None, 404, "does not know"),
        ("GET", "/history/12", None, 404, "does not know"),
        ("GET", "/nothing", None, 404, "nothing is at this address; /docs has"),
        ("GET", "/v1/models/other", None, 404, "nothing is at this address; /docs has"),
        ("GET", "/v1/models/neumf/versions/2", None, 404, "version 2: 1 is the one"),
        ("GET", "/v1/models/neumf/versions/..%2F1", None, 404, "is the one"),
        ("PUT", "/recommend", b"{}", 405, "PUT: POST is expected here"),
        ("DELETE", "/recommend/11", None, 405, "DELETE: GET or HEAD is expected here"),
        ("POST", "/recommend", b"", 400, "JSON"),
        ("POST", "/recommend", b"[]", 400, "object"),
        ("POST", "/recommend", b'{"items": []}', 400, "items"),
        ("POST", "/recommend", b'{"items": ["100"], "k": 0}', 400, "k: "),
        ("POST", "/recommend", b'{"items": ["100"], "k": "3"}', 400, "k: "),
        ("POST", "/recommend", b'{"items": [1.5]}', 400, "items.0"),
        ("POST", "/recommend", b'{"items": ["100"], "more": 1}', 400, "more"),
        ("POST", "/recommend", b'{"items": ["%s"]}' % (b"9" * 2000), 400, "items.0"),
        ("POST", "/recommend", b"\xff\xfe", 400, "UTF-8"),
        ("POST", "/recommend", b"[" * 100_000, 400, "JSON"),
        ("POST", "/recommend", b" " * 1_048_577, 413, "1,048,576 bytes"),
        ("POST", "/v1/models/neumf:predict", b"[" * 100_000, 400, "not JSON"),
        ("POST", "/v1/models/neumf:predict", DEEP, 400, "the shape"),
        ("POST", "/v1/models/neumf:predict", b"{", 400, "not JSON"),
        ("POST", "/v1/models/neumf:predict", b"3", 400, "no JSON object"),
        ("POST", "/v1/models/neumf:predict", b'{"instances": [{"user_id": 11}]}', 400, "item_ids is missing"),
    ],
)  # fmt: skip
def test_a_bad_request_gets_a_status_from_400_on_and_a_reason(
    service: Service, method: str, path: str, body: bytes | None, status: int, reason: str
) -> None:
    answer = requests.request(method, service.address + path, data=body, timeout=SECONDS)
    assert answer.status_code == status
    problem = bodies.Problem.model_validate(answer.json())
    assert reason in problem.error
    assert "\n" not in problem.error


def test_an_id_with_a_slash_or_dots_is_an_id(service: Service) -> None:
    assert service.get("/recommend/a%2Fb").json()["error"].startswith("user a/b:")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_not_packed_as_it_says_is_refused(service: Service, encoding: str) -> None:
    answer = service.post("/recommend", data=b'{"items": ["100"]}', headers={"Content-Encoding": encoding})
    assert (answer.status_code, "Content-Encoding" in answer.json()["error"]) == (400, True)


def test_a_body_that_says_it_will_be_too_large_is_not_waited_for(service: Service) -> None:
    with connected(service) as connection:
        connection.settimeout(guard.SECONDS_TO_SEND / 2)
        connection.sendall(b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n{")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 413")


def test_slow_clients_do_not_keep_others_waiting(service: Service) -> None:
    slow = [connected(service) for _ in range(2 * FEW_FILES)]
    try:
        for connection in slow[::2]:
            connection.sendall(b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        assert service.get("/recommend/11").status_code == 200
        assert time.monotonic() - began < 5
    finally:
        for connection in slow:
            connection.close()


def test_many_at_once_get_their_own_answers(service: Service) -> None:
    expected = [service.get(f"/recommend/{11 + 7 * user}?k=5").json() for user in range(USERS)]
    found: dict[int, Any] = {}

    def ask(user: int) -> None:
        found[user] = service.get(f"/recommend/{11 + 7 * user}?k=5").json()

    threads = [threading.Thread(target=ask, args=(user,)) for user in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for user in range(USERS):
        assert [item["item"] for item in found[user]["items"]] == [item["item"] for item in expected[user]["items"]]
        assert found[user]["user"] == expected[user]["user"]


def test_counts_and_times_in_the_text_format_of_prometheus(service: Service) -> None:
    before = service.figure('requests_total{route="GET /recommend/{user}",status="200"}')
    service.get("/recommend/11")
    text = service.get("/metrics").text
    line = re.compile(r'(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+)')
    assert all(line.fullmatch(row) for row in text.splitlines())
    assert service.figure('requests_total{route="GET /recommend/{user}",status="200"}') == before + 1
    assert all(service.figure(f'resident_memory_bytes{{process="{name}"}}') > 1 << 20 for name in ("http", "scoring"))
    assert "abc" not in text, "no id becomes a label"


def test_whoever_operates_it_sees_that_it_is_alive_and_ready(service: Service) -> None:
    assert service.get("/healthz").text == "alive\n"
    assert service.get("/readyz").json() == {"version": "1"}
    described = service.get("/openapi.json").json()
    assert {"/recommend/{user}", "/recommend", "/similar/{item}", "/v1/models/neumf:predict"} <= described[
        "paths"
    ].keys()
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described))
    assert set(references) <= described["components"]["schemas"].keys()


def test_a_page_loads_nothing_from_elsewhere(service: Service) -> None:
    for path in ("/", "/docs"):
        answer = service.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"""(src|href)=["'](?!/|data:)""", answer.text)


def test_the_log_is_lines_of_json(service: Service) -> None:
    service.get("/recommend/a%3Ftoken%3Db%22")
    service.get("/recommend/11?k=7")
    wait_until(lambda: '"/recommend/11"' in service.log.read_text())
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert [line["event"] for line in lines[:2]] == ["loading", "answers"]
    assert {"time", "level", "event", "method", "path", "status", "seconds"} == lines[-1].keys()
    assert [line["path"] for line in lines if "token" in line.get("path", "")] == ['/recommend/a?token=..."']


def test_a_port_that_is_taken_is_told_in_one_line(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    from click.testing import CliRunner

    from pipeline.cli import main

    port = service.address.rpartition(":")[2]
    result = CliRunner().invoke(main, ["serve", "--model", str(service.destination), "--port", port])
    assert result.exit_code == 2
    assert f"--port {port}: cannot listen there" in result.output + capfd.readouterr().err
