"""A channel is one file: nothing in `connectors/` imports it. What begins with an underscore is no channel."""

from __future__ import annotations

import grimp


def test_no_channel_is_imported_by_another_file() -> None:
    graph = grimp.build_graph("connectors")
    channels = {name for name in graph.find_children("connectors") if not name.rpartition(".")[2].startswith("_")}
    assert len(channels) > 15
    assert {name: graph.find_modules_that_directly_import(name) - {"connectors"} for name in channels} == {
        name: set() for name in channels
    }
