"""Facebook pages: comments under the page's posts, visitors' posts, mentions, recommendations.

What is shared with Messenger and Instagram stands in `_meta_messaging.py`.
"""

from __future__ import annotations

from connectors._meta_check import Rights
from connectors._meta_messaging import MessagingChannel, MessagingSettings


class FacebookSettings(MessagingSettings, frozen=True, kw_only=True):
    page_id: str = ""
    """Our page with Meta: tells accounts apart that share one webhook."""


class FacebookChannel(MessagingChannel):
    kind = "facebook"
    settings_type = FacebookSettings
    rights = Rights(
        "id",
        "page_id",
        ("pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content",
         "pages_manage_engagement"),
        ("feed", "mention"),
    )  # fmt: skip
    template = """\
# A page of Facebook's: enter app_secret from Meta's dashboard, and verify_token there.
app_secret = "{secret}"
verify_token = "{secret}"
# page_id = "…"
# access_token = "env:PAGE_TOKEN"       # the page's; without it nothing can be answered, no picture fetched
# comment_answers = "private"           # or "public": a comment is answered under it, with the number only
"""

    def setup_help(self, url: str) -> str:
        return f"""\
in Meta's dashboard, Webhooks, Page (the verify token as --secrets shows it):
  callback URL {url}, as it is reached from outside by HTTPS; subscribe the page to feed, mention and ratings"""
