"""`parse`: what a payload means, as the pipeline would read it. Nothing is stored, no signature asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import click
import msgspec

from hub.clock import utc_now
from hub.commands import load_call_settings, print_json, print_message
from hub.commands._rows import rows_of
from hub.settings import UsageError, did_you_mean
from schemas import Action, Body, Dead, Event, Message, Raw, Receipt

if TYPE_CHECKING:
    from connectors import Channel, Settings

_RAWS = UUID("c9b0c1de-6f0c-5c6b-8f62-1a35f86c2f6b")
_ATTACHMENT = ("native_id", "media_type", "name", "url", "size")
_PLACE = ("code", "level", "name", "lat", "lon", "words")


@click.command()
@click.argument("kind")
@click.argument("file", required=False)
@click.option("--account", metavar="NAME", help="As this account reads it. [the kind's name, no settings]")
@click.option("--manifest", metavar="FILE", help="portal, database: as this manifest describes it.")
@click.option("--stream", default="", metavar="NAME", help="Which of its streams or views. [that of pushes; the first]")
@click.option("--header", "headers", multiple=True, metavar="K=V", help="A header of the request; as often as needed.")
@click.option("--query", default="", metavar="S", help="The query string of the request.")
def parse(  # noqa: PLR0917 - click names them
    kind: str,
    file: str | None,
    account: str | None,
    manifest: str | None,
    stream: str,
    headers: Sequence[str],
    query: str,
) -> None:
    """What a payload means, a JSON line an item. FILE - or none reads standard input; with --query, none is no body.

    \b
    Example:
      satupintu parse whatsapp webhook.json
      satupintu parse portal jawaban.json --manifest portal-daerah
      satupintu parse sms --query 'from=%2B6281200001234&to=1708&text=LAPOR+jalan+rusak'
    """
    channel = portal_of(manifest, account) if manifest else channel_for(kind, account)
    if not getattr(channel.settings, "manifest", "none is needed"):
        raise UsageError(f"{kind} is read by a manifest: name one with --manifest, or an --account that has one")
    file = file or ("" if query else "-")
    raws = _rows(file, channel) if kind == "file" else payload_of(file, channel, _pairs(headers), query, stream)
    refused = [item for item in items_of(channel, raws) if print_item(item)]
    if refused:
        click.get_current_context().exit(2)


def items_of(channel: Channel, raws: Iterable[Raw]) -> Iterable[Event]:
    """The items, as the pipeline would read them."""
    from normalizer import Reader

    ids = iter(range(10**9))
    return Reader({channel.account: channel}.get).read(raws, now=utc_now, new_id=lambda: str(next(ids)))


def portal_of(manifest: str, account: str | None) -> Channel:
    """A portal or a database as the manifest describes it. Raises UsageError."""
    from connectors import channel_type
    from connectors._database_manifest import is_database_manifest

    portal = channel_type("database" if is_database_manifest(manifest) else "portal")
    try:
        return portal(account or portal.kind, "", portal.settings_type(manifest=manifest))
    except ValueError as error:
        raise UsageError(str(error)) from None


def channel_for(kind: str, account: str | None) -> Channel:
    """The account of that name in the channels file; where there is no file, one of that kind without settings.
    Raises UsageError."""
    from connectors import channel_type
    from hub.commands._known_account import require_kind

    require_kind(kind)
    if account and (found := _configured(kind, account)):
        return found
    channel = channel_type(kind)
    return channel(account or kind, "", _bare(channel.settings_type))


def _configured(kind: str, account: str) -> Channel | None:
    from hub.accounts_file import load_accounts

    own = load_call_settings()
    if not own.channels.exists():
        return None
    accounts = load_accounts(own.channels, zone=own.zone.key).channels
    if (found := accounts.get(account)) is None:
        raise UsageError(
            f"{account} is no account of {own.channels}{did_you_mean(account, accounts)}: "
            f"it has {', '.join(accounts) or 'none'}"
        )
    if found.kind != kind:
        raise UsageError(f"account {account} is of kind {found.kind}: call satupintu parse {found.kind}")
    return found


def _bare(settings_type: type[Settings]) -> Settings:
    """Settings of which only the hub's zone is set: no signature is asked for, nothing is sent."""
    from hub.accounts_file import zone_setting

    zone = zone_setting(settings_type, load_call_settings().zone.key)
    needed = (f for f in msgspec.structs.fields(settings_type) if f.required)
    return settings_type(**{f.name: f.type("") for f in needed if isinstance(f.type, type)} | zone)


def _rows(file: str, channel: Channel) -> Iterator[Raw]:
    from connectors._rows import raw_from_row

    with rows_of(file, channel.settings.columns) as rows:
        for row in rows:
            yield raw_from_row(row, channel, id=str(uuid5(_RAWS, row.name)), at=utc_now())


def payload_of(file: str, channel: Channel, headers: dict[str, str], query: str, path: str = "") -> Iterator[Raw]:
    from connectors._report import ReportChannel
    from hub.commands._rows import open_file

    body = b""
    if file:
        with open_file(file) as stream:
            body = stream.read()
    raw = Raw(
        id=str(uuid5(_RAWS, f"{channel.kind}/{channel.account}?{query}#{body.hex()}")),
        account=channel.account,
        channel=channel.kind,
        owner=channel.owner,
        received_at=utc_now(),
        method="POST" if body else "GET",
        path=f"/{path}" if path else "",
        query=query,
        headers=headers,
        body=Body(body),
    )
    if isinstance(channel, ReportChannel):
        from hub.commands._web_report import as_stored

        raw = as_stored(raw)
    yield raw


def _pairs(headers: Sequence[str]) -> dict[str, str]:
    found = {}
    for header in headers:
        name, equals, value = header.partition("=")
        if not equals or not name:
            raise UsageError(f"--header takes NAME=VALUE, not {header!r}")
        found[name.strip().lower()] = value
    return found


def print_item(item: Event) -> bool:
    """Print it. True where it cannot be read."""
    if isinstance(item, Dead):
        print_message(f"satupintu: {item.detail or item.code}")
    elif isinstance(item, Message):
        print_json(_message(item))
    elif isinstance(item, Action):
        print_json(_action(item))
    elif isinstance(item, Receipt) and item.state != "empty":
        print_json(_receipt(item))
    return isinstance(item, Dead)


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "native_id": message.native_id,
        "conversation": message.conversation,
        "sender": message.sender,
        "kind": message.kind,
        "text": message.text,
        "title": message.title,
        "sent_at": message.sent_at,
        "refers_to": message.refers_to,
        "attachments": [{name: getattr(a, name) for name in _ATTACHMENT} for a in message.attachments],
        "place": {name: getattr(message.place, name) for name in _PLACE} if message.place else None,
        "refusal": message.refusal,
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "kind": "action",
        "id": action.id,
        "what": action.what,
        "of": action.number or action.of,
        "text": action.text,
        "status": action.status,
        "status_said": action.status_said,
        "at": action.observed_at or action.received_at,
    }


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "kind": "receipt",
        "of": receipt.native_id or receipt.reply,
        "state": receipt.state,
        "conversation": receipt.conversation,
        "at": receipt.at,
        "reason": receipt.reason,
    }
