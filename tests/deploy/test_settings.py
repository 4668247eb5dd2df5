"""`docs/settings.md` is what the classes say, and every setting says what it is for."""

from __future__ import annotations

import re

from deploy.settings import FILE, page


def test_the_page_is_written_from_the_classes() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "settings changed: `make golden`"


def test_every_setting_has_a_meaning() -> None:
    empty = re.findall(r"^\| `(\w+)` \|.*\|\s+\|$", page(), re.MULTILINE)
    assert empty == []
