from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.host import Host


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """One pool for all tests that leave it as they found it."""
    made = Host()
    yield made
    made.close()
