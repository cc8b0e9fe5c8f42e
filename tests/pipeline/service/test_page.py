"""The page in a real browser: it shows what the service answers, and fits a phone."""

import time

import pytest

from tests.browser import SECONDS, Browser
from tests.pipeline.service.conftest import Service

BEST, SEEN, LIKE = (
    f"[...document.querySelectorAll('#{name} .items button')].map(made => made.dataset.item)"
    for name in ("best", "seen", "like")
)


def wait_for(browser: Browser, expression: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not browser.evaluate(expression):
        assert time.monotonic() < deadline, expression
        time.sleep(0.05)


def visit(browser: Browser, address: str, width: int = 1280, dark: bool = False) -> None:
    browser.open("about:blank")  # from one fragment of a page to another one, nothing is loaded
    browser.open(address, width=width, dark=dark)


def items(service: Service, path: str) -> list[str]:
    return [item["item"] for item in service.get(path).json()["items"]]


def test_a_user_their_history_and_what_is_like_an_item(browser: Browser, service: Service) -> None:
    visit(browser, f"{service.address}/#user=67")
    wait_for(browser, f"{BEST}.length === 10")
    assert browser.evaluate(BEST) == items(service, "/recommend/67")
    assert browser.evaluate(SEEN) == items(service, "/history/67")
    assert browser.evaluate("document.getElementById('serving').innerText") == "version 1"

    browser.evaluate("document.querySelectorAll('#best .items button')[2].click()")
    wait_for(browser, f"{LIKE}.length === 10")
    assert browser.evaluate(LIKE) == items(service, f"/similar/{browser.evaluate(BEST)[2]}")

    browser.evaluate("document.querySelectorAll('#users button')[0].click()")
    wait_for(browser, "document.querySelector('#best em')?.textContent === '11'")
    assert browser.evaluate(BEST) == items(service, "/recommend/11")
    assert browser.complaints() == []
    assert all(url.startswith((service.address, "data:")) for url in browser.requests())


def test_somebody_new_chooses_what_they_did(browser: Browser, service: Service) -> None:
    visit(browser, f"{service.address}/#new=")
    wait_for(browser, "document.querySelectorAll('#found button').length === 12")
    browser.evaluate("document.getElementById('query').value = 'title 11'")
    browser.evaluate("document.getElementById('query').dispatchEvent(new Event('input'))")
    wait_for(browser, "document.querySelectorAll('#found button').length === 1")
    browser.evaluate("document.querySelector('#found button').click()")
    wait_for(browser, f"{BEST}.length === 10")
    chosen = browser.evaluate(SEEN)
    assert chosen == ["133"]
    answer = service.post("/recommend", json={"items": chosen, "k": 10}).json()
    assert browser.evaluate(BEST) == [item["item"] for item in answer["items"]]
    browser.evaluate("document.querySelector('#picked button').click()")
    wait_for(browser, f"{SEEN}.length === 0 && {BEST}.length === 0")
    assert browser.complaints() == []


def test_an_id_that_cannot_be_one_is_told(browser: Browser, service: Service) -> None:
    visit(browser, f"{service.address}/#user=%3Cimg%3E")
    wait_for(browser, "!document.getElementById('problem').hidden")
    assert "user <img>: the user ids" in browser.evaluate("document.getElementById('problem').innerText")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_follows_the_colour_scheme(browser: Browser, service: Service, dark: bool) -> None:
    visit(browser, f"{service.address}/#user=11", width=360, dark=dark)
    wait_for(browser, f"{BEST}.length === 10")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 27)" if dark else "rgb(251, 250, 246)")
