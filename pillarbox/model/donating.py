"""Donation pages: which ones a letter may lead to, and how each is told the code of the letter that brought a gift.

A destination is made of the project's own settings, a code of letters and digits, and perhaps a sum; nothing else that
a visitor sends gets into it. Nothing is fetched from it either: a visitor's browser goes there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

CODE = "{code}"
"""What stands in a template for the code."""

Platform = Literal["auto", "own", "stripe-payment-link", "justgiving", "utm", "caf", "none"]

CARRIERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    # Up to 200 letters, digits, dashes and underscores, handed back in checkout.session.completed; a page's other
    # parameters are dropped (https://docs.stripe.com/payment-links/url-parameters, stored copy read 2026-11).
    "stripe-payment-link": (("client_reference_id", CODE),),
    # "reference", letters and digits, told again as the donation's third-party reference
    # (https://developer.justgiving.com/apidocs/sdi and the wiki of JustGiving.Api.Sdk, stored copies read 2026-11).
    "justgiving": (("reference", CODE),),
    # The five names that analytics know; utm_content tells links to one page apart (Stripe's page above says the same).
    "utm": (("utm_source", "letter"), ("utm_medium", "email"), ("utm_content", CODE)),
    # CAF Donate publishes parameters for amount and frequency, none that carries a code: gifts are known by address.
    "caf": (),
    "none": (),
}
"""Platform → the parameters that a donation page is given, as it publishes them."""

AMOUNTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    # "amount" fills in a sum, which a giver may change; "currency" says of what (the pages named above).
    "justgiving": (("currency", "GBP"), ("amount", "")),
}
"""Platform → the parameters that fill in a sum of pounds, the sum's own last. A Stripe payment link, CAF Donate and
analytics publish none; a page of the charity's own says its own (``[links] amount_parameter``)."""

AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{2})?")
"""A sum as a link carries it: pounds, perhaps pence."""

HOSTS: Mapping[str, str] = {
    "buy.stripe.com": "stripe-payment-link", "donate.stripe.com": "stripe-payment-link",
    "link.justgiving.com": "justgiving", "cafdonate.cafonline.org": "caf",
}
"""Whose pages ``auto`` knows by their host; any other is the charity's own."""

_LONGEST = 1_500
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_INSIDE = ("localhost", "local", "internal", "lan", "home", "intranet", "corp")
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")
_SPLITTING = re.compile(r"%(?:0[0-9a-f]|1[0-9a-f]|7f|5c)", re.IGNORECASE)
_MARK = "pillarboxcodegoeshere"


def host_of(url: str) -> str:
    """A page's host, in small letters; empty when it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def sound(url: str) -> str:
    """A page that a letter may lead to, as it was given.

    Raises:
        ValueError: what is wrong with it, as the second half of a sentence that begins with the page.
    """
    if len(url) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST:,} characters")
    if not _URL.fullmatch(url):
        raise ValueError("holds a space, a bracket or another character that no web address has")
    if _SPLITTING.search(url):
        raise ValueError("holds an encoded line break, backslash or control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is no web address") from None
    if parts.scheme != "https":
        raise ValueError("does not begin with https://")
    if "@" in parts.netloc:
        raise ValueError("names a user or password; such addresses are used to deceive")
    if port not in (None, 443):
        raise ValueError("names a port")
    _sound_host((parts.hostname or "").lower())
    return url


def sound_template(template: str, page: str) -> str:
    """A template of one's own: a page with ``{code}`` in its path, query or fragment, at the donation page's host.

    Raises:
        ValueError: what is wrong with it.
    """
    if template.count(CODE) != 1:
        raise ValueError("must hold {code} exactly once, where the code goes")
    filled = sound(template.replace(CODE, _MARK))
    if _MARK in urlsplit(filled).netloc:
        raise ValueError("has {code} in the name of the website; it may stand after that only")
    if host_of(filled) != host_of(page):
        raise ValueError("lies at another website than the donation page")
    return template


def _sound_host(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        raise ValueError("names a machine by its number")
    if not _HOST.fullmatch(host) or host.rpartition(".")[2] in _INSIDE:
        raise ValueError("names no website of the public internet")


def parted(page: str, *, platform: str, code_parameter: str, template: str = "") -> tuple[str, ...]:
    """A donation page's address in the parts that a code joins: ``code.join(parts)`` is the link.

    The page's own query and fragment stay. One part alone: its platform has no place for a code.

    Args:
        page: the page's address.
        platform: a ``Platform``.
        code_parameter: what the charity's own page calls the code.
        template: a page of one's own making instead, with ``{code}`` in it.
    """
    if template:
        return tuple(template.split(CODE))
    if platform == "auto":
        platform = HOSTS.get(host_of(page), "own")
    wanted = ((code_parameter, CODE),) if platform == "own" else CARRIERS[platform]
    if not wanted:
        return (page,)
    mark = "\x00"
    parts = urlsplit(page)
    query = [*parse_qsl(parts.query, keep_blank_values=True),
             *((name, value.replace(CODE, mark)) for name, value in wanted)]
    return tuple(urlunsplit(parts._replace(query=urlencode(query))).split("%00", 1))


def asking(parts: tuple[str, ...], *, platform: str, amount_parameter: str) -> tuple[str, ...]:
    """The parts of a donation page's address (``parted``) up to the ``=`` behind which a sum goes.

    Args:
        parts: as ``parted`` gave them.
        platform: a ``Platform``.
        amount_parameter: what the charity's own page calls a sum; empty: it takes none.

    Returns:
        Parts that a code joins; none where the page takes no sum.
    """
    page = "".join(parts)
    if platform == "auto":
        platform = HOSTS.get(host_of(page), "own")
    names = (((amount_parameter, ""),) if amount_parameter else ()) if platform == "own" else AMOUNTS.get(platform, ())
    if not names or "#" in page:
        return ()
    return (*parts[:-1], f"{parts[-1]}{'&' if '?' in page else '?'}{urlencode(names)[:-1]}")


def with_amount(url: str, amount: str, *, platform: str, amount_parameter: str) -> str:
    """A donation page's address with a sum filled in; as it is when the page takes none, or this is no sum."""
    asks = asking((url,), platform=platform, amount_parameter=amount_parameter) if AMOUNT.fullmatch(amount) else ()
    return f"{asks[0]}={amount}" if asks else url
