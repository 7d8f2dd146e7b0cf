"""Building the component, and the cache of what is compiled from it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from plot_nb.sandbox import build, component


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, with nothing in it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PLOT_NB_CACHE", str(folder))
    monkeypatch.setattr(component, "_current", None)
    return folder


def test_a_component_built_from_the_same_sources_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_componentize", lambda *_: pytest.fail("built again"))
    folder = Path(build.__file__).parent
    assert build.build(folder) == folder / "twist.wasm"


def test_a_changed_source_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        build, "_componentize", lambda stage, *_: (stage / "twist.wasm").write_bytes(b"\0asm")
    )
    first = build.build(tmp_path).read_bytes()
    monkeypatch.setattr(build, "COMPONENTIZE", "0.0")
    monkeypatch.setattr(build, "_require_componentize", lambda: None)
    assert build.build(tmp_path).read_bytes() != first


def test_the_component_is_compiled_once_into_a_private_folder(cache: Path) -> None:
    first = component.compilation()
    assert component.compilation() is first
    path = first.wait(120)
    assert first.done
    assert path.parent == cache
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in cache.iterdir()] == [path.name]
    component._current = None
    file = path.stat().st_ino
    assert component.compilation().wait(10) == path
    assert path.stat().st_ino == file


def test_a_cache_that_others_can_read_is_closed_to_them(cache: Path) -> None:
    cache.mkdir(mode=0o755)
    assert component.cache_folder() == cache
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_cache_of_another_user_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345678)
    with pytest.raises(component.CompileError, match="PLOT_NB_CACHE"):
        component.cache_folder()


def test_a_component_that_cannot_be_compiled_says_so_and_can_be_tried_again(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"no wasm")
    monkeypatch.setattr(component, "component", lambda: broken)
    failed = component.compilation()
    with pytest.raises(component.CompileError, match="ended with"):
        failed.wait(60)
    assert not list(cache.iterdir())
    assert component.compilation() is not failed


def test_the_cache_is_where_the_platform_keeps_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PLOT_NB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert component.cache_folder() == tmp_path / "plot_nb"


def test_the_cache_keeps_the_last_few_and_drops_older_ones(cache: Path) -> None:
    cache.mkdir(mode=0o700)
    for age in range(8):
        old = cache / f"{age}.cwasm"
        old.touch()
        os.utime(old, (1000 - age, 1000 - age))
    component._prune(cache)
    assert sorted(path.stem for path in cache.iterdir()) == ["0", "1", "2", "3"]


def test_what_a_killed_compile_left_is_removed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLOT_NB_CACHE", str(tmp_path))
    tmp_path.chmod(0o700)
    old, fresh = tmp_path / "a.1.2.tmp", tmp_path / "b.1.2.tmp"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    component._prune(tmp_path)
    assert (old.exists(), fresh.exists()) == (False, True)
