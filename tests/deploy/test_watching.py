"""What Prometheus and Grafana ask for is there to be asked; every alarm is explained."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bus import Spooled
from hub.running.metrics import Metrics
from hub.settings import load
from hub.running.spooled import of_spool
from hub.wiring import open_hub

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "satupintu.json").read_text())
PANELS = DASHBOARD["panels"]
ASKED = [rule["expr"] for rule in RULES] + [target["expr"] for p in PANELS for target in p.get("targets", [])]
FOREIGN = {"up", "ALERTS"}
"""Prometheus' own."""


async def test_every_figure_asked_for_is_shown(tmp_path: Path) -> None:
    async with open_hub(load({"data": str(tmp_path), "bus": "memory://"}, {})) as hub:
        said = (await Metrics(hub, {}).text()).decode()
    shown = {line.split()[2] for line in said.splitlines() if line.startswith("# TYPE")}
    shown |= {metric.name for metric in of_spool(Spooled(False, 0, 0, None, 1))}  # only a door with a spool shows these
    asked = set(re.findall(r"\b(?:satupintu|process)_\w+", " ".join(ASKED)))
    assert len(asked) > 15
    assert asked <= shown


def test_counters_are_asked_for_by_rate_and_figures_are_not() -> None:
    for expression in ASKED:
        for name in re.findall(r"\b\w+_total\b", expression):
            assert re.search(rf"(rate|increase)\({name}", expression), expression
        assert not re.search(r"\b(rate|increase)\((?!\w+_total)", expression), expression


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_says_how_urgent_it_is_and_what_to_do_is_written_down(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert " / " in rule["annotations"]["summary"], "Indonesian / English"
    assert f"### {rule['alert']}\n" in (ROOT / "docs" / "operations.md").read_text()


def test_no_alarm_is_explained_that_nobody_raises() -> None:
    part = (ROOT / "docs" / "operations.md").read_text().partition("## What the alarms mean")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", part, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_panels_have_ids_of_their_own_and_do_not_lie_on_one_another() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    cells: set[tuple[int, int]] = set()
    for at in (panel["gridPos"] for panel in PANELS):
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & own
        cells |= own


def test_titles_are_indonesian_first_and_english_beside() -> None:
    assert [panel["title"] for panel in PANELS if " / " not in panel["title"]] == []


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert {target["datasource"]["uid"] for p in PANELS for target in p.get("targets", [])} == {source["uid"]}
    [provider] = yaml.safe_load((provisioning / "dashboards" / "satupintu.yaml").read_text())["providers"]
    grafana = COMPOSE["services"]["grafana"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY / "grafana" / "dashboards" / Path(home).name).exists()


def test_every_stage_is_looked_at_by_its_service() -> None:
    told = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["dns_sd_configs"][0]["names"] for job in told["scrape_configs"][:-1]}
    ours = {name for name, of in COMPOSE["services"].items() if of["image"].startswith("satupintu:")}
    assert jobs == {name: [name] for name in ours}
    assert all("watch" in COMPOSE["services"][name]["networks"] for name in (*ours, "prometheus", "grafana"))
    away = next(rule["expr"] for rule in RULES if rule["alert"] == "StageAway")
    assert {name for name in ours if f'absent(up{{job="{name}"}})' in away} == ours
