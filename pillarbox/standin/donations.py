"""A donation platform's export of what the letters raised: seeded, with the usual dirt in it."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pillarbox.standin.mailbox import Kept
from pillarbox.standin.reactions import Fate, Reaction, links

COLUMNS = ("Donation ID", "Date", "First name", "Last name", "Email", "Amount", "Currency", "Gift Aid", "Frequency",
           "Reference", "Payment method")
_AMOUNTS = ("10.00", "10.00", "15.00", "20.00", "25.00", "25.00", "25.00", "50.00", "50.00", "100.00", "250.00")
_MONTHLY = ("5.00", "8.00", "10.00", "15.00")


@dataclass(frozen=True, kw_only=True, slots=True)
class Generosity:
    """Shares, 0 to 1, of those who give."""

    clicked: float = 0.45
    """Of those who followed the donate link: their gift carries its code."""
    read: float = 0.04
    """Of those who only read: they go to the website by themselves, no code."""
    received: float = 0.008
    """Of those who did not even do that."""
    monthly: float = 0.12
    gift_aid: float = 0.7


_OURS = re.compile(r"/d/[A-Za-z2-7]+(/monthly)?$")
"""A donate link that leads through the charity's own server."""


def rows(told: Iterable[Reaction], *, seed: int, parameter: str = "ref", generosity: Generosity | None = None,
         land: Callable[[datetime, str], str] = lambda _at, url: url) -> list[dict[str, str]]:
    """The export's rows by date: gifts with and without code, two strangers, one in euros, one row twice.

    Args:
        told: the reactions that the events were made of.
        seed: the same seed and reactions give the same rows.
        parameter: the query parameter of the donate link that carries the code.
        generosity: how many give.
        land: where a link leads that was followed at a moment, when it leads to the donation page in a second step.
    """
    chosen = generosity or Generosity()
    found = []
    for one in told:
        dice = random.Random(f"{seed}|{one.message.address.lower()}|{'|'.join(one.message.categories)}|gift")
        if (gift := _gift(one, dice, chosen, parameter, land)) is not None:
            found.append(gift)
    if not found:
        return []
    dice = random.Random(f"{seed}|gifts")
    first = min(at for at, _ in found)
    found += [(first + timedelta(hours=dice.uniform(5, 60)), _stranger(number, dice)) for number in (1, 2)]
    found.sort(key=lambda pair: (pair[0], pair[1]["Email"]))
    _in_euros(found, dice)
    for number, (at, row) in enumerate(found, start=1):
        row["Donation ID"] = f"D{seed % 1000:03d}-{number:05d}"
        row["Date"] = at.strftime("%Y-%m-%d %H:%M:%S")
    done = [row for _, row in found]
    done.insert(len(done) // 2 + 1, dict(done[len(done) // 2]))
    return done


def write(found: Iterable[dict[str, str]], path: Path) -> None:
    """Write the rows as the platform would: CSV, UTF-8 with a byte-order mark, as spreadsheet programs like it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(found)


def code_in(url: str, parameter: str) -> str:
    """The code that a donate link carries, or empty."""
    return (parse_qs(urlsplit(url).query).get(parameter) or [""])[0]


def _gift(one: Reaction, dice: random.Random, chosen: Generosity, parameter: str,
          land: Callable[[datetime, str], str]) -> tuple[datetime, dict[str, str]] | None:
    if one.fate is not Fate.DELIVERED:
        return None
    chance, pause = dice.random(), timedelta(seconds=dice.uniform(60, 900))
    followed = next(((at, code) for at, url in one.clicks if (code := code_in(land(at, url), parameter))), None)
    if followed:
        return (followed[0] + pause, _row(one.message, followed[1], dice, chosen)) if chance < chosen.clicked else None
    if not any(code_in(url, parameter) or _OURS.search(url) for url in links(one.message)):
        return None
    if one.opened_at:
        return (one.opened_at[0] + 20 * pause, _row(one.message, "", dice, chosen)) if chance < chosen.read else None
    return (one.settled_at + 200 * pause, _row(one.message, "", dice, chosen)) if chance < chosen.received else None


def _row(message: Kept, code: str, dice: random.Random, chosen: Generosity) -> dict[str, str]:
    first, _, last = message.to_name.strip('"').strip().rpartition(" ")
    monthly = dice.random() < chosen.monthly
    # People type their address anew on a donation page, and not always in small letters.
    email = message.address.title() if dice.random() < 0.05 else message.address
    return {"Donation ID": "", "Date": "", "First name": first or last, "Last name": last if first else "",
            "Email": email, "Amount": dice.choice(_MONTHLY if monthly else _AMOUNTS), "Currency": "GBP",
            "Gift Aid": "Yes" if dice.random() < chosen.gift_aid else "No",
            "Frequency": "Monthly" if monthly else "One-off", "Reference": code,
            "Payment method": "Direct Debit" if monthly else dice.choice(("Card", "Card", "Apple Pay", "PayPal"))}


def _stranger(number: int, dice: random.Random) -> dict[str, str]:
    first, last = (("Petra", "Passer-By"), ("Olu", "Onlooker"))[number - 1]
    return {"Donation ID": "", "Date": "", "First name": first, "Last name": last,
            "Email": f"{first.lower()}.stranger@example.net", "Amount": dice.choice(_AMOUNTS), "Currency": "GBP",
            "Gift Aid": "No", "Frequency": "One-off", "Reference": "", "Payment method": "Card"}


def _in_euros(found: list[tuple[datetime, dict[str, str]]], dice: random.Random) -> None:
    single = [row for _, row in found if row["Frequency"] == "One-off" and "stranger" not in row["Email"]]
    if len(single) > 2:
        dice.choice(single).update({"Currency": "EUR", "Gift Aid": "No"})
