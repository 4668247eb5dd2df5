"""The way out by SMTP, blocking: to be called in a thread. The server's codes by stage, and by RFC 3463's status.

A 4xx is `Retry` and a 5xx `Reject`, but for those that concern the account. Silence after the mail was written is
`Unanswered`: it may have arrived, and is not sent again.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress

from connectors._email_compose import OutgoingMail
from connectors._email_connecting import connection_fault, tls_context, unusable_password
from connectors._email_settings import EmailSettings
from connectors._http import ErrorMeaning
from schemas import AccountFault, PipelineError, Reject, Retry, Unanswered

CONNECT_WITHIN = 20.0
STEP_WITHIN = 60.0
"""Seconds that the server has for an answer to anything but the mail itself."""
_HOUR = 3600.0
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")
_LIMIT = ErrorMeaning("account", "daily_limit", "the provider's limit of mails is reached", _HOUR)
_SENDER = ErrorMeaning("account", "sender_refused", "this login may not send from the account's address")
_LOGIN = ErrorMeaning("account", "wrong_password", "check username and password, or oauth, of this account")
_BLOCKED = ErrorMeaning("account", "blocked", "the provider has barred us from sending: see its admin centre", _HOUR)
_MICROSOFT_BLOCKS = ("5.7.501", "5.7.502", "5.7.503", "5.7.508", "5.7.700", "5.7.705", "5.7.708", "5.7.750")
_UNKNOWN = ErrorMeaning("reject", "mailbox_unknown", "the citizen's address does not exist")
_BY_STATUS = {
    "5.1.1": _UNKNOWN, "5.1.10": _UNKNOWN, "5.1.2": _UNKNOWN, "5.1.3": _UNKNOWN, "5.1.6": _UNKNOWN,
    "5.2.1": ErrorMeaning("reject", "mailbox_disabled", "the citizen's mailbox takes no mail"),
    "5.2.2": ErrorMeaning("reject", "mailbox_full", "the citizen's mailbox is full"),
    "5.1.90": _LIMIT, "5.4.5": _LIMIT, "5.4.6": _LIMIT, "4.7.28": _LIMIT, "5.7.232": _LIMIT,
    "5.7.233": _LIMIT, "5.1.7": _SENDER, "5.1.8": _SENDER,
    "5.7.60": _SENDER, "5.2.252": _SENDER, "5.5.1": None, "5.7.0": None,
    **dict.fromkeys(_MICROSOFT_BLOCKS, _BLOCKED),
    "5.7.3": _LOGIN, "5.7.8": _LOGIN, "5.7.9": _LOGIN, "5.7.14": _LOGIN, "5.7.57": _LOGIN, "5.7.139": _LOGIN,
}  # fmt: skip
_BY_CODE = {530: _LOGIN, 534: _LOGIN, 535: _LOGIN, 538: _LOGIN}
_OUT_OF_ORDER = 503
_SEND_AS_DENIED = "SendAsDenied"
"""Microsoft 365 says so once the mail was written, with a status (5.2.0) that says nothing."""
_RELAY = re.compile(r"\brelay", re.IGNORECASE)
_DOT = re.compile(rb"(?m)^\.")


def open_connection(settings: EmailSettings, token: str) -> smtplib.SMTP:
    """A connection, encrypted and logged in. Raises Retry or AccountFault."""
    server = settings.smtp_server
    context = tls_context(settings)
    own = settings.address.rpartition("@")[2] or "localhost"  # the name of this machine may take long to find
    try:
        if server.tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, own, timeout=CONNECT_WITHIN, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, own, timeout=CONNECT_WITHIN)
    except smtplib.SMTPResponseException as error:
        raise meaning_of(error.smtp_code, error.smtp_error, "greeting") from None
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise Retry(connection_fault(error, "sending server", "smtp")) from None
    try:
        _prepare(smtp, settings, context, token)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _prepare(smtp: smtplib.SMTP, settings: EmailSettings, context: ssl.SSLContext, token: str) -> None:
    server = settings.smtp_server
    try:
        smtp.ehlo_or_helo_if_needed()
        if not server.tls and not server.is_local:
            _encrypt(smtp, context)
        _log_in(smtp, settings, token)
        if smtp.sock:
            smtp.sock.settimeout(STEP_WITHIN)
    except smtplib.SMTPResponseException as error:
        raise meaning_of(error.smtp_code, error.smtp_error, "login") from None
    except smtplib.SMTPNotSupportedError:
        raise AccountFault("login_not_offered", "the sending server takes no login of this kind") from None
    except (OSError, smtplib.SMTPException):
        raise Retry("the connection to the sending server broke") from None


def _log_in(smtp: smtplib.SMTP, settings: EmailSettings, token: str) -> None:
    if token:
        smtp.auth("XOAUTH2", lambda _=None: f"user={settings.login_name}\1auth=Bearer {token}\1\1")
    elif settings.password:
        try:
            smtp.login(settings.login_name, settings.password.reveal())
        except UnicodeError:
            raise unusable_password() from None


def _encrypt(smtp: smtplib.SMTP, context: ssl.SSLContext) -> None:
    if not smtp.has_extn("starttls"):
        raise AccountFault("not_encrypted", "the sending server offers no encryption: use smtps://")
    try:
        smtp.starttls(context=context)
    except ssl.SSLError as error:
        raise Retry(connection_fault(error, "sending server", "smtp")) from None
    smtp.ehlo()


def announce_mail(smtp: smtplib.SMTP, mail: OutgoingMail) -> bytes:
    """Everything before the mail itself; returns its bytes. Nothing has left. Raises Retry, AccountFault or Reject."""
    try:
        return _envelope(smtp, mail)
    except (OSError, smtplib.SMTPException):
        raise Retry("the connection to the sending server broke") from None


def write_mail(smtp: smtplib.SMTP, data: bytes, answer_within: float) -> None:
    """Returns once the server has the mail. Raises Retry, Unanswered, AccountFault or Reject."""
    try:
        if smtp.sock:
            smtp.sock.settimeout(answer_within)
        smtp.send(_DOT.sub(b"..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException, UnicodeError):
        smtp.close()
        raise Unanswered("no answer after the mail was written: it may have arrived") from None
    if code != 250:
        raise meaning_of(code, words, "data")
    if smtp.sock:
        smtp.sock.settimeout(STEP_WITHIN)


def _envelope(smtp: smtplib.SMTP, mail: OutgoingMail) -> bytes:
    eight_bit = smtp.has_extn("8bitmime")
    options = ["BODY=8BITMIME"] if eight_bit else []
    if mail.needs_smtputf8:
        if not smtp.has_extn("smtputf8"):
            raise Reject("smtputf8_not_offered", "the sending server takes no address with such letters")
        options.append("SMTPUTF8")
        smtp.command_encoding = "utf-8"
    if not _no_sender(smtp, mail, options):
        _sender(smtp, mail, options)
        reports = smtp.has_extn("dsn") and not mail.null_sender
        _expect(250, smtp.rcpt(mail.recipient, ["NOTIFY=FAILURE,DELAY"] if reports else []), "recipient")
    _expect(354, smtp.docmd("DATA"), "data")
    return mail.as_bytes(eight_bit=eight_bit)


def _no_sender(smtp: smtplib.SMTP, mail: OutgoingMail, options: list[str]) -> bool:
    """No envelope sender where nobody should answer. False: a server that refuses that, at once or with the recipient
    (GreenMail: 503), gets the address."""
    if not mail.null_sender:
        return False
    code, _ = smtp.mail("", options)
    if code == 250:
        answer = smtp.rcpt(mail.recipient, [])
        if answer[0] != _OUT_OF_ORDER:
            _expect(250, answer, "recipient")
            return True
    elif not 500 <= code < 600:
        _expect(250, (code, b""), "sender")
    smtp.rset()
    return False


def _sender(smtp: smtplib.SMTP, mail: OutgoingMail, options: list[str]) -> None:
    if smtp.has_extn("dsn"):
        options = [*options, "RET=HDRS", f"ENVID={mail.id.replace('+', '+2B').replace('=', '+3D')}"]
    _expect(250, smtp.mail(mail.sender, options), "sender")


def _expect(wanted: int, answer: tuple[int, bytes], stage: str) -> None:
    code, words = answer
    if code != wanted and not (wanted == 250 and code == 251):
        raise meaning_of(code, words, stage)


def meaning_of(code: int, words: bytes | str, stage: str) -> PipelineError:
    """The error that an answer means. `stage`: greeting, login, sender, recipient or data."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    found = _STATUS.search(text[:80])
    status = found[0] if found else ""
    denied = _SENDER if _SEND_AS_DENIED in text else None
    if (meaning := denied or _BY_STATUS.get(status) or _BY_CODE.get(code)) is not None:
        return meaning.error()
    shown = f"{code} {status}".strip()
    if not 500 <= code < 600:
        return Retry(f"the sending server took nothing: {shown}")
    if stage == "recipient" and _RELAY.search(text):
        return AccountFault(
            "relay_denied", "the sending server takes no mail for others: log in, or name another server"
        )
    if stage in {"greeting", "login"}:
        return AccountFault("server_refuses", f"the sending server refuses us: {shown}")
    if stage == "sender":
        return AccountFault("sender_refused", f"the sending server refuses the account's address: {shown}")
    return Reject(f"smtp_{code}", f"the mail is refused: {shown}")


def hang_up(smtp: smtplib.SMTP) -> None:
    """Close politely, without waiting."""
    with suppress(OSError, smtplib.SMTPException):
        if smtp.sock:
            smtp.sock.settimeout(1.0)
        smtp.quit()
    smtp.close()
