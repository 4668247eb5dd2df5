"""Twilio's signature of a request: HMAC-SHA1, by the account's Auth Token, over the address that it called and the
parameters of the form, sorted. Facts: twilio.com/docs/usage/security, Validating requests; twilio-python,
request_validator.py. A signature by a shared key (webhook rules, HMAC-SHA256) is not known here and is refused."""

from __future__ import annotations

import hmac
from base64 import b64encode
from urllib.parse import parse_qsl, urlsplit

from connectors._request import Forbidden
from connectors._settings import Secret

SIGNATURE = "x-twilio-signature"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def verify_signature(given: str, auth_token: Secret, url: str, body: bytes) -> None:
    """Raises Forbidden. `url` is the whole address, as Twilio was told it."""
    if not given:
        raise Forbidden("no signature")
    form = signed_form(body)
    fitting = [hmac.compare_digest(sign(auth_token, one, form), given.encode("utf-8", "replace")) for one in _urls(url)]
    if not any(fitting):
        raise Forbidden("wrong signature: is public_url the address that Twilio calls?")


def sign(auth_token: Secret, url: str, form: str) -> bytes:
    """In base64."""
    signed = (url + form).encode("utf-8", "surrogateescape")
    return b64encode(hmac.digest(auth_token.reveal().encode(), signed, "sha1"))


def signed_form(body: bytes) -> str:
    """Names and values, each pair once, without anything between them."""
    text = body.decode("utf-8", "surrogateescape")
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    return "".join(name + value for name, value in sorted(set(pairs)))


def _urls(url: str) -> set[str]:
    """As it is, without a port, and with the scheme's own: Twilio's products differ in which they sign."""
    parts = urlsplit(url)
    host = (parts.hostname or "") if parts.port else parts.netloc
    with_port = f"{host}:{_DEFAULT_PORTS.get(parts.scheme, '')}".removesuffix(":")
    return {url, *(url.replace(f"//{parts.netloc}", f"//{netloc}", 1) for netloc in (host, with_port))}
