"""The report in a real browser: no complaint, no request, fits a phone, follows the colour scheme."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.evaluator.report import render
from tests.browser import Browser
from tests.components.evaluator.report import builders

PAGES = ("blessed", "refused", "empty", "many", "long")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    usual = builders.evaluation()
    item = replace(usual.examples[0].recommended[3], item="item/" + "0123456789abcdef" * 6)
    user = replace(usual.examples[0], user="user/" + "0123456789abcdef" * 6, recommended=(item,))
    rule = replace(usual.rules[0], detail="gs://a-bucket/with/a/long/path/" * 8)
    name = "a-name-without-any-place-to-break-it-" * 5
    long = replace(usual, dataset=name, examples=(user, *usual.examples[1:]), rules=(rule, *usual.rules[1:]))
    many = dict.fromkeys(("model", "popularity", "als", "Item-kNN", "EASE", "Sequences"), 0.8)
    empty = replace(usual, differences={}, slices={"activity": (), "item_popularity": ()}, examples=(), rules=())
    run = builders.run()
    run["config"]["dataset"]["path"] = "/data/" + "folder/" * 40
    found = {
        "blessed": render(builders.evaluation(), builders.history(), builders.run()),
        "refused": render(builders.evaluation(blessed=False), builders.history(300), builders.run()),
        "empty": render(empty, None, {}),
        "many": render(builders.evaluation(strength=many), builders.history(), builders.run()),
        "long": render(long, builders.history(1), run),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, text in found.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in found}


@pytest.mark.parametrize("name", PAGES)
def test_no_complaint_and_no_request(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name])
    assert browser.complaints() == []
    assert browser.requests() == [pages[name].as_uri()]
    assert browser.evaluate("document.querySelectorAll('main > section').length") == 10
    assert browser.evaluate("document.compatMode") == "CSS1Compat"


def test_a_complaint_and_a_request_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><img src='missing.png'><script>console.error('no')</script>")
    browser.open(page)
    assert any("no" in complaint for complaint in browser.complaints())
    assert len(browser.requests()) == 2


def test_the_policy_blocks_what_should_not_be_there(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    injected = "<script>document.title = 'injected'</script><img src='http://127.0.0.1:1/x.png'></main>"
    page.write_text(pages["blessed"].read_text(encoding="utf-8").replace("</main>", injected), encoding="utf-8")
    browser.open(page)
    assert browser.evaluate("document.title") == "Blessed · neumf-ml-1m"
    assert len(browser.complaints()) == 2


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_never_scrolls_sideways(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    browser.open(pages[name], width=width)
    browser.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    outside = """[...document.body.querySelectorAll('*')].filter(element =>
        !element.closest('.scroll') && element.getBoundingClientRect().right > innerWidth + 1
        ).map(element => element.outerHTML)"""
    assert browser.evaluate(outside) == []


@pytest.mark.parametrize("width", [300, 375, 1280])
def test_no_figure_of_the_verdict_is_broken_in_two(browser: Browser, pages: dict[str, Path], width: int) -> None:
    browser.open(pages["blessed"], width=width)
    lines = """[...document.querySelectorAll('.tiles dd')].map(tile => {
        const figure = document.createRange();
        figure.selectNodeContents(tile.firstChild);
        return figure.getClientRects().length;
    })"""
    assert browser.evaluate(lines) == [1] * 4


@pytest.mark.parametrize("width", [375, 1280])
def test_text_in_charts_can_be_read_and_stays_inside(browser: Browser, pages: dict[str, Path], width: int) -> None:
    browser.open(pages["many"], width=width)
    smallest = (
        "Math.min(...[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width / 360 * 10.5))"
    )
    assert browser.evaluate(smallest) >= 9
    outside = """[...document.querySelectorAll('svg text')].filter(text => {
        const box = text.getBBox();
        return box.x < -1 || box.x + box.width > 361;
    }).map(text => text.textContent)"""
    assert browser.evaluate(outside) == []


def test_dark_mode_changes_page_and_charts(browser: Browser, pages: dict[str, Path]) -> None:
    def colours() -> list[str]:
        return browser.evaluate("""[getComputedStyle(document.documentElement).colorScheme,
            getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
            getComputedStyle(document.querySelector('svg .label')).fill,
            getComputedStyle(document.querySelector('svg .part-4')).fill]""")

    browser.open(pages["blessed"])
    light = colours()
    browser.open(pages["blessed"], dark=True)
    dark = colours()
    assert light[0] == dark[0] == "light dark"
    assert light[1] == "rgb(251, 250, 246)"
    assert dark[1] == "rgb(20, 23, 27)"
    assert all(one != other for one, other in zip(light[1:], dark[1:], strict=True))


def test_print_is_light_and_opens_the_slices(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["blessed"], width=794, medium="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.evaluate("document.querySelector('#slices td').checkVisibility({contentVisibilityAuto: true})")
