"""Made-up channels, one of each ability; importing this registers them. Their providers are in `tests/fakes`.

    Feed    Polls                       asks a provider by HTTP for what is new after a cursor
    Modem   Connects, Speaks            holds a session of JSON lines over TCP, and sends through it
    Kiosk   Listens, Speaks, Fetches    a webhook in, HTTP out, photos to be fetched
    Suara   Listens, Speaks             the channel of docs/adding-a-channel.md

An item of theirs is `{"id", "from", "text", "photo"?}`, a receipt `{"receipt": ID, "state", "ref"?}`, or what an office
did `{"act": ID, "number", "status", "at"}`.
"""

from connectors import register
from tests.channels.made_up.feed import Feed
from tests.channels.made_up.guide import Suara
from tests.channels.made_up.kiosk import Kiosk
from tests.channels.made_up.modem import Modem

register(Feed, Modem, Kiosk, Suara)

__all__ = ["Feed", "Kiosk", "Modem", "Suara"]
