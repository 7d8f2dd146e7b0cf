"""Reads a state file from any thread, while the engine writes to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plot_nb.errors import RuntimeClosed


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection that sees one moment of the file.

    Raises:
        RuntimeClosed: If the file is gone.
    """
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.OperationalError:
        raise RuntimeClosed(f"{path} is gone: its runtime was closed") from None
    try:
        connection.execute("BEGIN")
        yield connection
    finally:
        connection.close()


def rows(path: Path, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """The rows of one query."""
    with reading(path) as connection:
        return connection.execute(sql, arguments).fetchall()


def id_list(ids: Iterable[int | str]) -> str:
    """Ids as an argument for `IN (SELECT value FROM json_each(?))`."""
    return json.dumps(list(ids))
