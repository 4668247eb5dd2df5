"""The doors: what a channel must be able to do, and how little it needs to know.

A channel is one file `connectors/KIND.py` with one subclass of `Channel` whose `kind` is KIND, and one recording
`tests/channels/KIND.json`. It names its abilities in its class line:

    class WhatsApp(Listens, Speaks, Fetches): ...

* `parse` is pure: the same Raw gives the same items, whenever and wherever it is read.
* `verify` sees the raw bytes first, does the cheapest check first, compares in constant time, and fails closed.
* Foreign words are translated by a table; what is not in it is `unknown`, and the foreign word is kept.
* Foreign exceptions stop here: `Reject` for bytes that make no sense, and from the way out `Retry`, `Reject`,
  or `Unanswered` (see `_http.py`).
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from schemas import Attachment, Message, Raw, Receipt, Reject, Reply, message_id

if TYPE_CHECKING:
    from connectors._http import Http


class Forbidden(Exception):  # noqa: N818 - the word of the protocol
    """The request does not prove where it comes from: 403. The reason names the check, never the secret."""


class Secret:
    """A value that never shows itself: not in a log, a traceback, a repr or a dump."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that sends or compares it."""
        return self._value

    def matches(self, given: str) -> bool:
        """Compared in constant time. An empty secret matches nothing."""
        ours, theirs = (word.encode("utf-8", "surrogatepass") for word in (self._value, given))
        return bool(ours) and hmac.compare_digest(ours, theirs)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def secret_hook(wanted: type, value: Any) -> Any:
    """`dec_hook` of msgspec for settings: plain text becomes a Secret."""
    if wanted is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(f"no {wanted.__name__} can be made of this value")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account's own keys in `channels.toml`. Fields of type `Secret` are its secrets."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a door received, before anything was asked of it."""

    method: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door says."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"


class Spoken(NamedTuple):
    """A conversation inside a request."""

    conversation: str | None
    """None: something that belongs to no conversation."""
    address: str | None = None
    """Whose door it is meant for, where one request serves several accounts (see `Channel.address`)."""


class Channel(ABC):
    """One account of one kind, with its settings."""

    kind: ClassVar[str]
    settings_type: ClassVar[type[Settings]] = Settings

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        self.account = account
        self.owner = owner
        self.settings = settings

    @property
    def address(self) -> str | None:
        """The account's own address with the provider, where several accounts share one webhook (a phone number id)."""
        return None

    @abstractmethod
    def parse(self, raw: Raw) -> Iterable[Message | Receipt | Reject]:
        """The items inside, in order: messages, receipts, and a Reject for each part that makes no sense.

        Yields the items of every conversation in the body; `read` keeps those that are the Raw's own. Raises Reject
        where nothing at all can be read. `raw.body` is always filled: a body kept with the blobs is brought before.
        """

    def message(self, raw: Raw, native: str | None, conversation: str, **known: Any) -> Message:
        """A Message of this account. `native` None: the channel has no ids, the reader derives one."""
        return Message(
            id=message_id(self.kind, self.account, native) if native else "",
            native_id=native or "",
            raw=raw.id,
            account=self.account,
            channel=self.kind,
            owner=self.owner,
            conversation=conversation,
            received_at=raw.received_at,
            **known,
        )

    def receipt(self, raw: Raw, **known: Any) -> Receipt:
        """A Receipt of this account."""
        return Receipt(account=self.account, channel=self.kind, raw=raw.id, received_at=raw.received_at, **known)


class Listens(Channel):
    """Takes requests at `/in/ACCOUNT`."""

    methods: ClassVar[frozenset[str]] = frozenset({"POST"})
    body_limit: ClassVar[int] = 3 * 1024 * 1024
    """Bytes; more is 413."""
    kept_headers: ClassVar[tuple[str, ...]] = ("content-type",)
    """What `parse` needs of the headers."""
    secret_parameters: ClassVar[frozenset[str]] = frozenset()
    """Query parameters that are taken out before the request is stored."""

    @abstractmethod
    def verify(self, request: Request) -> None:
        """Raises Forbidden."""

    @abstractmethod
    def conversations(self, request: Request) -> Sequence[Spoken]:
        """Whose conversations are inside, each once, in order. Never raises: what cannot be listed is `[]`, and the
        whole request is stored under the account."""

    def challenge(self, request: Request) -> Answer | None:
        """The provider's handshake, answered without storing. Called after `verify`; None: not a handshake."""
        return None

    def accepted(self) -> Answer:
        """What the provider wants to hear once its bytes are durable."""
        return Answer()


class Speaks(Channel):
    """Sends replies."""

    @property
    def carries_reference(self) -> bool:
        """Do receipts bring back our own reference? Then a crash between sending and noting it can be resolved."""
        return False

    @abstractmethod
    def send(self, reply: Reply, http: Http) -> str | None:
        """Send, and return the channel's id for it (None: it gives none). Raises Retry, Reject or Unanswered."""


class Fetches(Channel):
    """Brings the bytes of attachments that the channel only refers to."""

    @abstractmethod
    def fetch(self, attachment: Attachment, http: Http) -> tuple[bytes, str | None]:
        """The bytes and their media type. Raises Retry, or Reject where they are refused or gone."""
