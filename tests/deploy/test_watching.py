"""Prometheus and Grafana ask only for figures that exist; every alarm is explained, and fires when it should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bus import SpoolState
from hub.opening import open_hub
from hub.running.metrics import Metrics
from hub.running.spool_figures import spool_metrics
from hub.running.status import ProcessStatus
from hub.settings import load_settings
from hub.stages import WORK

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


async def test_every_figure_asked_for_is_exposed(tmp_path: Path) -> None:
    settings = load_settings({"data": str(tmp_path), "bus": "memory://"}, {})
    async with open_hub(settings) as opened:
        text = (await Metrics(opened, ProcessStatus(), {}, data=settings.data).text()).decode()
    exposed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    exposed |= {
        metric.name for metric in spool_metrics(SpoolState(False, 0, 0, None, 1))
    }  # only where there is a spool
    asked = set(re.findall(r"\b(?:satupintu|process)_\w+", " ".join(ASKED)))
    assert len(asked) > 15
    assert asked <= exposed


@pytest.mark.service
def test_alarms_fire_when_they_should_and_are_silent_else() -> None:
    promtool = shutil.which("promtool")
    if promtool is None and not os.environ.get("CI"):
        pytest.skip("needs promtool (Debian: prometheus)")
    assert promtool is not None
    tested = subprocess.run(
        [promtool, "test", "rules", "tests/deploy/alarms.yml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_counters_are_asked_for_by_rate_and_gauges_are_not() -> None:
    for expression in ASKED:
        for name in re.findall(r"\b\w+_total\b", expression):
            assert re.search(rf"(rate|increase)\({name}", expression), expression
        assert not re.search(r"\b(rate|increase)\((?!\w+_total)", expression), expression


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_says_how_urgent_it_is_and_operations_md_explains_it(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert " / " in rule["annotations"]["summary"], "Indonesian / English"
    assert f"### {rule['alert']}\n" in (ROOT / "docs" / "operations.md").read_text()


def test_every_alarm_that_is_explained_exists() -> None:
    part = (ROOT / "docs" / "operations.md").read_text().partition("## What the alarms mean")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", part, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_panels_have_unique_ids_and_do_not_overlap() -> None:
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


def test_every_service_of_ours_is_scraped_on_its_inside_port() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"][:-1]}
    ours = {name: of for name, of in COMPOSE["services"].items() if of["image"].startswith("satupintu:")}
    assert {name: target["names"] for name, target in jobs.items()} == {name: [name] for name in ours}
    inside = {int(of["environment"]["SATUPINTU_INSIDE"].rpartition(":")[2]) for of in ours.values()}
    assert {target["port"] for target in jobs.values()} == inside
    assert all("watch" in COMPOSE["services"][name]["networks"] for name in (*ours, "prometheus", "grafana"))


def test_one_machine_has_the_job_that_alarms_ask_for() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "one-machine.yml").read_text())
    named = set(re.findall(r'job="(\w+)"', " ".join(rule["expr"] for rule in RULES)))
    assert named <= {job["job_name"] for job in config["scrape_configs"]}


def test_a_stage_that_no_process_runs_raises_an_alarm() -> None:
    away = next(rule["expr"] for rule in RULES if rule["alert"] == "StageAway")
    assert set(re.findall(r'satupintu_stage_running\{stage="(\w+)"\}', away)) == set(WORK)
