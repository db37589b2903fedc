"""The verbs that read what runs or reach into it; each imports what it takes, of which `up` needs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tycho.kube.client import KubeClient
    from tycho.orchestrators import Artifact, Connection, ExecRequest, LogRequest, Streams, Target
    from tycho.orchestrators.helm.process import Helm
    from tycho.release import Check, Event, Identity, Revision


class ReadVerbs:
    """The verbs of an orchestrator that make no revision."""

    api: KubeClient
    helm: Helm
    target: Target

    async def history(self, identity: Identity) -> Sequence[Revision]:
        """The revisions that Helm keeps, oldest first."""
        from tycho.orchestrators.helm import history

        return await history.list_history(self.api, identity)

    async def push(self, artifact: Artifact, registry_url: str, *, plain_http: bool = False) -> str:
        """Send a chart to a registry; returns `reference@digest`."""
        from tycho.orchestrators.helm import registry

        return await registry.push_chart(self.helm, artifact, registry_url, plain_http=plain_http)

    def logs(self, identity: Identity, query: LogRequest) -> AsyncIterator[str]:
        """Yield lines of the services' logs, prefixed with the pod's name."""
        from tycho.orchestrators.helm import logs

        return logs.read_lines(self.api, identity, query)

    def events(self, identity: Identity, services: tuple[str, ...], *, follow: bool) -> AsyncIterator[Event]:
        """Yield the Events of the services' objects, oldest first."""
        from tycho.orchestrators.helm import events

        return events.list_events(self.api, identity, services, follow=follow)

    async def exec(self, identity: Identity, service: str, program_: ExecRequest, streams: Streams) -> int:
        """Run a program in a container of a service; its exit code is returned."""
        from tycho.orchestrators.helm import exec

        return await exec.execute(self.api, identity, service, program_, streams)

    async def ports(self, identity: Identity, service: str) -> tuple[int, ...]:
        """The TCP ports that a running container of a service is known to listen at."""
        from tycho.orchestrators.helm import forward

        return await forward.list_ports(self.api, identity, service)

    async def forward(self, identity: Identity, service: str, port: int, connection: Connection) -> None:
        """Carry a connection's bytes to a port of a service's container, and back."""
        from tycho.orchestrators.helm import forward

        await forward.forward(self.api, identity, service, port, connection)

    async def doctor(self) -> Sequence[Check]:
        """Helm, the cluster, rights, metrics."""
        from tycho.orchestrators.helm.checks import checks

        return await checks(self.api, self.target.namespace)
