"""What a portal pushes by itself proves where it comes from: by a key, by HMAC-SHA-256, or as Standard Webhooks has
it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime
from urllib.parse import parse_qs

from connectors._portal_manifest import Push
from connectors._request import Forbidden, Request
from connectors._settings import Secret

KEY = "key"
"""The query parameter of a portal that cannot set headers."""
TOLERANCE = 300.0
"""Seconds that the time of a Standard Webhook may lie off."""


def verify_push(push: Push | None, secret: Secret, request: Request, now: datetime) -> None:
    """Raises Forbidden."""
    if push is None or not secret:
        raise Forbidden("this account takes no pushes: its manifest or push_secret is missing")
    if push.type == "key":
        _verify_key(push, secret, request)
    elif push.type == "hmac-sha256":
        _verify_hmac(push, secret, request)
    else:
        _verify_standard(secret, request, now)


def _verify_key(push: Push, secret: Secret, request: Request) -> None:
    given = request.headers.get(push.header.lower(), "").removeprefix(push.prefix)
    in_query = parse_qs(request.query).get(KEY, [""])[0]
    if not (secret.matches(given) or secret.matches(in_query)):
        raise Forbidden("the key is wrong or missing")


def _verify_hmac(push: Push, secret: Secret, request: Request) -> None:
    digest = hmac.digest(secret.reveal().encode(), request.body, hashlib.sha256)
    wanted = push.prefix + (b64encode(digest).decode() if push.base64 else digest.hex())
    if not _equal(wanted, request.headers.get(push.header.lower(), "")):
        raise Forbidden("the signature is wrong or missing")


def _verify_standard(secret: Secret, request: Request, now: datetime) -> None:
    id, at = (request.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp"))
    if not id or not at.isascii() or not at.isdigit() or len(at) > 12:
        raise Forbidden("webhook-id or webhook-timestamp is missing")
    if abs(now.astimezone(UTC).timestamp() - int(at)) > TOLERANCE:
        raise Forbidden("webhook-timestamp lies too far off")
    try:
        key = b64decode(secret.reveal().removeprefix("whsec_"), validate=True)
    except (NotBase64, ValueError):
        raise Forbidden("push_secret: takes whsec_ and base64") from None
    digest = hmac.digest(key, f"{id}.{at}.".encode() + request.body, hashlib.sha256)
    wanted = "v1," + b64encode(digest).decode()
    given = request.headers.get("webhook-signature", "").split(" ")
    if not any(_equal(wanted, one) for one in given):
        raise Forbidden("webhook-signature is wrong or missing")


def _equal(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))
