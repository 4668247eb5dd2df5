"""What `doctor` says of the offices that accounts name: one that is not known never has a report."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.console import ConsoleChannel
from connectors.webhook import Webhook
from hub.commands._accounts import each_account
from hub.commands._finding import Finding
from hub.commands._routing import load_registry
from hub.settings import Settings


def check_offices(own: Settings) -> Iterator[Finding]:
    """Offices that the registry does not have. A rule may name such a one all the same."""
    each = each_account(own)
    channels = each.right.channels.values() if each else ()
    acting = [(one, one.settings.office) for one in channels if isinstance(one, ConsoleChannel) and one.settings.office]
    told = [(one, id) for one in channels if isinstance(one, Webhook) for id in one.settings.offices]
    if not acting and not told:
        return
    offices = load_registry(own)
    unknown = [(one.account, id) for one, id in acting if offices.find(id, one.owner) is None]
    unknown += [(one.account, id) for one, id in told if id not in offices]
    for account, id in unknown:
        words = f"names the office {id}, which the registry does not have: write an id of satupintu offices list"
        yield Finding(f"channel {account}", words, warning=True)
