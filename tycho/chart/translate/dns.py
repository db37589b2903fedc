"""`dns`, `dns_search`, `dns_opt`, `domainname`, `extra_hosts`: how a pod finds addresses."""

from __future__ import annotations

import ipaddress
import re

from tycho.chart.container import Expression, Text
from tycho.chart.expressions import to_text
from tycho.chart.names import DNS_NAME
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, per_pod, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, pod
from tycho.chart.workload import DnsConfig
from tycho.model import Live, Service

SEARCHED = re.compile(r"(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]*[a-z0-9])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9])?)*\.?")
LEAVE_OUT = "leave it out"

RESOLVERS = 2  # that a pod may have after the cluster's


def translate_dns(service: Service) -> DnsConfig:
    """Translate the keys about a resolver."""
    searches = [*map(to_text, service.dns_search), *filter(None, [to_text(service.domainname)])]
    return DnsConfig(
        nameservers=tuple(to_text(address) for address in service.dns[:RESOLVERS]),
        searches=tuple(domain for domain in searches if isinstance(domain, Expression) or domain not in ("", ".")),
        options=tuple(_split_option(to_text(option)) for option in service.dns_opt),
    )


def _split_option(text: Text) -> tuple[Text, Text]:
    """Split name and value of a resolver's option; one whose variable may bring the colon is split by the chart."""
    name, _, value = text.partition(":")
    if isinstance(text, Expression):
        return (text, "") if "$" in name else (name, Expression(value))
    return name, value


def translate_hosts(service: Service) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Translate `extra_hosts` into hostAliases: each address once, with its names."""
    names: dict[str, list[str]] = {}
    for host, addresses in service.extra_hosts.items():
        for address in addresses:
            if address != "host-gateway":
                names.setdefault(address.strip("[]"), []).append(host)
    return tuple((address, tuple(hosts)) for address, hosts in sorted(names.items()))


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def assess_dns(use: KeyUse) -> Rows:
    """Assess resolvers: a pod has few, each by its address."""
    for index, server in enumerate(use.value):
        if isinstance(server, Live):
            continue
        if not server:
            yield f"[{index}]", ignored("it is empty", LEAVE_OUT)
        elif not is_address(server):
            yield f"[{index}]", rejected(f'"{server}" is not an address', "write for example 192.0.2.53")
    if len(use.value) > RESOLVERS:
        words, why = f"the first {RESOLVERS}, after the cluster's", "a pod has no more resolvers"
        yield "", approximated(words, why, "list fewer", pod("dnsConfig.nameservers"))


def assess_dns_opt(use: KeyUse) -> Rows:
    """Assess options of a resolver; what a variable makes of one is seen when the release is installed."""
    for index, option in enumerate(use.value):
        if not isinstance(option, Live) and not option.partition(":")[0].strip():
            yield f"[{index}]", rejected(f'"{option}" names no option', 'write for example "ndots:2"')
    if use.value:
        yield "", KEYS["dns_opt"]


def assess_dns_search(use: KeyUse) -> Rows:
    """Assess domains that are tried; "." asks for none."""
    for index, domain in enumerate(use.value):
        if isinstance(domain, Live):
            continue
        if not domain:
            yield f"[{index}]", ignored("it is empty", LEAVE_OUT)
        elif domain != "." and not SEARCHED.fullmatch(domain):
            yield f"[{index}]", rejected(f'"{domain}" is not a domain', "write for example corp.example.org")
    if use.pod.dns.searches:
        yield "", KEYS["dns_search"]
    elif use.value:
        yield "", translated("nothing: only the cluster's domains are searched")


def assess_extra_hosts(use: KeyUse) -> Rows:
    """Assess lines of /etc/hosts."""
    for host, addresses in use.value.items():
        if "host-gateway" in addresses:
            reason = "a pod has no host gateway, so the name does not resolve"
            yield f".{host}", ignored(reason, "write the address of the machine")
        if wrong := [text for text in addresses if text != "host-gateway" and not is_address(text.strip("[]"))]:
            yield f".{host}", rejected(f'"{wrong[0]}" is not an address', "write for example 192.0.2.7")
        elif not DNS_NAME.fullmatch(host):
            remedy = "use lower-case letters, digits, dashes and dots"
            yield f".{host}", rejected("it is not a DNS name", remedy)


KEYS: Table = {
    "domainname": per_pod(
        approximated(
            "dnsConfig.searches (live)",
            "a pod has no domain of its own",
            "give the program its full name in environment",
            pod("dnsConfig.searches"),
        )
    ),
    "dns": per_pod(
        approximated(
            "dnsConfig.nameservers (live), after the cluster's",
            "only the cluster's DNS resolves services; it forwards all other names",
            "configure the cluster's DNS to forward names to these servers",
            pod("dnsConfig.nameservers"),
            assess=assess_dns,
        )
    ),
    "dns_opt": per_pod(translated("dnsConfig.options (live)", pod("dnsConfig.options"), assess=assess_dns_opt)),
    "dns_search": per_pod(translated("dnsConfig.searches (live)", pod("dnsConfig.searches"), assess=assess_dns_search)),
    "extra_hosts": per_pod(whole(translated("hostAliases", pod("hostAliases"), assess=assess_extra_hosts))),
    "mac_address": ignored("the cluster's network gives addresses", "call services by their names"),
}
