"""compose.yaml: least privilege, limits, pinned images, secrets, networks. No Docker engine is needed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from hub.settings import DEFAULTS, PREFIX, load_settings
from hub.stages import STAGES

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: of for name, of in SERVICES.items() if of["image"].startswith("satupintu:")}
every = pytest.mark.parametrize("name", SERVICES)


@every
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(
        r"([a-z/]+:v?\d+\.\d+\.\d+|postgres:\d+\.\d+-\w+)(@sha256:[0-9a-f]{64})?", SERVICES[name]["image"]
    )


@every
def test_least_privilege(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"} & service.keys()


@every
def test_limits_and_logs(name: str) -> None:
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    assert service["restart"] == "unless-stopped"


@every
def test_health_is_checked(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


@every
def test_writable_folders_are_volumes_or_in_memory(name: str) -> None:
    volumes = [volume.split(":") for volume in SERVICES[name].get("volumes", [])]
    for source, _, *mode in volumes:
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mode == ["ro"], source
        else:
            assert source in COMPOSE["volumes"]
    assert any(place.startswith("/tmp:") for place in SERVICES[name]["tmpfs"])


@every
def test_a_service_that_is_waited_for_exists_and_has_a_health_check(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] in {"service_healthy", "service_started"}
        assert "healthcheck" in SERVICES[other]


def test_every_stage_has_a_service_of_its_own_and_its_command() -> None:
    assert {name: service["command"] for name, service in OURS.items()} == {stage: ["run", stage] for stage in STAGES}


@pytest.mark.parametrize("name", OURS)
def test_settings_are_settings(name: str) -> None:
    environment = {key: value for key, value in OURS[name]["environment"].items() if key.startswith(PREFIX)}
    assert {key.removeprefix(PREFIX).lower() for key in environment} <= DEFAULTS.keys()
    settings = load_settings({}, {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for key, value in environment.items()})
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    assert settings.inside == ("0.0.0.0", 9080)
    assert settings.bus == "kafka://kafka:9092?brokers=1"
    assert "data:/data" in OURS[name]["volumes"]
    assert settings.keys.is_relative_to("/data")
    assert settings.channels.is_relative_to("/data")


def test_all_stages_have_the_same_settings() -> None:
    assert len({tuple(service["environment"].items()) for service in OURS.values()}) == 1


def test_no_password_stands_in_the_file() -> None:
    assert "satupintu@postgres" in OURS["door"]["environment"]["SATUPINTU_RECORD"]
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert "PASS" not in key or str(value).startswith("/run/secrets/"), key


def test_the_ingress_starts_while_broker_and_database_do_not_answer() -> None:
    assert {how["condition"] for how in OURS["door"]["depends_on"].values()} == {"service_started"}


def test_only_the_ingress_and_grafana_are_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"door", "grafana"}
    for [port] in published.values():
        assert re.fullmatch(r"\$\{[A-Z_]+:-127\.0\.0\.1:\d+\}:\d+", port)
        assert not port.endswith(":9080"), "metrics are for the inside"


def test_broker_and_database_have_networks_without_a_way_out() -> None:
    for name in ("kafka", "postgres", "prometheus", "reader", "matcher", "router", "sink"):
        assert all(COMPOSE["networks"][network]["internal"] for network in SERVICES[name]["networks"]), name
    assert not COMPOSE["networks"]["world"]


def test_the_broker_is_that_of_the_tests() -> None:
    pom = ElementTree.parse(ROOT / "deploy" / "kafka" / "pom.xml")
    versions = {d.findtext("{*}artifactId"): d.findtext("{*}version") for d in pom.iterfind(".//{*}dependency")}
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{versions['kafka_2.13']}"


def test_the_broker_creates_no_topic_by_itself_and_loses_no_event() -> None:
    lines = (ROOT / "deploy" / "compose" / "kafka.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert properties["auto.create.topics.enable"] == "false"
    assert properties["log.dirs"].startswith("/var/lib/kafka/data")
    assert int(properties["offsets.retention.minutes"]) >= float(DEFAULTS["retention"]) * 24 * 60
    assert properties["default.replication.factor"] != "1" or properties["log.flush.interval.messages"] == "1"


def test_the_hub_is_no_database_superuser() -> None:
    postgres = SERVICES["postgres"]
    assert "POSTGRES_USER" not in postgres["environment"]
    script = ROOT / "deploy" / "postgres" / "create-database.sh"
    assert f"./deploy/postgres/{script.name}:/docker-entrypoint-initdb.d/{script.name}:ro" in postgres["volumes"]
    assert os.access(script, os.X_OK)
    assert "CREATE ROLE satupintu LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE" in script.read_text()
    assert "satupintu@postgres:5432/satupintu" in OURS["sink"]["environment"]["SATUPINTU_RECORD"]


def test_secrets_are_drawn_once_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "compose" / "secrets.sh"
    before: dict[str, str] = {}
    for _ in range(2):
        subprocess.run([script, tmp_path], check=True, capture_output=True, timeout=20)
        now = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert before in ({}, now)
        before = now
    assert now.keys() == {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o400}
    assert now["pgpass"] == f"postgres:5432:satupintu:satupintu:{now['database_password']}\n"
    assert len(set(now.values())) == 4
    assert min(map(len, now.values())) >= 30
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text().split()
