"""The channel of `docs/adding-a-channel.md`, so that the guide is held to what every channel must bear."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

GUIDE = Path(__file__).parents[3] / "docs" / "adding-a-channel.md"
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
"""By language: python, json, toml."""

module = sys.modules["guide_suara"] = ModuleType("guide_suara")
exec(compile(BLOCKS["python"], str(GUIDE), "exec"), module.__dict__)
Suara = module.Suara
