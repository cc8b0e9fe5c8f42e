import pytest

from components.shared.harmless import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Amélie, 北京 (1999) 👩\u200d🚀", "Amélie, 北京 (1999) 👩\u200d🚀"),
        ("a\x1b[2J\x1b]0;owned\x07b", "a\\x1b[2J\\x1b]0;owned\\x07b"),
        ("one\r\ntwo\tthree", "one\\r\\ntwo\\tthree"),
        ("\x9b31mred", "\\x9b31mred"),
        ("evil\u202egnp.exe", "evil\\u202egnp.exe"),
        ("x" * 1_000_000, "x" * 200 + "… (1,000,000 characters)"),
    ],
)
def test_what_people_read_moves_no_cursor_and_fills_no_page(text: str, shown: str) -> None:
    assert harmless(text) == shown
