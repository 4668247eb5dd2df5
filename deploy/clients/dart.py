"""The Dart client, by openapi-generator: package:http for Flutter and for servers.

No Dart SDK is to be had from the registries that this project builds from, so it is generated and parsed here (by the
grammar of tree-sitter), and neither analysed nor run.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from deploy.clients.tools import HERE, cached, call

GENERATOR = "org.openapitools:openapi-generator-cli:7.16.0"
OPTIONS = (
    "--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
    "--additional-properties=pubName=satupintu_client,pubVersion=1.0.0",
)
TOLERATED = ("OpenAPI 3.1 support is still in beta", "application/offset+octet-stream", "Response examples can")
"""Warnings of which nothing follows here: files go up by tus_client, not by this client."""


def generate_dart(document: Path, to: Path) -> None:
    """A package in that folder. Raises RuntimeError where the generator warns, or where the code does not parse."""
    shutil.rmtree(to, ignore_errors=True)
    jar = next(cached("openapi-generator", GENERATOR.encode(), _fetch).glob("*.jar"))
    said = call(
        ["java", "-XX:TieredStopAtLevel=1", "-jar", jar, "generate", "-g", "dart", "-i", document, "-o", to, *OPTIONS]
    )
    if warnings := [w for w in said.splitlines() if " WARN " in w and not any(known in w for known in TOLERATED)]:
        raise RuntimeError("the generator warns:\n" + "\n".join(warnings))
    if mistakes := mistakes_in(to):
        raise RuntimeError(f"the code does not parse:\n{mistakes}")


def mistakes_in(folder: Path) -> str:
    """A line for each place that is no Dart."""
    lock = HERE / "dart.lock"
    parser = cached("dart-parser", lock.read_bytes(), _install_parser)
    return call([sys.executable, HERE / "dart_syntax.py", parser, folder]).strip()


def _fetch(folder: Path) -> None:
    call(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={GENERATOR}", f"-DoutputDirectory={folder}"])


def _install_parser(folder: Path) -> None:
    lock = HERE / "dart.lock"
    call(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "--target", folder, "-r", lock]
    )
