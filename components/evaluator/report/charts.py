"""The charts of the report, as inline SVG. Colours come from the page's style sheet, so they follow its colour scheme.

Every chart is as wide as a phone: 360 units, on which a text of 11 units can be read. A system's class, such as
`model`, gives its colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from components.evaluator.report.axis import Axis, round_axis, spread
from components.evaluator.report.figures import figure, share, signed
from components.evaluator.report.svg import Element, add, markup, picture

WIDTH = 360.0
_LABEL_GAP = 14.0
_MARKERS = ("circle", "square", "triangle", "diamond")


@dataclass(frozen=True)
class Caption:
    """What a chart says about itself.

    Attributes:
      name: unique on the page, a valid identifier.
      title: what it shows.
      description: the same for who cannot see it, with the main numbers.
    """

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
      label: written at its end.
      kind: class of the style sheet that colours it.
      values: one for each position; None leaves a gap.
    """

    label: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Dot:
    """An estimate with its interval.

    Attributes:
      label: what is estimated.
      kind: class of the style sheet that colours it.
      value: the estimate.
      low: of the interval; None where there is none.
      high: of the interval.
    """

    label: str
    kind: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    """A picture and the words above it.

    Attributes:
      title: what it shows.
      svg: the picture, as HTML.
    """

    title: str
    svg: Markup


def line_chart(
    caption: Caption,
    positions: Sequence[float],
    ticks: Sequence[tuple[float, str]],
    lines: Sequence[Line],
    x_title: str,
    marked: tuple[float, str] | None = None,
    from_zero: bool = True,
    markers: bool = True,
) -> Markup:
    """Lines with their names at their ends.

    Args:
      caption: what it shows.
      positions: where on the x axis the values of every line stand, ascending.
      ticks: positions and texts to write along the x axis.
      lines: the lines.
      x_title: what the x axis counts.
      marked: a position with a vertical line, and its text.
      from_zero: whether the y axis begins at zero.
      markers: whether each value has a mark.
    """
    height, top, bottom, left = 230.0, 22.0, 188.0, 38.0
    root = picture(caption.name, caption.title, caption.description, WIDTH, height)
    right = WIDTH - 12 - _widest(line.label for line in lines)
    values = [value for line in lines for value in line.values if value is not None]
    y = round_axis(values, bottom, top, from_zero)
    x = _x_axis(positions, left + 8, right)
    _grid(root, y, left, right)
    for position, text in ticks:
        add(root, "text", text, x=x.at(position), y=bottom + 16, class_="tick middle")
    add(root, "text", x_title, x=(left + right) / 2, y=bottom + 34, class_="axis-title middle")
    if marked is not None:
        _mark(root, x.at(marked[0]), marked[1], top, bottom, right)
    for number, line in enumerate(lines):
        _draw_line(root, line, positions, x, y, _MARKERS[number % len(_MARKERS)] if markers else None)
    _name_lines(root, lines, positions, x, y)
    return markup(root)


def _widest(labels: Iterable[str]) -> float:
    """Room for labels, whatever the font: fonts differ, so a wide one is assumed."""
    return max((sum(6.6 if letter.islower() else 8.4 for letter in label) for label in labels), default=0.0)


def _x_axis(positions: Sequence[float], start: float, end: float) -> Axis:
    low, high = (min(positions), max(positions)) if positions else (0.0, 0.0)
    if low == high:
        low, high = low - 1, high + 1
    return Axis(low, high, (), 0, start, end)


def _grid(root: Element, y: Axis, left: float, right: float) -> None:
    for tick in y.ticks:
        add(root, "line", x1=left, x2=right, y1=y.at(tick), y2=y.at(tick), class_="grid")
        add(root, "text", y.label(tick), x=left - 5, y=y.at(tick) + 3.8, class_="tick end")


def _mark(root: Element, x: float, text: str, top: float, bottom: float, right: float) -> None:
    add(root, "line", x1=x, x2=x, y1=top - 6, y2=bottom, class_="mark")
    side = "end" if x > right / 2 else "start"
    add(root, "text", text, x=x - 4 if side == "end" else x + 4, y=top - 8, class_=f"mark-label {side}")


def _draw_line(root: Element, line: Line, positions: Sequence[float], x: Axis, y: Axis, marker: str | None) -> None:
    group = add(root, "g", class_=f"series {line.kind}")
    path, pen_down = [], False
    for position, value in zip(positions, line.values, strict=True):
        if value is not None:
            path.append(f"{'L' if pen_down else 'M'}{x.at(position):.2f} {y.at(value):.2f}")
        pen_down = value is not None
    if path:
        add(group, "path", d="".join(path), class_="stroke")
    for position, value in zip(positions, line.values, strict=True):
        if value is not None and (marker or len(positions) == 1):
            point = _marker(group, marker or "circle", x.at(position), y.at(value))
            add(point, "title", f"{line.label}: {figure(value)}")


def _marker(group: Element, shape: str, x: float, y: float) -> Element:
    if shape == "circle":
        return add(group, "circle", cx=x, cy=y, r=3.4, class_="point")
    if shape == "square":
        return add(group, "rect", x=x - 3, y=y - 3, width=6, height=6, class_="point")
    outline = {"triangle": ((0, -4), (3.8, 3), (-3.8, 3)), "diamond": ((0, -4.4), (4.4, 0), (0, 4.4), (-4.4, 0))}
    corners = " ".join(f"{x + dx:.2f},{y + dy:.2f}" for dx, dy in outline[shape])
    return add(group, "polygon", points=corners, class_="point")


def _name_lines(root: Element, lines: Sequence[Line], positions: Sequence[float], x: Axis, y: Axis) -> None:
    ends = []
    for line in lines:
        drawn = [(position, value) for position, value in zip(positions, line.values, strict=True) if value is not None]
        if drawn:
            ends.append((line, *drawn[-1]))
    heights = spread([y.at(value) for _, _, value in ends], _LABEL_GAP, y.end, y.start)
    for (line, position, _), height in zip(ends, heights, strict=True):
        add(root, "text", line.label, x=x.at(position) + 9, y=height + 4, class_=f"label {line.kind}")


def interval_chart(caption: Caption, dots: Sequence[Dot], differences: bool = False) -> Markup:
    """Estimates below each other on one axis, each with its interval.

    Args:
      caption: what it shows.
      dots: the estimates.
      differences: whether they are differences: zero is then on the axis, and they are written with their sign.
    """
    row, top = 26.0, 4.0
    bottom = top + row * max(1, len(dots))
    root = picture(caption.name, caption.title, caption.description, WIDTH, bottom + 24)
    left = 10 + _widest(dot.label for dot in dots)
    right = WIDTH - 64
    numbers = [number for dot in dots for number in (dot.value, dot.low, dot.high) if number is not None]
    x = round_axis(numbers, left, right, from_zero=differences, ticks=3)
    for tick in x.ticks:
        kind = "zero" if tick == 0 and differences else "grid"
        add(root, "line", x1=x.at(tick), x2=x.at(tick), y1=top, y2=bottom, class_=kind)
        add(root, "text", x.label(tick), x=x.at(tick), y=bottom + 16, class_="tick middle")
    for number, dot in enumerate(dots):
        _draw_dot(root, dot, x, top + row * (number + 0.5), _MARKERS[number % len(_MARKERS)], differences)
    return markup(root)


def _draw_dot(root: Element, dot: Dot, x: Axis, y: float, marker: str, difference: bool) -> None:
    add(root, "text", dot.label, x=0, y=y + 4, class_=f"label {dot.kind}")
    group = add(root, "g", class_=f"series {dot.kind}")
    if dot.low is not None and dot.high is not None:
        add(group, "line", x1=x.at(dot.low), x2=x.at(dot.high), y1=y, y2=y, class_="interval")
    if dot.value is not None:
        _marker(group, marker, x.at(dot.value), y)
    text = signed(dot.value) if difference else figure(dot.value)
    add(root, "text", text, x=WIDTH, y=y + 4, class_="value end")


def share_chart(caption: Caption, rows: Sequence[tuple[str, Sequence[float | None]]]) -> Markup:
    """Bars of equal length, each cut into the shares of its parts; missing shares leave the bar empty.

    Args:
      caption: what it shows.
      rows: a name and its shares, which sum to one.
    """
    row, top = 34.0, 0.0
    root = picture(caption.name, caption.title, caption.description, WIDTH, top + row * max(1, len(rows)))
    left = 10 + _widest(name for name, _ in rows)
    scale = WIDTH - left
    for number, (name, shares) in enumerate(rows):
        y = top + row * number
        add(root, "text", name, x=0, y=y + 18, class_="label")
        if not shares or any(part is None for part in shares):
            add(root, "text", "none", x=left, y=y + 18, class_="tick")
            continue
        x = left
        for part, value in enumerate(shares, start=1):
            assert value is not None
            width = value * scale
            bar = add(root, "rect", x=x, y=y, width=max(0.0, width - 1), height=26, class_=f"part part-{part}")
            add(bar, "title", f"{name}, quartile {part}: {share(value)}")
            if width > 40:
                text = f"{100 * value:.0f}\u202f%"
                add(root, "text", text, x=x + width / 2, y=y + 17, class_=f"on-part on-part-{part} middle")
            x += width
    return markup(root)
