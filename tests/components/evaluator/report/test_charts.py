import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from components.evaluator.report.charts import Caption, Dot, Line, interval_chart, line_chart, share_chart

CAPTION = Caption("chart", "A <chart>", "tells & tells")


def texts(svg: str, kind: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter("text") if kind in node.attrib["class"].split()]


def test_a_line_stands_where_its_values_are() -> None:
    svg = line_chart(CAPTION, [0, 1], [(0, "a"), (1, "b")], [Line("Model", "model", [0.0, 1.0])], "x")
    root = ET.fromstring(svg)
    (first, last) = root.iter("circle")
    assert float(first.attrib["cx"]) < float(last.attrib["cx"])
    assert float(first.attrib["cy"]) > float(last.attrib["cy"])  # y grows downwards
    zero, *_, one = (float(line.attrib["y1"]) for line in root.iter("line") if line.attrib["class"] == "grid")
    assert float(first.attrib["cy"]) == pytest.approx(zero, abs=0.01)
    assert float(last.attrib["cy"]) == pytest.approx(one, abs=0.01)
    assert [title.text for title in root.iter("title")] == ["A <chart>", "Model: 0.0000", "Model: 1.0000"]


def test_a_missing_value_leaves_a_gap() -> None:
    lines = [Line("Model", "model", [0.1, 0.2, None, 0.4])]
    root = ET.fromstring(line_chart(CAPTION, [1, 2, 3, 4], [], lines, "x"))
    (path,) = root.iter("path")
    assert re.sub(r"[^ML]", "", path.attrib["d"]) == "MLM"
    assert len(list(root.iter("circle"))) == 3


def test_names_of_lines_do_not_overlap() -> None:
    lines = [Line(name, "model", [0.5, 0.7001 + 0.0001 * number]) for number, name in enumerate("ABC")]
    root = ET.fromstring(line_chart(CAPTION, [1, 2], [], lines, "x"))
    heights = sorted(float(text.attrib["y"]) for text in root.iter("text") if "label" in text.attrib["class"].split())
    assert all(after - before >= 13.9 for before, after in itertools.pairwise(heights))


def test_many_values_are_drawn_without_marks_and_one_with() -> None:
    many = line_chart(CAPTION, [1, 2], [], [Line("Loss", "loss", [0.5, 0.4])], "epoch", markers=False)
    one = line_chart(CAPTION, [1], [], [Line("Loss", "loss", [0.5])], "epoch", markers=False)
    assert "<circle" not in many
    assert "<circle" in one


def test_lines_without_any_value() -> None:
    svg = line_chart(CAPTION, [1, 2], [(1, "1")], [Line("Model", "model", [None, None])], "K")
    assert texts(svg, "label") == []
    assert texts(line_chart(CAPTION, [], [], [], "K"), "axis-title") == ["K"]


def test_intervals_and_their_estimates() -> None:
    dots = [Dot("Model", "model", 0.7, 0.65, 0.75), Dot("ALS", "als", 0.6), Dot("Popularity", "popularity", None)]
    svg = interval_chart(CAPTION, dots)
    assert texts(svg, "value") == ["0.7000", "0.6000", "none"]
    (interval,) = (line for line in ET.fromstring(svg).iter("line") if line.attrib["class"] == "interval")
    (point,) = ET.fromstring(svg).iter("circle")
    middle = (float(interval.attrib["x1"]) + float(interval.attrib["x2"])) / 2
    assert float(point.attrib["cx"]) == pytest.approx(middle, abs=0.01)


def test_differences_show_zero_and_their_sign() -> None:
    svg = interval_chart(CAPTION, [Dot("HR@10", "model", 0.02, 0.01, 0.03)], differences=True)
    assert texts(svg, "value") == ["+0.0200"]
    assert len([line for line in ET.fromstring(svg).iter("line") if line.attrib["class"] == "zero"]) == 1


def test_parts_fill_the_bar() -> None:
    root = ET.fromstring(share_chart(CAPTION, [("Model", [0.1, 0.2, 0.3, 0.4]), ("ALS", []), ("Other", [None] * 4)]))
    bars = list(root.iter("rect"))
    assert [bar.attrib["class"] for bar in bars] == [f"part part-{number}" for number in range(1, 5)]
    widths = [float(bar.attrib["width"]) + 1 for bar in bars]
    assert widths == pytest.approx([share * sum(widths) for share in (0.1, 0.2, 0.3, 0.4)], abs=0.02)
    assert float(bars[-1].attrib["x"]) + widths[-1] == pytest.approx(360)
    assert [text.text for text in root.iter("text")].count("none") == 2


def test_texts_are_escaped() -> None:
    svg = interval_chart(CAPTION, [Dot("<b>", "model", 0.5)])
    assert "<b>" not in svg
    assert "A &lt;chart&gt;" in svg
