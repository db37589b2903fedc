# The service as an image. Nothing is downloaded: wheels come from wheelhouse/ (`bin/task wheelhouse`), helm from an image.
#   docker build -t tycho:0.1.0 [--build-arg BASE=an-image-with-python3-and-pip] [--build-arg HELM=one-with-/usr/bin/helm] .
ARG BASE=python:3.13-slim
ARG HELM=alpine/helm:4.3.1

FROM ${HELM} AS helm

FROM ${BASE} AS build
COPY wheelhouse /wheelhouse
RUN python3 -m venv --without-pip /opt/tycho \
 && python3 -m pip --python /opt/tycho/bin/python3 install \
    --no-index --find-links=/wheelhouse --no-cache-dir --disable-pip-version-check tycho

FROM ${BASE}
COPY --from=helm /usr/bin/helm /usr/local/bin/helm
COPY --from=build /opt/tycho /opt/tycho
# What is written lies below /tmp: the root file system may be read-only.
ENV PATH=/opt/tycho/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    XDG_STATE_HOME=/tmp/state \
    TYCHO_HELM=/usr/local/bin/helm \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 5000
ENTRYPOINT ["tycho"]
CMD ["api"]
