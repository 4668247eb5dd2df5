"""The findings of getMe and getWebhookInfo about an account, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from connectors._json import Json, string_of
from connectors._port import CheckResult
from connectors._telegram_content import int_of, time_of
from connectors._telegram_updates import ALLOWED

_READS_ALL = "in groups the bot reads every message (privacy mode is off)"
_READS_SOME = "in groups the bot reads only commands and replies to it (@BotFather, /setprivacy)"
_CALL = "call setWebhook as `satupintu channels` shows it"


def bot_results(bot: Any) -> Iterator[CheckResult]:
    """Of an answer of getMe."""
    given = bot if isinstance(bot, dict) else {}
    yield CheckResult(f"the token is that of @{string_of(given, 'username')}")
    yield CheckResult(_READS_ALL if given.get("can_read_all_group_messages") else _READS_SOME)


def webhook_results(webhook: Any, account: str, *, polls: bool) -> Iterator[CheckResult]:
    """Of an answer of getWebhookInfo."""
    given = webhook if isinstance(webhook, dict) else {}
    url, waiting = string_of(given, "url"), int_of(given, "pending_update_count") or 0
    yield _polled(url) if polls else _address(url, account)
    yield CheckResult(f"{waiting} updates wait at Telegram")
    if not polls:
        yield from _deliveries(given, waiting)


def _polled(url: str) -> CheckResult:
    if url:
        return CheckResult("a webhook is set, so polls fail: call deleteWebhook as `satupintu channels` shows it", True)
    return CheckResult("no webhook is set, as polls need it")


def _address(url: str, account: str) -> CheckResult:
    if not url:
        return CheckResult(f"no webhook is set: {_CALL}", True)
    where = urlsplit(url)
    if where.path.rstrip("/").endswith(f"/in/{account}"):
        return CheckResult(f"the webhook leads to {where.hostname}{where.path}")
    return CheckResult(f"the webhook leads to {where.hostname}, and not to /in/{account}: {_CALL}", True)


def _deliveries(webhook: Json, waiting: int) -> Iterator[CheckResult]:
    fault, when = string_of(webhook, "last_error_message")[:120], time_of(webhook, "last_error_date")
    if fault:
        at = f" at {when:%Y-%m-%d %H:%M} UTC" if when else ""
        advice = f"after a 403, {_CALL}; else check address and certificate"
        yield CheckResult(f"Telegram's last call that failed was{at} ({fault}): {advice}", waiting > 0)
    listed = webhook.get("allowed_updates")
    lacking = sorted(set(ALLOWED) - {str(one) for one in listed}) if isinstance(listed, list) and listed else []
    if lacking:
        yield CheckResult(f"the webhook leaves out {', '.join(lacking)}: {_CALL}", True)
