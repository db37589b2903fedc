"""Stand-ins for images of well-known software: the probe with their users, folders and entrypoints' habits.

What the programs look at before they serve is in the systems' commands, as the probe's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.behaviour.image import File, Image
from tests.e2e.images import PATH

OPEN = 0o777
STICKY = 0o1777


def _application(
    port: int, files: Mapping[str, File] | None = None, env: Mapping[str, str] | None = None, **config: Any
) -> Image:
    """Describe an image that says its port, and some variables."""
    variables = [PATH, *(f"{name}={value}" for name, value in (env or {}).items())]
    return Image({"ExposedPorts": {f"{port}/tcp": {}}, "Env": variables, **config}, files or {})


def _volumes(*paths: str) -> dict[str, dict[str, str]]:
    return {path: {} for path in paths}


def _text(content: str, owner: int = 0) -> File:
    return File((owner, owner), 0o644, content)


POSTGRES = "/var/lib/postgresql/data"
APPLICATIONS = {
    "app-grafana": _application(
        3000,
        {"var/lib/grafana": File((472, 0), OPEN), "var/log/grafana": File((472, 0), OPEN)},
        {"GF_PATHS_DATA": "/var/lib/grafana", "GF_PATHS_PROVISIONING": "/etc/grafana/provisioning"},
        User="472", WorkingDir="/usr/share/grafana",
    ),
    "app-postgres": _application(
        5432,
        {"var/lib/postgresql": File((999, 999), STICKY), POSTGRES[1:]: File((999, 999), STICKY),
         "var/run/postgresql": File((999, 999), 0o3777)},
        {"PGDATA": POSTGRES}, Volumes=_volumes(POSTGRES), StopSignal="SIGINT",
    ),
    "app-mysql": _application(
        3306, {"var/lib/mysql": File((999, 999), STICKY), "var/run/mysqld": File((999, 999), STICKY)},
        Volumes=_volumes("/var/lib/mysql"),
    ),
    "app-redis": _application(6379, {"data": File((999, 999))}, Volumes=_volumes("/data"), WorkingDir="/data"),
    "app-etcd": _application(2379, {"var/lib/etcd": File(mode=0o700)}),
    "app-minio": _application(9000, {"data": File()}, {"MINIO_UPDATE": "off"}, Volumes=_volumes("/data")),
    "app-rabbitmq": _application(
        5672, {"var/lib/rabbitmq": File((999, 999), STICKY), "var/log/rabbitmq": File((999, 999), STICKY)},
        {"HOME": "/var/lib/rabbitmq", "RABBITMQ_DATA_DIR": "/var/lib/rabbitmq"}, Volumes=_volumes("/var/lib/rabbitmq"),
    ),
    "app-nginx": _application(
        80, {"etc/nginx/conf.d": File(), "etc/nginx/conf.d/default.conf": _text("server { listen 80; }\n")},
        StopSignal="SIGQUIT",
    ),
    "app-wordpress": _application(
        80,
        {"var/www/html": File((33, 33), STICKY), "var/www/html/index.php": _text("<?php\n", 33),
         "var/www/html/wp-content": File((33, 33)), "var/www/html/wp-content/index.php": _text("<?php\n", 33)},
        Volumes=_volumes("/var/www/html"), WorkingDir="/var/www/html",
    ),
    "app-elasticsearch": _application(
        9200,
        {"usr/share/elasticsearch": File((0, 0), 0o775), "usr/share/elasticsearch/data": File((1000, 0), 0o775),
         "usr/share/elasticsearch/logs": File((1000, 0), 0o775)},
        User="1000:0", WorkingDir="/usr/share/elasticsearch",
    ),
    "app-prometheus": _application(
        9090,
        {"etc/passwd": _text("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/home:/bin/false\n"),
         "etc/group": _text("root:x:0:\nnobody:x:65534:\n"), "prometheus": File((65534, 65534)),
         "etc/prometheus": File((65534, 65534)), "etc/prometheus/prometheus.yml": _text("global: {}\n", 65534)},
        User="nobody", Volumes=_volumes("/prometheus"), WorkingDir="/prometheus",
    ),
    "app-mosquitto": _application(
        1883,
        {"mosquitto": File((1883, 1883)), "mosquitto/config": File((1883, 1883)),
         "mosquitto/data": File((1883, 1883)), "mosquitto/log": File((1883, 1883)),
         "mosquitto/config/mosquitto.conf": _text("# defaults\n", 1883)},
        Volumes=_volumes("/mosquitto/data", "/mosquitto/log"),
    ),
    "app-nextcloud": _application(
        80,
        {"var/www/html": File((33, 33), STICKY), "usr/src/nextcloud": File(), "usr/src/nextcloud/config": File(),
         "usr/src/nextcloud/index.php": _text("<?php\n"), "usr/src/nextcloud/config/config.php": _text("<?php\n")},
        Volumes=_volumes("/var/www/html"), WorkingDir="/var/www/html",
    ),
    "app-gitea": _application(
        3000, {"data": File()}, {"USER": "git", "GITEA_CUSTOM": "/data/gitea"}, Volumes=_volumes("/data"),
    ),
    "app-torrent": _application(8080, {"config": File(), "app": File((911, 911))}, Volumes=_volumes("/config")),
    "app-traefik": _application(80, {"etc/traefik": File()}),
}  # fmt: skip
