"""A script in the place of Docker: it says the digests that it is told to, and keeps what it was asked."""

from __future__ import annotations

from pathlib import Path

PREFIX = "localhost:5000/team"
FILE = """
name: shop
services:
  web:
    build: {context: web, args: {TOKEN: "${BUILD_TOKEN}"}, secrets: [netrc]}
    ports: ["80"]
  worker: {image: "shop-web", command: [work]}
  db: {image: "postgres:15"}
secrets:
  netrc: {environment: NETRC}
"""
TOKEN, NETRC = "hush-31f7c0", "machine-66fd21"
SECRETS = {"BUILD_TOKEN": TOKEN, "NETRC": NETRC}
DOCKER = """#!/bin/sh
echo "$@" >>{here}/asked
[ -e {here}/down ] && {{ echo "Cannot connect to the Docker daemon at unix:///x. Is it running?" >&2; exit 1; }}
case "$1 $2" in
  "version --format") echo 28.2.2 ;;
  "compose version") [ ! -e {here}/no-compose ] ;;
  "compose -f")
    /bin/cat >{here}/document
    echo "$NETRC" >{here}/netrc
    echo "#5 RUN curl -u $NETRC {token}" >&2
    [ ! -e {here}/slow ] || {{ echo $$ >{here}/pid; exec sleep 600; }}
    [ ! -e {here}/broken ] || {{ echo "failed to solve: exit code: 1" >&2; exit 17; }} ;;
  "image inspect")
    digest=sha256:$(/bin/cat {here}/digest)
    case "$4" in *RepoDigests*) echo "[\\"other/web@sha256:0\\", \\"${{5%:*}}@$digest\\"]" ;; *) echo $digest ;; esac ;;
  "push "*)
    [ ! -e {here}/denied ] || {{ echo "denied: requested access to the resource is denied" >&2; exit 1; }}
    [ -e {here}/silent ] || echo "latest: digest: sha256:$(/bin/cat {here}/digest) size: 1224" ;;
esac
"""


class Fake:
    """A script in the place of Docker.

    Args:
        here: Its folder.
    """

    def __init__(self, here: Path) -> None:
        self.here = here
        here.mkdir()
        (here / "docker").write_text(DOCKER.format(here=here, token=TOKEN))
        (here / "docker").chmod(0o755)
        self.builds("a" * 64)

    def builds(self, digest: str) -> None:
        """Build something of this digest from now on."""
        (self.here / "digest").write_text(digest)

    def has(self, state: str) -> None:
        """Be in a state: down, denied, broken, silent, slow, no-compose."""
        (self.here / state).touch()

    @property
    def asked(self) -> list[str]:
        """What was asked since the last look."""
        log = self.here / "asked"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines
