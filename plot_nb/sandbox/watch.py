"""Measures the guest's own CPU time, and stops a guest that has used up its share."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

TICK_S = 0.02
IDLE_TICKS = 100


class Watch:
    """A meter for one thread that alternates between guest and host.

    What counts is the thread's CPU time between `enter` and `leave`. Where the machine cannot tell the CPU time of
    another thread, wall time between the two counts instead.

    Args:
        interrupt: Called from another thread when the guest is over its limit; must stop it wherever it is.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._spent = 0
        self._entered = 0
        # Spent before, and at what time entered; one object, so that the other thread reads a matching pair.
        self._inside: tuple[int, int] | None = None
        self._limit: int | None = None
        self._over = False
        self._own = time.monotonic_ns
        self._others = time.monotonic_ns

    def bind(self) -> None:
        """Measure the calling thread."""
        if hasattr(time, "pthread_getcpuclockid"):
            clock = time.pthread_getcpuclockid(threading.get_ident())
            self._own = time.thread_time_ns
            self._others = lambda: time.clock_gettime_ns(clock)

    def start(self, limit_ns: int, spent_ns: int = 0) -> None:
        """Begin an execution that has already spent something, outside of the guest."""
        with self._lock:
            self._spent, self._limit, self._over, self._inside = spent_ns, limit_ns, False, None
        if not self._busy.is_set():
            self._busy.set()

    def enter(self) -> None:
        """The guest goes on."""
        self._entered = entered = self._own()
        self._inside = (self._spent, entered)

    def leave(self) -> None:
        """The host is at work or waits; does nothing if the guest is not inside."""
        if self._inside is not None:
            self._inside = None
            self._spent += self._own() - self._entered

    def reset(self) -> None:
        """Forget what was spent; only outside of the guest."""
        self._spent = 0

    def stop(self) -> bool:
        """End the execution; tells whether it was interrupted."""
        self.leave()
        with self._lock:
            self._limit = None
            return self._over

    @property
    def spent_ns(self) -> int:
        """CPU time of the execution up to the last `leave`."""
        return self._spent

    def run(self, alive: Callable[[], bool]) -> None:
        """Look at the other thread every now and then, as long as it lives; the process ends with its parent."""
        parent = os.getppid()
        idle = 0
        while alive():
            # The socket tells too, unless another child of the parent has inherited its end.
            if os.getppid() != parent:
                os._exit(0)
            if not self._busy.wait(1.0):
                continue
            time.sleep(TICK_S)
            idle = 0 if self._limit is not None else idle + 1
            if idle > IDLE_TICKS:
                self._busy.clear()
                idle = 0
            self._look()

    def _look(self) -> None:
        inside, limit = self._inside, self._limit
        if inside is None or limit is None or inside[0] + self._others() - inside[1] <= limit:
            return
        with self._lock:
            # The pair may be of an execution that has ended meanwhile.
            if self._limit is not None and self._inside is inside and not self._over:
                self._over = True
                self._interrupt()
