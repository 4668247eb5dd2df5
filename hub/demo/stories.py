"""What the demo's citizens say: texts of `demo.toml`, drawn anew with every seed. Nobody here exists; the phone numbers
lie in +62 812-0000-xxxx and +62 813-0000-xxxx, which nobody has.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from random import Random
from typing import Literal, NamedTuple

Form = Literal["text", "image", "location", "sticker", "unreadable", "forged"]


class Citizen(NamedTuple):
    """Somebody who does not exist."""

    name: str
    phone: str
    """Digits with country code: 62812…"""


class Said(NamedTuple):
    """One thing said at a door. The same one sent twice is a redelivery."""

    door: str
    who: Citizen
    text: str = ""
    form: Form = "text"
    id: str = ""
    """Unique among all runs."""
    lat: float = 0.0
    lon: float = 0.0


class Teller:
    """Draws citizens and what they say."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._words: Mapping[str, Sequence[str]] = tomllib.loads(
            files("hub.commands").joinpath("demo.toml").read_text(encoding="utf-8")
        )
        self._phones = random.sample(range(20_000), 10_000)

    def stories(self, doors: Sequence[str], count: int) -> list[list[Said]]:
        """About `count` things said, as stories of one citizen each, to be sent in their order."""
        told: list[list[Said]] = []
        while sum(map(len, told)) < count:
            told.append(self._story(doors[len(told) % len(doors)]))
        if "whatsapp" in doors:
            told += [[self._said("whatsapp", self._citizen(), form=form)] for form in ("unreadable", "forged")]
        return told

    def asking(self, said: Said, number: str) -> list[Said]:
        """What a citizen writes who was told a number: first a check, then a supplement."""
        return [self._said(said.door, said.who, f"CEK {number}"),
                self._said(said.door, said.who, f"TL {number} {self._text('supplements')}")]  # fmt: skip

    def unknown(self, door: str) -> list[Said]:
        """Somebody who asks for a number that was never given out."""
        return [self._said(door, self._citizen(), "CEK 1234567890")]

    def _story(self, door: str) -> list[Said]:
        who = self._citizen()
        first = self._said(door, who, self._opening(door))
        rest = {"sms": self._by_sms, "whatsapp": self._by_whatsapp}.get(door)
        return [first, *(rest(who, first) if rest else [])]

    def _opening(self, door: str) -> str:
        kind = self._random.choices(("complaints", "requests", "aspirations"), (8, 1, 1))[0]
        return ("LAPOR " if door == "sms" and self._random.random() < 0.5 else "") + self._text(kind)

    def _by_sms(self, who: Citizen, first: Said) -> list[Said]:
        draw = self._random.random()
        if draw < 0.08:
            return [first]
        if draw < 0.14:
            return [self._said("sms", who, first.text.upper())]
        return [self._said("sms", who, self._text("followups"))] if draw < 0.3 else []

    def _by_whatsapp(self, who: Citizen, first: Said) -> list[Said]:
        draw = self._random.random()
        if draw < 0.08:
            return [first]
        if draw < 0.14:
            return [self._said("whatsapp", who, first.text)]
        picture = self._said("whatsapp", who, self._text("captions"), form="image")
        return [picture, *self._place(who)] if draw < 0.35 else self._place(who) if draw < 0.5 else []

    def _place(self, who: Citizen) -> list[Said]:
        return [self._said("whatsapp", who, form="location")]

    def _said(self, door: str, who: Citizen, text: str = "", *, form: Form = "text") -> Said:
        near = (round(-6.9 + self._random.uniform(-0.1, 0.1), 5), round(107.6 + self._random.uniform(-0.1, 0.1), 5))
        return Said(door, who, text, form, f"{self._random.getrandbits(96):024X}", *near)

    def _citizen(self) -> Citizen:
        phone = self._phones.pop()
        return Citizen(self._random.choice(self._words["names"]), f"62{812 + phone // 10_000}0000{phone % 10_000:04d}")

    def _text(self, kind: str) -> str:
        draw, words = self._random, self._words
        return draw.choice(words[kind]).format(
            street=draw.choice(words["streets"]),
            area=draw.choice(words["areas"]),
            spot=draw.choice(words["spots"]),
            rt=f"{draw.randint(1, 12):02d}",
            days=draw.randint(2, 21),
        )
