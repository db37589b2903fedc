"""The URL of a system as values of its release: an Ingress or an HTTPRoute for what it publishes, and what to tell it.

The chart has both for every service that publishes a TCP port; which of them there is, and where it leads, is the
release's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tycho.chart.workload_kind import extension_mapping, tycho_extension
from tycho.errors import ComposeError, Problem
from tycho.model import Json, PolicyResult, Project, Service, ServiceMetadata
from tycho.release import Identity
from tycho.urls import ANNOTATION, CONTROLLERS, Address, UrlOptions, dns_name
from tycho.usernames import user_label

KEEP, STRIP, NONE = "keep", "strip", "none"
URL_WORDS = (KEEP, STRIP, NONE)
"""What `x-tycho: {url: …}` may say of a service: whether programs see the prefix of the URL, or that it has no URL."""
KEY, VARIABLES = "url", "urlVariables"
HEADER = "X-Forwarded-Prefix"


class RouteContext(Struct, frozen=True):
    """Whose URL it is, and what the operator says of URLs.

    Args:
        options: Of the settings.
        identity: Of the system.
    """

    options: UrlOptions
    identity: Identity

    def place(self, service: str) -> Address:
        """Return the address of a service."""
        identity = self.identity
        return self.options.template.place(
            name=identity.name, user=user_label(identity.username), guid=identity.guid, service=service
        )


def list_routed(system: Project, options: UrlOptions) -> list[str]:
    """List the services that have a URL: each that publishes a TCP port, or one of them.

    One: which says so (`x-tycho: {url: keep}` or `strip`), else the first of the file.

    Args:
        system: The system.
        options: Of the settings.
    """
    routed = [name for name, service in system.services.items() if _is_routable(service)]
    if options.each_service:
        return routed
    chosen = [name for name in routed if tycho_extension(system.services[name]).get(KEY) in (KEEP, STRIP)]
    return (chosen or routed)[:1]


def mark_routed(policy_result: PolicyResult, options: UrlOptions) -> PolicyResult:
    """Return a system whose services say that they have a URL, as if the file said so.

    Args:
        policy_result: The system after the policies.
        options: Of the settings.

    Raises:
        ComposeError: Several services are to have the one URL, or a prefix cannot be taken off.
    """
    system = policy_result.system
    if problems := list(_list_problems(system, options)):
        raise ComposeError("the URL cannot be made", problems=problems)
    services, own = dict(system.services), dict(policy_result.own)
    for name in list_routed(system, options):
        service = services[name]
        extension = service.x.get("x-tycho")
        if KEY not in tycho_extension(service):
            services[name] = service.model_copy(
                update={"x": {**service.x, "x-tycho": {**tycho_extension(service), KEY: KEEP}}}
            )
            own.setdefault(f"services.{name}", extension)
    marked = system.model_copy(update={"services": services})
    return policy_result.model_copy(update={"system": marked, "own": own})


def route_values(system: Project, context: RouteContext) -> dict[str, dict[str, Json]]:
    """Return what values say of each service that has a URL.

    Args:
        system: The system after the policies.
        context: Whose URL it is.
    """
    return {name: _service_values(system, name, context) for name in list_routed(system, context.options)}


def list_urls(system: Project, metadata: Mapping[str, ServiceMetadata], context: RouteContext) -> set[str]:
    """List the URLs of a system.

    Args:
        system: The system after the policies.
        metadata: What the caller says of single services; where any says so, only these are published.
        context: Whose URLs they are.
    """
    published = {name for name, service in metadata.items() if service.publishes}
    routed = list_routed(system, context.options)
    return {context.place(name).url for name in routed if name in published or not published}


def route_objects(system: Project, context: RouteContext) -> list[Json]:
    """List the objects that a controller wants beside an Ingress: traefik's Middleware that takes a prefix off.

    Args:
        system: The system after the policies.
        context: Whose URL it is.
    """
    if context.options.route != "ingress" or context.options.controller != "traefik":
        return []
    return [
        {
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": {"name": _middleware(context, name)},
            "spec": {"stripPrefix": {"prefixes": [context.place(name).path]}},
        }
        for name in list_routed(system, context.options)
        if _is_stripped(system.services[name], context.place(name))
    ]


def _is_routable(service: Service) -> bool:
    """Tell whether a service publishes a TCP port, and neither has a host of its own nor says that it has no URL."""
    own_host = extension_mapping(service, "ingress").get("host")
    published = any(port.protocol == "tcp" and port.mode != "host" for port in service.ports)
    return published and not own_host and tycho_extension(service).get(KEY) != NONE


def _list_problems(system: Project, options: UrlOptions) -> Iterator[Problem]:
    asking = [name for name, service in system.services.items() if tycho_extension(service).get(KEY) in (KEEP, STRIP)]
    if not options.each_service:
        for name in asking[1:]:
            path = f"services.{name}.x-tycho.{KEY}"
            why = f"{asking[0]} has the URL already: the URL template has one URL for a system"
            hint = "remove it, or have the operator add {service} to TYCHO_URL_TEMPLATE"
            yield system.make_problem(path, why, hint)
    for name in list_routed(system, options):
        if tycho_extension(system.services[name]).get(KEY) == STRIP and not options.strips:
            path = f"services.{name}.x-tycho.{KEY}"
            which = f'the IngressClass "{options.class_name}"' if options.class_name else "the default IngressClass"
            known = " or ".join(sorted(set(CONTROLLERS.values())))
            hint = f"write keep, or have the operator set TYCHO_URL_CONTROLLER ({known}), or TYCHO_URL_ROUTE=httproute"
            yield system.make_problem(path, f"Tycho does not know how {which} removes a prefix from a path", hint)


def _is_stripped(service: Service, address: Address) -> bool:
    return bool(address.path) and tycho_extension(service).get(KEY) == STRIP


def _service_values(system: Project, name: str, context: RouteContext) -> dict[str, Json]:
    service, address = system.services[name], context.place(name)
    stripped = _is_stripped(service, address)
    route = _http_route(address, context, stripped=stripped)
    if context.options.route == "ingress":
        route = _ingress(system, name, context, stripped=stripped)
    further = tycho_extension(service).get(VARIABLES)
    listed = [str(variable) for variable in further] if isinstance(further, list | tuple) else []
    names = [variable for variable in listed if variable not in service.environment]
    return {
        ("ingress" if context.options.route == "ingress" else "httpRoute"): route,
        "env": {"TYCHO_URL": address.url, "TYCHO_PATH": address.path, **dict.fromkeys(names, address.path or "/")},
        "workloadAnnotations": {ANNOTATION: address.url},
    }


def _http_route(address: Address, context: RouteContext, *, stripped: bool) -> dict[str, Json]:
    gateway = context.options.gateway
    parent = {
        key: text
        for key, text in (
            ("name", gateway.name if gateway else ""),
            ("namespace", gateway.namespace if gateway else ""),
            ("sectionName", gateway.section if gateway else ""),
        )
        if text
    }
    route: dict[str, Json] = {
        "enabled": True,
        "hostnames": [address.host],
        "path": address.path or "/",
        "parentRefs": [parent],
    }
    if stripped:
        route["filters"] = [
            {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}},
            {"type": "RequestHeaderModifier",
             "requestHeaderModifier": {"set": [{"name": HEADER, "value": address.path}]}},
        ]  # fmt: skip
    return route


def _ingress(system: Project, name: str, context: RouteContext, *, stripped: bool) -> dict[str, Json]:
    address, options = context.place(name), context.options
    shared = extension_mapping(system, "ingress")
    route: dict[str, Json] = {"enabled": True, "hosts": [address.host], "path": address.path or "/"}
    if options.class_name:
        route["ingressClassName"] = options.class_name
    if address.scheme == "https" and not shared.get("tls"):
        route["tls"] = [{"hosts": [address.host]}]  # with the controller's own certificate
    if stripped and options.controller == "traefik":
        middleware = f"{context.identity.namespace}-{_middleware(context, name)}@kubernetescrd"
        route["annotations"] = {"traefik.ingress.kubernetes.io/router.middlewares": middleware}
    elif stripped:
        pattern = address.path.replace(".", r"\.")  # of all that a path may hold, the dot alone means something there
        route |= {
            "path": pattern + "(/|$)(.*)",
            "pathType": "ImplementationSpecific",
            "annotations": {
                "nginx.ingress.kubernetes.io/use-regex": "true",
                "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
                "nginx.ingress.kubernetes.io/x-forwarded-prefix": address.path,
            },
        }
    return route


def _middleware(context: RouteContext, service: str) -> str:
    """Name the object of traefik's that takes a service's prefix off."""
    return f"{context.identity.release}-{dns_name(service, 24)}-prefix"
