from __future__ import annotations

from tests.sandbox.conftest import host

__all__ = ["host"]
