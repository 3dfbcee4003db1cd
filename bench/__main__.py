"""``make bench``: what Pillarbox claims about speed, each as a ratio to the plain way, in one run.

The plain way is the script that a charity would write: for each supporter render the letter with Jinja, inline its CSS
with premailer, make the text part with html2text, and post one request with the ``sendgrid`` client.
"""

from __future__ import annotations

import argparse
import os
import platform

from bench import composing, start, whole


def main() -> None:
    """Run the benchmarks and print their table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--supporters", type=int, default=100_000, help="for the whole mailing (default 100,000)")
    parser.add_argument("--only", choices=["composing", "whole", "start"], help="one part alone")
    given = parser.parse_args()
    print(f"Python {platform.python_version()} on {os.cpu_count()} cores of {platform.machine()}, {platform.system()}")
    plain = None
    if given.only in (None, "composing"):
        plain = composing.run()
    if given.only in (None, "whole"):
        whole.run(given.supporters, plain)
    if given.only in (None, "start"):
        start.run()


if __name__ == "__main__":
    main()
