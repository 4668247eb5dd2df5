# The hub, every stage of it: `docker build -t satupintu:0.1.0 .`, then `docker compose up` (compose.yaml), or alone:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -v satupintu:/data -p 127.0.0.1:8080:8080 satupintu:0.1.0
#
# The base is pinned by version. To pin it by content too, read its digest on a machine that you trust
# (`docker buildx imagetools inspect python:3.11.14-slim-bookworm`) and write it behind the tag: python:…@sha256:….
FROM python:3.11.14-slim-bookworm AS base

FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/satupintu
WORKDIR /src
# Wheels only: no compiler is needed.
COPY requirements.lock deploy/build.lock ./
RUN /opt/satupintu/bin/pip install --require-hashes --only-binary :all: -r requirements.lock \
 && python -m pip install --require-hashes --only-binary :all: -r build.lock
COPY pyproject.toml README.md ./
COPY schemas schemas
COPY bus bus
COPY connectors connectors
COPY normalizer normalizer
COPY router router
COPY sink sink
COPY hub hub
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/satupintu/bin/pip install --no-deps /wheels/*.whl \
 && /opt/satupintu/bin/python -m compileall -q /opt/satupintu/lib \
 && /opt/satupintu/bin/pip uninstall --yes --quiet pip setuptools

FROM base
LABEL org.opencontainers.image.title="Satu Pintu" \
      org.opencontainers.image.description="One door for citizens' complaints: every channel in, one record, the answer back through the same door" \
      org.opencontainers.image.version="0.1.0"
RUN groupadd --gid 10001 satupintu \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin satupintu \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/satupintu /opt/satupintu
COPY deploy/compose/alive.py /opt/satupintu/alive.py
# The hub writes to /data and /tmp only: the root file system may be read-only.
ENV PATH=/opt/satupintu/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    SATUPINTU_DATA=/data SATUPINTU_LISTEN=0.0.0.0:8080
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-S", "/opt/satupintu/alive.py"]
ENTRYPOINT ["satupintu"]
CMD ["up"]
