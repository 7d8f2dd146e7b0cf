"""The installed twists of a state file, as pictures name them."""

from __future__ import annotations

import json
import sqlite3

from plot_nb.engine.masking import Mask


def label(twist: str, instance: str) -> str:
    """`Name` for the default instance of a class, `Name/instance` for another."""
    return twist if instance == "default" else f"{twist}/{instance}"


class Instances:
    """Names and masks by an instance's id, at the moment that a connection sees."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("SELECT id, twist, name, options, former FROM instances").fetchall()
        self.labels = {number: label(twist, name) for number, twist, name, *_ in found}
        self._options = {number: (options, former) for number, _, _, options, former in found}
        self._masks: dict[int, Mask] = {}

    def mask(self, instance: int) -> Mask:
        """What hides the values of all options that an instance ever had, as `Instance.secrets` has them."""
        mask = self._masks.get(instance)
        if mask is None:
            options, former = self._options.get(instance, ("{}", "[]"))
            mask = self._masks[instance] = Mask({"now": json.loads(options), "before": json.loads(former)})
        return mask

    def of(self, twist: str) -> int | None:
        """The id of the instance that is called so."""
        return next((number for number, name in self.labels.items() if name == twist), None)
