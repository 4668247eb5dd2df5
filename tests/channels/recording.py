"""A channel's recording, `tests/channels/KIND.json`, and how it becomes requests, Raws and settings.

settings       the account's settings; every secret in plain words
proof          how a request shows where it comes from: {"query": NAME, "secret": SETTING}, {"header": NAME, "secret":
               SETTING}, or {"header": NAME, "prefix": …, "hmac-sha256": SETTING}; none for who does not listen
one_a_request  true where a request never holds several messages; else a case with several is asked for
received       cases: {name, request: {method, query, headers, json | text}, conversations, items}; an item is compared
               in the fields that it names; {"reject": WORDS} is a part that makes no sense
sends          {url: SETTING, reply, answer: {status, json | text}, native_id, asked: {method, path, params, json}}
fetches        {url: SETTING, attachment, answers: [{status, json | text}], bytes, media_type}; {url} is the server's
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from connectors import Channel, Listens, Request, channel_type, secret_hook
from schemas import Message, Raw, Receipt, Reject, Reply

FOLDER = Path(__file__).parent
AT = datetime(2025, 8, 18, 2, 0, tzinfo=UTC)


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
    return json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))


def recorded() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def cases(kind: str) -> list[Case]:
    return [_case(kind, told) for told in recording(kind)["received"]]


def channel(kind: str, **settings: Any) -> Any:
    """The recording's account, with other settings where they are named."""
    made = channel_type(kind)
    told = recording(kind)["settings"] | settings
    return made("rekam", "32.73", msgspec.convert(told, made.settings_type, dec_hook=secret_hook))


def secrets(kind: str) -> list[str]:
    """Every secret of the recording, in plain words."""
    told = recording(kind)["settings"]
    names = [f.name for f in msgspec.structs.fields(channel_type(kind).settings_type) if "Secret" in str(f.type)]
    values = [told.get(name, []) for name in names]
    return [v for value in values for v in (value if isinstance(value, list) else [value])]


def raw(kind: str, request: Request, *, id: str = "raw-1", conversation: str | None = None, rest: bool = False) -> Raw:
    """As a door stores it."""
    made = channel_type(kind)
    kept = made.kept_headers if issubclass(made, Listens) else tuple(request.headers)
    headers = {name: request.headers[name] for name in kept if name in request.headers}
    return Raw(
        id=id, account="rekam", channel=kind, owner="32.73", received_at=AT, method=request.method, query=request.query,
        headers=headers, body=request.body, conversation=conversation, rest=rest,
    )  # fmt: skip


def read(channel: Channel, raw: Raw) -> list[Message | Receipt | Reject]:
    """The items; a Reject of the whole is one of them. Any other exception is the channel's fault."""
    items: list[Message | Receipt | Reject] = []
    try:
        items.extend(channel.parse(raw))
    except Reject as reject:
        items.append(reject)
    return items


def shown(item: Message | Receipt | Reject) -> dict[str, Any]:
    return {"reject": item.reason} if isinstance(item, Reject) else json.loads(msgspec.json.encode(Full(item)))


def Full(item: Message | Receipt) -> dict[str, Any]:
    """With the fields that have their defaults, which the wire leaves out."""
    return {f.name: getattr(item, f.name) for f in msgspec.structs.fields(item)}


def proven(kind: str, request: Request, **secrets: str) -> Request:
    """The request with its proof, made with other secrets where they are named."""
    proof = recording(kind)["proof"]
    secret = (recording(kind)["settings"] | secrets)[proof_secret(kind)]
    if "query" in proof:
        return replace(request, query=f"{request.query}&{urlencode({proof['query']: secret})}".strip("&"))
    if "hmac-sha256" in proof:
        secret = proof["prefix"] + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={**request.headers, proof["header"]: secret})


def proof_secret(kind: str) -> str:
    """The setting that the proof is made with."""
    proof = recording(kind)["proof"]
    return proof.get("secret") or proof["hmac-sha256"]


def reply(kind: str, text: str = "Laporan Anda kami terima, nomor 4719360285.") -> Reply:
    told = {"conversation": "k", "to": "k"} | recording(kind)["sends"]["reply"]
    return Reply(
        id="balasan-1", account="rekam", channel=kind, text=text, template="number_given", created_at=AT, **told
    )


def _case(kind: str, told: dict[str, Any]) -> Case:
    said = told["request"]
    body = json.dumps(said["json"], ensure_ascii=False) if "json" in said else said.get("text", "")
    request = Request(said.get("method", "POST"), said.get("query", ""), said.get("headers", {}), body.encode())
    return Case(kind, told["name"], request, told.get("conversations", []), told["items"])
