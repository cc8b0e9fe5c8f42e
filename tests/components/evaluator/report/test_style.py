"""The colours of both schemes can be told from what they stand on (WCAG 2.1, level AA)."""

import re
from pathlib import Path

import pytest

from components.evaluator import report

STYLE = (Path(report.__file__).parent / "style.css").read_text()
FURTHER = [f"further-{number}" for number in range(1, 5)]
TEXTS = ("ink", "soft", "model", "als", "popularity", *FURTHER, "loss", "hr", "ndcg", "good", "bad", "idle")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in ("paper", "wash")),
    *((f"on-{part}", f"part-{part}") for part in range(1, 5)),
    ("mark-ink", "mark"),
]


def colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)[:2]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_contrast(scheme: str, text: str, ground: str) -> None:
    found = colours(scheme)
    lighter, darker = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_both_schemes_name_the_same_colours_and_each_one_is_used() -> None:
    assert set(colours("light")) == set(colours("dark"))
    assert {name for name in colours("light") if f"var(--{name})" not in STYLE} == set()
