"""A stand-in for an ingress controller and a Gateway: it routes as Ingresses and HTTPRoutes in the cluster say.

It knows what Tycho's charts may ask of ingress-nginx, of traefik and of the Gateway API, and refuses all else: an
object that a controller would not understand must not look as if it worked.

Sources: kubernetes.io/docs/concepts/services-networking/ingress (path types), the annotations of ingress-nginx,
traefik's Middleware `stripPrefix`, gateway-api.sigs.k8s.io (HTTPRoute: PathPrefix, URLRewrite, RequestHeaderModifier).
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Object = dict[str, Any]
NGINX = "nginx.ingress.kubernetes.io/"
TRAEFIK = "traefik.ingress.kubernetes.io/router.middlewares"
KINDS = {
    "Ingress": "/apis/networking.k8s.io/v1/ingresses",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/httproutes",
    "Middleware": "/apis/traefik.io/v1alpha1/middlewares",
}
HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a request goes.

    Args:
        namespace: The Service's.
        service: Its name.
        port: Its port.
        path: What is asked there, with the query.
        headers: What is set besides.
    """

    namespace: str
    service: str
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Controller:
    """Knows the routes.

    Args:
        list_objects: Lists the objects behind a path of the API.
        classes: IngressClasses that it serves, each with its controller: `ingress-nginx` or `traefik`; "" is any other.
        gateway: `namespace/name` of the Gateway that it is.
    """

    list_objects: Callable[[str], Sequence[Object]]
    classes: dict[str, str]
    gateway: str = ""

    def route(self, host: str, target: str) -> Backend | None:
        """Find where a request goes; of several rules the longest path's."""
        path, mark, query = target.partition("?")
        candidates: list[tuple[int, Backend]] = []
        for ingress in self.list_objects(KINDS["Ingress"]):
            candidates += self._of_ingress(ingress, host, path)
        for route in self.list_objects(KINDS["HTTPRoute"]) if self.gateway else ():
            candidates += self._of_route(route, host, path)
        if not candidates:
            return None
        _, best = max(candidates, key=lambda pair: pair[0])
        return Backend(best.namespace, best.service, best.port, best.path + mark + query, best.headers)

    def _of_ingress(self, ingress: Object, host: str, path: str) -> Iterator[tuple[int, Backend]]:
        spec, metadata = ingress["spec"], ingress["metadata"]
        if spec.get("ingressClassName") not in self.classes:
            return
        controller, annotations = self.classes[spec["ingressClassName"]], metadata.get("annotations") or {}
        for rule in spec["rules"]:
            for entry in rule["http"]["paths"] if rule.get("host") in (None, host) else ():
                service = entry["backend"]["service"]
                changed = self._match(controller, annotations, entry, path)
                if changed is not None:
                    place = metadata["namespace"], service["name"], service["port"]["number"]
                    yield len(entry["path"]), Backend(*place, *changed)

    def _match(
        self, controller: str, annotations: Object, entry: Object, path: str
    ) -> tuple[str, dict[str, str]] | None:
        """Match a path; what becomes of it, and the headers that are set; None where it does not match."""
        if entry["pathType"] == "Prefix":
            assert re.fullmatch(r"/[A-Za-z0-9._~/-]*", entry["path"]), f"no prefix: {entry['path']}"
            if not below(path, entry["path"]):
                return None
            return self._strip(controller, annotations, path)
        assert entry["pathType"] == "ImplementationSpecific"
        assert controller == "ingress-nginx", "a pattern is ingress-nginx's alone"
        assert annotations.get(f"{NGINX}use-regex") == "true"
        match = re.match(entry["path"], path, re.IGNORECASE)  # `location ~* "^PATH"`
        if not match:
            return None
        target = re.sub(r"\$(\d)", lambda number: match[int(number[1])] or "", annotations[f"{NGINX}rewrite-target"])
        header = annotations.get(f"{NGINX}x-forwarded-prefix")
        return target, {"X-Forwarded-Prefix": header} if header else {}

    def _strip(self, controller: str, annotations: Object, path: str) -> tuple[str, dict[str, str]]:
        """Do as traefik's Middlewares say."""
        headers: dict[str, str] = {}
        named = [name for name in annotations.get(TRAEFIK, "").split(",") if name and controller == "traefik"]
        for middleware in self.list_objects(KINDS["Middleware"]) if named else ():
            metadata = middleware["metadata"]
            if f"{metadata['namespace']}-{metadata['name']}@kubernetescrd" in named:
                for prefix in middleware["spec"]["stripPrefix"]["prefixes"]:
                    if path.startswith(prefix):
                        path, headers = path[len(prefix) :] or "/", {"X-Forwarded-Prefix": prefix}
                        break
        return path if path.startswith("/") else f"/{path}", headers

    def _of_route(self, route: Object, host: str, path: str) -> Iterator[tuple[int, Backend]]:
        spec, namespace = route["spec"], route["metadata"]["namespace"]
        parents = [f"{parent.get('namespace', namespace)}/{parent['name']}" for parent in spec["parentRefs"]]
        if self.gateway not in parents or host not in spec.get("hostnames", [host]):
            return
        for rule in spec["rules"]:
            for match in rule["matches"]:
                assert match["path"]["type"] == "PathPrefix"
                prefix, changed, headers = match["path"]["value"].rstrip("/"), path, {}
                if not below(path, prefix or "/"):
                    continue
                for step in rule.get("filters", ()):
                    if step["type"] == "URLRewrite":
                        replaced = step["urlRewrite"]["path"]
                        assert replaced["type"] == "ReplacePrefixMatch"
                        changed = "/" + (replaced["replacePrefixMatch"] + path[len(prefix) :]).lstrip("/")
                    else:
                        assert step["type"] == "RequestHeaderModifier"
                        headers |= {header["name"]: header["value"] for header in step["requestHeaderModifier"]["set"]}
                (backend,) = rule["backendRefs"]
                yield len(prefix), Backend(namespace, backend["name"], backend["port"], changed, headers)


def below(path: str, prefix: str) -> bool:
    """Tell whether a path is a prefix, or lies below it: element by element, as Kubernetes compares them."""
    return prefix == "/" or path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")


@contextmanager
def serving(
    controller: Controller, resolve: Callable[[str, str, int], tuple[str, int]], address: str = "127.0.0.1"
) -> Iterator[int]:
    """Serve on a free port, which is given.

    Args:
        controller: Knows the routes.
        resolve: Finds the address of a Service's port, by namespace, name and port.
        address: Where to listen.
    """

    class Handler(BaseHTTPRequestHandler):
        """Passes requests on."""

        def pass_on(self) -> None:
            """Send a request where its route leads, and the answer back."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            backend = controller.route((self.headers.get("Host") or "").partition(":")[0], self.path)
            if backend is None:
                self.send_error(404, "no route")
                return
            connection = http.client.HTTPConnection(
                *resolve(backend.namespace, backend.service, backend.port), timeout=10
            )
            # A caller's own header says nothing of the prefix.
            headers = {name: text for name, text in self.headers.items() if name.lower() != "x-forwarded-prefix"}
            try:
                connection.request(self.command, backend.path, body or None, headers | backend.headers)
                answer = connection.getresponse()
                content = answer.read()
            except OSError as error:
                self.send_error(502, str(error))
                return
            finally:
                connection.close()
            self.send_response(answer.status)
            for name, text in answer.getheaders():
                if name.lower() not in HOPS:
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = pass_on  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def definition(kind: str, plural: str, group: str, version: str) -> Object:
    """A CustomResourceDefinition that takes any object of a kind: enough for a stand-in."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in of a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


DEFINITIONS = (
    definition("HTTPRoute", "httproutes", "gateway.networking.k8s.io", "v1"),
    definition("Middleware", "middlewares", "traefik.io", "v1alpha1"),
)
