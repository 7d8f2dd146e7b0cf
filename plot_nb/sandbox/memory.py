"""How much memory the guest has come to use.

The guest cannot be asked, and wasmtime's Python API does not tell. But its linear memory is one run of mappings in
our own address space, from a guard to the rest of a reservation of gigabytes, and it only grows: its end is the peak.
Where the run starts is read from `/proc/self/maps`, and where it ends is found by asking the kernel to copy bytes.
"""

from __future__ import annotations

import ctypes
import os
import sys

PAGE = 64 * 2**10
"""WebAssembly memory grows by pages of this size."""

RESERVATION = 2 * 2**30
"""At least so much inaccessible address space follows the memory."""

NEAR_LIMIT_BYTES = 2 * 2**20
"""An interpreter that gives up with less than this left has run out of memory."""


class Gauge:
    """Measures the linear memory of the one instance that is alive."""

    def __init__(self) -> None:
        self._start = 0
        self._initial = 0
        self._probe: int | None = None
        if sys.platform == "linux":
            self._probe = os.memfd_create("plot_nb-probe")
            self._pwrite = ctypes.CDLL(None, use_errno=True).pwrite
            self._pwrite.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_longlong)
            self._pwrite.restype = ctypes.c_ssize_t

    def locate(self) -> None:
        """Find the memory of a new instance; most are where the last one was."""
        if self._probe is None or (self._start and self._looks_new()):
            return
        self._start = self._initial = 0
        with open("/proc/self/maps", "rb", buffering=0) as file:  # noqa: PTH123  # this is in the way of a run
            lines = file.readall().splitlines()
        run = 0
        before = 0
        for line in lines:
            addresses, mode = line.split(b" ", 2)[:2]
            start, end = (int(address, 16) for address in addresses.split(b"-"))
            if mode == b"rw-p":
                run = run if run and before == start else start
            else:
                if mode == b"---p" and run and before == start and end - start >= RESERVATION:
                    self._start, self._initial = run, start - run
                    return
                run = 0
            before = end

    def measure(self) -> int | None:
        """Bytes, or None where this cannot be known."""
        if self._probe is None or not self._start:
            return None
        low = self._initial // PAGE
        if not self._readable(low):
            return self._initial
        high = low + 1
        while self._readable(high):
            low, high = high, high + (high - self._initial // PAGE)
        # Page `low` is there, page `high` is not.
        while high - low > 1:
            middle = (low + high) // 2
            if self._readable(middle):
                low = middle
            else:
                high = middle
        return high * PAGE

    def _looks_new(self) -> bool:
        pages = self._initial // PAGE
        return (
            self._readable(0)
            and self._readable(pages - 1)
            and not self._readable(pages)
            and not self._readable(-1)
        )

    def _readable(self, page: int) -> bool:
        return bool(self._pwrite(self._probe, self._start + page * PAGE, 1, 0) == 1)
