"""A channel's recording, `tests/channels/KIND.json`, and how it becomes requests, Raws and settings.

settings       the account's settings; every secret in plain words
proof          how a request shows where it comes from: {"query": NAME, "secret": SETTING}, {"header": NAME, "secret":
               SETTING}, or {"header": NAME, "prefix": …, "hmac-sha256": SETTING, "base64": true or none, which is hex};
               none for channels that do not listen
one_a_request  true where a request never holds several messages; else a case with several is asked for
received       a list of cases: {name, request: {method, path, query, headers, json | text}, conversations, items}; an
               item is compared in the fields that it names; {"reject": CODE} is a part that makes no sense
sends          one object: {url: SETTING, reply, answer: {status, json | text}, native_ids, request: {method, path,
               params, json}, errors: [{answer, error: CLASS, code | reason, after}]}
fetches        one object: {url: SETTING, attachment, answers: [{status, json | text}], bytes, media_type, errors,
               file_limit: SETTING}; {url} in an answer or the attachment is the server's
fetches_without_http   true for a channel whose files lie elsewhere than at an HTTP server; it has tests of its own
sends_mail     one object: {reply, native_ids, envelope, headers, text}, of a channel that sends mails
polls          one object: {url: SETTING, cursor, answers, requests: how many, next, more, asks: [{path, params}],
               errors}
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from connectors import Channel, HttpResponse, Item, Listens, Request, channel_type, secret_hook
from schemas import Attachment, Body, Raw, Reject, Reply
from tests.channels.made_up.guide import BLOCKS
from tests.fakes.server import Server, answer

FOLDER = Path(__file__).parent
AT = datetime(2025, 8, 18, 2, 0, tzinfo=UTC)
FILES = {path.stem for path in FOLDER.glob("*.json")}
"""Kinds that have a file in `connectors/`; the others are made up."""
TEXTS = {"suara": BLOCKS["json"]} | {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.json")}


@dataclass(frozen=True)
class Case:
    """One request of a recording, and what it means."""

    kind: str
    name: str
    request: Request
    conversations: list[str | None]
    items: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@cache
def recording(kind: str) -> dict[str, Any]:
    return json.loads(TEXTS[kind])


def recorded() -> list[str]:
    """Every kind with a recording, the made-up ones included."""
    return sorted(TEXTS)


def able(ability: type[Channel]) -> list[str]:
    """The recorded kinds with that ability."""
    return [kind for kind in recorded() if issubclass(channel_type(kind), ability)]


def cases(kind: str) -> list[Case]:
    return [_case(kind, fields) for fields in recording(kind)["received"]]


def channel(kind: str, **settings: Any) -> Any:
    """The recording's account, with other settings where they are named."""
    made, fields = channel_type(kind), dict(recording(kind)["settings"])
    for name, value in settings.items():
        fields[name] = [value] if isinstance(value, str) and isinstance(fields.get(name), list) else value
    return made("rekam", "32.73", msgspec.convert(fields, made.settings_type, dec_hook=secret_hook))


def speaking(kind: str, doing: str, url: str, /, **settings: Any) -> Any:
    """The account with its provider at `url`; `doing` is sends, fetches or polls."""
    return channel(kind, **{recording(kind)[doing]["url"]: url} | settings)


def secrets(kind: str) -> list[str]:
    """Every secret of the recording, in plain words."""
    fields = recording(kind)["settings"]
    names = [f.name for f in msgspec.structs.fields(channel_type(kind).settings_type) if "Secret" in str(f.type)]
    values = [fields.get(name, []) for name in names]
    values = [list(value.values()) if isinstance(value, dict) else value for value in values]
    return [v for value in values for v in (value if isinstance(value, list) else [value])]


def raw(kind: str, request: Request, *, id: str = "raw-1", parts: tuple[int, ...] | None = None) -> Raw:
    """As the ingress stores it."""
    made = channel_type(kind)
    kept = made.kept_headers if issubclass(made, Listens) else tuple(request.headers)
    headers = {name: request.headers[name] for name in kept if name in request.headers}
    return Raw(
        id=id, account="rekam", channel=kind, owner="32.73", received_at=AT, method=request.method, path=request.path,
        query=request.query, headers=headers, body=Body(request.body), parts=parts,
    )  # fmt: skip


def read(channel: Channel, raw: Raw) -> list[Item]:
    """The items; a Reject of the whole is one of them. Any other exception is the channel's fault."""
    items: list[Item] = []
    try:
        items.extend(channel.parse(raw))
    except Reject as reject:
        items.append(reject)
    return items


def shown(item: Item) -> dict[str, Any]:
    """An item as JSON, with the fields that have their defaults, which the wire leaves out."""
    if isinstance(item, Reject):
        return {"reject": item.code}
    fields = {f.name: getattr(item, f.name) for f in msgspec.structs.fields(item)}
    if hasattr(item, "native_id"):
        fields["native_id"] = item.native_id
    return json.loads(msgspec.json.encode(fields))


def proven(kind: str, request: Request, **secrets: str) -> Request:
    """The request with its proof, made with other secrets where they are named."""
    proof = recording(kind)["proof"]
    secret = (recording(kind)["settings"] | secrets)[proof_secret(kind)]
    secret = secret[0] if isinstance(secret, list) else secret
    if "query" in proof:
        return replace(request, query=f"{request.query}&{urlencode({proof['query']: secret})}".strip("&"))
    if "hmac-sha256" in proof:
        digest = hmac.digest(secret.encode(), request.body, hashlib.sha256)
        secret = proof["prefix"] + (b64encode(digest).decode() if proof.get("base64") else digest.hex())
    return replace(request, headers={**request.headers, proof["header"]: secret})


def proof_secret(kind: str) -> str:
    """The setting that the proof is made with."""
    proof = recording(kind)["proof"]
    return proof.get("secret") or proof["hmac-sha256"]


def reply(kind: str, text: str = "Laporan Anda kami terima, nomor 4719360285.", **fields: Any) -> Reply:
    """A reply of the recording's account."""
    recorded = recording(kind).get("sends", {}).get("reply", {})
    given = {"id": "balasan-1", "conversation": "k", "to": "k", "template": "number_given"} | recorded | fields
    return Reply(account="rekam", channel=kind, text=text, created_at=AT, **given)


def attachment_of(kind: str, server: Server) -> Attachment:
    """The recorded attachment, with the server's address in it."""
    fields = recording(kind)["fetches"]["attachment"]
    return Attachment(**{name: value.replace("{url}", server.url) for name, value in fields.items()})


def answer_of(recorded: dict[str, Any], server: Server) -> HttpResponse:
    """A recorded answer, with the server's address in it."""
    body = recorded.get("json", recorded.get("text", ""))
    if isinstance(body, dict):
        body = {k: v.replace("{url}", server.url) if isinstance(v, str) else v for k, v in body.items()}
    return answer(recorded["status"], body, **recorded.get("headers", {}))


def _case(kind: str, fields: dict[str, Any]) -> Case:
    request = fields["request"]
    body = json.dumps(request["json"], ensure_ascii=False) if "json" in request else request.get("text", "")
    made = Request(
        request.get("method", "POST"), request.get("path", ""), request.get("query", ""), request.get("headers", {}),
        body.encode(),
    )  # fmt: skip
    return Case(kind, fields["name"], made, fields.get("conversations", []), fields["items"])
