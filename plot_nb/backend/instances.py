"""What is installed: instances and their versions."""

from __future__ import annotations

from collections.abc import Callable

from plot_nb.backend.queue import QueueTables
from plot_nb.engine.model import Execution


class InstanceTables(QueueTables):
    """Instances, versions, and the lifecycle executions that are queued in one commit with them."""

    def instances(self) -> list[tuple[int, str, str, int, str, int, str, str, str]]:
        """Rows (id, twist, name, version, options, active, digest, program, manifest) of the versions in force."""
        return self._execute(
            "SELECT i.id, twist, name, i.version, options, active, digest, program, manifest"
            " FROM instances i JOIN versions v ON v.instance = i.id AND v.version = i.version ORDER BY i.id"
        ).fetchall()

    def add_version(
        self,
        twist: str,
        name: str,
        options: str,
        digest: str,
        program: str,
        manifest: str,
        now: int,
        lifecycle: Callable[[int, int], Execution | None],
    ) -> tuple[int, int, Execution | None]:
        """Make a new version the one in force, and queue its lifecycle method, at once.

        Args:
            twist: The class's name.
            name: The instance's.
            options: JSON.
            digest: Of the source.
            program: What a sandbox loads.
            manifest: What the source says of itself.
            now: When.
            lifecycle: Makes the execution for an instance's id and a version's number.

        Returns:
            The instance's id, the version's number, and the execution.
        """
        with self._commit("version"):
            self._execute(
                "INSERT INTO instances (twist, name, version, options, active) VALUES (?, ?, 1, ?, 1)"
                " ON CONFLICT (twist, name) DO UPDATE"
                " SET version = version + 1, options = excluded.options, active = 1",
                (twist, name, options),
            )
            instance, version = self._execute(
                "SELECT id, version FROM instances WHERE twist = ? AND name = ?", (twist, name)
            ).fetchone()
            self._execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
                (instance, version, digest, program, manifest, now),
            )
            execution = lifecycle(instance, version)
            if execution is not None:
                self._insert(execution)
        return instance, version, execution

    def save_instance(
        self, instance: int, options: str, *, active: bool, lifecycle: Execution | None = None
    ) -> None:
        """Change an instance's options, or whether it is active, and queue the lifecycle method for it, at once."""
        with self._commit("instance"):
            self._execute(
                "UPDATE instances SET options = ?, active = ? WHERE id = ?", (options, active, instance)
            )
            if lifecycle is not None:
                self._insert(lifecycle)
