"""The report as Kubeflow's console shows it: as the `srcdoc` of a frame in a sandbox that allows scripts alone."""

import html
import time
from pathlib import Path

import pytest

from components.artifacts import evaluation
from components.evaluator.report import render
from pipeline.results import pages
from tests.browser import Browser
from tests.components.evaluator.report import builders

# Follows the link to the gate once a second, as a scroll that starts while the page is laid out may get lost, and says
# where the frame is; a page that took its place says nothing.
PROBE = """<script>addEventListener("load", () => {
    setInterval(() => document.querySelector("a[href='#gate']").click(), 1000);
    setInterval(() => parent.postMessage({
        address: location.href,
        top: Math.round(document.querySelector("#gate").getBoundingClientRect().top),
        colour: getComputedStyle(document.body).backgroundColor,
    }, "*"), 100);
})</script>"""
CONSOLE = """<!doctype html><title>console</title><script>
    var told = null;
    addEventListener("message", message => { told = message.data });
</script><iframe sandbox="allow-scripts" width="527" height="600" srcdoc="REPORT"></iframe>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("evaluation")
    page = render(builders.evaluation(), builders.history(), builders.run())
    (folder / evaluation.REPORT_FILE).write_text(page, encoding="utf-8")
    return pages.report(str(folder)).decode()


def test_a_link_of_the_report_leads_to_its_part(browser: Browser, report: str, tmp_path: Path) -> None:
    console = tmp_path / "console.html"
    console.write_text(
        CONSOLE.replace("REPORT", html.escape(report.replace("<head>", f"<head>{PROBE}"))), encoding="utf-8"
    )
    browser.open(console, width=600, height=700)
    wanted = {"address": "about:srcdoc#gate", "top": 0, "colour": "rgb(251, 250, 246)"}
    deadline = time.monotonic() + 20
    while (told := browser.evaluate("told")) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told == wanted
    assert browser.complaints() == []


def test_a_report_that_is_a_page_of_its_own_keeps_its_links(browser: Browser, report: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(report, encoding="utf-8")
    browser.open(page)
    assert browser.evaluate("document.querySelector('a[href=\"#gate\"]').href") == f"{page.as_uri()}#gate"
    assert browser.complaints() == []


def test_no_other_script_runs(browser: Browser, report: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    injected = "<script>document.title = 'injected'</script></main>"
    page.write_text(report.replace("</main>", injected), encoding="utf-8")
    browser.open(page)
    assert browser.evaluate("document.title") == "Blessed · neumf-ml-1m"
    assert len(browser.complaints()) == 1
