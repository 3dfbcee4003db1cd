"""Following a letter's link as a browser does, as far as its first answer: nobody outside is visited."""

from __future__ import annotations

import urllib3

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
"""What the made-up supporters' browser calls itself."""


def landing(url: str, *, timeout_seconds: float = 30.0) -> str:
    """Where a link leads on to; the link itself when it leads nowhere else."""
    with urllib3.PoolManager(retries=False, timeout=timeout_seconds) as pool:
        try:
            answer = pool.request("GET", url, redirect=False, headers={"User-Agent": BROWSER})
        except urllib3.exceptions.HTTPError:
            return url
    return answer.headers.get("Location") or url if 300 <= answer.status < 400 else url
