# Two stages from one base: the wheel and its pinned dependencies are built in the first and
# installed offline in the second. BASE needs Python 3.11 or newer with venv, as python3.
# PIP_OPTIONS is for where pip reaches no index: --no-index --find-links and a mounted folder.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS wheels
ARG PIP_OPTIONS=""
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY operator operator
RUN python3 -m venv /build \
    && /build/bin/pip wheel --quiet ${PIP_OPTIONS} --constraint constraints.txt --wheel-dir /out .

FROM ${BASE}
RUN --mount=from=wheels,source=/out,target=/wheels \
    python3 -m venv /opt/gatewaycanary \
    && /opt/gatewaycanary/bin/pip install --quiet --no-index --no-cache-dir \
        --find-links /wheels gatewaycanary
USER 65532:65532
ENV PATH=/opt/gatewaycanary/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8081 9090
ENTRYPOINT ["gatewaycanary"]
CMD ["run"]
