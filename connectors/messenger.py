"""Messenger: messages to a Facebook page. What is shared with comments and Instagram stands in `_meta_messaging.py`."""

from __future__ import annotations

from connectors._meta_check import Rights
from connectors._meta_messaging import MessagingChannel, MessagingSettings


class MessengerSettings(MessagingSettings, frozen=True, kw_only=True):
    page_id: str = ""
    """Our page with Meta: tells accounts apart that share one webhook."""


class MessengerChannel(MessagingChannel):
    kind = "messenger"
    settings_type = MessengerSettings
    rights = Rights(
        "id",
        "page_id",
        ("pages_messaging", "pages_manage_metadata"),
        ("messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_echoes", "standby"),
    )
    template = """\
# Messenger: enter app_secret from Meta's dashboard, and verify_token there.
app_secret = "{secret}"
verify_token = "{secret}"
# page_id = "…"
# access_token = "env:PAGE_TOKEN"       # the page's; without it nothing can be answered, no picture fetched
# human_agent = true                    # officers answer until 7 days after the citizen's last message
"""

    @property
    def carries_reference(self) -> bool:
        return True

    def setup_help(self, url: str) -> str:
        return f"""\
in Meta's dashboard, Messenger, Webhooks (the verify token as --secrets shows it):
  callback URL {url}, as it is reached from outside by HTTPS; subscribe the page to messages, messaging_postbacks,
  message_deliveries, message_reads, message_echoes, message_reactions, message_edits, standby, messaging_handovers"""
