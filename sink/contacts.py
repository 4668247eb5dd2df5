"""Personal values that are sealed as one: a sender with the address for answers, the source of a file."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas import Attachment, Message, Party, encode
from sink.identifiers import Identifiers
from sink.vault import Vault

ReplyAddressOf = Callable[[Message], str]
"""The channel's own address for an answer to a message (`Channel.reply_address` of its account)."""


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """Who sent a message, and where an answer to it goes."""

    party: Party
    conversation: str
    to: str | None = None
    """The channel's own address of the person; None: as `conversation`."""
    native: str | None = None
    """The channel's id of the message, where `messages.public_id` does not hold it."""

    @property
    def address(self) -> str:
        """The channel's own address of the person."""
        return self.to or self.conversation

    @property
    def person(self) -> str:
        """The identity that the day's budget of automatic answers counts."""
        return self.party.phone or self.party.email or self.party.user or self.conversation


class AttachmentSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """From where a file is fetched."""

    native_id: str | None = None
    url: str | None = None


_contact = msgspec.json.Decoder(Contact).decode
_source = msgspec.json.Decoder(AttachmentSource).decode


def contact_of(message: Message, ids: Identifiers, reply_address: ReplyAddressOf) -> Contact:
    """The contact of the message's sender."""
    to = reply_address(message)
    return Contact(
        party=message.sender, conversation=message.conversation,
        to=None if to == message.conversation else to,
        native=message.native_id if ids.is_personal(message.channel) else None,
    )  # fmt: skip


def seal_contact(vault: Vault, contact: Contact) -> bytes:
    """The contact, encrypted for the column `parties.sealed`."""
    return vault.seal(encode(contact).decode(), "parties.sealed")


def unseal_contact(vault: Vault, sealed: bytes) -> Contact:
    """The contact that the column `parties.sealed` holds. Raises WrongKeys."""
    return _contact(vault.open(sealed, "parties.sealed"))


def seal_attachment_source(vault: Vault, file: Attachment) -> bytes | None:
    """The source, encrypted for the column `attachments.source`; None: the channel named no source."""
    if file.native_id is None and file.url is None:
        return None
    source = AttachmentSource(native_id=file.native_id, url=file.url)
    return vault.seal(encode(source).decode(), "attachments.source")


def unseal_attachment_source(vault: Vault, sealed: bytes | None) -> AttachmentSource:
    """The source that the column `attachments.source` holds. Raises WrongKeys."""
    return AttachmentSource() if sealed is None else _source(vault.open(sealed, "attachments.source"))
