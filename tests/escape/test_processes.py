"""Processes, threads, signals, sockets and native code: there are none."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from tests.escape.siege import Attack, Siege
from tests.escape.test_files import EVERY

ATTACKS = [
    Attack(
        "make a process",
        """
        import concurrent.futures, multiprocessing, subprocess
        names = ["fork", "forkpty", "system", "popen", "posix_spawn", "posix_spawnp", "spawnl", "startfile"]
        ways = [lambda n=n: getattr(os, n)("touch /tmp/pwned") for n in names]
        ways += [lambda: os.execv("/bin/sh", ["sh", "-c", "touch /tmp/pwned"]), lambda: os.fork() and None]
        ways += [lambda: subprocess.run("touch /tmp/pwned", shell=True, check=True), lambda: __import__("pty").spawn("/bin/sh")]
        ways += [lambda: subprocess.Popen(["/usr/bin/touch", "pwned"]), lambda: multiprocessing.Process().start()]
        ways += [lambda: list(concurrent.futures.ProcessPoolExecutor().map(abs, [1]))]
        ways += [lambda: __import__("_posixsubprocess").fork_exec, lambda: __import__("posix").fork()]
        """
        + EVERY.replace("\n", "\n        "),
        value=[],
    ),
    Attack(
        "make a thread",
        """
        import _thread, concurrent.futures, threading
        ways = [lambda: threading.Thread(target=print).start(), lambda: _thread.start_new_thread(print, ())]
        ways += [lambda: concurrent.futures.ThreadPoolExecutor().submit(print), lambda: threading.Timer(0, print).start()]
        ways += [lambda: __import__("_interpreters").create()]
        """
        + EVERY.replace("\n", "\n        "),
        value=[],
    ),
    Attack("a thread of asyncio", "await asyncio.to_thread(print, 'pwned')", "error"),
    Attack("kill", "os.kill(os.getppid(), 9)", "error", says="AttributeError"),
    Attack("raise a signal", "import signal; signal.raise_signal(signal.SIGTERM)", "crashed"),
    Attack(
        "catch every signal",
        "import signal\nfor n in range(1, 65):\n    signal.signal(n, lambda *_: None)",
        "error",
    ),
    Attack("an alarm", "import signal\nsignal.alarm(1)", "error"),
    Attack("os._exit(0)", "os._exit(0)", "crashed"),
    Attack("os._exit(1)", "os._exit(1)", "crashed"),
    Attack("os.abort()", "os.abort()", "crashed"),
    Attack("sys.exit()", "sys.exit(0)", "error", says="SystemExit"),
    Attack("a crash in C", "import faulthandler\nfaulthandler._sigsegv()", "crashed"),
    Attack(
        "a lock that is never given free",
        "import threading\nx = threading.Lock()\nx.acquire(); x.acquire()",
        "crashed",
    ),
    Attack("a queue that stays empty", "import queue\nqueue.Queue().get()", "crashed"),
    Attack("select", "import select\nselect.select([0], [], [], 10**6)", "crashed error"),
    Attack(
        "exit behind everything",
        """
        import atexit
        def pwned(*_):
            while True: pass
        atexit.register(pwned)
        sys.excepthook = sys.unraisablehook = sys.__excepthook__ = pwned
        class Last:
            __del__ = pwned
        builtins.pwned = Last()
        """,
    ),
    Attack(
        "exit inside a task",
        "asyncio.get_running_loop().call_soon(os._exit, 0); await asyncio.sleep(1)",
        "crashed",
    ),
    Attack(
        "native code",
        """
        ways = [lambda n=n: __import__(n) for n in ("ctypes", "_ctypes", "cffi", "_cffi_backend", "mmap", "fcntl", "termios")]
        ways += [lambda: __import__("_imp").create_dynamic(__import__("importlib.machinery").machinery.ModuleSpec(
            "pwned", None, origin="/usr/lib/libc.so"))]
        ways += [lambda: __import__("sysconfig").get_config_var("nothing") or 1 / 0]
        """
        + EVERY.replace("\n", "\n        ").replace(
            "return got", "return [each for each in got if 'mmap' not in each]"
        ),
        value=[],
    ),
    Attack(
        "sockets",
        """
        import socket, select
        kinds = [(f, t) for f in (socket.AF_INET, socket.AF_INET6) for t in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
        kinds += [(1, 1), (16, 3), (17, 3)]
        made = []
        def use(f, t, way):
            s = socket.socket(f, t)
            made.append(s)
            return way(s)
        ways = [lambda f=f, t=t: use(f, t, lambda s: s.connect(("127.0.0.1", 22))) for f, t in kinds]
        ways += [lambda f=f, t=t: use(f, t, lambda s: s.bind(("", 0))) for f, t in kinds]
        ways += [lambda f=f, t=t: use(f, t, lambda s: s.sendto(b"pwned", ("127.0.0.1", 53))) for f, t in kinds]
        ways += [lambda: socket.create_connection(("example.com", 80)), lambda: socket.create_server(("", 0))]
        ways += [lambda: socket.socketpair(), lambda: socket.getaddrinfo("example.com", 80)]
        ways += [lambda: socket.gethostbyname("localhost"), lambda: socket.fromfd(3, 1, 1).recv(1)]
        """
        + EVERY.replace("\n", "\n        "),
        value=[],
    ),
    Attack(
        "the network by way of the library",
        """
        import ftplib, http.client, http.server, imaplib, smtplib, socketserver, urllib.request, xmlrpc.client
        ways = [lambda: urllib.request.urlopen("http://127.0.0.1:1/", timeout=1).read()]
        ways += [lambda: urllib.request.urlopen("file:///etc/passwd").read(), lambda: urllib.request.urlopen("data:,x") and 1 / 0]
        ways += [lambda: http.client.HTTPConnection("127.0.0.1").request("GET", "/"), lambda: ftplib.FTP("127.0.0.1")]
        ways += [lambda: smtplib.SMTP("127.0.0.1"), lambda: imaplib.IMAP4("127.0.0.1")]
        ways += [lambda: xmlrpc.client.ServerProxy("http://127.0.0.1").pwned()]
        ways += [lambda: socketserver.TCPServer(("", 0), None), lambda: http.server.HTTPServer(("", 0), None)]
        """
        + EVERY.replace("\n", "\n        "),
        value=[],
    ),
    Attack(
        "the network by way of asyncio",
        """
        loop = asyncio.get_running_loop()
        got = []
        for way in (lambda: asyncio.open_connection("127.0.0.1", 22), lambda: asyncio.start_server(print, "", 0),
                    lambda: loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", 53)),
                    lambda: loop.getaddrinfo("example.com", 80), lambda: asyncio.open_unix_connection("/tmp/x"),
                    lambda: asyncio.create_subprocess_exec("touch", "pwned"), lambda: loop.run_in_executor(None, print),
                    lambda: loop.connect_read_pipe(asyncio.Protocol, open(0)), lambda: loop.sock_recv(None, 1)):
            try:
                got.append(repr(await way()))
            except Exception:
                pass
        return got
        """,
        value=[],
    ),
    Attack(
        "fetch where nothing was declared",
        """
        urls = ["http://127.0.0.1:22/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "http://[::1]/",
                "https://example.com@127.0.0.1/", "ftp://127.0.0.1/", "http://0/", "javascript:alert(1)", "\\\\\\\\host\\\\x",
                "http://2130706433/", "https://example.com/\\r\\nHost: evil", "", "x" * 100_000]
        got = []
        for url in urls:
            try:
                got.append(await fetch(url))
            except (PermissionError, ValueError, TypeError) as error:
                pass
        return got
        """,
        value=[],
        requests=None,
    ),
    Attack(
        "fetch by forged frames",
        """
        kinds = [["http://127.0.0.1/", "GET", [], None, "utf-8", 5], ["http://127.0.0.1/", "GET"], [], [1, 2, 3, 4, 5, 6],
                 ["http://127.0.0.1/", "GET\\r\\nX: y", [["a\\r\\nb", "c"]], None, "utf-8", 5],
                 ["http://127.0.0.1/", "GET", [["a"]], "!!", "base64", 5], ["http://a/", "GET", [], "é", "base64", 1e308],
                 ["http://127.0.0.1/", "GET", [], None, "utf-8", -1], ["file:///etc/passwd", "GET", [], None, "nonsense", 0.1]]
        answers = {}
        for start in range(20):
            requests = [[n, "network.fetch", kind, 1] for n, kind in enumerate(kinds)] if not start else []
            for number, ok, value in cross(*requests, timeout=60)["answers"]:
                answers[number] = [ok, value["type"]]
            if len(answers) == len(kinds):
                break
        return sorted({(number, *value) for number, value in answers.items() if value[0] or value[1] not in
                       ("PermissionError", "ValueError", "ValidationError")}), len(answers)
        """,
        value=[[], 9],
        requests=9,
    ),
]


@pytest.mark.rule("2.8", "2.9", "2.19")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_there_is_nothing_but_the_twist(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)
