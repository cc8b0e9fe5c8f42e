"""Elements of an inline SVG; ElementTree escapes their texts."""

import xml.etree.ElementTree as ET

from markupsafe import Markup

Element = ET.Element


def picture(name: str, title: str, description: str, width: float, height: float) -> Element:
    """An empty picture that scales with its box and tells a screen reader what it shows.

    Args:
      name: unique on the page; the identifiers of title and description begin with it.
      title: what it shows.
      description: what can be read off it.
      width: of the coordinate system.
      height: of the coordinate system.
    """
    root = Element(
        "svg",
        {
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
        },
    )
    add(root, "title", title, id=f"{name}-title")
    add(root, "desc", description, id=f"{name}-description")
    return root


def add(parent: Element, tag: str, content: str | None = None, **attributes: float | str) -> Element:
    """Appends an element; `class_` and `stroke_width` become `class` and `stroke-width`."""
    names = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    element = ET.SubElement(parent, tag, {key: _text(value) for key, value in names.items()})
    element.text = content
    return element


def markup(root: Element) -> Markup:
    """The picture as HTML."""
    return Markup(ET.tostring(root, encoding="unicode"))


def number(value: float) -> str:
    """A coordinate: two decimals at most, so that the page is small and the same everywhere."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)
