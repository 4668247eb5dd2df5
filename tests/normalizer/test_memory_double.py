"""The double of these tests keeps the contract that the tables of the sink keep."""

from __future__ import annotations

import pytest

from tests.normalizer.memory_contract import MemoryContract
from tests.normalizer.stage import MemoryDouble


class TestMemoryDouble(MemoryContract):
    @pytest.fixture
    def memory(self) -> MemoryDouble:
        return MemoryDouble()
