"""What magics call a twist: by a variable that holds it, or by its label, such as `Sync` or `Sync/staging`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plot_nb.journal.instances import label
from plot_nb.notebook.problems import MagicError, nearest
from plot_nb.runtime import Runtime, TwistHandle

Namespace = dict[str, Any]


def named(twist: TwistHandle) -> str:
    """What tables call a twist; of several instances of a class the default one is `Name/default`.

    The class alone would not do then: a cell binds that name to the instance that it deployed last.
    """
    instance = twist._instance
    same = [each for each in twist._runtime._instances.values() if each.twist == instance.twist]
    return f"{instance.twist}/{instance.name}" if len(same) > 1 else label(instance.twist, instance.name)


def names(runtime: Runtime, namespace: Namespace) -> dict[str, TwistHandle]:
    """The twists by all that one would type: labels, and variables, which come first; none that begins with `_`."""
    labels = {named(twist): twist for twist in runtime.twists()}
    variables = {
        name: value
        for name, value in list(namespace.items())
        if type(value) is TwistHandle and value._runtime is runtime and not name.startswith("_")
    }
    return labels | variables


def name_before_dot(text: str, known: Iterable[str]) -> str:
    """The twist's name at the start of `Name.method`; instances may have dots in their names."""
    found = [name for name in known if text.startswith(f"{name}.")]
    return max(found, key=len, default=text.partition(".")[0])


def find_twist(runtime: Runtime, namespace: Namespace, name: str) -> TwistHandle:
    """The twist that a variable holds or that has a label; without a name the only one.

    Raises:
        MagicError: If there is none, or several that it could be.
    """
    held = namespace.get(name)
    if type(held) is TwistHandle and held._runtime is runtime:
        return held
    twists = runtime.twists()
    if not twists:
        raise MagicError("no twist is deployed yet: run a %%twist cell first")
    if not name:
        if len(twists) == 1:
            return twists[0]
        raise MagicError(f"which twist? There are {_listed(twists)}: name one at the end")
    for twist in twists:
        instance = twist._instance
        if name in {label(instance.twist, instance.name), f"{instance.twist}/{instance.name}"}:
            return twist
    of_class = [twist for twist in twists if twist.name == name]
    if not of_class:
        raise MagicError(f"no twist {name!r}{nearest(name, names(runtime, namespace))}")
    if len(of_class) > 1:
        raise MagicError(f"which {name}? There are {_listed(of_class)}")
    return of_class[0]


def _listed(twists: list[TwistHandle]) -> str:
    return ", ".join(sorted(map(named, twists)))
