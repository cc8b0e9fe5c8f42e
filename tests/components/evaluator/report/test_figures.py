import pytest

from components.evaluator.report import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.73178, "0.7318"),
        (-0.0012, "−0.0012"),
        (0.0, "0.0000"),
        (1.0, "1.0000"),
        (0.00005, "0.0001"),
        (0.0000321, "3.2 × 10⁻⁵"),
        (-2.98e-17, "−3.0 × 10⁻¹⁷"),
        (6040, "6,040"),
        (0, "0"),
        (None, "none"),
    ],
)
def test_figure(value: float | None, text: str) -> None:
    assert figures.figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "+0.0123"), (-0.0123, "−0.0123"), (0.0, "0.0000"), (-0.00001, "0.0000"), (None, "none")],
)
def test_signed(value: float | None, text: str) -> None:
    assert figures.signed(value) == text


def test_intervals() -> None:
    assert figures.bounds(0.1, 0.2) == "0.1000–0.2000"
    assert figures.signed_bounds(-0.1, 0.2) == "−0.1000 to +0.2000"
    assert figures.bounds(None, 0.2) == figures.signed_bounds(0.1, None) == ""


def test_counts_and_shares() -> None:
    assert figures.count(1234567) == "1,234,567"
    assert [figures.compact(value) for value in (9999, 10_000, 1_234_567)] == ["9,999", "10k", "1,235k"]
    assert figures.share(0.1234) == "12.3\u202f%"
    assert figures.percentage(0.95) == "95\u202f%"
    assert figures.percentage(0.975) == "97.5\u202f%"
    assert figures.plural(1, "rule") == "1 rule"
    assert figures.plural(0, "rule") == "0 rules"
    assert figures.count(None) == figures.share(None) == "none"
