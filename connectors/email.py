"""E-mail: a mailbox that is read by IMAP, and answers by SMTP.

A request is one mail as bytes. The mailbox's session stands in `_email_session.py`, the reading of heads and bodies in
`_email_headers.py` and `_email_body.py`, threads and ids in `_email_ids.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from connectors._email_automatic import BOUNCE, refusal_of
from connectors._email_body import MailBody, MailFile, parse_mail, read_body
from connectors._email_bounces import ReplyReport, bounced_reply, is_report, read_report
from connectors._email_compose import MailAddress, compose
from connectors._email_cursor import gap_between
from connectors._email_headers import Address, MailHead
from connectors._email_ids import native_id_of, references_of, thread_of
from connectors._email_proof import is_proven
from connectors._email_quotes import trim_reply
from connectors._email_session import AT, NOT_GIVEN, SIZE, EmailSession, Suspects, open_session
from connectors._email_settings import EmailSettings
from connectors._port import Connects, Gap, Intake, Item, ProviderConnections, RenewedSecret, SentReply, Session, Speaks
from connectors._request import Part, Payload, Request
from schemas import AccountFault, Attachment, Message, MessageKind, Party, Raw, Receipt, Reject, Reply, Retry

_ANSWERS = r"\s*(?:re|aw|bls|balas|rv)\s*(?:\[\d{1,3}\])?\s*:"
_FORWARDS = r"\s*(?:fwd?|fw|wg|trs|teruskan|terusan|tr)\s*:"
_PREFIX = re.compile(f"(?:{_ANSWERS}|{_FORWARDS})+", re.IGNORECASE)
_ANSWERED = re.compile(_ANSWERS, re.IGNORECASE)
_FORWARDED = re.compile(_FORWARDS, re.IGNORECASE)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_TEXTS = frozenset({"text/plain", "text/html"})
_AHEAD = timedelta(days=1)
"""A mail that is dated later than this after its receipt has a wrong date."""
_TITLE_LIMIT = 500


class SeenMail(NamedTuple):
    """What a mail's head says."""

    head: MailHead
    native: str
    references: list[str]
    sender: Address
    person: Address
    """Who wrote, and gets the answer. A form on a website or a list sends in its own name and names the citizen in
    Reply-To."""
    refusal: str | None
    report: ReplyReport | None


class EmailChannel(Connects, Speaks):
    kind = "email"
    settings_type = EmailSettings
    conversational = True
    send_at_once = 4
    marks_start = True
    outbound_settings = ("imap", "smtp", "address")
    template = """\
imap = ""                      # imaps://imap.example.go.id:993
smtp = ""                      # smtps://smtp.example.go.id:465
address = ""                   # pengaduan@example.go.id
# username = ""                # where it is not the address
# password = "env:MAIL_PASSWORD"
# folder = "INBOX"
# after = "seen"               # or "move" (to done_folder), or "leave"
# since = "2026-01-01"         # leave older mail alone; without it the whole folder is taken in
# trusted_server = ""          # our own server's name in Authentication-Results; without it no sender is proven
# [{name}.oauth]               # in the place of the password: Microsoft 365, Google Workspace
# token_url = "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"
# client_id = ""
# client_secret = "env:MAIL_CLIENT_SECRET"
# scope = "https://outlook.office365.com/.default"
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        self._suspects = Suspects()

    @property
    def outbound_urls(self) -> Sequence[str]:
        if self.missing_setting:
            return ()
        servers = (("imap", self.settings.imap_server), ("smtp", self.settings.smtp_server))
        return tuple(f"{name}://{server.host}:{server.port}" for name, server in servers)

    @property
    def missing_for_intake(self) -> str | None:
        return None if self.settings.imap else "imap"

    def setup_help(self, url: str) -> str:
        return (
            "make a mailbox for complaints alone, switch on IMAP, enter imap, smtp, address and password (or oauth), "
            "then call satupintu channels test with the account's name"
        )

    def reply_address(self, message: Message) -> str:
        address = message.conversation.rpartition("/")[0]
        return str(MailAddress(address, message.title, message.extra.get("thread", ""))) if address else ""

    def enclosed_files(self, request: Request) -> Iterable[bytes]:
        fields = MailHead.parse(request.body).fields
        if fields.get_content_type() in _TEXTS and fields.get_content_disposition() != "attachment":
            return ()  # nearly every mail without files
        try:
            return [file.body for file in read_body(parse_mail(request.body)).files]
        except Reject:
            return ()

    def parts(self, payload: Payload) -> Iterator[Part]:
        if payload.headers.get(NOT_GIVEN):
            raise Reject("mail_not_given", "the mail server cannot give this mail: look at it in the mailbox")
        seen = self._seen(payload.body)
        in_thread = bool(seen.person.address) and seen.report is None
        yield Part(seen, f"{seen.person.address}/{thread_of(seen.native, seen.references)}" if in_thread else None)

    def read(self, part: Part, raw: Raw) -> Item:
        seen: SeenMail = part.payload
        if seen.report is not None:
            return self._receipt(seen.report, raw)
        return self._message(seen, part.conversation or raw.id, raw)

    def _seen(self, mail: bytes) -> SeenMail:
        head = MailHead.parse(mail)
        if not mail.strip() or (not head.is_head and _NOT_TEXT.search(mail)):
            raise Reject("not_a_mail", "there is no mail in it")
        own = self.settings.own_addresses
        sender = next(iter(head.addresses("from") or head.addresses("sender", "return-path")), Address("", ""))
        report = read_report(parse_mail(mail)) if is_report(head) else None
        refusal = (BOUNCE if is_report(head) else None) or refusal_of(head, own)
        if report is None and refusal == BOUNCE:
            report = bounced_reply(mail.decode("latin-1"), head.words("subject"))
        native, references = native_id_of(head, mail), references_of(head)
        return SeenMail(head, native, references, sender, _person(head, sender, own), refusal, report)

    def _receipt(self, report: ReplyReport, raw: Raw) -> Receipt:
        return self.receipt(
            raw,
            state=report.state,
            at=raw.received_at,
            native_id=report.of,
            reply=report.own.reply,
            reason=report.reason,
        )

    def _message(self, seen: SeenMail, conversation: str, raw: Raw) -> Message:
        body = read_body(parse_mail(raw.body, has_head=seen.head.is_head))
        subject = seen.head.words("subject")[:_TITLE_LIMIT].strip()
        title = subject[found.end() :].strip() if (found := _PREFIX.match(subject)) else subject
        is_reply = bool(seen.references or _ANSWERED.match(subject))
        text = trim_reply(body.text, is_reply=is_reply, is_forward=bool(_FORWARDED.match(subject)))
        return self.message(
            raw,
            seen.native,
            conversation,
            fingerprint=_fingerprint(seen, title, text) if seen.head.message_id else None,
            sent_at=self._sent_at(seen.head, raw),
            sender=Party(name=seen.person.name[:200] or None, email=seen.person.address or None),
            proven=self._is_proven(seen),
            kind=_kind(text, body),
            text=text or title,
            title=title if text else "",
            attachments=(*map(_attachment, body.files), *_missing_rest(raw)),
            refers_to=seen.references[-1] if seen.references else None,
            refusal=seen.refusal,
            answerable=bool(seen.person.address),
            extra=self._extra(seen, raw),
        )

    def _is_proven(self, seen: SeenMail) -> bool:
        """Whoever fills in a form names any address: the form's own proves nobody."""
        is_own = seen.person.address == seen.sender.address
        return is_own and is_proven(seen.head, seen.sender.address, self.settings.trusted_server)

    def _sent_at(self, head: MailHead, raw: Raw) -> datetime | None:
        written = head.time(ZoneInfo(self.settings.zone))
        if written is not None and written <= raw.received_at + _AHEAD:
            return written
        try:
            return datetime.fromisoformat(raw.headers.get(AT, ""))
        except ValueError:
            return None

    def _extra(self, seen: SeenMail, raw: Raw) -> dict[str, str]:
        to = {to.address for to in seen.head.addresses("to", "cc")} & self.settings.own_addresses
        found = {"to": ", ".join(sorted(to)), "full_size": raw.headers.get(SIZE, "")}
        if seen.references and seen.references[0] != seen.references[-1]:
            found["thread"] = seen.references[0]
        return {name: value for name, value in found.items() if value}

    def connect(
        self, intake: Intake, cursor: str | None, renewed: RenewedSecret | None = None
    ) -> AbstractAsyncContextManager[Session]:
        if not self.settings.imap:  # a mailbox may be read without a way to answer
            raise AccountFault("setting_missing", "set imap of this account")
        return open_session(self.settings, intake, cursor, self._suspects, renewed)

    def gap(self, before: str, after: str, taken: int) -> Gap | None:
        return gap_between(before, after)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        self.require_outbound()
        if not isinstance(outbound.session, EmailSession):
            raise Retry("no session")
        mail = compose(reply, self.settings)
        await outbound.session.send(mail, outbound.before_arrival)
        return SentReply((mail.id,))


def _person(head: MailHead, sender: Address, own: frozenset[str]) -> Address:
    """Nobody where only a list's address or our own is named: an answer would go to all its readers, or end here."""
    nobody = own | {list.address for list in head.addresses("list-post")}
    named = [one for one in head.addresses("reply-to") if one.address not in nobody]
    if len(named) != 1 and sender.address in nobody:  # a list that writes in its own name says whose words they are
        named = [one for one in head.addresses("x-original-from", "x-original-sender") if one.address not in nobody][:1]
    if len(named) == 1 and named[0].address != sender.address:
        return Address(named[0].name or sender.name, named[0].address)
    return Address(sender.name, "") if sender.address in nobody else sender


def _attachment(file: MailFile) -> Attachment:
    return Attachment(
        name=file.name, media_type=file.media_type, size=len(file.body), sha256=sha256(file.body).hexdigest(),
        state="fetched",
    )  # fmt: skip


def _missing_rest(raw: Raw) -> Iterator[Attachment]:
    """Of a mail that is larger than the account takes, the rest is named."""
    if (size := raw.headers.get(SIZE, "")).isdigit():
        yield Attachment(name="surel-lengkap.eml", media_type="message/rfc822", size=int(size), state="refused")


def _kind(text: str, body: MailBody) -> MessageKind:
    if text or not body.files:
        return "text"
    main = body.files[0].media_type.partition("/")[0]
    kinds: dict[str, MessageKind] = {"image": "image", "audio": "audio", "video": "video"}
    return kinds.get(main, "document")


def _fingerprint(seen: SeenMail, *words: str) -> str:
    """The same mail in another mailbox of ours."""
    parts = (seen.native, seen.sender.address, seen.head.first("date"), *words)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
