"""Composing on one core: values and whole bodies, beside the plain way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from typing import Any

import html2text
import premailer
import sendgrid
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench import letter
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.model.records import Composed, Fault, Letter
from pillarbox.shape.bodies import bodies

_PLAIN_SAMPLE = 60
_OURS_SAMPLE = 50_000
_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True)
class Plain:
    """What the plain way did in this run."""

    sample: int
    composed_per_second: float
    sent_per_second: float
    bytes_each: float


def run() -> Plain:
    """Measure, print, and return the plain way's figures."""
    size = len(letter.html())
    print(f"\nA letter of {size / 1024:.0f} KB (HTML source), 12 fields, an if/else and a loop; one core")
    plain = _plain()
    print(f"  the plain way        {plain.composed_per_second:12,.0f} /s composed, "
          f"{plain.sent_per_second:,.0f} /s with its request ({plain.bytes_each / 1024:.0f} KiB each)")
    people = list(letter.contexts(_OURS_SAMPLE))
    composer = _composer()
    composer.compose(people[:_AT_ONCE])  # the shapes are made once a mailing, not once a supporter
    values = _best(lambda: _compose(composer, people))
    _tell("values", values, plain)
    made = _compose(composer, people)
    whole = _best(lambda: _bodies(made))
    both = 1 / (1 / values + 1 / whole)
    _tell("HTML and text bodies", both, plain)
    return plain


def _tell(what: str, per_second: float, plain: Plain) -> None:
    print(f"  {what:<20} {per_second:12,.0f} /s   {per_second / plain.sent_per_second:8,.0f} times the plain way, "
          f"{per_second / plain.composed_per_second:,.0f} times its composing alone")


def _composer() -> Composer:
    return Composer(Letter(subject=letter.SUBJECT, html="letter.html", text="letter.txt", constants=letter.CONSTANTS,
                           templates={"letter.html": letter.html(), "letter.txt": letter.text()}),
                    finisher(PremailerInliner()))


def _compose(composer: Composer, people: list[dict[str, Any]]) -> list[Composed]:
    made: list[Composed] = []
    for start in range(0, len(people), _AT_ONCE):
        for one in composer.compose(people[start : start + _AT_ONCE]):
            if isinstance(one, Fault):
                raise SystemExit(f"a letter was not composed: {one}")
            made.append(one)
    return made


def _bodies(made: list[Composed]) -> int:
    total = 0
    for start in range(0, len(made), _AT_ONCE):
        chunk = sorted(made[start : start + _AT_ONCE], key=lambda message: message.shape.id)
        for _, group in groupby(chunk, key=lambda message: message.shape.id):
            rows = list(group)
            for _, html, text in bodies(rows[0].shape, [message.values for message in rows]):
                total += len(html) + len(text)
    return total


def _best(work: Callable[[], object], runs: int = 3) -> float:
    """Messages a second in the best of a few runs: the least disturbed."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return _OURS_SAMPLE / min(times)


def _plain() -> Plain:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    template = environment.from_string(letter.html())
    subject = environment.from_string(letter.SUBJECT)
    with _Sink() as sink:
        client = sendgrid.SendGridAPIClient("SG.bench", host=sink.url)
        composing = 0.0
        begun = time.perf_counter()
        for number, context in enumerate(letter.contexts(_PLAIN_SAMPLE)):
            step = time.perf_counter()
            html = premailer.transform(template.render(letter.CONSTANTS | context), keep_style_tags=True,
                                       strip_important=False)
            text = html2text.html2text(html)
            title = subject.render(letter.CONSTANTS | context)
            composing += time.perf_counter() - step
            client.client.mail.send.post(request_body={
                "personalizations": [{"to": [{"email": f"s{number}@example.org"}]}], "subject": title,
                "from": {"email": "letters@harbour.example"},
                "content": [{"type": "text/plain", "value": text}, {"type": "text/html", "value": html}]})
        whole = time.perf_counter() - begun
    return Plain(sample=_PLAIN_SAMPLE, composed_per_second=_PLAIN_SAMPLE / composing,
                 sent_per_second=_PLAIN_SAMPLE / whole, bytes_each=sink.bytes / _PLAIN_SAMPLE)


class _Sink:
    """A server on loopback that reads a request and answers 202 at once."""

    def __enter__(self) -> _Sink:
        sink = self
        self.bytes = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.bytes += len(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
