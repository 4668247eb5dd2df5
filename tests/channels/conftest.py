"""What tests of channels share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors import Http, ProviderConnections


@pytest.fixture
async def outbound() -> AsyncIterator[ProviderConnections]:
    """For providers that answer or close the connection; a test of one that hangs takes a limit of its own."""
    async with Http() as http:
        yield ProviderConnections(http)
