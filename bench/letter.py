"""The letter that is measured: 40 to 60 KB, 12 fields, an if/else and a loop; and its made-up supporters."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

_STYLE = """
body { margin: 0; background: #f6f4ef; color: #222; font-family: Georgia, serif; }
table.page { width: 100%; max-width: 600px; margin: 0 auto; background: #ffffff; }
td.copy { padding: 8px 32px; font-size: 17px; line-height: 1.6; }
h1 { font-size: 30px; line-height: 1.2; color: #17324d; }
h2 { font-size: 21px; color: #17324d; }
p { margin: 0 0 16px 0; }
a { color: #0b5394; }
a.button { display: inline-block; background: #b3261e; color: #ffffff; padding: 14px 28px; text-decoration: none; }
td.gift { border-bottom: 1px solid #dddddd; padding: 6px 0; }
.foot { font-size: 13px; color: #555555; }
@media (max-width: 480px) { td.copy { padding: 8px 16px !important; } }
@media (prefers-color-scheme: dark) { body { background: #111111 !important; } }
"""
_WORDS = tuple(
    "harbour lamp tide letter promise neighbour winter bread school river garden window bridge market evening song "
    "table road doctor kitchen morning paper city island story voice family season work house".split())


def _paragraphs(count: int) -> list[str]:
    chance = random.Random(1)
    return ["<p>" + " ".join(chance.choice(_WORDS) for _ in range(64)).capitalize() + ".</p>" for _ in range(count)]


def html(loop: str = "supporter.interests.split('|')") -> str:
    """Jinja source of the whole letter; ``loop`` is the expression that it loops over."""
    copy = _paragraphs(62)
    half = len(copy) // 2
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{{{ appeal.title }}}}</title><style>{_STYLE}</style></head>
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
<p class="foot">853 Example Road, London. <a href="{{{{ links.unsubscribe }}}}">Unsubscribe</a>
<a href="{{{{ links.view }}}}">Read in the browser</a></p>
</td></tr></table></body></html>
"""


def text(loop: str = "supporter.interests.split('|')") -> str:
    """Jinja source of the plain-text part."""
    return f"""{{{{ appeal.title }}}}

{{{{ supporter.salutation }}}},

You have been with us since {{{{ supporter.member_since }}}},
{{{{ supporter.title }}}} {{{{ supporter.last_name }}}}.

{"".join(p.replace("<p>", "").replace("</p>", chr(10) * 2) for p in _paragraphs(62))}
{{% if supporter.regular == "yes" %}}Thank you for giving month by month, {{{{ supporter.first_name }}}}.
{{% else %}}Your last gift of {{{{ supporter.last_gift }}}} in {{{{ supporter.last_gift_month }}}} went far.
{{% endif %}}
Give {{{{ supporter.ask }}}} today: {{{{ links.donate }}}}
{{% for interest in {loop} %}}- {{{{ interest }}}}
{{% endfor %}}
Come and see us in {{{{ supporter.town }}}}; write to {{{{ supporter.organiser }}}}.
853 Example Road, London. Unsubscribe: {{{{ links.unsubscribe }}}} In the browser: {{{{ links.view }}}}
"""


SUBJECT = "{{ supporter.first_name }}, a letter about {{ appeal.title }}"
CONSTANTS: dict[str, Any] = {"appeal": {"title": "The harbour needs you"}}


def supporter(number: int) -> dict[str, str]:
    """A plainly made-up supporter."""
    chance = random.Random(number)
    first = chance.choice(["Ada", "Bo", "Cleo", "Dov", "Ела", "Fay", "גילה", "Hal", "O'Neil", "J & K"])
    return {
        "title": chance.choice(["Ms", "Mr", "Dr", "Mx"]), "first_name": first, "last_name": f"Sample{number}",
        "salutation": f"Dear {first}", "member_since": str(chance.randint(1990, 2025)),
        "regular": chance.choice(["yes", "no", "no"]), "last_gift": f"£{chance.randint(5, 250)}",
        "last_gift_month": chance.choice(["March", "April", "June", "October"]), "ask": f"£{chance.randint(2, 50) * 5}",
        "interests": "|".join(chance.sample(["housing", "refugees", "education", "health"], chance.randint(1, 3))),
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
