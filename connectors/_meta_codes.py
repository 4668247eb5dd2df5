"""Meta's error codes and their meaning, by code, or by code and subcode.

Sources: developers.facebook.com, error codes of the Graph API, of the WhatsApp Cloud API and of the Messenger Platform.
A rate limit concerns the whole account, so all its replies wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors._http import ErrorMeaning, HttpResponse
from connectors._json import Json, decode_object, object_of, string_of

Codes = Mapping[int | tuple[int, int], ErrorMeaning]
_SPENT = ErrorMeaning("account", "rate_limited", "the account's quota is spent for a while", 300.0)
_NO_PERMISSION = ErrorMeaning("account", "permission_missing", "grant it to the access token")
_BLOCKED = ErrorMeaning("account", "blocked", "Meta blocks the account for a breach of its policy")
_WINDOW = ErrorMeaning("reject", "window_closed", "the time in which Meta lets us answer is over: see docs/channels")
_UNREACHABLE = ErrorMeaning("reject", "undeliverable", "cannot be delivered to this citizen")
_UNKNOWN_PERSON = ErrorMeaning("reject", "recipient_unknown", "Meta knows no such person for this account")
_TEMPLATE_PARAMETERS = ErrorMeaning(
    "hold", "template_parameters", "the template must take one parameter, in its body: check late_template"
)
_INVALID = 100
_PARAMETER = ErrorMeaning("reject", "meta_100", "Meta refuses a parameter of this reply, as a number that is none")
"""With details WhatsApp names a value; without, the request itself is wrong."""
_NO_PROOF = ErrorMeaning(
    "account", "proof_required", "the app asks for appsecret_proof: switch off Require App Secret in its settings"
)
TEMPLATE_TOO_LONG = "template_too_long"
_BY_STATUS = frozenset({401, 403, 408, 429})
"""Where there is no code of Meta's that we know, these say more."""

COMMON: Codes = {
    0: ErrorMeaning("account", "token_invalid", "enter a new access_token"),
    2: ErrorMeaning("retry", "meta_2", "temporarily down", 30.0),
    3: ErrorMeaning("account", "permission_missing", "the app may not use this part of the Graph API"),
    4: _SPENT,
    10: _NO_PERMISSION,
    17: _SPENT,
    32: _SPENT,
    102: ErrorMeaning("account", "token_expired", "enter a new access_token"),
    190: ErrorMeaning("account", "token_expired", "enter a new access_token"),
    341: _SPENT,
    368: _BLOCKED,
    613: _SPENT,
    2500: ErrorMeaning("account", "wrong_graph_url", "graph_url names no version or path of Meta's, or no token came"),
    80007: _SPENT,
    100: ErrorMeaning("account", "request_refused", "Meta refuses the request: check the account's id and graph_url"),
}

WHATSAPP: Codes = {
    **COMMON,
    33: ErrorMeaning("account", "number_missing", "the phone number was deleted: check phone_number_id"),
    (100, 33): ErrorMeaning("account", "number_missing", "check phone_number_id and the access token's permissions"),
    130429: ErrorMeaning("retry", "meta_130429", "throughput of the number", 30.0),
    130497: ErrorMeaning("reject", "country_barred", "Meta bars the account from writing to this country"),
    131000: ErrorMeaning("retry", "meta_131000", "something went wrong at Meta; the message was not sent", 30.0),
    131005: ErrorMeaning("account", "permission_missing", "access denied: check the access token's permissions"),
    131016: ErrorMeaning("retry", "meta_131016", "service overloaded", 60.0),
    131021: ErrorMeaning("reject", "recipient_is_sender", "the number is our own"),
    131026: _UNREACHABLE,
    131030: ErrorMeaning("hold", "test_number", "a test number of Meta's writes to listed citizens only"),
    131031: ErrorMeaning("account", "blocked", "Meta has locked the account"),
    131037: ErrorMeaning("account", "display_name", "Meta has to approve the number's display name first"),
    131042: ErrorMeaning("account", "payment", "mend the payment method in Meta's dashboard"),
    131045: ErrorMeaning("account", "number_not_registered", "register the phone number"),
    131047: ErrorMeaning(
        "reject", "window_closed", "more than 24 hours since the citizen wrote: only a template may be sent"
    ),
    131048: ErrorMeaning("account", "held_back", "Meta holds the number back, as too many citizens blocked it", 3600.0),
    131049: ErrorMeaning("reject", "undeliverable", "Meta limits how much this citizen gets"),
    131050: ErrorMeaning("reject", "undeliverable", "the citizen wants no such messages"),
    131056: ErrorMeaning("hold", "meta_131056", "too many messages to one citizen", 10.0),
    131057: ErrorMeaning("account", "maintenance", "the account is being moved", 300.0),
    132000: _TEMPLATE_PARAMETERS,
    132001: ErrorMeaning(
        "hold",
        "template_missing",
        "Meta has approved no such template in this language: check late_template and template_language",
    ),
    132005: ErrorMeaning("reject", TEMPLATE_TOO_LONG, "the words do not fit into the template"),
    132012: _TEMPLATE_PARAMETERS,
    132015: ErrorMeaning("hold", "template_paused", "Meta has paused the template for low quality"),
    132016: ErrorMeaning("hold", "template_disabled", "Meta has disabled the template: name another one"),
    133004: ErrorMeaning("retry", "meta_133004", "server temporarily unavailable", 60.0),
    133010: ErrorMeaning("account", "number_not_registered", "register the phone number"),
}

MESSAGING: Codes = {
    **COMMON,
    (10, 2018065): _WINDOW,
    (10, 2018278): _WINDOW,
    (10, 2534022): _WINDOW,
    (10, 1893063): ErrorMeaning("account", "page_restricted", "Meta restricts the page for a time", 3600.0),
    (10, 2018300): ErrorMeaning("reject", "thread_elsewhere", "another app has the conversation now"),
    (10, 2018108): ErrorMeaning("account", "app_not_live", "the app writes to its testers only: switch it to Live"),
    (200, 2018028): ErrorMeaning("account", "app_not_live", "the app writes to its testers only: switch it to Live"),
    (200, 1545041): _UNREACHABLE,
    551: _UNREACHABLE,
    (100, 33): ErrorMeaning("reject", "gone", "the comment, post or person is gone, or hidden from the access token"),
    (100, 2018001): _UNKNOWN_PERSON,
    (100, 2534014): _UNKNOWN_PERSON,
    10900: ErrorMeaning("reject", "private_reply_used", "Meta allows one private reply to a comment, within 7 days"),
    10903: ErrorMeaning("reject", "private_reply_refused", "Meta lets nobody answer this comment in private"),
    1200: ErrorMeaning("retry", "meta_1200", "sending fails for a while", 30.0),
    80001: _SPENT,
    80002: _SPENT,
    80006: _SPENT,
}


def judge(codes: Codes) -> Callable[[HttpResponse], ErrorMeaning | None]:
    """By Meta's own code, which says more than the status."""

    def judged(response: HttpResponse) -> ErrorMeaning | None:
        if 300 <= response.status < 400:
            return ErrorMeaning(
                "account", "wrong_graph_url", "the Graph API redirects: set graph_url to where it leads"
            )
        error = object_of(decode_object(response.body) or {}, "error")
        plain = response.status in range(400, 500) and response.status not in _BY_STATUS
        code = error.get("code")
        if not isinstance(code, int):
            elsewhere = ErrorMeaning("account", "wrong_graph_url", "graph_url leads to somebody else than Meta")
            return elsewhere if plain else None
        unknown = ErrorMeaning("reject", f"meta_{code}", "see Meta's list of error codes")
        return _meaning(code, error, codes) or (unknown if plain else None)

    return judged


def _meaning(code: int, error: Json, codes: Codes) -> ErrorMeaning | None:
    """None: the code is not known."""
    subcode = error.get("error_subcode")
    exact = codes.get((code, subcode)) if isinstance(subcode, int) else None
    if exact is None and code == _INVALID:
        exact = _invalid(error)
    if exact is None and code in range(200, 300):
        exact = _NO_PERMISSION
    passing = ErrorMeaning("retry", f"meta_{code}", "Meta says that it passes", 30.0)
    return exact or codes.get(code, passing if error.get("is_transient") is True else None)


def _invalid(error: Json) -> ErrorMeaning | None:
    if "appsecret_proof" in string_of(error, "message"):
        return _NO_PROOF
    return _PARAMETER if object_of(error, "error_data").get("details") else None


def judge_file(codes: Codes) -> Callable[[HttpResponse], ErrorMeaning | None]:
    """As `judge`, of a file that an id names. It is gone, or the token may not see it, and Meta says the same of both:
    it is tried until it expires."""
    judged = judge(codes)

    def judged_file(response: HttpResponse) -> ErrorMeaning | None:
        verdict = judged(response)
        if verdict is not None and verdict.code in {"number_missing", "request_refused"}:
            return ErrorMeaning("retry", "file_missing", "Meta does not show the file")
        return verdict

    return judged_file
