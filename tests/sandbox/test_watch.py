"""The meter of the guest's CPU time."""

from __future__ import annotations

import threading
import time

import pytest

from plot_nb.sandbox.watch import Watch


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.fixture
def interrupted() -> threading.Event:
    return threading.Event()


@pytest.fixture
def watch(interrupted: threading.Event) -> Watch:
    made = Watch(interrupted.set)
    made.bind()
    return made


def test_only_time_inside_counts(watch: Watch) -> None:
    watch.start(10**9)
    burn(0.02)
    watch.enter()
    burn(0.01)
    watch.leave()
    burn(0.02)
    watch.leave()
    watch.enter()
    burn(0.01)
    assert not watch.stop()
    assert 20e6 <= watch.spent_ns < 35e6


def test_what_was_spent_before_counts_to_the_limit(watch: Watch, interrupted: threading.Event) -> None:
    watch.start(50_000_000, 49_000_000)
    watch.enter()
    burn(0.005)
    watch._look()
    assert interrupted.is_set()
    assert watch.stop()


def test_an_execution_outside_of_the_guest_is_not_interrupted(
    watch: Watch, interrupted: threading.Event
) -> None:
    watch.start(1)
    watch.enter()
    burn(0.001)
    watch.leave()
    watch._look()
    assert not interrupted.is_set()
    assert not watch.stop()


def test_an_ended_execution_is_not_interrupted(watch: Watch, interrupted: threading.Event) -> None:
    watch.start(1)
    watch.enter()
    burn(0.001)
    watch.stop()
    watch._look()
    assert not interrupted.is_set()


def test_a_new_execution_starts_from_nothing(watch: Watch, interrupted: threading.Event) -> None:
    watch.start(1)
    watch.enter()
    burn(0.001)
    watch._look()
    assert watch.stop()
    watch.start(10**9)
    watch.enter()
    assert not watch.stop()
    assert watch.spent_ns < 10**6


def test_where_other_threads_cannot_be_measured_wall_time_inside_counts(
    interrupted: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(time, "pthread_getcpuclockid", raising=False)
    watch = Watch(interrupted.set)
    watch.bind()
    watch.start(1_000_000)
    watch.enter()
    burn(0.002)
    watch._look()
    assert interrupted.is_set()
    assert watch.stop()


def test_the_look_comes_from_another_thread(watch: Watch, interrupted: threading.Event) -> None:
    other = threading.Thread(target=watch.run, args=(lambda: not interrupted.is_set(),))
    other.start()
    watch.start(10_000_000)
    watch.enter()
    while not interrupted.is_set():
        pass
    assert watch.stop()
    assert watch.spent_ns > 10**7
    other.join()
