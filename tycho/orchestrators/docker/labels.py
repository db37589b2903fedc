"""Labels by which a system is known on an engine: who it is, whose, and digests of what it was made of."""

GUID = "tycho.dev/guid"  # of containers, networks and volumes
INPUTS = "tycho.dev/inputs"  # of a container that gets files from variables: a digest of these
# Of the record alone, an empty volume.
NAME = "tycho.dev/name"
USER = "tycho.dev/user"
ORIGIN = "tycho.dev/origin"
CREATED = "tycho.dev/created"
COMPOSE = "tycho.dev/compose"
POLICIES = "tycho.dev/policies"
DIGEST = "tycho.dev/digest"
FIRST_DIGEST = "tycho.dev/first-digest"
ARTIFACT = "tycho.dev/artifact"
PAUSED = "tycho.dev/paused"  # the services that ran when the system was paused, with commas; as long as it is
STOPPED = "tycho.dev/stopped"  # the services that were stopped by themselves
# Docker Compose's own.
NUMBER = "com.docker.compose.container-number"
SERVICE = "com.docker.compose.service"
PROJECT = "com.docker.compose.project"
VOLUME = "com.docker.compose.volume"
DEPENDS_ON = "com.docker.compose.depends_on"
RUN_ALONE = "com.docker.compose.oneoff"
