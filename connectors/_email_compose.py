"""One reply as a mail. The same reply gives the same bytes, so a repeat can be recognised by its Message-ID."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote

from connectors._email_ids import TOKEN, own_id
from connectors._email_settings import EmailSettings
from schemas import Reject, Reply

SUBJECT = "Laporan Anda"
"""Where the citizen's mail had no subject."""
SUBJECT_LIMIT = 200
OFFICERS = frozenset({"officer_answer", "question", "status_changed", "finished", "test"})
"""Templates that a person has caused: a bounce of them must come back."""
_NO_REPLIES, _NO_REPLIES_BUT_BOUNCES = "All", "DR, RN, NRN, OOF, AutoReply"
"""What Exchange leaves out; "All" would take NDR in, its word for a bounce (MS-OXCMAIL, 2.1.3.2.20)."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_LINE_LIMIT = 900
_USED_TWICE = re.compile(r"(@[^@~]*)~[0-9a-f]{1,12}$")


class MailAddress(NamedTuple):
    """Where a reply goes, and what it needs of the mail that it answers. Written as mailto (RFC 6068)."""

    address: str
    subject: str = ""
    root: str = ""
    """Id of the first mail of the thread, where that is not the answered one."""

    def __str__(self) -> str:
        named = {"subject": self.subject[:SUBJECT_LIMIT], "references": self.root}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in named.items() if value)
        return f"mailto:{quote(self.address, safe='@')}?{query}" if query else self.address

    @classmethod
    def parse(cls, written: str) -> MailAddress:
        """The address in either form."""
        if not written.startswith("mailto:"):
            return cls(written)
        address, _, query = written.removeprefix("mailto:").partition("?")
        named = {name: values[0] for name, values in parse_qs(query).items()}
        return cls(unquote(address), named.get("subject", ""), named.get("references", ""))


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail, and its envelope."""

    id: str
    """Message-ID, without brackets."""
    sender: str
    recipient: str
    message: EmailMessage
    null_sender: bool

    @property
    def needs_smtputf8(self) -> bool:
        """Does an address hold other letters than ASCII before its @?"""
        return not (self.sender.isascii() and self.recipient.isascii())

    def as_bytes(self, *, eight_bit: bool) -> bytes:
        """The bytes to be sent, with CRLF. `eight_bit`: the server takes 8BITMIME."""
        message = self.message
        text = message.get_content()
        long_line = any(len(line.encode()) > _LINE_LIMIT for line in text.splitlines())
        coding = "7bit" if text.isascii() and not long_line else "8bit" if eight_bit and not long_line else "base64"
        message.set_content(text, cte=coding)
        policy = SMTP.clone(max_line_length=_LINE_LIMIT, utf8=self.needs_smtputf8, cte_type="8bit")
        return message.as_bytes(policy=policy)


def compose(reply: Reply, settings: EmailSettings) -> OutgoingMail:
    """The mail of a reply. Raises Reject where none can be made."""
    to = MailAddress.parse(reply.to)
    recipient = _with_ascii_domain(to.address)
    id = own_id(reply.id, _thread(reply.conversation), settings.address)
    answered = _answered(reply)
    message = EmailMessage(policy=SMTP)
    fields = {
        "From": formataddr((_CONTROLS.sub(" ", settings.name), settings.address))
        if settings.name
        else settings.address,
        "To": recipient,
        "Subject": f"Re: {subject}" if (subject := _CONTROLS.sub(" ", to.subject).strip()) else SUBJECT,
        "Date": format_datetime(reply.created_at),
        "Message-ID": f"<{id}>",
        "In-Reply-To": f"<{answered}>" if answered else "",
        "References": " ".join(f"<{one}>" for one in dict.fromkeys((_clean_id(to.root), answered)) if one),
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": _NO_REPLIES if _without_sender(reply, settings) else _NO_REPLIES_BUT_BOUNCES,
    }
    try:
        for name, value in fields.items():
            if value:
                message[name] = value
        message.set_content(reply.text)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError):
        raise Reject("unusable_address", "no mail can be written to this address") from None
    return OutgoingMail(id, settings.address, recipient, message, _without_sender(reply, settings))


def _without_sender(reply: Reply, settings: EmailSettings) -> bool:
    return settings.envelope == "null" or (settings.envelope == "auto" and reply.template not in OFFICERS)


def _with_ascii_domain(address: str) -> str:
    """The domain in its ASCII form, which every server takes. Raises Reject."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain or re.search(r"[\s<>,;:\"\\\x00-\x1f]", address.strip()):
        raise Reject("unusable_address", "the sender gave no address that a mail can go to")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise Reject("unusable_address", "the sender's domain is none") from None


def _thread(conversation: str) -> str:
    token = conversation.rpartition("/")[2]
    if re.fullmatch(rf"[0-9a-f]{{{TOKEN}}}", token):
        return token
    return sha256(conversation.encode("utf-8", "surrogatepass")).hexdigest()[:TOKEN]


def _answered(reply: Reply) -> str:
    """The id of the mail that is answered; empty where it had none."""
    return _clean_id(_USED_TWICE.sub(r"\1", reply.in_reply_to or ""))


def _clean_id(id: str) -> str:
    right = id.isascii() and id.isprintable() and not re.search(r"[\s<>]", id) and len(id) <= 500
    return id if right and not id.startswith(("sha256:", "~")) else ""
