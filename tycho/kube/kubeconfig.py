"""How a cluster is reached: by a kubeconfig whose credentials are written in it, else as the kubernetes library says.

Importing that library takes longer than a whole command; it is asked for what a plain reading does not know: exec
plugins, OIDC, a pod's own account. `docs/decisions/0001-kubernetes-libraries.md` has the figures.
"""

from __future__ import annotations

import base64
import contextlib
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tycho.errors import ClusterUnreachable, UsageError
from tycho.kube.errors import NO_CLUSTER
from tycho.settings import find_home
from tycho.workspace import root, temporary

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach a cluster.

    Args:
        server: `https://host:port`.
        context: Name of the kubeconfig's context, "" inside a pod.
        headers: Authorization.
        tls: Certificate authority, client certificate and key, as urllib3 takes them.
        renewable: Whether its token may run out, and another be had.
    """

    server: str = field(repr=False)  # a URL may hold a password
    context: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Mapping[str, Any] = field(default_factory=dict, repr=False)
    renewable: bool = False


class KubeconfigLoader:
    """Reads how a cluster is reached; keeps keys until it is closed, in memory where the system can.

    Args:
        kubeconfig: Path of the file, several as KUBECONFIG has them; "" for the usual place.
        context: Context in that file; "" for the current one.
    """

    def __init__(self, kubeconfig: str, context: str) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._keys = contextlib.ExitStack()

    def close(self) -> None:
        """Forget the keys."""
        self._keys.close()

    def load(self) -> ClusterAccess:
        """Read how the cluster is reached.

        Raises:
            ClusterUnreachable: There is no kubeconfig, and this is no pod.
            UsageError: The kubeconfig does not say where its context leads.
        """
        names = [name for name in self._kubeconfig.split(os.pathsep) if name]
        paths = [Path(name) for name in names] or [find_home() / ".kube/config"]
        files = [path for path in paths if path.is_file()]
        if not files:
            if IN_CLUSTER.is_file():
                return self._ask_library(in_cluster=True)
            raise ClusterUnreachable(
                "no Kubernetes cluster answers", hint=NO_CLUSTER, local=f"no kubeconfig at {paths[0]}"
            )
        if len(files) == 1 and (access := self._read_plain(files[0])):
            return access
        return self._ask_library()

    def _read_plain(self, path: Path) -> ClusterAccess | None:
        """Read a kubeconfig whose credentials are written in it; None where it takes the library to get them."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            config = yaml.load(path.read_bytes(), Loader=loader) or {}  # noqa: S506 - a safe loader either way
            name = self._context or config.get("current-context") or ""
            context = _entry(config, "contexts", name)["context"]
            cluster = _entry(config, "clusters", context["cluster"])["cluster"]
            user = _entry(config, "users", context.get("user", ""))["user"] if context.get("user") else {}
            server = cluster["server"].rstrip("/")
            if not server.startswith(("https://", "http://")):
                raise ValueError(f"{server} is no address")  # noqa: TRY301 - as what else is wrong with it
        except yaml.YAMLError:  # whose text may quote a line
            raise UsageError("the kubeconfig is not usable", local=f"{path}: it is not YAML") from None
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise UsageError("the kubeconfig is not usable", local=f"{path}: {error}") from error
        plain = {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token"}
        if set(user or {}) - plain or set(cluster) - {"server", "certificate-authority", "certificate-authority-data",
                                                      "insecure-skip-tls-verify", "extensions"}:  # fmt: skip
            return None
        tls: dict[str, Any] = {}
        try:
            for key, section, option in (
                ("certificate-authority", cluster, "ca_certs"),
                ("client-certificate", user or {}, "cert_file"),
                ("client-key", user or {}, "key_file"),
            ):
                if file := section.get(key):
                    tls[option] = str(path.parent / file)
                elif (encoded := section.get(f"{key}-data")) and option == "ca_certs":
                    tls["ca_cert_data"] = base64.b64decode(encoded).decode("ascii")
                elif encoded:
                    tls[option] = self._keep(base64.b64decode(encoded))
        except (ValueError, TypeError) as error:
            raise UsageError("the kubeconfig is not usable: a key in it is not a PEM file in base64") from error
        if cluster.get("insecure-skip-tls-verify"):
            tls = {"cert_reqs": ssl.CERT_NONE, **tls}
        token = (user or {}).get("token")
        return ClusterAccess(
            server=server,
            context=name,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            tls=tls,
        )

    def _ask_library(self, *, in_cluster: bool = False) -> ClusterAccess:
        from kubernetes import client, config

        configuration = client.Configuration()
        try:
            if in_cluster:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=self._kubeconfig or None,
                    context=self._context or None,
                    client_configuration=configuration,
                    temp_file_path=str(root()),  # the library keeps keys in files, for as long as this process lives
                )
        except config.ConfigException as error:
            raise ClusterUnreachable("the kubeconfig is not usable", hint=NO_CLUSTER, local=str(error)) from error
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
        return ClusterAccess(configuration.host.rstrip("/"), self._context, headers, tls, renewable=True)

    def _keep(self, key: bytes) -> str:
        """Keep a key as a file, which TLS libraries want: in memory, or in this process's folder."""
        if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
            handle = os.memfd_create("tycho-key")
            self._keys.callback(os.close, handle)
            path = f"/proc/self/fd/{handle}"
        else:
            path = str(self._keys.enter_context(temporary("keys")) / "key")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._keys.callback(os.close, handle)
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(key)
        return path


def rename_context(path: Path, context: str) -> bytes:
    """Return a kubeconfig that needs no other file, its current context, cluster and user under another name.

    Args:
        path: Of a kubeconfig as programs that make clusters write it.
        context: The name.
    """
    import yaml

    config = yaml.safe_load(path.read_bytes())
    current = _entry(config, "contexts", config["current-context"])["context"]
    cluster = _entry(config, "clusters", current["cluster"])["cluster"]
    user = _entry(config, "users", current["user"])["user"]
    for section in (cluster, user):
        for key in ("certificate-authority", "client-certificate", "client-key"):
            if file := section.pop(key, None):
                section[f"{key}-data"] = base64.b64encode((path.parent / file).read_bytes()).decode()
    renamed = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    return yaml.safe_dump(renamed, sort_keys=False).encode()


def _entry(config: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    """Return the entry of a section that has a name.

    Raises:
        UsageError: There is none.
    """
    entries: dict[str, dict[str, Any]] = {str(entry.get("name")): entry for entry in config.get(section) or ()}
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise UsageError(f'the kubeconfig has no {section[:-1]} "{name}"', hint=f"it has: {known}")
    return entries[name]
