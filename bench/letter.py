"""The letter that is measured: 40 to 60 KB, 12 fields, an if/else and a loop; and its made-up supporters."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

_STYLE = """
body { margin: 0; padding: 0; background: #f6f4ef; color: #222222; font-family: Georgia, serif; }
table { border-collapse: collapse; }
td { vertical-align: top; text-align: left; }
img { border: 0; display: block; max-width: 100%; }
h1 { margin: 0 0 16px 0; font-size: 30px; line-height: 1.2; color: #17324d; font-weight: normal; }
h2 { margin: 24px 0 12px 0; font-size: 21px; color: #17324d; font-weight: normal; }
p { margin: 0 0 16px 0; font-size: 17px; line-height: 1.6; }
a { color: #0b5394; text-decoration: underline; }
strong { color: #17324d; }
em { color: #444444; }
blockquote { margin: 24px 0; padding: 0 0 0 20px; border-left: 4px solid #b3261e; font-size: 20px; }
ul { margin: 0 0 16px 0; padding: 0 0 0 24px; }
li { margin: 0 0 8px 0; font-size: 17px; line-height: 1.6; }
.page { width: 100%; max-width: 600px; margin: 0 auto; background: #ffffff; }
.copy { padding: 8px 32px; }
.lead { font-size: 19px; }
.small { font-size: 13px; color: #555555; }
.dateline { font-size: 12px; letter-spacing: 1px; text-transform: uppercase; color: #777777; }
.button { display: inline-block; background: #b3261e; color: #ffffff; padding: 14px 28px; text-decoration: none; }
.gift { border-bottom: 1px solid #dddddd; padding: 6px 0; }
.figure { margin: 24px 0; text-align: center; }
.caption { font-size: 14px; color: #666666; }
.sign { margin: 32px 0 0 0; font-style: italic; }
.foot { padding: 24px 32px; background: #eeeae0; }
.foot a { color: #555555; }
.copy p:first-child { margin-top: 0; }
@media (max-width: 480px) { .copy { padding: 8px 16px !important; } h1 { font-size: 26px !important; } }
@media (prefers-color-scheme: dark) { body { background: #111111 !important; } }
"""
_PARAGRAPHS = 108
WORDS = """harbour lamp tide letter promise neighbour winter bread school river garden window bridge market evening
song table road doctor kitchen morning paper city island story voice family season work house""".split()  # noqa: SIM905


def _paragraphs(count: int) -> list[str]:
    """Plain copy with a little emphasis here and there, the same in every run."""
    chance = random.Random(1)
    found = []
    for number in range(count):
        words = [chance.choice(WORDS) for _ in range(48)]
        words[5], words[20] = f"<strong>{words[5]}</strong>", f"<em>{words[20]}</em>"
        found.append("<p>" + " ".join(words) + ".</p>")
        if number % 8 == 7:
            found.append("<ul>" + "".join(f"<li>{word}</li>" for word in words[30:33]) + "</ul>")
    return found


def html(loop: str = "supporter.interests") -> str:
    """Jinja source of the whole letter; ``loop`` is the expression that it loops over."""
    copy = _paragraphs(_PARAGRAPHS)
    half = len(copy) // 2
    return f"""<!DOCTYPE html>
<html lang="en" dir="ltr"><head><meta charset="utf-8">
<title>{{{{ appeal.title }}}}</title><style>{_STYLE}</style></head>
<body><table class="page" role="presentation"><tr><td class="copy">
<h1>{{{{ appeal.title }}}}</h1>
<p>{{{{ supporter.salutation }}}},</p>
<p>You have been with us since {{{{ supporter.member_since }}}},
{{{{ supporter.title }}}} {{{{ supporter.last_name }}}}.</p>
{"".join(copy[:half])}
{{% if supporter.regular == "yes" %}}<p>Thank you for giving month by month, {{{{ supporter.first_name }}}}.</p>
{{% else %}}<p>Your last gift of {{{{ supporter.last_gift }}}} in {{{{ supporter.last_gift_month }}}} went far.</p>
{{% endif %}}
<p><a class="button" href="{{{{ links.donate }}}}">Give {{{{ supporter.ask }}}} today</a></p>
<table role="presentation">
{{% for interest in {loop} %}}<tr><td class="gift">{{{{ interest }}}}</td></tr>{{% endfor %}}</table>
{"".join(copy[half:])}
<p>Come and see us in {{{{ supporter.town }}}}; write to {{{{ supporter.organiser }}}}.</p>
<p class="foot">{{{{ charity.address }}}}. Charity {{{{ charity.number }}}}.
<a href="{{{{ links.unsubscribe }}}}">Unsubscribe</a>
<a href="{{{{ links.view }}}}">Read in the browser</a></p>
</td></tr></table></body></html>
"""


def text(loop: str = "supporter.interests") -> str:
    """Jinja source of the plain-text part."""
    return f"""{{{{ appeal.title }}}}

{{{{ supporter.salutation }}}},

You have been with us since {{{{ supporter.member_since }}}},
{{{{ supporter.title }}}} {{{{ supporter.last_name }}}}.

{"".join(re.sub("<[^>]+>", "", p) + chr(10) * 2 for p in _paragraphs(_PARAGRAPHS))}
{{% if supporter.regular == "yes" %}}Thank you for giving month by month, {{{{ supporter.first_name }}}}.
{{% else %}}Your last gift of {{{{ supporter.last_gift }}}} in {{{{ supporter.last_gift_month }}}} went far.
{{% endif %}}
Give {{{{ supporter.ask }}}} today: {{{{ links.donate }}}}
{{% for interest in {loop} %}}- {{{{ interest }}}}
{{% endfor %}}
Come and see us in {{{{ supporter.town }}}}; write to {{{{ supporter.organiser }}}}.
{{{{ charity.address }}}}. Charity {{{{ charity.number }}}}.
Unsubscribe: {{{{ links.unsubscribe }}}}
In the browser: {{{{ links.view }}}}
"""


SUBJECT = "{{ supporter.first_name }}, a letter about {{ appeal.title }}"
CONSTANTS: dict[str, Any] = {"appeal": {"title": "The harbour needs you"},
                             "charity": {"address": "853 Example Road, London", "number": "1000000"}}


def supporter(number: int) -> dict[str, Any]:
    """A plainly made-up supporter."""
    chance = random.Random(number)
    first = chance.choice(["Ada", "Bo", "Cleo", "Dov", "Ела", "Fay", "גילה", "Hal", "O'Neil", "J & K"])
    return {
        "title": chance.choice(["Ms", "Mr", "Dr", "Mx"]), "first_name": first, "last_name": f"Sample{number}",
        "salutation": f"Dear {first}", "member_since": str(chance.randint(1990, 2025)),
        "regular": chance.choice(["yes", "no", "no"]), "last_gift": f"£{chance.randint(5, 250)}",
        "last_gift_month": chance.choice(["March", "April", "June", "October"]), "ask": f"£{chance.randint(2, 50) * 5}",
        "interests": chance.sample(["housing", "refugees", "education", "health"], chance.randint(1, 3)),
        "town": chance.choice(["York", "Bath", "Leeds", "Ely", "King's Lynn"]),
        "organiser": chance.choice(["Kim", "Lou"]),
    }


def contexts(count: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Template contexts of ``count`` supporters."""
    for number in range(first, first + count):
        key = f"{number:026d}"
        yield {"supporter": supporter(number), "links": {
            "donate": f"https://give.example.org/now?ref={key[:20]}", "unsubscribe": f"https://letters.example.org/u/{key}",
            "view": f"https://letters.example.org/v/{key}"}}
