"""Settings of an account on X."""

from __future__ import annotations

from connectors._settings import Secret, Settings

FILE_HOSTS = ("pbs.twimg.com", "video.twimg.com")
"""X's own, called at public addresses only."""


class XSettings(Settings, frozen=True, kw_only=True):
    api_url: str = "https://api.x.com"
    """The API, without the version."""
    user_id: str = ""
    """Our account with X, a number. Empty: as access_token begins."""
    bearer_token: Secret = Secret("")
    """Of the app: reads mentions and searches. Empty: the account's own four keys read them too."""
    consumer_key: Secret = Secret("")
    """Of the app. With this and the next three the account answers, and reads direct messages."""
    consumer_secret: Secret = Secret("")
    """Of the app."""
    access_token: Secret = Secret("")
    """Of the account."""
    access_secret: Secret = Secret("")
    """Of the account."""
    search: str = ""
    """A query of X's, read beside the mentions: "#laporbandung -is:retweet". Who did not mention us is not answered."""
    stream: str = ""
    """A rule of X's filtered stream, as "@dinasbdg -is:retweet": a poll follows within seconds of what it shows, not
    only after `poll_every`. It needs bearer_token. Empty: polls alone."""
    poll_every: float = 60.0
    """Seconds."""
    monthly_budget: float = 0.0
    """US dollars; nothing is read or answered beyond it. 0: no limit but X's own."""
    own_app: bool = False
    """Does the app belong to the account? Then X asks a fifth for reading its mentions."""
    names: bool = False
    """Ask for the authors' names too: each costs 0.01 dollars."""
    direct_messages: bool = False
    """Read direct messages too, as far as the API shows them: encrypted ones it does not."""
    direct_every: float = 300.0
    """Seconds between two looks at direct messages."""
    offices: tuple[str, ...] = ()
    """Accounts whose posts are publicity and no reports: numbers, or names without @ (with `names`)."""
    other_door: str = ""
    """Added to answers in direct messages: "Lebih aman lewat WhatsApp 0811-…"."""
    file_hosts: tuple[str, ...] = FILE_HOSTS
    """Hosts from which pictures and films are fetched."""
    file_limit: int = 25 * 1024 * 1024
    """Bytes of an attachment."""

    @property
    def user(self) -> str:
        """Our account's number; empty where it is not known."""
        return self.user_id or self.access_token.reveal().partition("-")[0]
