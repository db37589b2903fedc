"""The way into a cluster: a kubeconfig whose credentials are written in it, or whatever the kubernetes library finds.

Importing that library costs most of a second, which every command would pay; it is asked for what a plain reading
does not know: exec plugins, OIDC, a pod's own account.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tycho.errors import ClusterUnreachable, UsageError
from tycho.orchestrators import Target
from tycho.orchestrators.helm.errors import NO_CLUSTER

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True)
class Access:
    """How to reach a cluster.

    Args:
        server: `https://host:port`.
        context: Name of the kubeconfig's context, "" inside a pod.
        headers: Authorization.
        tls: Certificate authority, client certificate and key, as files.
        renewable: Whether its token may run out, and another be had.
    """

    server: str = field(repr=False)  # a URL may hold a password
    context: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Mapping[str, Any] = field(default_factory=dict, repr=False)
    renewable: bool = False


class Way:
    """Finds the access that a target means; keeps key files until it is closed.

    Args:
        target: Kubeconfig and context.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._files: list[str] = []

    def close(self) -> None:
        """Remove the key files."""
        for path in self._files:
            Path(path).unlink(missing_ok=True)
        self._files.clear()

    def find(self) -> Access:
        """The way into the cluster.

        Raises:
            ClusterUnreachable: There is no kubeconfig, and this is no pod.
            UsageError: The kubeconfig does not say where its context leads.
        """
        paths = [Path(one) for one in self.target.kubeconfig.split(os.pathsep) if one] or [Path.home() / ".kube/config"]
        found = [path for path in paths if path.is_file()]
        if not found:
            if IN_CLUSTER.is_file():
                return self._by_library(in_cluster=True)
            raise ClusterUnreachable(f"no Kubernetes cluster answers (no kubeconfig at {paths[0]})", hint=NO_CLUSTER)
        if len(found) == 1 and (access := self._plain(found[0])):
            return access
        return self._by_library()

    def _plain(self, path: Path) -> Access | None:
        """A kubeconfig whose credentials are written in it; None where it takes a library to get them."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            config = yaml.load(path.read_bytes(), Loader=loader) or {}  # noqa: S506 - a safe loader either way
            name = self.target.context or config.get("current-context") or ""
            context = _named(config, "contexts", name)["context"]
            cluster = _named(config, "clusters", context["cluster"])["cluster"]
            user = _named(config, "users", context.get("user", ""))["user"] if context.get("user") else {}
        except yaml.YAMLError:  # whose text may quote a line
            raise UsageError(f"{path} is no usable kubeconfig: it is not YAML") from None
        except (OSError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} is no usable kubeconfig: {error}") from error
        plain = {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token"}
        if set(user or {}) - plain or set(cluster) - {"server", "certificate-authority", "certificate-authority-data",
                                                      "insecure-skip-tls-verify", "extensions"}:  # fmt: skip
            return None
        tls: dict[str, Any] = {}
        for key, section, option in (
            ("certificate-authority", cluster, "ca_certs"),
            ("client-certificate", user or {}, "cert_file"),
            ("client-key", user or {}, "key_file"),
        ):
            if file := section.get(key):
                tls[option] = str(path.parent / file)
            elif data := section.get(f"{key}-data"):
                tls[option] = self._file(base64.b64decode(data))
        if cluster.get("insecure-skip-tls-verify"):
            tls = {"cert_reqs": ssl.CERT_NONE, **tls}
        token = (user or {}).get("token")
        return Access(
            server=cluster["server"].rstrip("/"),
            context=name,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            tls=tls,
        )

    def _by_library(self, *, in_cluster: bool = False) -> Access:
        from kubernetes import client, config

        configuration = client.Configuration()
        try:
            if in_cluster:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=self.target.kubeconfig or None,
                    context=self.target.context or None,
                    client_configuration=configuration,
                )
        except config.ConfigException as error:
            raise ClusterUnreachable(f"the kubeconfig is not usable: {error}", hint=NO_CLUSTER) from error
        token = configuration.get_api_key_with_prefix("authorization") or configuration.get_api_key_with_prefix(
            "BearerToken"
        )
        known = {
            "ca_certs": configuration.ssl_ca_cert,
            "cert_file": configuration.cert_file,
            "key_file": configuration.key_file,
            "cert_reqs": None if configuration.verify_ssl else ssl.CERT_NONE,
        }
        tls = {option: value for option, value in known.items() if value is not None}
        headers = {"Authorization": token} if token else {}
        return Access(configuration.host.rstrip("/"), self.target.context, headers, tls, renewable=True)

    def _file(self, data: bytes) -> str:
        """A key as a file of our own, which TLS libraries want: 0600, removed at the end."""
        handle, path = tempfile.mkstemp(prefix="tycho-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        self._files.append(path)
        return path


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] | None = next((one for one in config.get(kind) or () if one.get("name") == name), None)
    if found is None:
        known = ", ".join(str(one.get("name")) for one in config.get(kind) or ()) or "none"
        raise UsageError(f'the kubeconfig has no {kind[:-1]} "{name}"', hint=f"it has: {known}")
    return found
