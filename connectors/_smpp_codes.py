"""The meaning of command_status in responses (SMPP 3.4, 5.1.3, and what centres add)."""

from __future__ import annotations

from connectors._http import ErrorMeaning

OK, WRONG_LENGTH, WRONG_COMMAND = 0x00, 0x02, 0x03
THROTTLED, TRY_AGAIN_LATER = 0x58, 0x64
BUSY = frozenset({0x14, 0x58})
"""Wait a moment: the account's rate or the centre's queue is full."""

SUBMITTED: dict[int, ErrorMeaning] = {
    0x01: ErrorMeaning("reject", "wrong_length", "the centre does not take a part of this length"),
    0x04: ErrorMeaning(
        "account", "not_bound_to_send", "the operator binds this account for receiving only: ask for sending"
    ),
    0x05: ErrorMeaning("retry", "already_bound", "another session holds the account"),
    0x08: ErrorMeaning("retry", "system_error", "the centre took nothing", 30.0),
    0x0A: ErrorMeaning("account", "wrong_sender", "the operator does not take this address as sender: check address"),
    0x0B: ErrorMeaning("reject", "wrong_recipient", "the centre does not know this number"),
    0x0D: ErrorMeaning(
        "account", "bind_refused", "check system_id, password, system_type and our IP address at the operator"
    ),
    0x0E: ErrorMeaning("account", "wrong_password", "enter the operator's password: 8 characters at most"),
    0x0F: ErrorMeaning("account", "wrong_system_id", "enter the operator's system_id"),
    0x14: ErrorMeaning("retry", "queue_full", "the centre's queue for us is full", 5.0),
    0x15: ErrorMeaning("account", "wrong_service_type", "the operator asks for a service type"),
    0x43: ErrorMeaning("reject", "wrong_esm_class", "the centre does not take long texts in parts"),
    0x45: ErrorMeaning("retry", "submit_failed", "the centre took nothing", 10.0),
    0x48: ErrorMeaning("account", "wrong_sender_ton", "set address_ton as the operator says"),
    0x49: ErrorMeaning("account", "wrong_sender_npi", "set address_npi as the operator says"),
    0x50: ErrorMeaning("reject", "wrong_recipient", "the centre does not take numbers of this type"),
    0x51: ErrorMeaning("reject", "wrong_recipient", "the centre does not take numbers of this plan"),
    0x53: ErrorMeaning("account", "wrong_system_type", "set system_type as the operator says"),
    0x58: ErrorMeaning("retry", "throttled", "more messages a second than agreed", 1.0),
    0x64: ErrorMeaning("retry", "centre_busy", "the centre took nothing", 10.0),
    0x65: ErrorMeaning("reject", "refused_for_good", "the centre refuses this message"),
    0x66: ErrorMeaning("reject", "refused", "the centre refuses this message"),
    0xFF: ErrorMeaning("retry", "unknown_error", "the centre took nothing", 30.0),
    0x100: ErrorMeaning("account", "not_permitted", "the operator does not permit this account to send"),
    0x101: ErrorMeaning("account", "not_permitted", "the operator does not permit this account to send"),
    0x104: ErrorMeaning("reject", "wrong_coding", "the centre does not take UCS-2"),
}
"""Responses to a submit_sm. Any other says that the centre took nothing and never will."""

BOUND: dict[int, ErrorMeaning] = {
    **{status: SUBMITTED[status] for status in (0x05, 0x0D, 0x0E, 0x0F, 0x53, 0x58, 0x14, 0x64)},
    0x03: ErrorMeaning(
        "account", "bind_not_offered", 'the operator does not offer this bind: set bind = "pair" or "transceiver"'
    ),
    0x04: ErrorMeaning(
        "account", "bind_not_offered", 'the operator does not offer this bind: set bind = "pair" or "transceiver"'
    ),
    0x08: ErrorMeaning("retry", "system_error", "the centre takes no session now"),
}
"""Responses to a bind. Any other is a fault of the account."""


def submit_verdict(status: int) -> ErrorMeaning:
    """What a response to submit_sm means."""
    return SUBMITTED.get(status) or ErrorMeaning(
        "reject", f"smpp_{status:x}", "see the operator's list of command_status"
    )


def bind_verdict(status: int) -> ErrorMeaning:
    """What a response to a bind means."""
    return BOUND.get(status) or ErrorMeaning("account", f"smpp_{status:x}", "see the operator's list of command_status")
