"""Makes lists/sample-supporters.csv: 500 made-up supporters at example.org, with the dirt of a real export.

Run ``python bench/make_sample_list.py``; the same seed gives the same file, byte for byte.
"""

from __future__ import annotations

import csv
import io
import random
import unicodedata
from pathlib import Path

SEED = 1887  # René Cassin was born on 5 October 1887
SUPPORTERS = 500
FILE = Path(__file__).resolve().parent.parent / "lists" / "sample-supporters.csv"
HEADINGS = ["Member No", "Email Address", "Title", "First Name", "Last Name", "Town", "Country",
            "Preferred Language", "Interests", "Last Gift", "Email Tracking Consent"]

FIRST = ["Miriam", "Daniel", "Aisha", "Oliver", "Ruth", "Samuel", "Grace", "Yusuf", "Hannah", "Leo", "Priya",
         "Thomas", "Esther", "Callum", "Naomi", "Gulnar", "Isaac", "Freya", "Tariq", "Judith", "Marcus", "Siân", "Zoë",
         "François",
         "Chidi", "Rebekah", "Joaquín", "Anneliese", "Dilnur", "Benedict"]
LAST = ["Abrahams", "Okafor", "Whitfield", "Levy", "O'Brien", "McDonald", "van der Zyl", "Khan", "Rosenthal", "Hughes",
        "Adeyemi", "Goldsmith", "Fairweather", "Cohen-Smith", "Patel", "D'Souza", "Blumenfeld", "Tursun", "Penrose",
        "de la Cruz", "Marchetti", "Lindqvist", "Ashworth", "Baptiste", "Nakamura", "Weiss", "Yilmaz", "Kowalczyk"]
TITLES = ["Ms", "Mr", "Mrs", "Dr", "Mx", "Miss", "Rabbi", "Prof", "Revd", "", "", ""]
HOSTS = ["example.org", "mail.example.org", "post.example.org", "home.example.org", "north.example.org",
         "synagogue.example.org", "university.example.org", "letters.example.org"]
TOWNS = ["London", "Leeds", "Manchester", "Glasgow", "Cardiff", "Brighton", "Newcastle upon Tyne", "Bristol", "Belfast"]
INTERESTS = ["Uyghur freedom", "modern slavery; Uyghur freedom", "asylum", "hate crime, online", "", ""]
OTHER_SCRIPTS = [("שרה", "כהן", "he"), ("דוד", "לוי", "he"), ("רבקה", "מזרחי", "he"), ("ئايگۈل", "تۇرسۇن", "ug"),
                 ("فاطمة", "الزهراء", "ar"), ("محمد", "يوسف", "ar"), ("رىزۋانگۈل", "ئابلىز", "ug")]
QUOTED = [("Katharine \"Kitty\"", "Marlowe"), ("Anthony", "Blunt, Jr"), ("Joan", "Smythe, née Hill"),
          ("Robert \"Bob\"", "Tate, OBE")]
COUPLES = [("Mr & Mrs", "J", "Smith"), ("", "Peter and Ann", "Holloway"), ("Dr & Mrs", "", "Feldman"),
           ("MR AND MRS", "D", "GREEN")]
BODIES = [("", "", "The Fenwick Charitable Trust"), ("", "", "Northgate Synagogue")]
TITLED = [("Revd Dr", "Ann", "Sadler"), ("Sir", "Hugh", "Pemberton KC"), ("Rt Hon Lady", "Cecily", "Marchbanks"),
          ("Rabbi Dr", "Jonathan", "Adler")]
INVALID = ["not-an-address", "miriam.at.example.org", "leo@", "grace@@example.org", "ruth example@example.org",
           "tom@example..org", "@example.org", "sam@-example.org"]
TWO_IN_A_CELL = ["ann.hart@example.org; bob.hart@example.org", "jo@mail.example.org, jo.work@example.org",
                 "kit@example.org / kit@home.example.org"]


def rows() -> list[list[str]]:
    """The list's rows, headings and blank lines aside."""
    dice = random.Random(SEED)
    names = [(title, first, last, "") for title, first, last in [*COUPLES, *BODIES, *TITLED]]
    names += [("", first, last, tongue) for first, last, tongue in OTHER_SCRIPTS]
    names += [("", first, last, "") for first, last in QUOTED]
    names += [("", "", "", "")] * 12
    while len(names) < SUPPORTERS:
        title, first, last = dice.choice(TITLES), dice.choice(FIRST), dice.choice(LAST)
        shape = dice.random()
        if shape < 0.05:
            title, first, last = title.upper(), first.upper(), last.upper()
        elif shape < 0.08:
            first, last = first.lower(), last.lower()
        elif shape < 0.12:
            last = ""
        names.append((title, first, last, ""))
    dice.shuffle(names)
    made = [_row(dice, number, *name) for number, name in enumerate(names, start=1)]
    for number, row in enumerate(dice.sample(made, 9)):  # the same people again, typed in another way
        again = [*row]
        again[1] = row[1].upper() if number % 2 else row[1].title()
        again[9] = ""
        made.insert(dice.randrange(len(made)), again)
    for number, address in enumerate([*INVALID, *TWO_IN_A_CELL, ""], start=SUPPORTERS + 1):
        row = _row(dice, number, "Ms", dice.choice(FIRST), dice.choice(LAST), "")
        row[1] = address
        made.insert(dice.randrange(len(made)), row)
    return made


def _row(dice: random.Random, number: int, title: str, first: str, last: str, tongue: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", f"{first}.{last}".lower().replace(" ", "-"))
    plain = "".join(c for c in folded if c.isascii() and (c.isalnum() or c in ".-"))
    address = f"{plain.strip('.-') or 'supporter'}.{number}@{dice.choice(HOSTS)}"
    pad = " " * (dice.random() < 0.04)
    gift = f"£{dice.choice((5, 10, 10, 20, 25, 50, 100, 250))}" if dice.random() < 0.45 else ""
    tracking = "Yes" if dice.random() < 0.7 else dice.choice(("No", "No", "no", ""))
    country = dice.choice(("United Kingdom", "United Kingdom", "UK", "GB", "Ireland", "Israel", "France", ""))
    return [f"S{number:05}", address + pad, title, first + pad, last, dice.choice(TOWNS) + pad, country,
            tongue or dice.choice(("English", "en-GB", "")), dice.choice(INTERESTS), gift, tracking]


def content() -> bytes:
    """The file as a CRM on Windows would write it: BOM, CRLF, quotes where needed, a blank line here and there."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    for number, row in enumerate(rows(), start=1):
        writer.writerow(row)
        if number % 130 == 0:
            writer.writerow([])
    return "\ufeff".encode() + text.getvalue().encode()


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content())
