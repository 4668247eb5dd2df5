"""The port of the channels: what a channel must be able to do, and how little it needs to know.

A channel is one file `connectors/KIND.py` with one subclass of `Channel` whose `kind` is KIND, and one recording
`tests/channels/KIND.json`. It names its abilities in its class line, and nothing lists channels anywhere: all that the
hub needs to know of a kind is a fact on its class.

    class WhatsApp(Listens, Speaks, Fetches): ...

* `parts` and `read` are pure: the same bytes give the same items, whenever and wherever they are read. `parts` takes a
  request apart once; `read` makes one item of one part. What spoils one part spoils no other.
* `verify` sees the raw bytes first, does the cheapest check first, compares in constant time, and fails closed.
* Foreign words are translated by a table; what is not in it is `unknown`, and the foreign word is kept.
* Foreign exceptions stop here: `Reject` for bytes that make no sense, and from the way out `Retry` (it did not arrive),
  `Unanswered` (it may have arrived), `AccountFault` (the account is at fault: everything owed waits) or `Reject` (this
  reply can never be sent). The provider's own codes are a table (`_http.py`).
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import msgspec

from schemas import Action, Attachment, Message, Raw, Receipt, Reject, Reply, message_id

if TYPE_CHECKING:
    from connectors._http import Http

Item = Message | Action | Receipt | Reject
"""What a part of a request turns out to be; a Reject is a part that makes no sense."""


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


class Payload(Protocol):
    """A request as `parts` sees it: a `Request` at the door, or the `Raw` that was stored of it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What an account takes in at one time: a webhook call, the answer to a poll, a packet of a session."""

    method: str = "POST"
    path: str = ""
    """What follows `/in/ACCOUNT`."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ingress says to a request."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class Part(NamedTuple):
    """One item of a request, in the channel's own words, and whose it is."""

    payload: Any
    """What `read` makes the item of."""
    conversation: str | None = None
    """None: it belongs to no conversation."""
    address: str | None = None
    """Which account it is meant for, where one request serves several (see `Channel.address`)."""


class Channel(ABC):
    """One account of one kind, with its settings."""

    kind: ClassVar[str]
    settings_type: ClassVar[type[Settings]] = Settings

    conversational: ClassVar[bool] = False
    """Citizens type keywords and commands (LAPOR, TL, CEK) here; a form or a file has fields for what they say."""
    unwraps_base64: ClassVar[bool] = False
    """Some gateways of this kind send the text as base64."""
    ids_hold_phones: ClassVar[bool] = False
    """A citizen's phone number is encoded in the ids of this kind: they leave the hub only as a keyed hash."""
    counts_for_guard: ClassVar[bool] = True
    """False: whoever brings the items sees each dead one named, so they do not put the account aside."""
    outbound_settings: ClassVar[tuple[str, ...]] = ()
    """Settings without which this kind can send and fetch nothing."""
    template: ClassVar[str] = ""
    """A commented table for `channels.toml`, without its `[name]` line, as `channels new KIND` prints it. `{secret}`
    stands for a generated secret."""
    needs_contract: ClassVar[bool] = True
    """False: an account of this kind stands in the first `channels.toml`."""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        self.account = account
        self.owner = owner
        self.settings = settings

    @property
    def address(self) -> str | None:
        """The account's own address with the provider, where several accounts share one webhook (a phone number id)."""
        return None

    @property
    def outbound_urls(self) -> Sequence[str]:
        """The addresses that this account calls, for `doctor`."""
        return ()

    def setup_help(self, url: str) -> str:
        """What a person must enter at the provider; `url` is where the ingress answers for this account."""
        return ""

    def reply_address(self, message: Message) -> str:
        """Where an answer to this message goes, in the channel's own form."""
        return message.conversation

    @abstractmethod
    def parts(self, payload: Payload) -> Iterable[Part]:
        """The items inside, in order, each with its conversation. Raises Reject where nothing at all can be read; what
        was yielded before stands. `payload.body` is always filled: a body kept with the blobs is brought before."""

    @abstractmethod
    def read(self, part: Part, raw: Raw) -> Item:
        """The item of a part. Raises Reject where it makes no sense."""

    def parse(self, raw: Raw) -> Iterator[Item]:
        """The items of a Raw, in order: all parts, or those that are its own. One bad part is one Reject. Raises Reject
        where nothing at all can be read."""
        for at, part in enumerate(self.parts(raw)):
            if raw.parts is None or at in raw.parts:
                yield self.read_safely(part, raw)

    def read_safely(self, part: Part, raw: Raw) -> Item:
        """As `read`; whatever is wrong with the part is a Reject returned."""
        try:
            return self.read(part, raw)
        except Reject as reject:
            return reject
        except Exception as fault:  # a bug in one part must not hide the others; the dead letter shows it
            return Reject("channel_bug", f"{self.kind}: {type(fault).__name__} while reading: mend it, then replay")

    def message(self, raw: Raw, native: str | None, conversation: str, **known: Any) -> Message:
        """A Message of this account. `native` None: the channel has no ids, the reader derives one."""
        return Message(
            id=message_id(self.kind, self.account, native) if native else "",
            raw=raw.id,
            account=self.account,
            channel=self.kind,
            owner=self.owner,
            conversation=conversation,
            received_at=raw.received_at,
            **known,
        )

    def action(self, raw: Raw, native: str | None, **known: Any) -> Action:
        """An Action of this account. `native` None: the source has no ids, the reader derives one."""
        return Action(
            id=message_id(self.kind, self.account, native) if native else "",
            raw=raw.id,
            account=self.account,
            channel=self.kind,
            owner=self.owner,
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
    proof_header: ClassVar[str | None] = None
    """A request by POST without this header is 403 before its body is read. None: the proof may stand elsewhere."""
    kept_headers: ClassVar[tuple[str, ...]] = ("content-type",)
    """What `parts` and `read` need of the headers."""
    secret_parameters: ClassVar[frozenset[str]] = frozenset()
    """Query parameters that are taken out before the request is stored."""

    @abstractmethod
    def verify(self, request: Request) -> None:
        """Raises Forbidden."""

    def challenge(self, request: Request) -> Answer | None:
        """The provider's handshake, answered without storing. Called after `verify`; None: not a handshake."""
        return None

    def accepted(self) -> Answer:
        """What the provider wants to hear once its bytes are durable."""
        return Answer()


class Polled(NamedTuple):
    """What one poll brought."""

    requests: Sequence[Request] = ()
    """The provider's answers, stored as they came."""
    cursor: str | None = None
    """From where the next poll goes on; saved only after `requests` are durable."""
    more: bool = False
    """True: poll again at once."""


class Polls(Channel):
    """Asks the provider what is new. Only the process that holds the account's lease does so."""

    @property
    def poll_every(self) -> float:
        """Seconds between two polls."""
        return 60.0

    @abstractmethod
    async def poll(self, cursor: str | None, outbound: Outbound) -> Polled:
        """What is new after the cursor (None: this account was never polled). Raises Retry or AccountFault."""


class Intake(Protocol):
    """Where a session hands over what it received."""

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        """Returns once the requests are durable and the cursor is saved; only then may the session acknowledge. Raises
        Retry where they are not, and `LeaseLost` where another process speaks for the account now."""
        ...


class LeaseLost(Exception):  # noqa: N818 - it says what happened
    """Another process holds the account's lease: stop at once, acknowledge nothing more."""


class Session(ABC):
    """A connection that is open: bound, logged in, subscribed."""

    @abstractmethod
    async def run(self) -> None:
        """Receive until the connection ends. Raises Retry (connect again after a while) or AccountFault."""


class Connects(Channel):
    """Holds a session with the provider. Only the process that holds the account's lease does so."""

    @abstractmethod
    def connect(self, intake: Intake, cursor: str | None) -> AbstractAsyncContextManager[Session]:
        """Open the session; leaving the context closes it. Raises Retry or AccountFault."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """What a channel may use to reach its provider."""

    http: Http
    session: Session | None = None
    """The account's open session; None for kinds that hold none, and while it is down."""


class Sent(NamedTuple):
    """A reply that the provider has taken."""

    native_ids: tuple[str, ...] = ()
    """The channel's ids for it; empty where it gives none, several where it was cut into parts."""


class Speaks(Channel):
    """Sends replies."""

    send_at_once: ClassVar[int] = 16
    """Replies of one account in flight at the same time; those of one conversation go one after the other."""

    @property
    def sends_a_second(self) -> float | None:
        """The account's rate limit; None: none is known."""
        return None

    @property
    def carries_reference(self) -> bool:
        """Do receipts bring back our own reference? Then a crash between sending and storing it can be resolved."""
        return False

    @abstractmethod
    async def send(self, reply: Reply, outbound: Outbound) -> Sent:
        """Send. Raises Retry, Unanswered, AccountFault or Reject."""


class File(NamedTuple):
    """The bytes of an attachment."""

    body: bytes
    media_type: str | None = None


class Fetches(Channel):
    """Brings the bytes of attachments that the channel only refers to."""

    @abstractmethod
    async def fetch(self, attachment: Attachment, outbound: Outbound) -> File:
        """Raises Retry, AccountFault, or Reject where the file is refused or gone."""
