"""What tests of channels share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors import Http, ProviderConnections


@pytest.fixture
async def outbound() -> AsyncIterator[ProviderConnections]:
    """For providers that answer; a test of those that do not takes a limit of its own."""
    async with Http(total=5) as http:
        yield ProviderConnections(http)
