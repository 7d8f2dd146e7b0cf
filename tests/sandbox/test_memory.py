"""Measuring the guest's memory from outside."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator

import pytest

from plot_nb.sandbox.memory import PAGE, Gauge


def test_nothing_is_claimed_where_nothing_can_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    gauge = Gauge()
    gauge.locate()
    assert gauge.measure() is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_nothing_is_claimed_without_an_instance() -> None:
    gauge = Gauge()
    gauge.locate()
    assert gauge.measure() is None


@pytest.fixture
def memory() -> Iterator[tuple[ctypes.CDLL, int]]:
    """Something of the shape of an instance's memory: 5 pages in a reservation of gigabytes."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_longlong)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    size = 4 * 2**30
    reserve = 0x4022  # private, anonymous, without a claim to memory
    start = libc.mmap(None, size, 0, reserve, -1, 0)
    assert start not in {None, ctypes.c_void_p(-1).value}
    guard = 32 * 2**20
    assert libc.mprotect(start + guard, 5 * PAGE, 3) == 0
    yield libc, start + guard
    libc.munmap(start, size)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
@pytest.mark.parametrize("pages", [5, 6, 7, 8, 100, 1000, 1001, 2048])
def test_growth_is_found_to_the_page(memory: tuple[ctypes.CDLL, int], pages: int) -> None:
    libc, start = memory
    gauge = Gauge()
    gauge.locate()
    assert gauge.measure() == 5 * PAGE
    libc.mprotect(start, pages * PAGE, 3)
    assert gauge.measure() == pages * PAGE
