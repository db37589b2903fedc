"""Every key beside the services, and what becomes of it."""

from __future__ import annotations

from tycho.chart.keys import carrying, reaching, running
from tycho.chart.keys.key import Table, approximated, ignored, rejected, translated, whole

DRIVER = "the cluster has one network, with drivers of its own"
OURS = "objects are named for the release"
PLAIN = "nothing: services call it by its key"
LEAVE = "remove it"

PROJECT: Table = {
    "version": ignored("Compose itself ignores it", "remove it"),
    "name": translated("name of the chart"),
    "include": whole(translated("resolved when the file is read")),
    "models": whole(rejected("a model runner is a program of Docker", "run one as a service")),
}
NETWORK: Table = {
    "name": ignored(OURS, PLAIN, judge=reaching.network_name),
    "driver": ignored(DRIVER, LEAVE, judge=reaching.network_driver),
    "driver_opts": whole(ignored(DRIVER, LEAVE)),
    "ipam": whole(ignored("the cluster gives the addresses", "call services by their names")),
    "external": whole(approximated(reaching.SHARED_NETWORK, "networks end with the system", reaching.OTHER_SYSTEMS)),
    "internal": translated("a NetworkPolicy without egress", reaching.internal),
    "attachable": ignored("pods are selected by labels", "nothing: policies say who may call"),
    "enable_ipv4": ignored(DRIVER, LEAVE),
    "enable_ipv6": ignored(DRIVER, LEAVE),
    "labels": whole(ignored("a NetworkPolicy is the system's own", "label the services")),
}  # fmt: skip
VOLUME: Table = {
    "name": approximated("claim <release>-<volume>", OURS, "set persistence.X.existingClaim", reaching.external_name),
    "driver": approximated("the cluster's default storage class", "drivers are Docker's", "x-tycho: {class: NAME}",
                           reaching.volume_driver),
    "driver_opts": whole(translated("size, nfs", reaching.driver_opts)),
    "external": whole(translated("a claim that exists")),
    "labels": whole(translated("annotations of the claim", running.annotated)),
}  # fmt: skip
CONFIG: Table = {
    "name": ignored(OURS, PLAIN, judge=reaching.external_name),
    "file": translated("ConfigMap", carrying.config_file),
    "content": translated("ConfigMap (live)"),
    "environment": translated("ConfigMap (live)"),
    "external": whole(translated("a ConfigMap that exists (live)")),
    "labels": whole(ignored("a ConfigMap is the system's own", "label the services")),
    "template_driver": rejected("templates are Swarm's", "write the text out; ${VAR} is expanded in content"),
}
SECRET: Table = {
    "name": ignored(OURS, PLAIN, judge=reaching.external_name),
    "file": translated("Secret; its content travels in the values of the release", carrying.secret_file),
    "environment": translated("Secret; its content travels in the values of the release"),
    "external": whole(translated("a Secret that exists (live)")),
    "labels": whole(ignored("a Secret is the system's own", "label the services")),
    "driver": rejected("drivers are Swarm's", "use file, environment, or external"),
    "driver_opts": whole(rejected("drivers are Swarm's", "use file, environment, or external")),
    "template_driver": rejected("templates are Swarm's", "write the text out"),
}
