r"""A regular expression as JavaScript writes it, `/source/flags`, from and to Python's.

Translated are flags, named groups, the slash, line ends, empty classes and Python's flags at the start.
Everything else is kept as it is: what only one of the languages knows (possessive repeats, `\p{L}`) the other
refuses, or reads in its own way.
"""

import re
from typing import Final

__all__ = ["read_regexp", "spell_regexp"]

_LETTERS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
# They steer a search (g, y), its result (d) or the syntax (u, v); Python keeps no such thing in a pattern.
_PASSED_OVER: Final = frozenset("dguvy")
_LINE_ENDS: Final = {"\n": "\\n", "\r": "\\r", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_FLAGS_AT_START: Final = re.compile(r"\(\?[aiLmsux]+\)")
_PYTHON: Final = re.compile(
    r"(?P<end>\\?[\n\r\u2028\u2029])|\\.|(?P<open>\[\^?)(?P<first>\]?)|\]|/|\(\?P<(?P<group>\w+)>|\(\?P=(?P<again>\w+)\)",
    re.DOTALL,
)
_JAVASCRIPT: Final = re.compile(
    r"(?P<slash>\\/)|\\k<(?P<again>[\w$]*)>|\\.|(?P<none>\[\])|(?P<all>\[\^\])|\[|\]|\(\?<(?P<group>[\w$]+)>",
    re.DOTALL,
)


def spell_regexp(pattern: re.Pattern[str]) -> str:
    """Write a pattern as JavaScript does.

    Raises:
        TypeError: If the pattern is of bytes, or has a flag JavaScript does not know.
    """
    source = pattern.pattern
    if not isinstance(source, str):
        raise TypeError("is a regular expression of bytes, and only those of text can be stored")
    flags = re.RegexFlag(pattern.flags) & ~re.UNICODE
    foreign = flags & ~(re.IGNORECASE | re.MULTILINE | re.DOTALL)
    if foreign:
        raise TypeError(f"has the flag {foreign!r}, which no JavaScript regular expression has")
    while at_start := _FLAGS_AT_START.match(source):
        source = source[at_start.end() :]
    letters = "".join(letter for letter, flag in _LETTERS.items() if flag in flags)
    return f"/{_spelled(source) or '(?:)'}/{letters}"


def _spelled(source: str) -> str:
    in_class = False

    def spell(found: re.Match[str]) -> str:
        nonlocal in_class
        token = found[0]
        if found["end"]:
            return _LINE_ENDS[token[-1]]
        if in_class:
            in_class = token.startswith("\\") or not token.endswith("]")
            return token
        if found["open"]:
            in_class = True
            # Python takes a bracket that comes first for a member, JavaScript for the end.
            return found["open"] + ("\\]" if found["first"] else "")
        if found["group"]:
            return f"(?<{found['group']}>"
        if found["again"]:
            return f"\\k<{found['again']}>"
        return "\\/" if token == "/" else token

    return _PYTHON.sub(spell, source)


def read_regexp(text: str) -> re.Pattern[str]:
    """Compile what JavaScript wrote.

    Raises:
        ValueError: If it is not a regular expression, or Python does not know its syntax.
    """
    start, slash, letters = text.rpartition("/")
    if not slash or not start.startswith("/"):
        raise ValueError(f"not a regular expression: {_short(text)}")
    flags = re.NOFLAG
    for letter in letters:
        if (letter not in _LETTERS and letter not in _PASSED_OVER) or letters.count(letter) > 1:
            raise ValueError(f"unknown flags {_short(letters)} of the regular expression {_short(text)}")
        flags |= _LETTERS.get(letter, re.NOFLAG)
    source = start[1:]
    try:
        return re.compile("" if source == "(?:)" else _read(source), flags)
    except (re.error, RecursionError, OverflowError, MemoryError, Warning) as error:
        raise ValueError(f"Python cannot read the regular expression {_short(text)}: {error}") from None


def _read(source: str) -> str:
    in_class = False

    def read(found: re.Match[str]) -> str:
        nonlocal in_class
        token = found[0]
        if in_class:
            in_class = token.startswith("\\") or not token.endswith("]")
            return token
        in_class = token == "["
        if found["slash"]:
            return "/"
        if found["none"]:
            return "(?!)"
        if found["all"]:
            return r"[\s\S]"
        if found["group"]:
            return f"(?P<{found['group']}>"
        if found["again"] is not None:
            return f"(?P={found['again']})"
        return token

    return _JAVASCRIPT.sub(read, source)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
