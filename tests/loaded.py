"""What commands would read anew each time: imported, it is read."""

from __future__ import annotations

from pillarbox.checking.dictionary import english

english()
