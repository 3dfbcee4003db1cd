"""The HTML and CSS whose loss a reader notices: its name at caniemail.com, and what is seen where it is not known.

What can be lost without harm (round corners, shadows, hover, web fonts, balanced lines) is left out on purpose: a
letter that only looks plainer somewhere is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TABLE_INSTEAD = "What should stand side by side falls below each other, or on top: set it out with a table."
STYLE_LOST = "The value is dropped, and with it the size or place that it gave: write it in px."
COLOUR_LOST = "The colour is dropped, and words may vanish into their background: write it as #rrggbb."
SIDES_LOST = "The gap is dropped: write margin or padding with left and right."
NOT_SHOWN = "It is not shown: put an image there that is a link."
NO_FORM = "Nobody can answer there: link to a page with the form."

EFFECTS: Mapping[str, str] = {
    "css-display-flex": TABLE_INSTEAD,
    "css-display-grid": TABLE_INSTEAD,
    "css-position": TABLE_INSTEAD,
    "css-float": TABLE_INSTEAD,
    "css-column-count": TABLE_INSTEAD,
    "css-left-right-top-bottom": "Things stay where they stood: set out the letter with tables.",
    "css-inset": "Things stay where they stood: set out the letter with tables.",
    "css-transform": "It is shown unturned and in its place: put it into the image.",
    "css-background-image": "The image is not shown: give a background colour too on which the words can be read, or "
                            "draw it for Outlook (VML).",
    "html-background": "The image is not shown: give a background colour too on which the words can be read.",
    "css-linear-gradient": "There is no background at all: give a plain background-color before it.",
    "css-radial-gradient": "There is no background at all: give a plain background-color before it.",
    "css-conic-gradient": "There is no background at all: give a plain background-color before it.",
    "css-variables": "Every value that is a variable is dropped: put the values themselves there (theme.toml does).",
    "css-function-light-dark": COLOUR_LOST,
    "css-modern-color": COLOUR_LOST,
    "css-rgba": COLOUR_LOST,
    "css-unit-calc": STYLE_LOST, "css-function-clamp": STYLE_LOST, "css-function-min": STYLE_LOST,
    "css-function-max": STYLE_LOST, "css-unit-rem": STYLE_LOST, "css-unit-vw": STYLE_LOST, "css-unit-vh": STYLE_LOST,
    "css-unit-vmin": STYLE_LOST, "css-unit-vmax": STYLE_LOST, "css-unit-ch": STYLE_LOST, "css-unit-ex": STYLE_LOST,
    "css-object-fit": "The image is squashed: cut it to its shape before.",
    "css-aspect-ratio": "The box has another height: give width and height.",
    "css-opacity": "It is shown in full strength: take a paler colour.",
    "css-visibility": "It is seen: leave it out of the letter.",
    "css-clip-path": "It is shown whole: cut the image before.",
    "css-mask-image": "It is shown whole: cut the image before.",
    "css-mix-blend-mode": "The colours are others: put them into the image.",
    "css-filter": "The image is shown as it is: change it before.",
    "css-margin-inline-block": SIDES_LOST, "css-margin-inline-start-end": SIDES_LOST,
    "css-margin-block-start-end": SIDES_LOST, "css-padding-inline-block": SIDES_LOST,
    "css-padding-inline-start-end": SIDES_LOST, "css-padding-block-start-end": SIDES_LOST,
    "css-inline-size": STYLE_LOST, "css-block-inline-size": STYLE_LOST,
    "css-writing-mode": "The words run as usual: put them into an image with alt text.",
    "css-white-space": "Lines break elsewhere: end them with <br>, or use &nbsp;.",
    "css-gap": "There is no gap: use padding in the cells of a table.",
    "css-pseudo-element-before": "What it adds is not there: put it into the letter itself.",
    "css-pseudo-element-after": "What it adds is not there: put it into the letter itself.",
    "css-nesting": "The rules are dropped: write each with its whole selector.",
    "css-at-import": "The stylesheet is not fetched: put its rules into the letter.",
    "html-link": "The stylesheet is not fetched: put its rules into the letter.",
    "html-svg": NOT_SHOWN, "html-video": NOT_SHOWN, "html-audio": NOT_SHOWN, "html-object": NOT_SHOWN,
    "html-picture": "The first fitting image is not chosen: <img> alone must do.",
    "html-form": NO_FORM, "html-input-text": NO_FORM, "html-input-checkbox": NO_FORM, "html-input-radio": NO_FORM,
    "html-select": NO_FORM, "html-textarea": NO_FORM, "html-button-submit": NO_FORM,
    "html-dialog": NOT_SHOWN, "html-popover": NOT_SHOWN, "html-marquee": "The words stand still.",
    "html-meter": NOT_SHOWN, "html-progress": NOT_SHOWN,
    "html-image-maps": "The image cannot be pressed: cut it up, and make each part a link.",
    "html-base": "Relative links lead nowhere: write whole addresses.",
    "html-anchor-links": "The link does nothing when it is pressed: let nothing depend on it.",
    "image-webp": "The image is not shown: save it as JPEG or PNG.",
    "image-avif": "The image is not shown: save it as JPEG or PNG.",
    "image-svg": "The image is not shown: save it as PNG.",
    "image-heif": "The image is not shown: save it as JPEG.",
    "image-tiff": "The image is not shown: save it as JPEG.",
    "image-mp4": "The film is not shown: put an image there that is a link.",
    "image-base64": "The image is not shown: put it into the appeal's images folder.",
}

SLIGHT = frozenset(("css-visibility", "css-white-space", "html-anchor-links", "css-opacity", "html-marquee", "css-gap",
                    "css-pseudo-element-before", "css-pseudo-element-after", "css-transform", "css-filter",
                    "css-mix-blend-mode"))
"""What only looks a little different where it is missing: advice, never a warning."""

TAGS: Mapping[str, str] = {
    "svg": "html-svg", "video": "html-video", "audio": "html-audio", "picture": "html-picture", "form": "html-form",
    "select": "html-select", "textarea": "html-textarea", "dialog": "html-dialog", "marquee": "html-marquee",
    "meter": "html-meter", "progress": "html-progress", "base": "html-base",
}
INPUTS: Mapping[str, str] = {"checkbox": "html-input-checkbox", "radio": "html-input-radio",
                             "submit": "html-button-submit"}
IMAGES: Mapping[str, str] = {"webp": "image-webp", "avif": "image-avif", "svg": "image-svg", "heic": "image-heif",
                             "heif": "image-heif", "tif": "image-tiff", "tiff": "image-tiff", "mp4": "image-mp4"}

PROPERTIES: Mapping[str, str] = {
    "float": "css-float", "column-count": "css-column-count", "columns": "css-column-count",
    "inset": "css-inset", "transform": "css-transform", "object-fit": "css-object-fit",
    "aspect-ratio": "css-aspect-ratio", "clip-path": "css-clip-path", "mask-image": "css-mask-image",
    "mask": "css-mask-image", "mix-blend-mode": "css-mix-blend-mode", "filter": "css-filter",
    "margin-inline": "css-margin-inline-block", "margin-block": "css-margin-inline-block",
    "margin-inline-start": "css-margin-inline-start-end", "margin-inline-end": "css-margin-inline-start-end",
    "margin-block-start": "css-margin-block-start-end", "margin-block-end": "css-margin-block-start-end",
    "padding-inline": "css-padding-inline-block", "padding-block": "css-padding-inline-block",
    "padding-inline-start": "css-padding-inline-start-end", "padding-inline-end": "css-padding-inline-start-end",
    "padding-block-start": "css-padding-block-start-end", "padding-block-end": "css-padding-block-start-end",
    "inline-size": "css-inline-size", "block-size": "css-block-inline-size", "writing-mode": "css-writing-mode",
    "gap": "css-gap", "column-gap": "css-gap", "row-gap": "css-gap",
}
IDLE: Mapping[str, frozenset[str]] = {
    "float": frozenset(("none",)), "transform": frozenset(("none",)), "filter": frozenset(("none",)),
    "position": frozenset(("static", "relative")), "writing-mode": frozenset(("horizontal-tb",)),
    "mask-image": frozenset(("none",)), "mask": frozenset(("none",)), "clip-path": frozenset(("none",)),
    "columns": frozenset(("auto", "1")), "column-count": frozenset(("auto", "1")),
}
"""Values that change nothing."""
VALUES: tuple[tuple[re.Pattern[str], str], ...] = tuple((re.compile(pattern), slug) for pattern, slug in (
    (r"\bvar\(", "css-variables"), (r"\bcalc\(", "css-unit-calc"), (r"\bclamp\(", "css-function-clamp"),
    (r"\bmin\(", "css-function-min"), (r"\bmax\(", "css-function-max"), (r"\blight-dark\(", "css-function-light-dark"),
    (r"\b(?:oklch|oklab|lch|lab|color-mix|color|hwb)\(", "css-modern-color"),
    (r"\brgba?\([^),/]+\s[^),]*\)", "css-modern-color"), (r"\brgba\([^)]*,[^)]*,", "css-rgba"),
    (r"\blinear-gradient\(", "css-linear-gradient"), (r"\bradial-gradient\(", "css-radial-gradient"),
    (r"\bconic-gradient\(", "css-conic-gradient"),
    (r"(?<![\w#-])-?[\d.]+rem\b", "css-unit-rem"), (r"(?<![\w#-])-?[\d.]+vw\b", "css-unit-vw"),
    (r"(?<![\w#-])-?[\d.]+vh\b", "css-unit-vh"), (r"(?<![\w#-])-?[\d.]+vmin\b", "css-unit-vmin"),
    (r"(?<![\w#-])-?[\d.]+vmax\b", "css-unit-vmax"), (r"(?<![\w#-])-?[\d.]+ch\b", "css-unit-ch"),
    (r"(?<![\w#-])-?[\d.]+ex\b", "css-unit-ex"),
))
