"""SMS gateways other than Kannel, as data: what each calls the fields of a message, a report and an answer.

A path names a field (`_field_paths.py`). Facts: docs.jasminsms.com, HTTP API; twilio.com/docs/messaging;
infobip.com/docs/api, SMS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from connectors._sms_twilio import SIGNATURE
from schemas import ReceiptState

SendAs = Literal["query", "form", "json"]
FIELDS = frozenset({"from", "to", "text", "hex", "coding", "id", "time", "state", "reference"})
"""Our names. `hex`: the bytes in hexadecimal, read by `coding` where that is 8 (UCS-2), or where the text shows that it
is still in the network's alphabet."""
VALUES = frozenset({
    "to", "digits", "text", "gsm_text", "ucs2_hex", "coding", "from", "username", "password", "basic", "id",
    "report_url",
})  # fmt: skip
"""Values that may stand in an outgoing message. `digits`: `to` without plus; of `gsm_text` and `ucs2_hex` one is empty,
and an empty field is left out; `basic`: username and password as HTTP's basic login; `id`: our own reference."""
QUOTED = '"'
"""In the place of a path: the words in quotes of an answer that is no JSON."""
Longest = tuple[int | None, int | None]
"""Characters of a text of GSM-7, and units of UTF-16 of any other; None: the gateway takes texts of any length."""
_VALUE = re.compile(r"\{(\w+)\}")


class SmsMapping(NamedTuple):
    """The words of one gateway."""

    fields: Mapping[str, str] = {"from": "from", "to": "to", "text": "text", "id": "id", "state": "status"}
    """Our names and their paths."""
    states: Mapping[str, ReceiptState] = {}
    """Their words for states, in capitals."""
    items: str = ""
    """The path of the list of messages; empty: a body is one message."""
    send: Mapping[str, str] = {}
    """The paths of an outgoing message, with values in braces."""
    send_as: SendAs = "form"
    headers: Mapping[str, str] = {}
    """Of the request that sends, with values in braces."""
    sent_id: str = ""
    """The path of the message's id in the answer to it."""
    sent_state: str = ""
    """The path of the message's state in the answer to it, where a refused one is answered with 200."""
    signature: str = ""
    """The header of the gateway's signature, made with `auth_token` as Twilio does; empty: it signs nothing."""
    accepted: tuple[str, str] = ("", "text/plain; charset=utf-8")
    """Our answer to a message of theirs, and its media type."""
    longest: Longest = (None, None)
    """Of one message."""
    international: bool = False
    """Numbers come with their country's code and without plus: 886 912… is none of Indonesia's."""


_REFUSED_BY_CENTRE: tuple[str, ...] = (
    "ESME_RINVDSTADR", "ESME_RINVDSTTON", "ESME_RINVDSTNPI", "ESME_RINVSRCADR", "ESME_RINVSRCTON", "ESME_RINVSRCNPI",
    "ESME_RINVMSGLEN", "ESME_RINVESMCLASS", "ESME_RINVSERTYP", "ESME_RINVNUMDESTS", "ESME_RSUBMITFAIL",
    "ESME_RX_P_APPN", "ESME_RX_R_APPN",
)  # fmt: skip
"""Of a message that Jasmin gives up; after other words it tries again by itself."""
JASMIN = SmsMapping(
    fields={"from": "from", "to": "to", "text": "content", "hex": "binary", "coding": "coding", "id": "id",
            "state": "message_status"},
    states={"ESME_ROK": "sent", "ENROUTE": "sent", "ACCEPTD": "sent", "DELIVRD": "delivered", "EXPIRED": "failed",
            "DELETED": "failed", "UNDELIV": "failed", "REJECTD": "failed",
            **dict.fromkeys(_REFUSED_BY_CENTRE, "failed")},
    send={"username": "{username}", "password": "{password}", "from": "{from}", "to": "{to}", "content": "{gsm_text}",
          "hex-content": "{ucs2_hex}", "coding": "{coding}", "dlr-url": "{report_url}", "dlr": "yes", "dlr-level": "3",
          "dlr-method": "POST"},
    sent_id=QUOTED,
    accepted=("ACK/Jasmin", "text/plain; charset=utf-8"),
    longest=(700, 330),  # it sends five parts (long_content_max_parts), says yes, and drops the rest
)  # fmt: skip
TWILIO = SmsMapping(
    fields={"from": "From", "to": "To", "text": "Body", "id": "MessageSid", "state": "MessageStatus"},
    states={"ACCEPTED": "sent", "QUEUED": "sent", "SENDING": "sent", "SENT": "sent", "DELIVERED": "delivered",
            "READ": "read", "UNDELIVERED": "failed", "FAILED": "failed", "CANCELED": "failed"},
    send={"To": "{to}", "From": "{from}", "Body": "{text}", "StatusCallback": "{report_url}"},
    headers={"Authorization": "Basic {basic}"},
    sent_id="sid",
    sent_state="status",
    signature=SIGNATURE,
    accepted=("<Response/>", "text/xml; charset=utf-8"),  # words would go to the citizen
    longest=(1600, 1600),
)  # fmt: skip
INFOBIP = SmsMapping(
    fields={"from": "from", "to": "to", "text": "text", "id": "messageId", "time": "receivedAt",
            "state": "status.groupName", "reference": "callbackData"},
    states={"ACCEPTED": "sent", "PENDING": "sent", "DELIVERED": "delivered", "UNDELIVERABLE": "failed",
            "EXPIRED": "failed", "REJECTED": "failed"},
    items="results",
    send={"messages.0.sender": "{from}", "messages.0.destinations.0.to": "{digits}",
          "messages.0.content.text": "{text}", "messages.0.webhooks.delivery.url": "{report_url}",
          "messages.0.webhooks.contentType": "application/json", "messages.0.webhooks.callbackData": "{id}"},
    send_as="json",
    headers={"Authorization": "App {password}"},
    sent_id="messages.0.messageId",
    sent_state="messages.0.status.groupName",
    international=True,
)  # fmt: skip
_INFOBIP_2 = INFOBIP._replace(
    send={"messages.0.from": "{from}", "messages.0.destinations.0.to": "{digits}", "messages.0.text": "{text}",
          "messages.0.callbackData": "{id}", "messages.0.notifyUrl": "{report_url}",
          "messages.0.notifyContentType": "application/json"},
)  # fmt: skip
"""Its older API, at /sms/2/text/advanced."""
MAPPINGS: Mapping[str, SmsMapping] = {
    "jasmin": JASMIN, "twilio": TWILIO, "infobip": INFOBIP, "other": SmsMapping(),
}  # fmt: skip


def known_mapping(gateway: str, send_url: str) -> SmsMapping:
    """What is known of the gateway, and of the version of its API that stands in the address."""
    return _INFOBIP_2 if gateway == "infobip" and "/sms/2/" in send_url else MAPPINGS[gateway]


def check_mapping(settings: Mapping[str, Mapping[str, str]]) -> None:
    """Raises ValueError, naming the setting and the fix."""
    if wrong := settings["fields"].keys() - FIELDS:
        raise ValueError(f"fields: {min(wrong)} is none of {', '.join(sorted(FIELDS))}")
    for name in ("send", "headers"):
        if unknown := {value for one in settings[name].values() for value in _VALUE.findall(one)} - VALUES:
            raise ValueError(f"{name}: {{{min(unknown)}}} is none of {', '.join(sorted(VALUES))}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with the values in the places of their names."""
    return _VALUE.sub(lambda found: values[found[1]], template)
