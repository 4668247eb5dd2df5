"""The manifest of a portal: where it is, how it is asked, and what its fields mean. A TOML file, loaded and
checked by `_portal_loading.py`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from schemas import ForwardKind, Status

ANSWERS = Literal["answer", "question", "status", "disposition", "note"]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the manifest."""


class Auth(Strict, frozen=True, kw_only=True):
    """How we show who we are. Values in braces are secrets of the account: "{password}"."""

    type: Literal["none", "key", "basic", "oauth2", "login"] = "none"
    header: str = "Authorization"
    """key, login with a token: the header that carries it."""
    parameter: str = ""
    """key: a query parameter instead of the header."""
    value: str = ""
    """key: as "{api_key}"; oauth2 and login: how the token is sent, as "Bearer {token}"."""
    username: str = ""
    password: str = ""
    path: str = ""
    """oauth2 and login: where a token or cookie is given."""
    form: dict[str, str] = msgspec.field(default_factory=dict)
    """login: the fields of the form."""
    json: dict[str, str] = msgspec.field(default_factory=dict)
    """login: the fields of a JSON body, instead of a form."""
    scope: str = ""
    token: str = "access_token"  # noqa: S105 - the name of a field
    """Where the token stands in the answer; empty: cookies are taken."""


class Paging(Strict, frozen=True, kw_only=True):
    """How the next page is asked for. Pages end with one that has no rows, and where `next` is empty."""

    type: Literal["none", "page", "offset", "cursor", "link", "keyset"] = "none"
    parameter: str = "page"
    start: int = 1
    """page: the number of the first."""
    size: int = 100
    size_parameter: str = ""
    next: str = ""
    """cursor: where the next cursor stands in the answer; link: where the next address stands."""


class Watermark(Strict, frozen=True, kw_only=True):
    """What is newer than what was taken in is asked for, some of the older again: rows may commit late."""

    field: str
    """The time of the row's last change."""
    parameter: str = ""
    """The query parameter that takes it; empty: the portal cannot leave out what is older."""
    id_parameter: str = ""
    """keyset: takes the id of the last row."""
    format: str = "iso"
    """iso, unix, or as strftime has it: "%Y-%m-%d %H:%M:%S", in the zone of the portal."""
    overlap: str = "15m"
    start: str = "30d"
    """How far back the first poll goes."""


class Call(Strict, frozen=True, kw_only=True):
    """A call for one row."""

    path: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    """Values are JMESPath on the row."""


class MessageMap(Strict, frozen=True, kw_only=True):
    """What a row is as a complaint: JMESPath on the row."""

    id: str
    text: str
    title: str = ""
    sent_at: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    nik: str = ""
    address: str = ""
    region: str = ""
    """A region code, or a word of [tables.region]."""
    place: str = ""
    """The place in words."""
    latitude: str = ""
    longitude: str = ""
    category: str = ""
    office: str = ""
    anonymous: str = ""
    secret: str = ""
    attachments: str = ""
    """Addresses, or objects with `url` and perhaps `name`: "berkas[].{url: alamat, name: judul}"."""
    tags: str = ""
    external_ids: dict[str, str] = msgspec.field(default_factory=dict)
    """Its numbers in other systems: sp4n = "nomor_lapor"."""
    skip: str = ""
    """True: the row is no complaint of a citizen; it is kept, with this as the reason."""


class ActionMap(Strict, frozen=True, kw_only=True):
    """What somebody responsible did, as the row tells it: JMESPath on the row, or on each element of `each`, where
    `row` is the row."""

    what: ANSWERS
    of: str = ""
    """The portal's id of the complaint. Empty: that of the message of this row."""
    number: str = ""
    """Our own number, where the portal keeps it."""
    each: str = ""
    when: str = ""
    id: str = ""
    """Empty: its words, status and time tell it apart."""
    text: str = ""
    status: str = ""
    at: str = ""
    office: str = ""
    to: str = ""
    """disposition: the office that gets it."""
    attachments: str = ""
    echo: str = ""
    """True: these are our own words that come back."""


class Stream(Strict, frozen=True, kw_only=True):
    """A list of the portal's."""

    path: str = ""
    params: dict[str, str] = msgspec.field(default_factory=dict)
    """`{today}` and `{first_day}` are dates in the zone of the portal."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    poll: bool = True
    """False: it only comes by push."""
    format: Literal["json", "xml", "csv"] = "json"
    delimiter: str = ""
    """csv: empty: found by its headings."""
    items: str = ""
    """Where the rows stand: JMESPath on the answer; xml: on the content of the root."""
    success: str = ""
    """Must be true of an answer, for portals that answer 200 for errors as well."""
    ignore: tuple[str, ...] = ()
    """Fields of a row whose change means nothing: counters of views."""
    paging: Paging = Paging()
    watermark: Watermark | None = None
    detail: Call | None = None
    """Called for every new row; the answer stands in the row as `detail`."""
    message: MessageMap | None = None
    actions: tuple[ActionMap, ...] = ()


class Push(Strict, frozen=True, kw_only=True):
    """What the portal sends by itself to /in/ACCOUNT, proven with the account's `push_secret`."""

    type: Literal["key", "hmac-sha256", "standard-webhooks"]
    stream: str
    items: str = ""
    """Where the rows stand in the body; empty: as in the stream, or the body itself."""
    header: str = "x-api-key"
    prefix: str = ""
    base64: bool = False
    """hmac-sha256: the signature is base64, not hex."""


class Find(Strict, frozen=True, kw_only=True):
    """How it is found out whether a call was done that had no answer: our mark stands in `words` of one of `items`."""

    path: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    items: str = ""
    words: str
    id: str = ""


class Tell(Strict, frozen=True, kw_only=True):
    """How the portal is told something. Values in braces: {native}, {number}, {reference}, {text}, {title}, {status},
    {office}, {mark}."""

    what: tuple[ForwardKind, ...]
    path: str
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    json: dict[str, Any] = msgspec.field(default_factory=dict)
    form: dict[str, str] = msgspec.field(default_factory=dict)
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    success: str = ""
    """Must be true of the answer."""
    id: str = ""
    """complaint: where its id stands in the answer."""
    idempotent: bool = False
    """The portal knows a repeated call by {reference}."""
    find: Find | None = None


class StatusCall(Strict, frozen=True, kw_only=True):
    """How one complaint's status is read, for the nightly comparison: {native} is its number there. 404: it is gone."""

    path: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    status: str
    """Where the answer has the status; its word is one of [tables.status]."""


class Tables(Strict, frozen=True, kw_only=True):
    """The portal's words and ours. A word that is not here is kept as it is."""

    status: dict[str, Status] = msgspec.field(default_factory=dict)
    category: dict[str, str] = msgspec.field(default_factory=dict)
    office: dict[str, str] = msgspec.field(default_factory=dict)
    region: dict[str, str] = msgspec.field(default_factory=dict)


class Manifest(Strict, frozen=True, kw_only=True):
    """A portal."""

    name: str
    url: str
    zone: str = "Asia/Jakarta"
    """Of times that come without one."""
    dates: Literal["strict", "day-first", "month-first"] = "strict"
    """How 05/08/2025 is read; strict: not at all."""
    poll_every: str = "5m"
    file_hosts: tuple[str, ...] = ()
    """Other hosts where its files lie."""
    auth: Auth = Auth()
    streams: dict[str, Stream]
    push: Push | None = None
    tell: tuple[Tell, ...] = ()
    status: StatusCall | None = None
    tables: Tables = Tables()
