"""What the demo's citizens write: texts of `stories.toml`, drawn anew with every seed. Nobody here exists; the phone
numbers lie in +62 812-0000-xxxx and +62 813-0000-xxxx, which nobody has.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import cycle
from random import Random
from typing import NamedTuple

from connectors import Channel, DemoForm, DemoItem

REGION = "32.73"


class DemoCitizen(NamedTuple):
    """A person who does not exist."""

    name: str
    phone: str
    """Digits with the country code: 62812…"""


class DemoMessage(NamedTuple):
    """One message at one account. The same one sent twice is a redelivery."""

    account: str
    item: DemoItem

    @property
    def citizen(self) -> DemoCitizen:
        """Its sender."""
        return DemoCitizen(self.item.name, self.item.phone)


class StoryGenerator:
    """Draws citizens and what they write. A channel that knows no pictures or places is sent none."""

    def __init__(self, random: Random, at: datetime) -> None:
        self._random = random
        self._at = at
        self._texts: Mapping[str, Sequence[str]] = tomllib.loads(
            files("hub.demo").joinpath("stories.toml").read_text(encoding="utf-8")
        )
        self._phones = random.sample(range(20_000), 10_000)

    def stories(self, channels: Sequence[Channel], count: int) -> list[list[DemoMessage]]:
        """About `count` messages, as stories of one citizen each, to be sent in their order."""
        stories: list[list[DemoMessage]] = []
        while sum(map(len, stories)) < count:
            stories.append(self._story(channels[len(stories) % len(channels)]))
        spoiled = [self._message(c, self._citizen(), "", f) for c in channels for f in ("unreadable", "forged")]
        return [*stories, *([message] for message in spoiled if message)]

    def one_lamp(self, channels: Sequence[Channel]) -> list[DemoMessage]:
        """Three citizens on two channels report one broken lamp, each in own words, from where it stands."""
        spot, at = self._spot(), self._point()
        doors = sorted(channels, key=lambda channel: channel.kind == "file")[:2]
        return _sent(
            self._message(channel, self._citizen(), text.format(**spot), point=at)
            for channel, text in zip(cycle(doors), self._texts["lamp"], strict=False)
        )

    def questions(self, channel: Channel, citizen: DemoCitizen, number: str) -> list[DemoMessage]:
        """Messages of a citizen who knows the number: first a check, then a supplement."""
        texts = (f"CEK {number}", f"TL {number} {self._text('supplements')}")
        return _sent(self._message(channel, citizen, text) for text in texts)

    def unknown_number(self, channel: Channel) -> list[DemoMessage]:
        """A stranger's question for a number that was never given out."""
        return _sent([self._message(channel, self._citizen(), "CEK 1234567890")])

    def _story(self, channel: Channel) -> list[DemoMessage]:
        citizen = self._citizen()
        first = self._message(channel, citizen, self._opening(channel))
        return _sent([first, *(self._rest(channel, citizen, first) if first and channel.conversational else [])])

    def _opening(self, channel: Channel) -> str:
        kind = self._random.choices(("complaints", "requests", "aspirations"), (8, 1, 1))[0]
        keyword = "LAPOR " if channel.conversational and self._random.random() < 0.25 else ""
        return keyword + self._text(kind)

    def _rest(self, channel: Channel, citizen: DemoCitizen, first: DemoMessage) -> list[DemoMessage | None]:
        draw = self._random.random()
        if draw < 0.08:
            return [first]
        if draw < 0.14:
            return [self._message(channel, citizen, first.item.text.upper())]
        if draw < 0.24:
            return [self._message(channel, citizen, self._text("followups"))]
        place = self._message(channel, citizen, form="location")
        picture = self._message(channel, citizen, self._text("captions"), "image")
        return [picture, place] if draw < 0.4 else [place] if draw < 0.5 else []

    def _message(
        self,
        channel: Channel,
        citizen: DemoCitizen,
        text: str = "",
        form: DemoForm = "text",
        point: tuple[float, float] | None = None,
    ) -> DemoMessage | None:
        """None: the channel knows no such form."""
        lat, lon = point or self._point()
        item = DemoItem(
            id=f"{self._random.getrandbits(96):024X}",
            text=text,
            name=citizen.name,
            phone=citizen.phone,
            at=self._at,
            form=form,
            region=REGION,
            lat=lat,
            lon=lon,
        )
        return None if channel.demo_request(item) is None else DemoMessage(channel.account, item)

    def _point(self) -> tuple[float, float]:
        return round(-6.9 + self._random.uniform(-0.1, 0.1), 5), round(107.6 + self._random.uniform(-0.1, 0.1), 5)

    def _citizen(self) -> DemoCitizen:
        phone = self._phones.pop()
        return DemoCitizen(
            self._random.choice(self._texts["names"]), f"62{812 + phone // 10_000}0000{phone % 10_000:04d}"
        )

    def _text(self, kind: str) -> str:
        return self._random.choice(self._texts[kind]).format(**self._spot())

    def _spot(self) -> dict[str, str]:
        random, texts = self._random, self._texts
        places = {name: random.choice(texts[f"{name}s"]) for name in ("street", "area", "spot")}
        return {**places, "rt": f"{random.randint(1, 12):02d}", "days": str(random.randint(2, 21))}


def _sent(messages: Iterable[DemoMessage | None]) -> list[DemoMessage]:
    return [message for message in messages if message is not None]
