"""The Store: current values, and every version of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plot_nb.backend.database import Database
from plot_nb.backend.records import Origin


class StoreTables(Database):
    """Values by key, ascending by code point; superjson text."""

    def get(self, instance: int, key: str) -> str | None:
        """The value of a key as superjson text; None where there is none."""
        row = self._execute(
            "SELECT value FROM store s JOIN store_versions v ON v.id = s.head WHERE s.instance = ? AND s.key = ?",
            (instance, key),
        ).fetchone()
        return str(row[0]) if row else None

    def entries(self, instance: int, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Keys that begin with `prefix` and their values, ascending by code point; read one by one."""
        return self._execute(
            "SELECT s.key, value FROM store s JOIN store_versions v ON v.id = s.head"
            " WHERE s.instance = ? AND s.key >= ? AND s.key < ? ORDER BY s.key",
            (instance, prefix, _after(prefix)),
        )

    def keys(self, instance: int, prefix: str = "") -> Iterator[str]:
        """Keys that begin with `prefix`, ascending by code point; read one by one."""
        rows = self._execute(
            "SELECT key FROM store WHERE instance = ? AND key >= ? AND key < ? ORDER BY key",
            (instance, prefix, _after(prefix)),
        )
        return (key for (key,) in rows)

    def set_many(self, origin: Origin, values: Iterable[tuple[str, str]]) -> None:
        """Write values, all or none."""
        with self._commit("store write"):
            for key, value in values:
                head = self._add_store_version(origin, key, value)
                self._execute("INSERT OR REPLACE INTO store VALUES (?, ?, ?)", (origin.instance, key, head))

    def clear_many(self, origin: Origin, keys: Iterable[str]) -> None:
        """Remove keys, all or none; a missing one is no error."""
        with self._commit("store clear"):
            for key in keys:
                gone = self._execute(
                    "DELETE FROM store WHERE instance = ? AND key = ?", (origin.instance, key)
                )
                if gone.rowcount:
                    self._add_store_version(origin, key, None)

    def _add_store_version(self, origin: Origin, key: str, value: str | None) -> int | None:
        return self._execute(
            "INSERT INTO store_versions (instance, key, version, value, updated, attempt_id, seq) SELECT ?1, ?2,"
            " 1 + coalesce((SELECT max(version) FROM store_versions WHERE instance = ?1 AND key = ?2), 0),"
            " ?3, ?4, ?5, ?6",
            (origin.instance, key, value, origin.now, origin.attempt_id, origin.seq),
        ).lastrowid


def _after(prefix: str) -> str | bytes:
    """The least text above all that begins with `prefix`; a blob, which sorts above any text, if there is none."""
    while prefix:
        code = ord(prefix[-1]) + 1
        if code <= 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
        prefix = prefix[:-1]
    return b""
