"""`Name.method 1 x="y"` as a call: arguments are Python, separated by spaces or commas."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from plot_nb.notebook.naming import name_before_dot
from plot_nb.notebook.problems import MagicError

_NAME = re.compile(r"[^\W\d]\w*(?:/[^\s.]+)?")
_METHOD = re.compile(r"\s*\.\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*(.*)", re.DOTALL)
_USAGE = "write `%twist call Name.method`, and arguments after it: `%twist call CalendarSync.sync_page 1`"
_SKIPPED = (
    tokenize.NEWLINE,
    tokenize.NL,
    tokenize.ENDMARKER,
    tokenize.COMMENT,
    tokenize.INDENT,
    tokenize.DEDENT,
)


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be called, with what."""

    twist: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def parse_call(text: str, namespace: dict[str, Any], twists: Collection[str] = ()) -> Call:
    """Read what follows `%twist call`; arguments are evaluated in `namespace`.

    Args:
        text: `Name.method`, or `Name.tool.method`, and arguments.
        namespace: The notebook's.
        twists: Names of twists that are known; others are read as names of Python, and an instance after `/`.

    Raises:
        MagicError: If it is no such call, or an argument cannot be evaluated.
    """
    text = text.strip()
    twist = name_before_dot(text, twists)
    if twist not in twists:
        name = _NAME.match(text)
        twist = "" if name is None else name[0]
    match = _METHOD.fullmatch(text, len(twist))
    if match is None or not twist:
        raise MagicError(f"{text!r} names no method: {_USAGE}" if text else _USAGE)
    method, rest = match.groups()
    arguments = _as_arguments(rest.strip())
    try:
        code = compile(f"_({arguments})", "%twist call", "eval")
        args, kwargs = eval(code, namespace, {"_": lambda *args, **kwargs: (args, kwargs)})
    except Exception as error:
        raise MagicError(f"the arguments {rest.strip()!r}: {type(error).__name__}: {error}") from None
    return Call(twist, method, args, kwargs)


def _as_arguments(text: str) -> str:
    """What stands between the parentheses of the call."""
    if _is_call(text):
        return text[1:-1]
    pieces = [piece.strip(",") for piece in _pieces(text)]
    if all(_is_call(f"({piece})") for piece in pieces):
        return ", ".join(piece for piece in pieces if piece)
    return text


def _is_call(text: str) -> bool:
    if not text.startswith("("):
        return False
    try:
        call = ast.parse(f"_{text}", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name)


def _pieces(text: str) -> list[str]:
    """Split at spaces outside brackets and strings."""
    pieces: list[str] = []
    depth, end = 0, -1
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return [text]
    for token in tokens:
        if token.type in _SKIPPED:
            continue
        if token.start[0] > 1 or token.end[0] > 1:
            return [text]
        if depth == 0 and token.start[1] != end:
            pieces.append("")
        elif token.start[1] != end:
            pieces[-1] += " "
        pieces[-1] += token.string
        depth += (token.string in {"(", "[", "{"}) - (token.string in {")", "]", "}"})
        end = token.end[1]
    return pieces
