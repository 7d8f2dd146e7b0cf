"""What `pip install` puts on a user's machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTUP = Path("etc", "ipython", "startup", "50-plot_nb.py")
EXTENSION = "share/jupyter/labextensions/plot-nb/"

# Addresses that are only said: names of XML's, examples, and where somebody told of an error.
NAMED = ("http://www.w3.org/", "https://example.com/", "https://github.com/")


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def pip(*arguments: str | Path) -> None:
    run(sys.executable, "-m", "pip", *arguments, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_QUIET="1")


def python_of(environment: Path) -> Path:
    folder = "Scripts" if sys.platform == "win32" else "bin"
    return environment / folder / Path(sys.executable).name


def new_environment(at: Path) -> Path:
    run(sys.executable, "-m", "venv", "--without-pip", at)
    return python_of(at)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """Give the Python of an environment with the wheel in it, and with this environment's other packages."""
    python = new_environment(tmp_path / "environment")
    pip("--python", python, "install", "--no-deps", wheel)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # Appended to the path, not put there by a path file's line: what the wheel brought has to win.
    others = sysconfig.get_path("purelib")
    Path(site, "others.pth").write_text(f"import sys; sys.path.append({others!r})\n")
    return python


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_wheel_runs_on_any_platform_and_any_python(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_a_wheel_carries_the_component(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (component,) = [name for name in archive.namelist() if name.endswith(".wasm")]
        with archive.open(component) as file:
            assert file.read(4) == b"\0asm"
    assert component.startswith("plot_nb/sandbox/")


def test_a_wheel_carries_what_a_twist_imports(wheel: Path) -> None:
    assert {"plot_nb/__init__.py", "plot_nb/twist/__init__.py", "plot_nb/py.typed"} <= names_in(wheel)


def test_a_wheel_carries_what_ipython_reads_at_its_start(wheel: Path) -> None:
    assert any(name.endswith(f".data/data/{STARTUP.as_posix()}") for name in names_in(wheel))


def of_browsers(wheel: Path) -> dict[str, str]:
    """What a browser gets of a wheel: texts by their place in the extension, or by their name among the widgets'."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            re.split(f"{EXTENSION}|/widgets/static/", name)[-1]: archive.read(name).decode()
            for name in archive.namelist()
            if EXTENSION in name or "/widgets/static/" in name
        }


def test_a_wheel_carries_the_extension_of_jupyterlab(wheel: Path) -> None:
    texts = of_browsers(wheel)
    told = json.loads(texts["package.json"])
    installed = json.loads(texts["install.json"])

    assert (told["name"], told["version"]) == ("plot-nb", "0.1.0")
    assert told["jupyterlab"]["_build"]["load"] in texts
    assert (installed["packageManager"], installed["packageName"]) == ("python", "plot_nb")


def test_a_wheel_carries_what_a_widget_draws_with(wheel: Path) -> None:
    texts = of_browsers(wheel)

    assert "export" in texts["widget.js"]
    assert ".pnb" in texts["widget.css"]


def test_what_a_browser_gets_loads_nothing_from_elsewhere(wheel: Path) -> None:
    code = {name: text for name, text in of_browsers(wheel).items() if name.endswith((".js", ".css"))}
    named = {
        (name, url)
        for name, text in code.items()
        for url in re.findall(r"(?:\b[a-z]+:)?//[a-z0-9-]+\.[a-z0-9.-]+[^\s\"'`)]*", text)
        if not url.startswith(NAMED)
    }
    imported = [name for name, text in code.items() if re.search(r"@import|url\((?![\"']?(?:data:|#))", text)]

    assert named == set()
    assert imported == []


def test_jupyterlab_has_the_extension_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import sys; sys.argv = ['jupyter', 'list']; from jupyterlab.labextensions import main; main()"
    listed = re.sub(r"\x1b\[[0-9;]*m", "", run(installed, "-c", code, cwd=tmp_path))

    assert re.search(r"plot-nb v0\.1\.0 +enabled +OK +\(python, plot_nb\)", listed), listed


def test_a_wheel_carries_nothing_else(wheel: Path) -> None:
    strangers = [name for name in names_in(wheel) if not name.startswith(("plot_nb/", "plot_nb-"))]
    assert strangers == []
    assert [
        name for name in names_in(wheel) if "__pycache__" in name or name.endswith((".cwasm", ".pyc", ".ts"))
    ] == []


def test_ipython_knows_the_magics_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    shown = run(installed, "-m", "IPython", "-c", "%twist --help", cwd=tmp_path)
    assert "progress" in shown


def test_a_start_of_ipython_costs_nothing_until_a_magic_is_used(installed: Path, tmp_path: Path) -> None:
    code = "import sys; print('plot_nb' in sys.modules, [name for name in dir() if 'plot' in name])"
    assert run(installed, "-m", "IPython", "-c", code, cwd=tmp_path).splitlines() == ["False []"]


def test_a_broken_install_does_not_break_a_start_of_ipython(installed: Path, tmp_path: Path) -> None:
    location = run(installed, "-c", "import plot_nb; print(plot_nb.__file__)", cwd=tmp_path).strip()
    Path(location).write_text("raise RuntimeError('half an upgrade')\n")
    assert run(installed, "-m", "IPython", "-c", "print('started')", cwd=tmp_path).splitlines() == ["started"]


@pytest.mark.prove
def test_a_bare_environment_builds_and_runs_it_with_pip_alone(tmp_path: Path) -> None:
    run("git", "clone", "--quiet", ROOT, tmp_path / "clone")
    python = new_environment(tmp_path / "environment")
    pip("--python", python, "install", tmp_path / "clone")
    shown = run(
        python,
        "-c",
        "import asyncio, plot_nb\n"
        "async def main():\n"
        "    async with plot_nb.Runtime() as rt:\n"
        "        twist = await rt.deploy('''from plot_nb import Twist\n"
        "class One(Twist):\n"
        "    async def one(self):\n"
        "        return 1\n''')\n"
        "        print((await twist.one()).value)\n"
        "asyncio.run(main())\n",
        cwd=tmp_path,
    )
    assert shown.splitlines()[-1] == "1"


@pytest.mark.prove
def test_a_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=ROOT)
    (source,) = tmp_path.glob("*.tar.gz")
    pip("wheel", "--no-deps", "--wheel-dir", tmp_path / "wheel", source)
    (built,) = (tmp_path / "wheel").glob("*.whl")
    # A part of the extension is named by its content, in which a module's number is that of its folder.
    assert _numbered(built) == _numbered(wheel)


def _numbered(wheel: Path) -> set[str]:
    return {re.sub(r"\.[0-9a-f]{16}\.js$", ".*.js", name) for name in names_in(wheel)}
