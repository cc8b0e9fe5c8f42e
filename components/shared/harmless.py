"""Texts of somebody else, made fit for a terminal and for people: ids, titles, names of files."""

import unicodedata

_LONGEST = 200
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # Persian and emoji are written with them


def harmless(text: str, longest: int = _LONGEST) -> str:
    r"""The text on one line, without what a terminal takes for a command, and of a length that people read.

    Example:
      The escape that clears a screen becomes `\x1b[2J`, which is printed as it stands here.
    """
    shown = "".join(map(_shown, text[:longest]))
    return shown if len(text) <= longest else f"{shown}… ({len(text):,} characters)"


def _shown(letter: str) -> str:
    hidden = unicodedata.category(letter) in _HIDDEN and letter not in _JOINERS
    return letter.encode("unicode_escape").decode() if hidden else letter
