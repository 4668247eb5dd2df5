"""`docs/asyncapi.yaml`: the bus as AsyncAPI 3.0, written from the events; `make golden` writes it.

What the code knows comes from the code: topics, schemas, what a key keeps in order, partitions and retention, and the
consumer groups. Which stage sends what stands here.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from hub.settings import DEFAULTS
from hub.stages import TABLE, StageRow
from schemas import EVENTS, Event
from tests.schemas.golden import current

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "asyncapi.yaml"
DAY_MS = 24 * 60 * 60 * 1000
Part = dict[str, Any]

SENDS = {
    "door": ("raw",),
    "accounts": ("raw",),
    "forwarder": ("raw",),
    "reader": ("messages", "actions", "receipts", "slow", "aside", "dead"),
    "matcher": ("matched", "aside", "dead"),
    "router": ("routed", "aside", "dead"),
    "sink": ("aside", "dead"),
}
"""By name of `satupintu run`, the topics it writes."""


ABOUT = """\
The pipeline of Satu Pintu: the events that its stages hand to one another over Apache Kafka. Written from the code by
`make golden`; the same events travel over the embedded log.

Promises. Delivery is at least once: a consumer may receive an event twice, and recognises it by `ce_id` within its
topic. Events of one key keep their order, and stand in one partition. A consumer ignores fields that it does not know,
and reads a word that an enumeration lacks as `unknown`; a field that has its default is not written.

Events hold the words of citizens and their identities: access to these topics is access to personal data. Only the hub
writes to them.
"""
PREFIX = """\
Where several hubs share one cluster, each has a prefix of its own: `kafka://host:port/PREFIX` in `SATUPINTU_BUS` puts
`PREFIX.` before every topic and group. Empty by default.
"""


def document() -> Part:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:satupintu:bus",
        "info": {
            "title": "Satu Pintu: the bus",
            "version": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
            "description": ABOUT,
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {topic: _channel(topic, event) for topic, event in EVENTS.items()},
        "operations": dict(_operations()),
        "components": {
            "messages": {event.__name__: _message(topic, event) for topic, event in EVENTS.items()},
            "schemas": {"CloudEventsHeaders": _headers(), **_schemas()},
            "securitySchemes": SECURITY,
        },
    }


def written() -> str:
    """As it stands in its file."""
    text = yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return "# Written by `make golden` from schemas/: change the events, not this file.\n" + text


class _Dumper(yaml.SafeDumper):
    """Prose in blocks; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)

SECURITY: Part = {
    "scramSha512": {"type": "scramSha512", "description": "User and password of SATUPINTU_BUS, `sasl=SCRAM-SHA-512`."},
    "scramSha256": {"type": "scramSha256", "description": "User and password of SATUPINTU_BUS, `sasl=SCRAM-SHA-256`."},
    "plain": {"type": "plain", "description": "User and password of SATUPINTU_BUS, `sasl=PLAIN`; only over TLS."},
    "clientCertificate": {"type": "X509", "description": "`cert=FILE&key=FILE` of SATUPINTU_BUS."},
}


def _servers() -> Part:
    def server(protocol: str, description: str, *security: str) -> Part:
        found: Part = {"host": "{bootstrap}", "protocol": protocol, "description": description}
        found["variables"] = {"bootstrap": {"default": "127.0.0.1:9092", "description": "host:port, any node"}}
        if security:
            found["security"] = [{"$ref": f"#/components/securitySchemes/{name}"} for name in security]
        return found

    scram = ("scramSha512", "scramSha256")
    return {
        "plain": server("kafka", "No encryption and no password: for one machine, or a network of its own."),
        "tls": server("kafka-secure", "`tls=true`, with `ca=FILE` where the authority is one's own.", *SECURITY),
        "sasl": server("kafka", "A password without encryption: only within a network that is trusted.", *scram),
    }


def _channel(topic: str, event: type[Event]) -> Part:
    return {
        "address": f"{{prefix}}{topic}",
        "summary": _first_line(event),
        "parameters": {"prefix": {"default": "", "description": PREFIX, "examples": ["", "jabar."]}},
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {
            "kafka": {
                "partitions": int(DEFAULTS["partitions"]),
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": int(float(DEFAULTS["retention"]) * DAY_MS),
                },
            }
        },
    }


def _message(topic: str, event: type[Event]) -> Part:
    return {
        "name": f"id.satupintu.{topic}.v1",
        "title": event.__name__,
        "summary": _first_line(event),
        "description": f"{inspect.getdoc(event)}\n\nKey and order: {_order(event)}\n",
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEventsHeaders"},
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "correlationId": {
            "location": "$message.header#/traceparent",
            "description": "All events that come of one Raw have its trace id.",
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": _order(event)}}},
    }


def _first_line(event: type[Event]) -> str:
    return (inspect.getdoc(event) or "").splitlines()[0]


def _order(event: type[Event]) -> str:
    return inspect.getdoc(event.key) or ""


def _headers() -> Part:
    def text(description: str, **more: Any) -> Part:
        return {"type": "string", "description": description, **more}

    return {
        "type": "object",
        "description": "CloudEvents 1.0, binary mode of the Kafka binding, and W3C Trace Context. Values are UTF-8.",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "traceparent"],
        "properties": {
            "ce_specversion": text("Version of CloudEvents.", const="1.0"),
            "ce_id": text("One for each event of its topic; the same event published again has the same."),
            "ce_source": text("`/satupintu/ACCOUNT`: the account that took it in.", format="uri-reference"),
            "ce_type": text("The kind of event.", enum=[f"id.satupintu.{topic}.v1" for topic in EVENTS]),
            "ce_time": text("When it was received or refused; not when it was published.", format="date-time"),
            "content-type": text("The form of the value.", const="application/json"),
            "traceparent": text(
                "W3C Trace Context. All events of one Raw are one trace: its id is the raw id without hyphens.",
                pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-01$",
            ),
        },
    }


def _schemas() -> Part:
    """Every struct of every event, once; their references point to where they stand here."""
    found: Part = {}
    for schema in current().values():
        for name, part in schema["$defs"].items():
            assert found.setdefault(name, part) == part, f"two structs are named {name}"
    return dict(sorted(_moved(found).items()))


def _moved(part: Any) -> Any:
    if isinstance(part, dict):
        return {k: _moved(v) for k, v in part.items()}
    if isinstance(part, list):
        return [_moved(v) for v in part]
    return part.replace("#/$defs/", "#/components/schemas/") if isinstance(part, str) else part


def _operations() -> list[tuple[str, Part]]:
    found = [
        (f"{stage}-sends-{topic}", _operation("send", topic, f"Stage `{stage}` writes it."))
        for stage, topics in SENDS.items()
        for topic in topics
    ]
    for row in TABLE:
        found.append((f"{row.name}-receives-{row.topic}", _receives(row, row.topic, row.name)))
        found.append((f"{row.name}-receives-aside", _receives(row, "aside", f"{row.name}@ACCOUNT@SINCE")))
    return found


def _receives(row: StageRow, topic: str, group: str) -> Part:
    name = f"{group}.{topic}"
    part = _operation("receive", topic, f"Stage `{row.run}` reads it, as consumer group `{name}` after the prefix.")
    pattern = re.sub("ACCOUNT|SINCE", ".+", re.escape(name))
    part["bindings"] = {"kafka": {"groupId": {"type": "string", "pattern": f"^(.+\\.)?{pattern}$"}}}
    return part


def _operation(action: str, topic: str, summary: str) -> Part:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{topic}/messages/{EVENTS[topic].__name__}"}],
    }
