"""One program: its source, its twist class, and what its methods are."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

import plot_nb.twist
from plot_nb.sandbox.guest.events import LIFECYCLE, TOOL_LIFECYCLE
from plot_nb.sandbox.guest.importer import Importer, execute, filename
from plot_nb.twist.build import Built, equip
from plot_nb.twist.drains import METHOD as DRAIN
from plot_nb.twist.scoped import Scoped
from plot_nb.twist.tool import Tool
from plot_nb.twist.twist import Twist

DOC_LIMIT = 2000


class Program:
    """A loaded program.

    Attributes:
        cell: The file name of the cell.
        files: The file names of all of the program's sources.
        twist: Its class.
    """

    def __init__(self, text: Mapping[str, Any], importer: Importer) -> None:
        """Take the text; nothing runs before `load`."""
        self.cell: str = text["filename"]
        self._name: str | None = text["name"]
        self._source: str = text["source"]
        self._modules: dict[str, str] = text.get("modules") or {}
        self._importer = importer
        self.files = frozenset([self.cell, *map(filename, self._modules)])
        self.twist: type[Twist]

    def load(self) -> None:
        """Run the source and find the class.

        Raises:
            ValueError: If there is no such class, or there are two, or a module's name is taken.
            BaseException: Whatever the source raises.
        """
        for name in self._modules:
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top in {"plot_nb", "__main__"}:
                raise ValueError(f"a module given at deploy cannot be named {name!r}: {top!r} is taken")
        self._importer.sources = self._modules
        # Named __main__ as in a notebook, so that tracebacks show the cell's exceptions by their bare names.
        module = ModuleType("__main__")
        module.__dict__.update({name: getattr(plot_nb.twist, name) for name in BARE_NAMES})
        sys.modules["__main__"] = module
        execute(self._source, self.cell, module)
        self.twist = self._find(module)

    def _find(self, module: ModuleType) -> type[Twist]:
        found = {
            value: None
            for value in module.__dict__.values()
            if isinstance(value, type) and issubclass(value, Twist) and value.__module__ == "__main__"
        }
        if self._name is not None:
            named = [twist for twist in found if twist.__name__ == self._name]
            if not named:
                raise ValueError(f"the source defines no class {self._name} that extends Twist")
            return named[-1]
        twists = [twist for twist in found if not any(twist in other.__mro__[1:] for other in found)]
        if not twists:
            raise ValueError("the source defines no twist: write a class that extends Twist")
        if len(twists) > 1:
            names = ", ".join(f"{twist.__name__} (line {_line(twist)})" for twist in twists)
            raise ValueError(f"the source defines {len(twists)} twists, and a cell deploys one: {names}")
        return twists[0]

    def instance(
        self, options: Mapping[str, Any], mounted: Mapping[str, Sequence[str]] | None = None
    ) -> Built:
        """A new instance with its tools.

        Args:
            options: Those given at deploy.
            mounted: The methods of the tools that the host lends, by their names.
        """
        twist = self.twist.__new__(self.twist)
        built = equip(twist, options, mounted)
        twist.__init__()  # type: ignore[misc]  # after `equip`, so that it may use the tools
        return built

    def manifest(
        self, options: Mapping[str, Any], mounted: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, Any]:
        """What the engine needs to know of the program.

        Raises:
            SyntaxError: If a module does not compile.
        """
        for name, source in self._modules.items():
            compile(source, filename(name), "exec", dont_inherit=True)
        built = self.instance(options, mounted)
        methods = _methods(self.twist)
        lifecycle = {name for name in LIFECYCLE if name in methods}
        for scope, tool in built.tools.items():
            own = _methods(type(tool))
            around = TOOL_LIFECYCLE & own.keys()
            lifecycle |= {name.partition("_")[2] for name in around}
            methods |= {f"{scope}.{name}": own[name] for name in own if name not in around}
        described = {name: _describe(method) for name, method in methods.items()}
        drain = _describe(Scoped.__drain__) | {"line": 0}
        described |= {f"{scope}.{DRAIN}" if scope else DRAIN: drain for scope in built.scopes}
        return {
            "name": self.twist.__name__,
            "doc": _doc(self.twist),
            "line": _line(self.twist),
            "methods": described,
            "urls": built.urls,
            "lifecycle": sorted(lifecycle),
            "tools": [*built.tools],
        }


def _methods(kind: type[Scoped]) -> dict[str, Callable[..., Any]]:
    """The methods of a twist or tool that an event can run."""
    found: dict[str, Callable[..., Any]] = {}
    ours = {*Twist.__mro__, *Tool.__mro__}
    for owner in reversed(kind.__mro__):
        if owner in ours:
            continue
        for name, value in vars(owner).items():
            if name.startswith("_"):
                continue
            if inspect.iscoroutinefunction(value):
                found[name] = value
            else:
                found.pop(name, None)
    return found


BARE_NAMES = (
    "Twist",
    "Tool",
    "Network",
    "Plot",
    "Activity",
    "ActivityType",
    "Note",
    "Uuid",
    "Url",
    "UNDEFINED",
    "WebhookRequest",
    "fetch",
    "now",
)
"""What a cell need not import."""


def _describe(method: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    unbounded = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    code = inspect.unwrap(method)
    return {
        "line": code.__code__.co_firstlineno if isinstance(code, FunctionType) else 0,
        "required": sum(p.default is p.empty for p in positional),
        "maximum": None if unbounded else len(positional),
        "names": [p.name for p in positional],
        "keywords": [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty],
        "doc": _doc(method),
    }


def _line(twist: type[Twist]) -> int:
    line: int = getattr(twist, "__firstlineno__", 0)
    return line


def _doc(described: object) -> str:
    # Not inspect.getdoc, which goes to the base class for one.
    doc = getattr(described, "__doc__", None)
    return inspect.cleandoc(doc)[:DOC_LIMIT] if isinstance(doc, str) else ""
