"""Kinds of Kubernetes objects: what Tycho knows of each that it makes or reads, said here alone.

Charts and orchestrators read it. Tests compare it with what Helm renders, and with a real API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote

from msgspec import Struct

from tycho.errors import UsageError

LONGEST_NAME = 63  # characters of a name: it is a label, and a host name, too


class Maker(StrEnum):
    """Who makes the objects of a kind."""

    CHART = "chart"  # a template
    VERB = "verb"  # an orchestrator, around a release
    CLUSTER = "cluster"  # a controller, or whoever runs the cluster


class Readiness(StrEnum):
    """What the status of a workload says of its readiness."""

    REPLICAS = "replicas"  # all the replicas that it asks for run its present template
    NODES = "nodes"  # the same, with a replica for each node that it is for
    COMPLETIONS = "completions"  # its pods have done their work
    SCHEDULE = "schedule"  # it is ready at once, and makes Jobs at times


class RemovalTime(StrEnum):
    """When an object of a release is deleted."""

    ABSENCE = "absence"  # as soon as no revision has it any more, and by `down`
    DOWN = "down"  # by `down` alone, unless it is asked to keep it: it holds data
    OWNER = "owner"  # by the cluster, after its owner; `down` sees it gone
    NEVER = "never"  # it is no release's, or goes with what it is about


class Rule(StrEnum):
    """Which changes of a field the API server refuses."""

    ANY = "any"
    HEADLESS = "headless"  # from or to "None"
    SMALLER = "smaller"  # to a smaller quantity


class FixedField(Struct, frozen=True):
    """A field that cannot be changed while its object is there.

    Args:
        path: With dots.
        absent: What the API server takes it for where a manifest has none.
        rule: What counts as a change.
    """

    path: str
    absent: object = None
    rule: Rule = Rule.ANY


class Kind(Struct, frozen=True):
    """A kind of objects.

    Args:
        name: As `kind` has it.
        api_version: As `apiVersion` has it.
        plural: As paths and rules of rights have it.
        fixed: Fields that cannot be changed.
        readiness: How it is read; None where an object is ready as soon as it is there.
        removal: When objects are deleted.
        maker: Who makes objects.
        longest_name: How long a name may be, so that the objects made from it can have theirs.
    """

    name: str
    api_version: str
    plural: str
    fixed: tuple[FixedField, ...] = ()
    readiness: Readiness | None = None
    removal: RemovalTime = RemovalTime.ABSENCE
    maker: Maker = Maker.CHART
    longest_name: int = LONGEST_NAME

    @property
    def group(self) -> str:
        """The API group, "" for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def keeps_running(self) -> bool:
        """Whether it is a workload whose pods are to run all the time."""
        return self.readiness in (Readiness.REPLICAS, Readiness.NODES)

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of the objects of this kind at the API server, or of one object.

        Args:
            namespace: "" for all namespaces, or for a kind that has none.
            name: One object's.

        Raises:
            UsageError: A name would become another path.

        Example:
            >>> POD.path("lab", "web-0")
            '/api/v1/namespaces/lab/pods/web-0'
        """
        base = f"/{'apis' if self.group else 'api'}/{self.api_version}"
        where = f"/namespaces/{_segment(namespace)}" if namespace else ""
        return f"{base}{where}/{self.plural}" + (f"/{_segment(name)}" if name else "")


def _segment(text: str) -> str:
    """Quote a text as one segment of a path; `.` and `..`, which servers and proxies resolve, cannot be one."""
    if text in (".", ".."):
        raise UsageError(f'"{text}" is not a name')
    return quote(text, safe="")


SELECTOR = FixedField("spec.selector")
JOB_FIELDS = (
    "spec.template", "spec.completions", "spec.selector", "spec.completionMode", "spec.podFailurePolicy",
    "spec.successPolicy", "spec.backoffLimitPerIndex", "spec.managedBy",
)  # fmt: skip
CLAIM_FIELDS = ("spec.accessModes", "spec.storageClassName", "spec.selector", "spec.dataSource")

DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments", (SELECTOR,), Readiness.REPLICAS)
STATEFUL_SET = Kind(
    "StatefulSet",
    "apps/v1",
    "statefulsets",
    (
        SELECTOR,
        FixedField("spec.serviceName"),
        FixedField("spec.volumeClaimTemplates"),
        FixedField("spec.podManagementPolicy", "OrderedReady"),
    ),
    Readiness.REPLICAS,
    longest_name=52,
)
DAEMON_SET = Kind("DaemonSet", "apps/v1", "daemonsets", (SELECTOR,), Readiness.NODES)
JOB = Kind("Job", "batch/v1", "jobs", tuple(map(FixedField, JOB_FIELDS)), Readiness.COMPLETIONS)
CRON_JOB = Kind("CronJob", "batch/v1", "cronjobs", readiness=Readiness.SCHEDULE, longest_name=52)
SERVICE = Kind("Service", "v1", "services", (FixedField("spec.clusterIP", rule=Rule.HEADLESS),))
CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
SECRET = Kind("Secret", "v1", "secrets", (FixedField("type", "Opaque"),))
CLAIM = Kind(
    "PersistentVolumeClaim",
    "v1",
    "persistentvolumeclaims",
    (
        *map(FixedField, CLAIM_FIELDS),
        FixedField("spec.volumeMode", "Filesystem"),
        FixedField("spec.resources.requests.storage", rule=Rule.SMALLER),
    ),
    removal=RemovalTime.DOWN,
)
SERVICE_ACCOUNT = Kind("ServiceAccount", "v1", "serviceaccounts")
ROLE = Kind("Role", "rbac.authorization.k8s.io/v1", "roles")
ROLE_BINDING = Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", (FixedField("roleRef"),))
NETWORK_POLICY = Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies")
INGRESS = Kind("Ingress", "networking.k8s.io/v1", "ingresses")
HTTP_ROUTE = Kind("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes")
POD_DISRUPTION_BUDGET = Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
POD = Kind("Pod", "v1", "pods")
REPLICA_SET = Kind("ReplicaSet", "apps/v1", "replicasets", (SELECTOR,), removal=RemovalTime.OWNER, maker=Maker.CLUSTER)
ENDPOINT_SLICE = Kind(
    "EndpointSlice", "discovery.k8s.io/v1", "endpointslices", removal=RemovalTime.NEVER, maker=Maker.CLUSTER
)
EVENT = Kind("Event", "v1", "events", removal=RemovalTime.NEVER, maker=Maker.CLUSTER)
NODE = Kind("Node", "v1", "nodes", removal=RemovalTime.NEVER, maker=Maker.CLUSTER)
NAMESPACE = Kind("Namespace", "v1", "namespaces", removal=RemovalTime.NEVER, maker=Maker.VERB)
STORAGE_CLASS = Kind(
    "StorageClass", "storage.k8s.io/v1", "storageclasses", removal=RemovalTime.NEVER, maker=Maker.CLUSTER
)
LEASE = Kind("Lease", "coordination.k8s.io/v1", "leases", removal=RemovalTime.NEVER, maker=Maker.VERB)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB, SERVICE, CONFIG_MAP, SECRET, CLAIM, SERVICE_ACCOUNT,
            ROLE, ROLE_BINDING, NETWORK_POLICY, INGRESS, HTTP_ROUTE, POD_DISRUPTION_BUDGET, POD, REPLICA_SET,
            ENDPOINT_SLICE, EVENT, NODE, NAMESPACE, LEASE,
        )
    }
)  # fmt: skip
"""By name."""
WORKLOADS: Mapping[str, Kind] = MappingProxyType({name: kind for name, kind in KINDS.items() if kind.readiness})
"""Those that make pods, and whose readiness is a release's."""
