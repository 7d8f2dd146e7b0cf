"""Which activity `%twist emit` means: by an id, by a key, or by `Name:KEY`."""

from __future__ import annotations

from collections import Counter

from plot_nb.journal.reader import rows
from plot_nb.notebook.naming import Namespace, named, names
from plot_nb.notebook.problems import MagicError
from plot_nb.runtime import Runtime, TwistHandle


def whose(runtime: Runtime, namespace: Namespace, text: str) -> tuple[str, TwistHandle | None]:
    """Read an activity as a user would name it.

    Returns:
        An id, or a key with the twist that has it. What nothing has stays as it is.

    Raises:
        MagicError: If several twists have it.
    """
    twists = runtime.twists()
    for column in ("id", "key"):
        found = rows(runtime.path, f"SELECT instance FROM activities WHERE {column} = ?", text)
        having = {instance for (instance,) in found}
        owners = [twist for twist in twists if twist._instance_id in having]
        if len(owners) == 1:
            return text, owners[0]
        if owners:
            said = " or ".join(f"{named(twist)}:{text}" for twist in owners)
            raise MagicError(
                f"{len(owners)} twists have an activity with the {column} {text!r}: write {said}"
            )
    known = names(runtime, namespace)
    name = max((each for each in known if text.startswith(f"{each}:")), key=len, default=None)
    if name is not None:
        return text[len(name) + 1 :], known[name]
    return text, twists[0] if len(twists) == 1 else None


def references(runtime: Runtime) -> list[tuple[str, str]]:
    """What can be written for each activity, with its title: its id, and its key if it has one."""
    frames = [(twist, twist.activities) for twist in runtime.twists()]
    having = Counter(key for _, frame in frames for key in frame["key"])
    found: list[tuple[str, str]] = []
    for twist, frame in frames:
        for identity, key, title in zip(frame["id"], frame["key"], frame["title"], strict=True):
            found.append((identity, title))
            if key is not None:
                found.append((key if having[key] == 1 else f"{named(twist)}:{key}", title))
    return found
