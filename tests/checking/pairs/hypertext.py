"""Pairs of what a letter's HTML lacks, or has too much of, for the people and programs that read it."""

from __future__ import annotations

from pillarbox.content.images import kind
from tests.checking.pairs.case import HOME, SHEET, THEME, Pair, beside, laid_out, pair, said, written
from tests.checking.pairs.drawn import LAMP, noise, png

LAMP_AT = "https://harbour.example/lamp.png"
LONG = "The lamp was lit in the autumn, and it has burned in every storm of the winter. " * 40


def styled(css: str) -> str:
    """The smallest layout with a stylesheet that stays in the head."""
    return SHEET.replace("</head>", f'<style data-premailer="ignore">{css}</style>\n</head>')


def filled(size: int) -> str:
    """The smallest layout with a remark that nobody sees, of this many characters."""
    return SHEET.replace("</body>", f"<!--{'x' * size}-->\n</body>")


def shown(*pictures: bytes) -> dict[str, bytes | None]:
    """The files of these pictures."""
    return {f"{HOME}/images/lamp{number}.{kind(data)}": data for number, data in enumerate(pictures, 1)}


PAIRS: tuple[Pair, ...] = (
    # ------------------------------------------------------------------------------------------ the document
    laid_out("no-lang", ' lang="{{ appeal.language }}"', ""),
    laid_out("no-dir", ' dir="{{ appeal.direction }}"', ""),
    laid_out("wrong-dir", "{{ appeal.direction }}", "rtl"),
    laid_out("no-title", "{{ appeal.title }}", ""),
    laid_out("no-doctype", "<!DOCTYPE html>\n", ""),
    laid_out("no-viewport", "viewport", "description"),
    written("active-content", "{{ ('<ifr' ~ 'ame></ifr' ~ 'ame>') | safe }}", "{{ ('<ifr' ~ 'ame></ifr' ~ 'ame>') }}",
            besides=("script",)),
    written("script", "<script>alert(1)</script>", "<pre>alert(1)</pre>"),
    written("script-link", '<a href="javascript:alert(1)">The lamp</a>',
            '<a href="https://harbour.example/">The lamp</a>'),
    # ------------------------------------------------------------------------------------------ images
    written("image-alt", f'<img src="{LAMP_AT}" width="40" height="30">',
            f'<img src="{LAMP_AT}" width="40" height="30" alt="">'),
    written("alt-is-a-file", f'<img src="{LAMP_AT}" width="40" height="30" alt="lamp.png">',
            f'<img src="{LAMP_AT}" width="40" height="30" alt="The lamp">'),
    written("image-size", f'<img src="{LAMP_AT}" width="40" alt="The lamp">',
            f'<img src="{LAMP_AT}" width="40" height="30" alt="The lamp">'),
    written("image-address", '<img src="lamp.png" width="40" height="30" alt="The lamp">',
            f'<img src="{LAMP_AT}" width="40" height="30" alt="The lamp">'),
    beside("image-heavy", shown(noise(1_040, 900)), shown(noise(1_040, 100)),
           letter="![The lamp](images/lamp1.jpg)\n"),
    beside("images-heavy", shown(*(noise(1_040, 400 + number) for number in range(6))),
           shown(*(noise(1_040, 400 + number) for number in range(5)), noise(1_040, 50)),
           letter="".join(f"![The lamp](images/lamp{number}.jpg)\n\n" for number in range(1, 7))),
    beside("image-tall", shown(png(20, 1_701)), shown(png(20, 1_700)), letter="![The lamp](images/lamp1.png)\n"),
    pair("image-unused", "letter", "The lamp: images/lamp1.png\n", "![The lamp](images/lamp1.png)\n",
         files=shown(LAMP)),
    # ------------------------------------------------------------------------------------------ reading aloud
    written("table-role", "<table><tr><td>Come.</td></tr></table>",
            '<table role="presentation"><tr><td>Come.</td></tr></table>'),
    said("no-heading", LONG, f"# The lamp\n\n{LONG}"),
    said("heading-order", "# The lamp\n\n### Its light", "# The lamp\n\n## Its light"),
    written("empty-heading", "<h2> </h2>", "<h2>The lamp</h2>"),
    written("whole-page", "<body>", "<!-- <body> -->"),
    written("doubled-id", '<p id="lamp">One.</p><p id="lamp">Two.</p>', '<p id="lamp">One.</p><p id="sea">Two.</p>'),
    written("small-words", '<p style="font-size:11px">Come.</p>', '<p style="font-size:12px">Come.</p>'),
    # ------------------------------------------------------------------------------------------ colours
    written("contrast", '<p style="color:#777777">Come.</p>', '<p style="color:#767676">Come.</p>'),
    pair("contrast-dark", "sheet",
         styled("@media (prefers-color-scheme: dark) { body { background-color: #000000 !important } "
                "p, a { color: #747474 !important } }"),
         styled("@media (prefers-color-scheme: dark) { body { background-color: #000000 !important } "
                "p, a { color: #767676 !important } }")),
    pair("theme-contrast", "theme", THEME.replace('muted = "#5d656c"', 'muted = "#8d959c"'), THEME),
    # ------------------------------------------------------------------------------------------ size
    pair("too-long", "sheet", filled(102_400), filled(101_000), besides=("nearly-too-long",)),
    pair("nearly-too-long", "sheet", filled(92_160), filled(89_000)),
    pair("style-too-long", "sheet", styled(".lamp { color: #000000 }".ljust(16_385)),
         styled(".lamp { color: #000000 }".ljust(16_384))),
    pair("style-dropped", "sheet", styled("@media print { @media screen { p { margin: 0 } } }"),
         styled("@media print { p { margin: 0 } } @media screen { p { margin: 0 } }")),
    written("client-support", '<div style="display:flex">Come.</div>', '<div style="display:block">Come.</div>'),
)
