"""How a twist comes by its tools, and they by theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any, TypeVar

from plot_nb.twist.builtin import BuiltIn
from plot_nb.twist.log import Log
from plot_nb.twist.mounted import Mounted
from plot_nb.twist.scoped import Place, Scoped, Tools
from plot_nb.twist.tool import Tool
from plot_nb.twist.twist import Twist

AnyTool = TypeVar("AnyTool", bound=Tool | BuiltIn)

NAME_LIMIT = 200
"""Characters of a tool's path of names."""


class Built:
    """A twist with all of its tools.

    Attributes:
        twist: The twist.
        scopes: The twist and its tools of the user's, by their paths of names.
        urls: Patterns of the URLs that they may fetch.
        in_order: The tools of the user's, as they were built.
    """

    def __init__(self, twist: Twist, mounted: Mapping[str, Sequence[str]]) -> None:
        self.twist = twist
        self.scopes: dict[str, Scoped] = {}
        self.urls: list[str] = []
        self.in_order: list[Tool] = []
        self.mounted = mounted

    @property
    def tools(self) -> dict[str, Scoped]:
        """The tools of the user's, by their paths of names."""
        return {scope: owner for scope, owner in self.scopes.items() if scope}

    def deepest_first(self) -> list[Tool]:
        """The tools of the user's that have a place, as `pre_activate` and the like go through them."""
        placed = {id(owner) for owner in self.scopes.values()}
        tools = [tool for tool in self.in_order if id(tool) in placed]
        return sorted(tools, key=lambda tool: tool._plot_place.scope.count("."), reverse=True)


class Build:
    """Makes the tools that a twist's or a tool's `build` asks for."""

    def __init__(self, owner: Scoped, built: Built) -> None:
        self._owner = owner
        self._built = built
        self._made: list[Tool] = []

    def __call__(self, tool: type[AnyTool], /, **options: Any) -> AnyTool:
        """Make a tool.

        Args:
            tool: Its class: one of the runtime's, such as `Network`, or one that extends `Tool`.
            **options: For a tool of the runtime's what it takes; for one of yours its `self.options`.

        Raises:
            TypeError: If it is not one that can be built.
        """
        kind: object = tool  # whatever a cell passes
        made: Any
        if isinstance(kind, type) and issubclass(kind, Tool) and kind is not Tool:
            made = self._make(kind, options)
        elif isinstance(kind, type) and issubclass(kind, BuiltIn) and kind.can_be_built:
            made = kind(self._owner, **options)
            self._built.urls += made.urls
        else:
            raise TypeError(f"build() makes {_buildable()}, not {_spelled(kind)}")
        result: AnyTool = made
        return result

    def _make(self, kind: type[Tool], options: Mapping[str, Any]) -> Tool:
        tool = kind.__new__(kind)
        _equip(tool, options, self._built)
        self._built.in_order.append(tool)
        self._made.append(tool)
        tool.__init__()  # type: ignore[misc]  # after `_equip`, so that it may use the tools
        return tool

    def check(self, name: object, tool: object) -> None:
        """Refuse what `build` returned as a tool.

        Raises:
            TypeError: If it is none, or not made by this.
            ValueError: If its name cannot be one.
        """
        owner = type(self._owner).__name__
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise ValueError(
                f"build() of {owner} returned a tool as {name!r}: a tool's name is a Python name "
                "that does not begin with an underscore"
            )
        if name in vars(self._owner.tools):
            why = (
                "a tool of that name is mounted"
                if name in self._built.mounted
                else "it is there without build()"
            )
            raise ValueError(f"the tool name {name!r} is taken: {why}")
        if isinstance(tool, type) and issubclass(tool, (Tool, BuiltIn)):
            raise TypeError(
                f"build() of {owner} returned the class {tool.__name__} as {name!r}: return build({tool.__name__})"
            )
        if not isinstance(tool, (Tool, BuiltIn, Mounted)):
            raise TypeError(
                f"build() of {owner} returned {type(tool).__name__} as {name!r}: a tool is what build(...) makes"
            )
        if isinstance(tool, Tool) and not any(tool is made for made in self._made):
            raise TypeError(
                f"build() of {owner} returned as {name!r} a {type(tool).__name__} that its build(...) did not make: "
                f"return build({type(tool).__name__})"
            )


def equip(
    twist: Twist, options: Mapping[str, Any], mounted: Mapping[str, Sequence[str]] | None = None
) -> Built:
    """Give an instance its tools, as the sandbox does before it calls a method.

    Args:
        twist: A new instance.
        options: Those given at deploy.
        mounted: The methods of the tools that the host lends, by their names.

    Returns:
        What its `build` asked for.

    Raises:
        TypeError: If `build` does not return tools by name.
        ValueError: If it names a tool as none can be named.
    """
    built = Built(twist, mounted or {})
    place = twist._plot_place = Place(twist)
    place.enter("", built.scopes)
    _equip(twist, options, built)
    if built.in_order:
        for path, tool in _placed(twist, ""):
            tool._plot_place.enter(path, built.scopes)
    return built


def _equip(owner: Scoped, options: Mapping[str, Any], built: Built) -> None:
    owner.options = options
    owner.log = Log()
    owner.tools = tools = Tools(owner)
    if isinstance(owner, Tool):
        owner._plot_place = Place(owner)
    for name, methods in built.mounted.items():
        setattr(tools, name, Mounted(name, methods))
    build = Build(owner, built)
    returned = owner.build(build)
    if not isinstance(returned, Mapping):
        raise TypeError(
            f"build() of {type(owner).__name__} returns a dict of tools by name, not {type(returned).__name__}"
        )
    names: dict[int, str] = {}
    for name, tool in returned.items():
        build.check(name, tool)
        other = names.setdefault(id(tool), name)
        if other != name and isinstance(tool, Tool):
            raise ValueError(
                f"build() of {type(owner).__name__} returned one {type(tool).__name__} as {other!r} and {name!r}: "
                "call build() once for each name"
            )
        setattr(tools, name, tool)


def _placed(owner: Scoped, scope: str) -> Iterator[tuple[str, Tool]]:
    """The tools of the user's below one, with their paths of names."""
    for name, tool in vars(owner.tools).items():
        if isinstance(tool, Tool):
            path = f"{scope}.{name}" if scope else name
            if len(path) > NAME_LIMIT:
                raise ValueError(
                    f"the tool {path[:80]}… has a path of {len(path)} characters, at most {NAME_LIMIT}"
                )
            yield path, tool
            yield from _placed(tool, path)


def _buildable() -> str:
    names = [kind.__name__ for kind in BuiltIn.__subclasses__() if kind.can_be_built]
    return f"{', '.join(names)} and classes of yours that extend Tool"


def _spelled(tool: object) -> str:
    return repr(tool.__name__) if isinstance(tool, type) else f"a {type(tool).__name__}"
