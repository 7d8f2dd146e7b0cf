"""Files, environment and the interpreter's own machinery for them: there are none."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from tests.escape.siege import Attack, Siege

# Returns what it got hold of: nothing, where every way ends in an exception.
EVERY = """
got = []
for way in ways:
    try:
        found = way()
    except BaseException as error:
        if isinstance(error, (SyntaxError, NameError)):
            raise
    else:
        got.append(repr(found)[:300])
return got
"""

ATTACKS = [
    Attack(
        "open and read",
        """
        import io, pathlib, codecs, fileinput, tokenize, linecache
        names = [args[0], "secret.txt", "./secret.txt", "../secret.txt", "/etc/passwd", "/proc/self/environ", "/proc/1/mem",
                 "/proc/self/maps", "/dev/mem", "/dev/tty", "\\\\\\\\?\\\\C:\\\\x", "file:///etc/passwd", "/dev/fd/3", 0, 3, 5]
        ways = [lambda n=n: open(n).read() for n in names if n]
        ways += [lambda n=n: io.FileIO(n).read() for n in names]
        ways += [lambda n=n: os.read(os.open(str(n), os.O_RDONLY), 100) for n in names]
        ways += [lambda n=n: pathlib.Path(str(n)).read_text() for n in names]
        ways += [lambda n=n: codecs.open(str(n)).read() for n in names]
        ways += [lambda n=n: tokenize.open(str(n)).read() for n in names]
        ways += [lambda: linecache.getlines(args[0]) or 1 / 0, lambda: list(fileinput.input([args[0]]))]
        """
        + EVERY.replace("\n", "\n        "),
        value=["b''"],  # standard input, which is empty
        args=("/etc/hostname",),
    ),
    Attack(
        "write and make",
        """
        import pathlib, shutil, tempfile, zipfile, dbm.dumb, shelve, logging
        places = ["pwned", "./pwned", "/pwned", "/tmp/pwned", "/dev/shm/pwned", "~/pwned", "/proc/self/pwned"]
        ways = [lambda p=p: open(p, "w").write("x") for p in places]
        ways += [lambda p=p: os.open(p, os.O_CREAT | os.O_WRONLY) for p in places]
        ways += [lambda p=p: os.mkdir(p) for p in places]
        ways += [lambda p=p: os.symlink("/etc/passwd", p) for p in places]
        ways += [lambda p=p: pathlib.Path(p).touch() for p in places]
        ways += [lambda p=p: os.mkfifo(p) for p in places]
        ways += [lambda p=p: os.rename("secret.txt", p) for p in places]
        ways += [lambda p=p: shelve.open(p) for p in places]
        ways += [lambda p=p: logging.FileHandler(p) for p in places]
        ways += [lambda: zipfile.ZipFile("pwned.zip", "w"), lambda: tempfile.NamedTemporaryFile(prefix="pwned")]
        ways += [lambda: tempfile.mkdtemp(prefix="pwned"), lambda: shutil.copy("secret.txt", "pwned")]
        ways += [lambda: os.remove("secret.txt"), lambda: os.truncate("secret.txt", 0), lambda: shutil.rmtree("/tmp")]
        ways += [lambda: os.chdir("/tmp"), lambda: os.chmod("secret.txt", 0), lambda: os.memfd_create("pwned")]
        """
        + EVERY.replace("\n", "\n        "),
        value=["None"],  # chmod says yes and does nothing
    ),
    Attack(
        "look around in the file system",
        """
        import glob, pathlib
        ways = [lambda p=p: os.listdir(p) for p in (".", "/", "..", "/proc", "/proc/self/fd", "/dev", "/tmp")]
        ways += [lambda: list(os.scandir("/")), lambda: os.stat("/"), lambda: os.readlink("/proc/self/exe")]
        ways += [lambda: next(iter(glob.glob("/**", recursive=True))), lambda: next(os.walk("/"))]
        ways += [lambda: next(pathlib.Path("/").iterdir()), lambda: pathlib.Path.home().stat()]
        """
        + EVERY.replace("\n", "\n        "),
        value=[],
    ),
    Attack(
        "import from files",
        """
        import importlib.machinery as machinery, importlib.util, runpy, zipimport, pkgutil
        sys.path.insert(0, "/"); sys.path.insert(0, ".")
        sys.meta_path.append(machinery.PathFinder)
        sys.path_hooks.append(machinery.FileFinder.path_hook((machinery.SourceFileLoader, [".txt", ".py"])))
        def load(loader):
            spec = importlib.util.spec_from_loader("secret", loader)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        ways = [lambda: machinery.SourceFileLoader("secret", "secret.txt").get_data("secret.txt")]
        ways += [lambda: load(machinery.SourceFileLoader("secret", "secret.txt"))]
        ways += [lambda: load(machinery.ExtensionFileLoader("secret", "/usr/lib/x86_64-linux-gnu/libc.so.6"))]
        ways += [lambda: machinery.SourcelessFileLoader("a", "/etc/passwd").get_code("a"), lambda: __import__("secret")]
        ways += [lambda: runpy.run_path("secret.txt"), lambda: zipimport.zipimporter("/tmp/x.zip")]
        ways += [lambda: __import__("wasmtime"), lambda: __import__("plot_nb.engine.engine")]
        ways += [lambda: __import__("plot_nb.sandbox.worker"), lambda: __import__("numpy"), lambda: __import__("pip")]
        """
        + EVERY.replace("\n", "\n        "),
        value=[],
    ),
    Attack(
        "environment and argv",
        """
        import posix, platform, site, sysconfig
        ways = [lambda: os.environ["PLOT_NB_SECRET"], lambda: posix.environ[b"PWNED"], lambda: os.getenvb(b"PWNED")]
        ways += [lambda: os.getlogin(), lambda: os.getuid(), lambda: os.uname().nodename[0], lambda: os.getppid()]
        ways += [lambda: __import__("pwd").getpwuid(0), lambda: __import__("getpass").getuser()]
        ways += [lambda: __import__("resource").getrlimit(0), lambda: os.sysconf("SC_PAGE_SIZE")]
        os.environ["pwned"] = "1"
        os.putenv("pwned", "1")
        sys.argv.append("pwned")
        """
        + EVERY.replace("\n", "\n        ").replace(
            "return got", 'return [each for each in got if "xyzzy" in each]'
        ),
        value=[],
    ),
    Attack(
        "every file descriptor",
        """
        wrote = []
        for fd in range(256):
            for way in (lambda: os.write(fd, b"pwned\\n" * 100), lambda: os.dup2(fd, 300 + fd), lambda: os.close(fd),
                        lambda: os.fdopen(fd, "wb").write(b"pwned"), lambda: os.ftruncate(fd, 0), lambda: os.fchmod(fd, 0)):
                try:
                    way()
                    wrote.append(fd)
                except (OSError, AttributeError, ValueError):
                    pass
        return max(wrote)
        """,
        value=2,
    ),
    Attack(
        "the original standard streams",
        """
        for stream in (sys.__stdout__, sys.__stderr__):
            stream.write("pwned\\n" * 1000)
            stream.flush()
            stream.buffer.write(b"pwned")
        sys.stdout = sys.__stdout__
        print("pwned")
        sys.stdout.flush()
        return sys.__stdin__.read()
        """,
        value="",
    ),
]


@pytest.mark.rule("2.7", "2.10")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_there_are_no_files_and_no_environment(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)
