"""Instagram: direct messages, answers to stories and mentions in them, comments.

Two logins, two hosts: with Instagram's own login graph.instagram.com, with a Facebook page's graph.facebook.com, where
the page sends (`page_id`). Webhooks name the account by what `me?fields=user_id` gives, which is not its `id`.
What is shared with Messenger and Facebook stands in `_meta_messaging.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from connectors._meta_check import Rights, check_account, judge_life, utc_now
from connectors._meta_messaging import MessagingChannel, MessagingSettings
from connectors._port import CheckResult, ProviderConnections

_FIELDS = ("messages", "comments")


class InstagramSettings(MessagingSettings, frozen=True, kw_only=True):
    graph_url: str = "https://graph.instagram.com/v25.0"
    """The Graph API, with its version; for the login by a Facebook page https://graph.facebook.com/v25.0."""
    user_id: str = ""
    """Our account, as `me?fields=user_id` names it: tells accounts apart that share one webhook."""
    page_id: str = ""
    """The Facebook page of the account, for the login by Facebook: only the page can send there."""
    token_ends: str = ""
    """YYYY-MM-DD: when the token of Instagram's own login ends, 60 days after it was made; Meta does not tell."""

    def __post_init__(self) -> None:
        try:
            _ = date.fromisoformat(self.token_ends or "2000-01-01")
        except ValueError:
            raise ValueError("token_ends takes a date, as 2027-01-31") from None


class InstagramChannel(MessagingChannel):
    kind = "instagram"
    settings_type = InstagramSettings
    text_limit = 1000
    people = "instagram"
    comment_path = "replies"
    own_setting = "user_id"
    rights = Rights("user_id", "user_id", (), _FIELDS, has_token_facts=False)
    by_page = Rights("id", "page_id", ("instagram_manage_messages", "instagram_manage_comments"), ("messages",))
    """With the login by Facebook the access token is the page's."""
    template = """\
# Instagram: enter app_secret from Meta's dashboard, and verify_token there.
app_secret = "{secret}"
verify_token = "{secret}"
# user_id = "…"                         # as me?fields=user_id names it
# access_token = "env:INSTAGRAM_TOKEN"  # without it nothing can be answered
# token_ends = "2027-01-31"             # of Instagram's own login: 60 days after the token was made
# graph_url = "https://graph.facebook.com/v25.0"    # these two with the login by a Facebook page
# page_id = "…"
"""

    def sending_path(self, ours: str) -> str:
        return super().sending_path(self.settings.page_id or ours)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        if self.settings.page_id:
            return await check_account(self, outbound, self.by_page)
        end = await self.token_end(outbound)
        unknown = CheckResult("the end of the access token cannot be asked: write it into token_ends to be warned")
        return [*await super().check(outbound), judge_life(end, utc_now()) if end else unknown]

    async def token_end(self, outbound: ProviderConnections) -> datetime | None:
        if self.settings.page_id:
            return await super().token_end(outbound)
        written = self.settings.token_ends
        return datetime.fromisoformat(written).replace(tzinfo=UTC) if written else None

    def setup_help(self, url: str) -> str:
        return f"""\
in Meta's dashboard, Instagram, Webhooks (the verify token as --secrets shows it):
  callback URL {url}, as it is reached from outside by HTTPS; subscribe to messages, messaging_postbacks,
  messaging_seen, message_reactions, comments, live_comments, mentions, standby"""
