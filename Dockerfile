# syntax=docker/dockerfile:1
# The image of all steps of the pipeline: `make image`.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS packages
# cpu, or gpu for TensorFlow with the CUDA libraries.
ARG ACCELERATOR=cpu
# pyfarmhash, which TFX needs, is published as source only.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils g++ python3-dev python3-venv
COPY docker/ /build/
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip sh /build/install_packages.sh /opt/venv "$ACCELERATOR"

FROM ${BASE_IMAGE}
# Compiled for a kind of CPU, not for the one of this machine: the code is then found wherever the image runs. What is
# kept for later goes where everybody can write, even if nothing else can be written.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp/cache \
    NUMBA_CPU_NAME=haswell \
    NUMBA_CPU_FEATURES=+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt \
    TF_CPP_MIN_LOG_LEVEL=1 \
    USER=neumf
# OpenMP, for implicit's ALS.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE ./
COPY components/ components/
COPY configs/ configs/
COPY pipeline/ pipeline/
COPY scripts/ scripts/
# Whoever runs the image must be able to write where Kubeflow's launcher puts artifacts.
RUN useradd --uid 1000 --create-home neumf \
    && mkdir -p /gcs /minio /s3 /oci && chmod 1777 /gcs /minio /s3 /oci \
    && python -m compileall -q /app \
    && HOME=/tmp python -m scripts.compile_ahead 2>/tmp/compile.log \
    && rm -rf /tmp/* /tmp/.[!.]*
# Last, as it changes with every commit.
ARG GIT_VERSION=unknown
ENV GIT_VERSION=${GIT_VERSION}
LABEL org.opencontainers.image.title="neumf-pipeline" \
      org.opencontainers.image.description="Train, judge and push a NeuMF recommender: one TFX pipeline" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${GIT_VERSION}"
USER 1000
CMD ["python", "-m", "pipeline", "--help"]
