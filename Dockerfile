# An image with the dataportal command and nothing to compile, download or write at run time.
#
#   docker build -t dataportal .
#   docker run --rm --read-only --cap-drop ALL -e DATABASE_URL dataportal fetch-all
#
# It works as any user and needs no writable folder. The embedded PostgreSQL is left out: without
# DATABASE_URL or DATABASE_URL_FILE a command ends with exit code 78.
# A package index of your own: --build-arg PIP_INDEX_URL=…

ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
# in the environment of the steps below only where they are given
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
# the pip of the base image installs, so that the one that ships carries none
RUN python -m venv --without-pip /opt/dataportal && python -m venv --without-pip /opt/build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_COMPILE=1
# nothing is installed that is not in a lock file, with its hash
COPY requirements.txt .ci/build-requirements.txt /locks/
RUN python -m pip --python /opt/dataportal/bin/python install --require-hashes -r /locks/requirements.txt \
 && python -m pip --python /opt/build/bin/python install --require-hashes -r /locks/build-requirements.txt
COPY . /src
RUN python -m pip --python /opt/build/bin/python wheel --no-deps --no-build-isolation --no-index -w /wheels /src \
 && python -m pip --python /opt/dataportal/bin/python install --no-deps --no-index /wheels/*.whl \
 && python -m pip --python /opt/dataportal/bin/python check
# what is in the image, for whoever looks for vulnerabilities: the base image is that of the stage below
RUN /opt/build/bin/python /src/.ci/sbom.py --system /opt/dataportal/bin/python /sbom.cdx.json
# compiled once and trusted from then on: a read-only container could not keep what it compiles
RUN /opt/dataportal/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      /opt/dataportal/lib

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="dataportal" \
      org.opencontainers.image.description="Public time series, every version of every value" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/dataportal /opt/dataportal
COPY --from=build /sbom.cdx.json /sbom.cdx.json
# slim images of Python come with the standard library uncompiled: every command would take 0.15 s
# longer to start, and a health check is one. That is worth 11 MB.
RUN python -m compileall -q -j 0 -x '/(test|idlelib|lib2to3|turtledemo|tkinter|site-packages)/' \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
ENV PATH=/opt/dataportal/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# sources.yaml is looked for here: mount your own over it, or a folder with plugins beside it
WORKDIR /app
COPY sources.yaml ./
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
  CMD ["dataportal", "healthcheck", "--live"]
ENTRYPOINT ["dataportal"]
CMD ["--help"]
