"""``make bench``: what Pillarbox claims about speed, each as a ratio to the plain way, in one run.

The plain way is the script that a charity would write: for each supporter render the letter with Jinja, inline its CSS
with premailer, make the text part with html2text, and post one request with the ``sendgrid`` client.
"""

from __future__ import annotations

import argparse
import os
import platform

from bench import (
    checking,
    composing,
    images,
    joining,
    ledger,
    mailing_page,
    million,
    pages,
    rehearsing,
    seeing,
    start,
    webhook,
    whole,
    workers,
)


def main() -> None:
    """Run the benchmarks and print their table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--supporters", type=int, help="for the whole mailing (default 100,000), or the million")
    parser.add_argument("--only", choices=["composing", "whole", "start", "ledger", "workers", "webhook", "pages",
                                           "joining", "images", "seeing", "mailing-page", "million", "check",
                                           "rehearse"],
                        help="one part alone; million, mailing-page and rehearse run only when named")
    given = parser.parse_args()
    print(f"Python {platform.python_version()} on {os.cpu_count()} cores of {platform.machine()}, {platform.system()}")
    plain = None
    if given.only in (None, "composing"):
        plain = composing.run()
    if given.only in (None, "whole"):
        whole.run(given.supporters or 100_000, plain)
    if given.only in (None, "check"):
        checking.run(given.supporters or 100_000)
    if given.only in (None, "ledger"):
        ledger.run()
    if given.only in (None, "workers"):
        workers.run()
    if given.only in (None, "webhook"):
        webhook.run()
    if given.only in (None, "pages"):
        pages.run()
    if given.only == "mailing-page":
        mailing_page.run(given.supporters or 1_000_000)
    if given.only == "million":
        million.run(given.supporters or 1_000_000)
    if given.only == "rehearse":
        rehearsing.run(given.supporters or 50_000)
    if given.only in (None, "joining"):
        joining.run()
    if given.only in (None, "images"):
        images.run()
    if given.only in (None, "seeing"):
        seeing.run()
    if given.only in (None, "start"):
        start.run()


if __name__ == "__main__":
    main()
