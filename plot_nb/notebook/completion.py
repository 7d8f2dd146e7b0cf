"""What Tab offers after `%%twist` and `%twist`, and in the body of a `%%twist` cell, in every front end.

Shift+Tab in such a body tells of the name at the cursor.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from IPython import get_ipython
from IPython.core.completer import (
    CompletionContext,
    IPCompleter,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from plot_nb.journal.reader import reading
from plot_nb.notebook.editing import references
from plot_nb.notebook.magics import COMMANDS, TwistMagics, options
from plot_nb.notebook.naming import find_twist, name_before_dot, names
from plot_nb.runtime import Runtime, TwistHandle, opened
from plot_nb.runtime.emitting import EVENTS
from plot_nb.tools.callbacks import is_hidden

_JEDI = "IPCompleter.jedi_matcher"
_OF_THE_NOTEBOOK = {
    "IPCompleter.custom_completer_matcher",
    "IPCompleter.dict_key_matcher",
    "IPCompleter.file_matcher",
    "IPCompleter.magic_matcher",
    "IPCompleter.python_func_kw_matcher",
    "IPCompleter.python_matcher",
}
"""IPython's matchers of what a twist does not have: the notebook's variables, magics, files."""

_CELL = re.compile(r"\s*^%%twist(?!\S)([^\n]*)", re.MULTILINE)
_LINE = re.compile(r"(?:[^=%'\"]+=)?\s*%twist\s+(.*)")
_OPTION = re.compile(r"(--\w+)(?:\s+|=)([^\s-]\S*)?\Z")
_MODULES = re.compile(r"--modules(?:\s+|=)(\w+)")
_USAGE = re.compile(r"^\s*%twist (\w+)((?: \S+)*)  +(\S.*)$", re.MULTILINE)
_WORD = re.compile(r"\S*\Z")
_NAME = re.compile(r"(?<![.\w\"'])\w*\Z")

_HELP_WIDTH = 60
_KEYS = 200
_KEY_WIDTH = 200

_SPANS = [("10m", "ten minutes"), ("1h", "an hour"), ("1d", "a day"), ("1w", "a week")]

Found = Iterable[tuple[str, str]]
"""Names, and a word on each."""


class TwistCompleter:
    """The matchers of one shell; they offer nothing rather than raise, and run nothing of the user's."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._completer: IPCompleter = shell.Completer
        self._completer.custom_matchers += [self.magics, self.body]
        # The shell is asked for a name only; the kernel knows the cell that it stands in.
        self._kernel: Any = getattr(shell, "kernel", None)
        self._inspect_before: Any = getattr(self._kernel, "do_inspect", None)
        if self._kernel is not None and self._inspect_before is not None:
            self._kernel.do_inspect = self.inspect

    def remove(self) -> None:
        """Take them out."""
        for matcher in (self.magics, self.body):
            self._completer.custom_matchers.remove(matcher)
        if self._inspect_before is not None:
            self._kernel.do_inspect = self._inspect_before

    def inspect(self, code: str, cursor_pos: int, *others: Any, **named: Any) -> Any:
        """Answer an `inspect_request`: in the body of a `%%twist` cell what jedi knows of a name, elsewhere as ever."""
        with suppress(Exception):
            cell = _Cell.at(code, cursor_pos)
            if cell is not None and cell.before is not None:
                from plot_nb.notebook.body import description

                return _told(description(cell.before, cell.after))
            if cell is not None and _word_at(code, cursor_pos) not in self._shell.user_ns:
                # IPython would tell of the line magic.
                return _told(self._shell.object_inspect_mime("%%twist")["text/plain"])
        return self._inspect_before(code, cursor_pos, *others, **named)

    @context_matcher(identifier="plot_nb.magics", priority=1)  # type: ignore[untyped-decorator]
    def magics(self, context: CompletionContext) -> SimpleMatcherResult:
        """What follows `%%twist` and `%twist`, and the modules that a cell can import."""
        with suppress(Exception):
            line = context.text_until_cursor
            cell = _Cell.around(context)
            if cell is None:
                match = _LINE.fullmatch(line)
                return _nothing() if match is None else self._after_line_magic(match[1])
            if cell.before is None:
                return self._after_cell_magic(line)
            return self._import(line, cell.line)
        return _nothing()

    # IPython shows signatures only of what comes from jedi, which it tells by the matcher's identifier; of two with one
    # identifier the last counts. So this stands in for IPython's own, and asks that one outside of a twist's cell.
    @context_matcher(identifier=_JEDI, priority=-1)  # type: ignore[untyped-decorator]
    def body(self, context: CompletionContext) -> Any:
        """What jedi knows: in the body of a `%%twist` cell of the cell, elsewhere of the notebook."""
        cell = None
        with suppress(Exception):
            cell = _Cell.around(context)
        if cell is None or cell.before is None:
            matchers: list[Any] = [
                each for each in self._completer.matchers if each not in self._completer.custom_matchers
            ]
            own = [each for each in matchers if getattr(each, "matcher_identifier", None) == _JEDI]
            return own[0](context) if own else _nothing()
        with suppress(Exception):
            from plot_nb.notebook.body import completions

            found = completions(cell.before, cell.after, hidden=self._completer.omit__names)
            return {"completions": found, "suppress": _OF_THE_NOTEBOOK}
        return _nothing()

    def _after_cell_magic(self, line: str) -> SimpleMatcherResult:
        known = options()
        match = _OPTION.search(line)
        if match is not None and match[1] in known and known[match[1]].metavar is not None:
            return _result(match[2] or "", self._values(str(known[match[1]].metavar)))
        typed = _last(_WORD, line)
        if not line[: len(line) - len(typed)].endswith((" ", "\t")):
            return _nothing()
        given = re.findall(r"--\w+", line[: len(line) - len(typed)])
        return _result(
            typed, ((name, action.help or "") for name, action in known.items() if name not in given)
        )

    def _values(self, metavar: str) -> Found:
        if metavar == "VAR":
            return [(name, "dict") for name, value in self._variables() if issubclass(type(value), Mapping)]
        if metavar == "NAME":
            return sorted(
                {twist._instance.name: f"instance of {twist.name}" for twist in _twists(opened())}.items()
            )
        return []

    def _after_line_magic(self, text: str) -> SimpleMatcherResult:
        typed = _last(_WORD, text)
        words = text[: len(text) - len(typed)].split()
        if not words:
            return _result(typed, ((name, _usage().get(name, ("", ""))[1]) for name in COMMANDS))
        takes = _usage().get(words[0], ("", ""))[0].split()
        place = takes[min(len(words), len(takes)) - 1].strip("[]") if takes else ""
        if place == "arguments":
            return self._arguments(words[1], _last(_NAME, text))
        if len(words) > len(takes):
            return _nothing()
        if place == "Name.method" and "." in typed:
            name, typed = self._split(typed)
            return _result(typed, ((method, "function") for method in self._methods(name)))
        if place in {"Name", "Name.method"}:
            return _result(typed, self._twist_names())
        if place == "KEY":
            typed = typed.lstrip("'\"")
            return _result(typed, _keys(opened(), typed))
        return _result(typed, _places(opened(), place))

    def _arguments(self, target: str, typed: str) -> SimpleMatcherResult:
        name, method = self._split(target)
        described = self._methods(name).get(method)
        parameters = [(f"{each}=", "param") for each in (described.names if described else ())]
        return _result(typed, [*parameters, *((name, "instance") for name, _ in self._variables())])

    def _methods(self, name: str) -> Mapping[str, Any]:
        runtime = opened()
        if runtime is None:
            return {}
        methods = find_twist(runtime, self._shell.user_ns, name)._instance.version.methods
        return {name: method for name, method in methods.items() if not is_hidden(name)}

    def _split(self, target: str) -> tuple[str, str]:
        """A twist's name, and what stands after the dot."""
        name = name_before_dot(target, (known for known, _ in self._twist_names()))
        return name, target[len(name) + 1 :]

    def _twist_names(self) -> Found:
        runtime = opened()
        known = {} if runtime is None else names(runtime, self._shell.user_ns)
        return [(name, "twist") for name in sorted(known) if _can_be_typed(name)]

    def _variables(self) -> list[tuple[str, Any]]:
        hidden = self._shell.user_ns_hidden
        return sorted(
            (
                (name, value)
                for name, value in list(self._shell.user_ns.items())
                if not name.startswith("_") and name not in hidden
            ),
            key=lambda variable: variable[0],
        )

    def _import(self, line: str, first_line: str) -> SimpleMatcherResult:
        from plot_nb.notebook.body import modules_to_import

        match = _MODULES.search(first_line)
        held = self._shell.user_ns.get(match[1]) if match else None
        given = [name for name in held if type(name) is str] if type(held) is dict else []
        found = modules_to_import(line, given)
        return _nothing() if found is None else _result(found[0], ((name, "module") for name in found[1]))


@dataclass(frozen=True, slots=True)
class _Cell:
    """A `%%twist` cell with the cursor in it.

    Attributes:
        line: Its first line.
        before: Its body up to the cursor; None if the cursor is in the first line.
        after: The rest.
    """

    line: str
    before: str | None
    after: str

    @classmethod
    def around(cls, context: CompletionContext) -> _Cell | None:
        lines = context.full_text.split("\n")[: context.cursor_line]
        return cls.at(context.full_text, sum(len(line) + 1 for line in lines) + context.cursor_position)

    @classmethod
    def at(cls, text: str, cursor: int) -> _Cell | None:
        match = _CELL.match(text)
        if match is None:
            return None
        body = match.end() + 1
        return cls(match[1], text[body:cursor] if cursor >= body else None, text[cursor:])


@cache
def _usage() -> dict[str, tuple[str, str]]:
    """What each command takes and does, as `%twist?` says it."""
    return {name: (takes, told) for name, takes, told in _USAGE.findall(str(TwistMagics.line.__doc__))}


def _twists(runtime: Runtime | None) -> list[TwistHandle]:
    return [] if runtime is None else runtime.twists()


def _places(runtime: Runtime | None, place: str) -> Found:
    """What can stand where neither a twist nor a key does."""
    if place == "SPAN":
        return _SPANS
    if place == "EVENT":
        return [(event, "a user's edit") for event in EVENTS]
    if runtime is None:
        return []
    if place == "EXECUTION":
        dead = runtime.dead_letters()
        return list(zip(dead["execution"], dead["method"], strict=True))
    if place == "ACTIVITY":
        return [(name, title) for name, title in references(runtime) if _can_be_typed(name)]
    if place == "URL":
        webhooks = runtime.webhooks()
        live = webhooks[~webhooks["deleted"].astype(bool)]
        return list(zip(live["url"], live["method"], strict=True))
    return []


def _keys(runtime: Runtime | None, typed: str) -> Found:
    """Keys of the Stores that can be typed; a twist may have written others."""
    if runtime is None:
        return []
    keys: set[str] = set()
    with reading(runtime.path) as connection:
        for twist in runtime.twists():
            keys.update(
                key
                for (key,) in connection.execute(
                    "SELECT key FROM store WHERE instance = ? AND key >= ? ORDER BY key LIMIT ?",
                    (twist._instance_id, typed, _KEYS),
                )
            )
    return [(key, "key") for key in sorted(keys) if _can_be_typed(key)]


def _can_be_typed(word: str) -> bool:
    return word.isprintable() and len(word) <= _KEY_WIDTH and not re.search(r"[\s'\"]", word)


def _word_at(text: str, cursor: int) -> str:
    return next((word[0] for word in re.finditer(r"\w+", text) if word.start() <= cursor <= word.end()), "")


def _told(text: str) -> dict[str, Any]:
    return {
        "status": "ok",
        "found": bool(text),
        "data": {"text/plain": text} if text else {},
        "metadata": {},
    }


def _last(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return "" if match is None else match[0]


def _nothing() -> SimpleMatcherResult:
    return {"completions": []}


def _one_line(word: str) -> str:
    short = textwrap.shorten(word, _HELP_WIDTH, placeholder=" …")
    # JupyterLab breaks what stands beside a name into lines over each other; a terminal underlines these spaces.
    return (
        short if getattr(get_ipython(), "kernel", None) is None else short.replace(" ", "\N{NO-BREAK SPACE}")
    )


def _result(typed: str, found: Found) -> SimpleMatcherResult:
    return {
        "completions": [
            SimpleCompletion(name, type=_one_line(word)) for name, word in found if name.startswith(typed)
        ],
        "matched_fragment": typed,
        "ordered": True,
        "suppress": {*_OF_THE_NOTEBOOK, _JEDI},
    }
