"""Every key of Compose, and what becomes of it: the entries of all translators, section by section.

A test walks the Compose schema, and misses none.
"""

from __future__ import annotations

from collections.abc import Mapping

from tycho.chart.translate import (
    claims,
    command,
    configs,
    depends_on,
    deploy,
    dns,
    environment,
    further_names,
    health,
    hooks,
    image,
    jobs,
    metadata,
    networks,
    placement,
    ports,
    resources,
    security,
    volumes,
)
from tycho.chart.translate.key_rule import Table, ignored, rejected, translated, whole

PROJECT: Table = {
    "version": ignored("Compose itself ignores it", "remove it"),
    "name": translated("name of the chart"),
    "include": whole(translated("resolved when the file is read")),
    "models": whole(rejected("a model runner is a program of Docker", "run one as a service")),
}
NOT_IN_CHART: Table = {
    "profiles": translated("decided when the file is read"),
    "extends": whole(translated("resolved when the file is read")),
    "develop": whole(ignored("it is for development on one machine", "nothing: it has no effect")),
    "models": whole(
        rejected("a model runner is a program of Docker", "run one as a service, and set its address in environment")
    ),
}
"""Keys of a service that no chart holds."""
SERVICE: Table = {
    **image.KEYS,
    **placement.KEYS,
    **command.KEYS,
    **environment.KEYS,
    **metadata.KEYS,
    **NOT_IN_CHART,
    **jobs.KEYS,
    **deploy.KEYS,
    **resources.KEYS,
    **health.KEYS,
    **depends_on.KEYS,
    **hooks.KEYS,
    **ports.KEYS,
    **networks.KEYS,
    **further_names.KEYS,
    **dns.KEYS,
    **volumes.KEYS,
    **configs.KEYS,
    **security.KEYS,
}
SECTIONS: Mapping[str, Table] = {
    "": PROJECT,
    "services": SERVICE,
    "jobs": SERVICE,
    "networks": networks.NETWORK,
    "volumes": claims.VOLUME,
    "configs": configs.CONFIG,
    "secrets": configs.SECRET,
}
