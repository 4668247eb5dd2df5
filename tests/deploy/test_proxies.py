"""The samples of proxies: everything passes, the address is the citizen's, and no log gets what stands in a query."""

from __future__ import annotations

import re
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = (DEPLOY / "nginx" / "satupintu.conf").read_text(encoding="utf-8")
CADDY = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")


def test_l11_nginx_logs_no_query() -> None:
    [form] = re.findall(r"log_format without_query '(.*)';", NGINX)
    assert re.findall(r"access_log \S+ (\w+);", NGINX) == ["without_query"]
    assert not {"$request", "$request_uri", "$args", "$query_string", "$http_referer"} & set(re.findall(r"\$\w+", form))


def test_l11_nginx_passes_every_path_with_its_host_and_the_citizens_address() -> None:
    assert "location / {" in NGINX
    assert "proxy_set_header Host $host;" in NGINX
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in NGINX
    assert re.findall(r"location = (\S+) \{ return 404; \}", NGINX) == ["/metrics", "/readyz"]


def test_l11_caddy_logs_no_query() -> None:
    assert CADDY.count("import without_query") == len(re.findall(r"^\s*log\b.*\{", CADDY, re.MULTILINE))


def test_l11_caddy_passes_every_path() -> None:
    assert re.search(r"^\s*reverse_proxy\s+127\.0\.0\.1:8080", CADDY, re.MULTILINE)
