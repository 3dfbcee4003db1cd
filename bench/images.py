"""What images cost: to make ready, once and again; to check a letter with them; to send within letters; to serve."""

from __future__ import annotations

import http.client
import tempfile
import time
from datetime import date
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from lab import harbour
from pillarbox.content import shelf
from pillarbox.deliver.mime import mails
from pillarbox.deliver.sendgrid import payload
from pillarbox.ground import clock
from pillarbox.mailings import check, envelopes, letters, pictures
from pillarbox.model.records import Envelope, Outgoing, Unit
from pillarbox.store.project import open_project
from pillarbox.web.serve import background

_LETTER = harbour.LETTER + "".join(f"\n![Lamp {number}](images/{number}.jpg)\n" for number in range(5))
_MESSAGES = 1_000
_SECONDS = 3.0


def run() -> None:
    """Measure, and print a line each."""
    from tests import photographs

    print("\nImages: five photographs of 12 megapixels in a letter")
    given = [photographs.photograph(4032, 3024 + number) for number in range(5)]
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as place:
        folder = Path(place)
        harbour.write(folder, letter=_LETTER)
        (folder / "pillarbox.toml").write_text(harbour.settings("files"), "utf-8")
        home = folder / "appeals" / harbour.MAILING / "images"
        home.mkdir()
        for number, data in enumerate(given):
            (home / f"{number}.jpg").write_bytes(data)
        project = open_project(folder)
        began = time.perf_counter()
        source = letters.read(project, harbour.MAILING)
        first = time.perf_counter() - began
        shelf._made.clear()
        began = time.perf_counter()
        letters.read(project, harbour.MAILING)
        again = time.perf_counter() - began
        began = time.perf_counter()
        check.check(project, harbour.MAILING)
        checked = time.perf_counter() - began
        made = sum(map(len, source.appeal.images.values()))
        print(f"  {sum(map(len, given)) / 1e6:.1f} MB became {made / 1e6:.2f} MB; read first in {first:.2f} s, "
              f"from the shelf in {again:.2f} s; a check in the same process {checked:.2f} s")
        letter = letters.letter(source, day=date(2026, 12, 10), name="bench")
        with project.store.writing() as connection:
            pictures.keep(connection, source.bundle, letter)
        _within(source)
        with background(project.store, project.settings, project.id) as base:
            _served(base, next(iter(pictures.used(source.bundle, letter))))
        project.close()


def _within(source: letters.Source) -> None:
    """A batch through SendGrid and as whole messages, with the images within."""
    from tests.deliver.cast import shape

    images = envelopes.inline(source.bundle)
    shown = "".join(f'<img src="cid:{image.content_id}">' for image in images)
    envelope = Envelope(project="proj1234", mailing="bench", from_name="Us", from_email="us@charity.example",
                        reply_to="", practice=True, base_url="https://l.charity.example", unsubscribe_mailto="",
                        images=images)
    people = tuple(Outgoing(message_id=number, address=f"s{number}@example.org", to_name="", key=f"{number:030d}",
                            values=(f"Friend {number}", f"code{number}", "London")) for number in range(_MESSAGES))
    for words, carried in (("without images", shape()), ("with the images within", shape(shown))):
        unit = Unit(attempt_id=1, envelope=envelope, shape=carried, tracked=False, messages=people)
        began = time.perf_counter()
        size = sum(len(one.content) for one in payload.requests(unit, people))
        batch = time.perf_counter() - began
        began = time.perf_counter()
        whole = sum(len(content) for _, content in mails(unit, clock.now()))
        alone = time.perf_counter() - began
        print(f"  {_MESSAGES:,} letters {words}: {size / 1e6:.2f} MB to SendGrid, made in {batch * 1000:.0f} ms; as "
              f"whole messages {whole / 1e6:,.0f} MB in {alone:.2f} s")


def _served(base: str, name: str) -> None:
    """How often a second `serve` answers with an image, to four at once."""
    where = urlsplit(base)
    counts: list[int] = []

    def ask() -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port)
        count, until = 0, time.perf_counter() + _SECONDS
        while time.perf_counter() < until:
            connection.request("GET", f"/i/{name}")
            connection.getresponse().read()
            count += 1
        counts.append(count)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"  served {sum(counts) / _SECONDS:,.0f} times a second by one process")
