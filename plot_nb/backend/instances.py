"""What is installed: instances and their versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from plot_nb.backend.queue import UNFINISHED, QueueTables
from plot_nb.backend.records import InstanceRow
from plot_nb.engine.model import Execution, Instance


class InstanceTables(QueueTables):
    """Instances, versions, and the lifecycle executions that are queued in one commit with them."""

    def instances(self) -> list[InstanceRow]:
        """Rows of the versions in force, in the order of `InstanceRow`."""
        rows = self._execute(
            "SELECT i.id, twist, name, i.version, options, former, active, suspended, counted_from, digest, program,"
            " manifest FROM instances i JOIN versions v ON v.instance = i.id AND v.version = i.version ORDER BY i.id"
        )
        return [InstanceRow(*row) for row in rows]

    def add_version(
        self,
        twist: str,
        name: str,
        options: str,
        former: str,
        digest: str,
        program: str,
        manifest: str,
        now: int,
        lifecycle: Callable[[int, int], list[Execution]],
        counted_from: int = 0,
    ) -> tuple[int, int, list[Execution]]:
        """Make a new version the one in force, and queue its lifecycle methods, at once.

        Args:
            twist: The class's name.
            name: The instance's.
            options: JSON.
            former: Options of earlier versions, as a JSON list.
            digest: Of the source.
            program: What a sandbox loads.
            manifest: What the source says of itself.
            now: When.
            lifecycle: Makes its executions for an instance's id and a version's number.
            counted_from: The attempt after which the rates are counted anew.

        Returns:
            The instance's id, the version's number, and the executions.
        """
        with self._commit("version"):
            self._execute(
                "INSERT INTO instances (twist, name, version, options, former, active, counted_from)"
                " VALUES (?, ?, 1, ?, ?, 1, ?) ON CONFLICT (twist, name) DO UPDATE SET version = version + 1,"
                " options = excluded.options, former = excluded.former, active = 1,"
                " suspended = nullif(suspended, 'rate'), counted_from = excluded.counted_from",
                (twist, name, options, former, counted_from),
            )
            instance, version = self._execute(
                "SELECT id, version FROM instances WHERE twist = ? AND name = ?", (twist, name)
            ).fetchone()
            self._execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
                (instance, version, digest, program, manifest, now),
            )
            executions = lifecycle(instance, version)
            for execution in executions:
                self._insert(execution)
        return instance, version, executions

    def save_instance(
        self, instance: Instance, lifecycle: Iterable[Execution] = (), manifest: str | None = None
    ) -> None:
        """Save what can change of an instance within a version, and queue lifecycle methods for it, at once.

        Args:
            instance: Which.
            lifecycle: Its executions.
            manifest: What the source says of itself, where other options make it say something else.
        """
        with self._commit("instance"):
            self._update(instance)
            if manifest is not None:
                self._execute(
                    "UPDATE versions SET manifest = ? WHERE instance = ? AND version = ?",
                    (manifest, instance.id, instance.version.number),
                )
            for execution in lifecycle:
                self._insert(execution)

    def save_suspension(self, instance: Instance, execution: str | None, text: str, now: int) -> None:
        """Save that an instance is suspended, with the execution that shows it and why."""
        with self._commit("suspend"):
            self._update(instance)
            if execution is not None:
                self._add_event(execution, "suspended", text, now)

    def _update(self, instance: Instance) -> None:
        self._execute(
            "UPDATE instances SET options = ?, former = ?, active = ?, suspended = ?, counted_from = ?"
            " WHERE id = ?",
            (
                json.dumps(instance.options),
                json.dumps(instance.former),
                instance.active,
                instance.suspended,
                instance.counted_from,
                instance.id,
            ),
        )

    def deactivate(self, instance: int, waiting: Iterable[Execution], why: str, now: int) -> None:
        """Make an instance inactive, save what waited or runs in it as cancelled, drop its callbacks and webhooks."""
        with self._commit("deactivate"):
            self._execute("UPDATE instances SET active = 0 WHERE id = ?", (instance,))
            for table in ("callbacks", "webhooks"):
                self._execute(
                    f"UPDATE {table} SET deleted = ? WHERE instance = ? AND deleted IS NULL", (now, instance)
                )
            for execution in waiting:
                self._save(execution)
                self._add_event(execution.id, "cancelled", why, now)
            running = f"SELECT id FROM executions WHERE {UNFINISHED} AND instance = ? AND state = 'running'"
            for (identity,) in self._execute(running, (instance,)).fetchall():
                self._execute("UPDATE executions SET state = 'cancelled' WHERE id = ?", (identity,))
                self._add_event(identity, "cancelled", why, now)
            self._save_now(now)
