"""Names of labels and annotations that are not a compose file's to set: Kubernetes', Helm's, a runtime's, our own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tycho.chart.workload_kind import extension_mapping
from tycho.model import Json, Project
from tycho.model.rights import covers

DOMAINS = (
    "kubernetes.io", "k8s.io", "helm.sh", "tycho.dev", "cri-o.io", "crio.io", "cni.cncf.io", "nri.io", "checksum",
)  # fmt: skip
RUNTIMES = (
    "io.kubernetes.cri", "io.katacontainers.", "io.containers.", "io.containerd.", "org.systemd.property.", "run.oci.",
    "cpu-", "irq-",
)  # fmt: skip
"""What container runtimes read: `io.kubernetes.cri-o.Devices`, `org.systemd.property.…`, `run.oci.hooks.…`."""

ACTING = re.compile(
    r"(^|\.)(apparmor|seccomp)\.security\.(alpha|beta)\.kubernetes\.io/|(^|[./])(cri-o|crio|cni\.cncf|nri)\.io/"
    r"|^seccomp-profile\.|(^|\.)cdi\.k8s\.io/"
)
INGRESS = re.compile(
    r"snippet|(^|[/.-])lua([-_.]|$)|/config-(backend|frontend|global|defaults|proxy|sections|tcp)|/modsecurity"
    r"|/fastcgi-params-configmap"
)
"""What a controller runs as code or configuration of its own."""

OTHER_NAMESPACE = re.compile(r"/(auth-secret|auth-tls-secret|proxy-ssl-secret|secure-verify-ca-secret)$")
"""What names a Secret; `namespace/name` is somebody else's."""

FREE = frozenset({"tycho.dev/simulate", "kubernetes.io/ingress.class"})
CHART_KEYS = re.compile(r"(app\.kubernetes\.io|([a-z0-9-]+\.)*helm\.sh|([a-z0-9-]+\.)*tycho\.dev|checksum)/.*")
"""What the chart itself writes: nothing lets these pass."""

CONTROLLERS = ("ingress.kubernetes.io",)
BALANCERS = ("service.kubernetes.io", "service.beta.kubernetes.io", "service.alpha.kubernetes.io")
"""What an Ingress and a published Service are tuned with."""


def is_acting(key: str, value: str = "") -> bool:
    """Tell whether a label or annotation changes what a container, a node or a controller does."""
    # A config may be called `proxy`, and its checksum `checksum/config-proxy`.
    if key in FREE or CHART_KEYS.fullmatch(key):
        return False
    runtime = key.startswith(RUNTIMES[:-2]) or (key.startswith(RUNTIMES[-2:]) and "crio.io" in key)
    return bool(
        runtime or ACTING.search(key) or INGRESS.search(key.lower()) or (OTHER_NAMESPACE.search(key) and "/" in value)
    )


def is_reserved(key: str, value: str = "", open_domains: Sequence[str] = ()) -> bool:
    """Tell whether a name lies in a domain that is not a compose file's.

    Args:
        key: The label or annotation.
        value: What it holds.
        open_domains: Domains, with all below them, that may be written at this place.
    """
    if key in FREE:
        return False
    domain = key.partition("/")[0] if "/" in key else ""
    acting = is_acting(key, value)
    return acting or (not _is_within(domain, open_domains) and _is_within(domain, DOMAINS))


def keep_allowed(
    annotations: Mapping[str, str], grants: Iterable[object], open_domains: Sequence[str] = ()
) -> dict[str, str]:
    """Leave out the annotations that are reserved and not granted."""
    kept = tuple(grants)
    return {key: value for key, value in annotations.items() if is_allowed(key, str(value), kept, open_domains)}


def is_allowed(key: str, value: str, grants: Sequence[object], open_domains: Sequence[str] = ()) -> bool:
    """Tell whether a label or annotation may be set: it is not reserved, or a policy lets it pass."""
    if not is_reserved(key, value, open_domains):
        return True
    return not CHART_KEYS.fullmatch(key) and covers(grants, f"annotations.{key}")


def ingress_annotations(system: Project) -> Mapping[str, Json]:
    """Read the annotations of the Ingress that a compose file asks for."""
    annotations = extension_mapping(system, "ingress").get("annotations")
    return annotations if isinstance(annotations, Mapping) else {}


def _is_within(domain: str, domains: Sequence[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in domains)
