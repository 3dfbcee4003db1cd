"""A charity's website in small: a real proxy that hands one path of it to a server of ours, and tells what strayed."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@dataclass(kw_only=True)
class Website:
    """Where the website answers, without a trailing slash, and what was asked of it that is not ours."""

    base: str
    astray: list[str] = field(default_factory=list)


@contextmanager
def website(root: str, *, kept: bool = False) -> Iterator[tuple[Website, list[str]]]:
    """A website that hands on what lies below ``root``, without it or, ``kept``, with it.

    Yields:
        The website, and a list into which the server's own base URL is put once it runs.
    """
    behind: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def _hand_on(self) -> None:
            if not self.path.startswith(f"{root}/"):
                found.astray.append(f"{self.command} {self.path}")
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            given = [(name, value) for name, value in self.headers.items() if name.lower() != "connection"]
            path = self.path if kept else self.path[len(root):]
            with httpx.stream(self.command, behind[0] + path, headers=given, content=body, timeout=30) as answer:
                self.wfile.write(f"HTTP/1.0 {answer.status_code} \r\n".encode())
                for name, value in answer.headers.multi_items():
                    if name.lower() not in ("transfer-encoding", "connection"):
                        self.wfile.write(f"{name}: {value}\r\n".encode())
                self.wfile.write(b"\r\n")
                try:
                    for part in answer.iter_raw():
                        self.wfile.write(part)
                        self.wfile.flush()
                except OSError:
                    pass  # who looked on has left

        do_GET = do_POST = do_HEAD = _hand_on

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    found = Website(base=f"http://127.0.0.1:{server.server_address[1]}{root}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found, behind
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def nginx(root: str, behind: str, folder: Path, port: int, example: str) -> Iterator[None]:
    """The real nginx with a location block of ours, which leads to ``behind``.

    Args:
        example: the block as the shipped file has it, for ``/letters`` and the port that is usual.
    """
    assert NGINX is not None
    block = example.replace("/letters/", f"{root}/").replace("http://127.0.0.1:8025", behind).replace(
        "/var/log/nginx/", f"{folder}/")
    assert behind in block
    temporary = "".join(f"{name}_temp_path {folder}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi",
                                                                          "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; {block} }} }}\n", "utf-8")
    server = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, server.stderr.read() if server.stderr else ""
                assert time.monotonic() < until
                time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.communicate(timeout=20)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


_LINK = re.compile(r"""(?:\b(?:href|src|srcset|poster|action|formaction|data-follow)=|"""
                   r"""\bcontent=(?=["']?(?:https?:|/)))["']?([^"'\s>]+)""")
_FOLLOWED = re.compile(r"""(?:\b(?:href|src)=|\bcontent=(?=["']?https?:))["']?([^"'\s>]+)""")


def led_outside(answer: httpx.Response, base: str) -> list[str]:
    """What in an answer leads to this website, and not below ``base``: links, forms, redirects, cookies."""
    found = [f"link {link}" for link in _LINK.findall(answer.text) if _is_outside(_whole(answer, link), base)]
    if (to := answer.headers.get("location", "")) and _is_outside(_whole(answer, to), base):
        found.append(f"redirect {to}")
    for cookie in answer.headers.get_list("set-cookie"):
        path = re.search(r"Path=([^;]*)", cookie)
        if path is None or path[1] != f"{urlsplit(base).path}/":
            found.append(f"cookie {cookie}")
    return found


def links_of(answer: httpx.Response, base: str) -> list[str]:
    """The addresses below ``base`` to which a page leads, and of what it shows.

    In a letter that is nobody's, "…" stands where a supporter's copy has an address.
    """
    found = [_whole(answer, link) for link in _FOLLOWED.findall(answer.text) if link != "…"]
    return [one for one in found if one.startswith(f"{base}/")]


def _whole(answer: httpx.Response, link: str) -> str:
    """A link as the browser understands it on this page."""
    return urljoin(str(answer.url), link.replace("&amp;", "&")).partition("#")[0]


def _is_outside(url: str, base: str) -> bool:
    return urlsplit(url).netloc == urlsplit(base).netloc and not url.startswith(f"{base}/")


def letters_example(text: str) -> str:
    """The commented location blocks for a path, of the shipped nginx.conf."""
    kept = [line.removeprefix("    # ").rstrip() for line in text.splitlines() if line.startswith("    # ")]
    return "\n".join(kept[kept.index("location /letters/metrics {"):])


def skip_without_nginx() -> None:
    """Skip a test where nginx is not installed."""
    if NGINX is None:
        pytest.skip("nginx is not installed here: this test runs in CI")
