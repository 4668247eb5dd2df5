"""The port of the channels: their duties, and how little they need to know.

A channel is one file `connectors/KIND.py` with one subclass of `Channel` whose `kind` is KIND, and one recording
`tests/channels/KIND.json`. It names its abilities in its class line, and nothing lists channels anywhere: all that the
hub needs to know of a kind is a fact on its class.

    class WhatsApp(Listens, Speaks, Fetches): ...

* `parts` and `read` are pure: the same bytes give the same items, whenever and wherever they are read. `parts` takes a
  request apart once; `read` makes one item of one part. A fault in one part spoils no other.
* `verify` sees the raw bytes first, does the cheapest check first, compares in constant time, and fails closed.
* Foreign words are translated by a table; what is not in it is `unknown`, and the foreign word is kept.
* Foreign exceptions stop here: `Reject` for bytes that make no sense, and from the way out `Retry` (it did not arrive),
  `Held` (the same, and this reply waits alone), `Unanswered` (it may have arrived), `AccountFault` (the account is at
  fault: everything owed waits) or `Reject` (this reply can never be sent). The provider's own codes are a table of
  `ErrorMeaning`s (`_http.py`).
* Positions of parts are stored in `Raw.parts`. A later release that finds more in the same bytes yields it last, and
  yields a part that it no longer reads as one that is a Reject.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import Any, ClassVar

from connectors._demo import DemoItem, DemoRequest
from connectors._items import MakesItems
from connectors._request import ACCEPTED, IngressResponse, Part, Payload, Request
from connectors._results import ALWAYS_COSTS, AnswerTerms
from connectors._results import CheckResult as CheckResult  # noqa: PLC0414 - channels import it from here
from connectors._results import FetchedFile as FetchedFile  # noqa: PLC0414 - channels import it from here
from connectors._results import Gap as Gap  # noqa: PLC0414 - channels import it from here
from connectors._results import PollResult as PollResult  # noqa: PLC0414 - channels import it from here
from connectors._results import SentReply as SentReply  # noqa: PLC0414 - channels import it from here
from connectors._session import Intake as Intake  # noqa: PLC0414 - channels import it from here
from connectors._session import LeaseLost as LeaseLost  # noqa: PLC0414 - channels import it from here
from connectors._session import ProviderConnections as ProviderConnections  # noqa: PLC0414 - as above
from connectors._session import RenewedSecret as RenewedSecret  # noqa: PLC0414 - as above
from connectors._session import Session as Session  # noqa: PLC0414 - channels import it from here
from connectors._settings import Settings, is_address
from schemas import AccountFault, Action, Attachment, Message, Raw, Receipt, Reject, Reply

Item = Message | Action | Receipt | Reject
"""The reading of one part; a Reject is a part that makes no sense."""


class Channel(MakesItems, ABC):
    """One account of one kind, with its settings."""

    settings_type: ClassVar[type[Settings]] = Settings

    conversational: ClassVar[bool] = False
    """Citizens type keywords and commands (LAPOR, TL, CEK) here; a form or a file has fields for what they say."""
    unwraps_base64: ClassVar[bool] = False
    """Some gateways of this kind send the text as base64."""
    names_us_first: ClassVar[bool] = False
    """Citizens begin with the names of accounts ("@dinas CEK 4719360285"): the words come after them."""
    vouches_for_sender: ClassVar[bool] = False
    """The provider itself proves the sender (a signed webhook, a session of ours): nobody else can claim that identity.
    A single message may prove more than its kind: `Message.proven`."""
    short_answers: ClassVar[bool] = False
    """Each answer costs by its length: 160 characters of GSM-7, without links."""
    keeps_unknown_fields: ClassVar[bool] = False
    """`Message.extra` holds only what a caller sent beside the fields that we know, and leaves with `export`."""
    ids_hold_phones: ClassVar[bool] = False
    """A citizen's phone number is encoded in the ids of this kind: they leave the hub only as a keyed hash."""
    counts_for_guard: ClassVar[bool] = True
    """False: the operator sees each dead item named, so dead items do not put the account aside."""
    outbound_settings: ClassVar[tuple[str, ...]] = ()
    """Settings without which this kind can send and fetch nothing."""
    proof_settings: ClassVar[tuple[str, ...]] = ()
    """Settings that hold secrets by which a request proves where it comes from: one that can be guessed is none."""
    url_settings: ClassVar[tuple[str, ...]] = ()
    """Settings that hold the addresses of the provider."""
    template: ClassVar[str] = ""
    """The kind's own settings for `channels.toml`, commented; they are printed under `[name]`, `kind` and `owner`.
    `{secret}` stands for a generated secret, `{name}` for the account's name."""
    needs_contract: ClassVar[bool] = True
    """False: an account of this kind stands in the first `channels.toml`."""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        """Raises ValueError, naming the setting and the fix, where the settings make no sense."""
        self.account = account
        self.owner = owner
        self.settings = settings
        for name in self.url_settings:
            if (url := getattr(settings, name)) and not is_address(url):
                raise ValueError(f"{name}: takes an address with a scheme, as https://host/path")

    @property
    def keywords(self) -> Mapping[str, str]:
        """Region keyword to region code, as citizens of this account type them: TANGKAB to "36.03"."""
        return {}

    @property
    def address(self) -> str | None:
        """The account's own address with the provider, where several accounts share one webhook (a phone number id)."""
        return None

    @property
    def outbound_urls(self) -> Sequence[str]:
        """The addresses that this account calls, for `doctor`. Empty while a setting is missing."""
        urls = (getattr(self.settings, name) for name in self.url_settings)
        return () if self.missing_setting else tuple(filter(None, urls))

    @property
    def missing_setting(self) -> str | None:
        """The first of `outbound_settings` that is not set; None: nothing is missing."""
        return self._first_unset(self.outbound_settings)

    @property
    def missing_for_intake(self) -> str | None:
        """The setting without which nothing comes in by this account; None: nothing is missing."""
        return self.missing_setting

    def _first_unset(self, names: Iterable[str]) -> str | None:
        return next((name for name in names if not getattr(self.settings, name)), None)

    def require_outbound(self) -> None:
        """Raises AccountFault where a setting is missing without which nothing can be sent or fetched."""
        if self.missing_setting:
            raise AccountFault("setting_missing", f"set {self.missing_setting} of this account")

    def setup_help(self, url: str) -> str:
        """Steps for a person at the provider; `url` is where the ingress answers for this account. Shows no secret: it
        names the setting that holds it."""
        return ""

    def reply_address(self, message: Message) -> str:
        """Where an answer to this message goes, in the channel's own form."""
        return message.conversation

    def answers_publicly(self, to: str, template: str) -> bool:
        """Can everybody read an answer of this template at this address? Then it says no more than the number."""
        return False

    def answer_terms(self, to: str, template: str) -> AnswerTerms:
        """Until when, and at what cost, an answer of this template is taken at this address."""
        return ALWAYS_COSTS if self.short_answers else AnswerTerms()

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        """Ask the provider whether this account is set up, for `channels test`: its token, how long that lives, its
        rights, its webhook. Changes nothing there. Raises Retry, Unanswered, AccountFault or Reject."""
        return ()

    async def token_end(self, outbound: ProviderConnections) -> datetime | None:
        """When the account's token lapses, as the provider says. None: never, or it does not say. Raises as `check`."""
        return None

    def gap(self, before: str, after: str, taken: int) -> Gap | None:
        """What was lost between two cursors, as the protocol says; `taken` requests came between. None: nothing."""
        return None

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        """An invented citizen's message as the provider would bring it. None: the demo leaves this kind or form out."""
        return None

    def enclosed_files(self, request: Request) -> Iterable[bytes]:
        """Files that lie inside the request itself: they are stored before it is, and `read` names each by its SHA-256,
        in the state `fetched`."""
        return ()

    @abstractmethod
    def parts(self, payload: Payload) -> Iterable[Part]:
        """The items inside, in order, each with its conversation. Raises Reject where nothing at all can be read; what
        was yielded before stands. `payload.body` is always filled: a body kept with the blobs is brought before."""

    @abstractmethod
    def read(self, part: Part, raw: Raw) -> Item:
        """The item of a part, which stays as it is: it may be read again. Raises Reject where it makes no sense."""

    def parse(self, raw: Raw) -> Iterator[Item]:
        """The items of a Raw, in order: all parts, or those that are its own. One bad part is one Reject. Raises Reject
        where nothing at all can be read."""
        own = None if raw.parts is None else frozenset(raw.parts)
        for position, part in enumerate(self.parts(raw)):
            if own is None or position in own:
                yield self.read_safely(part, raw)

    def read_safely(self, part: Part, raw: Raw) -> Item:
        """As `read`, but a fault in the part is returned as a Reject."""
        try:
            return self.read(part, raw)
        except Reject as reject:
            return reject
        except Exception as fault:  # a bug in one part must not hide the others; the dead letter shows it
            return Reject("channel_bug", f"{self.kind}: {type(fault).__name__} while reading: mend it, then replay")


class Listens(Channel):
    """Takes requests at `/in/ACCOUNT`."""

    methods: ClassVar[frozenset[str]] = frozenset({"POST"})
    body_limit: ClassVar[int] = 3 * 1024 * 1024
    """Bytes; more is 413."""
    proof_header: ClassVar[str | None] = None
    """A request by POST without this header is 403 before its body is read. None: the proof may stand elsewhere."""
    kept_headers: ClassVar[tuple[str, ...]] = ("content-type",)
    """The headers that `parts` and `read` need; they are stored with the bytes."""
    secret_parameters: ClassVar[frozenset[str]] = frozenset()
    """Query parameters that are taken out before the request is stored."""

    @property
    def missing_for_intake(self) -> str | None:
        """The first of `proof_settings` that is not set: every request is refused."""
        return self._first_unset(self.proof_settings)

    @abstractmethod
    def verify(self, request: Request) -> None:
        """Raises Forbidden."""

    def challenge(self, request: Request) -> IngressResponse | None:
        """The provider's handshake, answered without storing. Called after `verify`; None: not a handshake."""
        return None

    def accepted(self) -> IngressResponse:
        """The answer that the provider expects once its bytes are durable."""
        return ACCEPTED


class Polls(Channel):
    """Asks the provider what is new. Only the process that holds the account's lease does so."""

    poll_disturbs: ClassVar[bool] = False
    """A poll ends the one of a running hub: `channels test` makes none."""

    @property
    def polling(self) -> bool:
        """False: by its settings this account only listens."""
        return True

    @property
    def poll_every(self) -> float:
        """Seconds between two polls."""
        return 60.0

    def new_items(self, outbound: ProviderConnections) -> AbstractAsyncContextManager[asyncio.Event | None]:
        """Open for as long as the account is polled: an event that is set where the provider itself tells that there is
        something before `poll_every` is over. None: it does not."""
        return nullcontext(None)

    @abstractmethod
    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        """The news after the cursor (None: this account was never polled). Raises Retry or AccountFault."""


class Connects(Channel):
    """Holds a session with the provider. Only the process that holds the account's lease does so."""

    @abstractmethod
    def connect(
        self, intake: Intake, cursor: str | None, renewed: RenewedSecret | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """Open the session; leaving the context closes it. `renewed`: where a secret lives on that the provider renews.
        Raises Retry or AccountFault."""


class Speaks(Channel):
    """Sends replies."""

    send_at_once: ClassVar[int] = 16
    """Replies of one account in flight at the same time; of one conversation one after the other."""
    marks_start: ClassVar[bool] = False
    """`send` awaits `outbound.before_arrival()` right before the reply can arrive; one not so far is sent again."""

    @property
    def sends_a_second(self) -> float | None:
        """The account's rate limit; None: none is known."""
        return None

    @property
    def carries_reference(self) -> bool:
        """Do receipts bring back our own reference? Then a crash between sending and storing it can be resolved."""
        return False

    @property
    def takes_once(self) -> bool:
        """Does the provider take a reply of one id only once? Then one that was being sent when its process ended is
        handed to `send` again, as `Reply.repeated`. `send` raises Unanswered where it may have arrived all the same."""
        return False

    def typed_address(self, typed: str) -> str:
        """What a person typed to send a test to, as `Reply.conversation` and `Reply.to` have it."""
        return typed

    @abstractmethod
    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        """Raises Retry, Unanswered, AccountFault or Reject. Any other exception is a bug: it may have arrived."""


class Fetches(Channel):
    """Brings the bytes of attachments that the channel only refers to."""

    @abstractmethod
    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        """Raises Retry, AccountFault, or Reject where the file is refused or gone."""
