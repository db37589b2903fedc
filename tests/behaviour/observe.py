"""What a probe tells, as observations: one value for each thing that can be named."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from typing import Any

Json = dict[str, Any]
Seen = Iterator[tuple[str, str, Any]]  # kind, key, value
CAPABILITIES = (  # in the order of their bits
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"),
    *("LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"),
    *("SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"),
    *("MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"),
    "CHECKPOINT_RESTORE",
)
SETS = {
    "CapEff": "effective",
    "CapPrm": "permitted",
    "CapInh": "inheritable",
    "CapBnd": "bounding",
    "CapAmb": "ambient",
}
STATUS = {"NoNewPrivs": "no-new-privs", "Seccomp": "seccomp", "Umask": "umask"}
FLAGS = ("noexec", "nosuid", "nodev")
OWN = "(own)"
GENERATED = "(generated)"
# Of pods, of services, of the engine's bridges, and of its own name server.
PLATFORM_NETWORKS = ("10.244.0.0/16", "10.96.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.11/32")


def observations(seen: Json, generated: Collection[str]) -> Seen:
    """What one container saw.

    Args:
        seen: The probe's answer.
        generated: The host names that containers of the system get where the file says none.
    """
    own = {
        address for name, addresses in seen["hosts"].items() if name == seen["host"] for address in addresses.split()
    }
    yield "argv", "", seen["argv"]
    for name, value in seen["env"].items():
        yield "env", name, GENERATED if value in generated else value
    yield "hostname", "", GENERATED if seen["host"] in generated else seen["host"]
    yield "domainname", "", seen["domain"]
    yield "cwd", "", seen["cwd"]
    yield from _process(seen)
    yield "root-writable", "", seen["root_writable"]
    for name in seen["devices"]:
        yield "device", name, "there"
    for mount in seen["mounts"]:
        yield from _mount(mount, walked=mount["path"] in seen["trees"])
    for name, value in seen["limits"].items():
        yield "limit", name, value
    for name, value in seen["sysctls"].items():
        yield "sysctl", name, value
    yield from _network(seen, own)
    for top, below in seen["trees"].items():
        for name, entry in below.items():
            path = f"{top}/{name}".rstrip("/")
            yield "file", path, entry["kind"]
            if entry["kind"] != "absent":
                yield "owner", path, entry["owner"]
                yield "mode", path, entry["mode"]
                yield "writable", path, entry["writable"]
            if "digest" in entry:
                yield "content", path, entry["digest"]


def _process(seen: Json) -> Seen:
    status = seen["status"]
    yield "uid", "", sorted(set(status["Uid"].split()))
    yield "gid", "", sorted(set(status["Gid"].split()))
    yield "groups", "", sorted(map(int, status["Groups"].split()))
    for name, short in SETS.items():
        yield f"cap-{short}", "", capabilities(int(status[name], 16))
    for name, kind in STATUS.items():
        yield kind, "", status.get(name, "")
    yield "oom-score-adj", "", seen["oom_score"]
    for name, value in seen["rlimits"].items():
        # How many signals may wait follows from the memory of the machine, and is the same for all of it.
        if name != "Max pending signals":
            yield "rlimit", name, value
    yield "pid", "", seen["pid"]
    yield "first-process", "", seen["first"]
    yield "processes", "", seen["processes"]
    yield "stdin", "", re.sub(r":\[\d+\]|/dev/pts/\d+", lambda match: "" if ":" in match[0] else "tty", seen["stdin"])


def capabilities(bits: int) -> list[str]:
    """Name the capabilities of a set."""
    return [name for number, name in enumerate(CAPABILITIES) if bits >> number & 1]


def _mount(mount: Json, *, walked: bool) -> Seen:
    """What a mount is; owner and rights of a place that is walked through are told by its files."""
    path = mount["path"]
    yield "mount", path, "mounted"
    if path == "/":
        return
    yield "mount-options", path, [flag for flag in FLAGS if flag in mount["options"].split(",")]
    yield "mount-writable", path, mount["writable"]
    if not walked:
        yield "mount-mode", path, mount["mode"]
        yield "mount-owner", path, mount["owner"]
    # The room itself lies in memory: only a file system of its own starts at its root.
    # Of what is mounted to be read alone, a program cannot tell where it lies.
    memory = mount["type"] == "tmpfs" and mount["root"] == "/" and "ro" not in mount["options"].split(",")
    yield "mount-type", path, "memory" if memory else "stored" if mount["type"] == "tmpfs" else mount["type"]
    if memory and path != "/dev":
        yield "shm-size" if path == "/dev/shm" else "mount-size", path, mount["size"]  # noqa: S108


def _network(seen: Json, own: set[str]) -> Seen:
    yield "interfaces", "", seen["links"]
    resolver = seen["resolver"]
    yield "resolver-nameserver", "", _nameservers(resolver.get("nameserver") or [])
    for domain in resolver.get("search") or ():
        yield "resolver-search", domain, "searched"
    for option in resolver.get("options") or ():
        name, _, value = option.partition(":")
        yield "resolver-option", name, value
    for name, addresses in seen["hosts"].items():
        if name != seen["host"]:
            yield "hosts", name, sorted(_address(address, own) for address in addresses.split())
    for name, lookup in seen["names"].items():
        yield "resolve", name, sorted(_place(address) for address in lookup["addresses"] or ())
    for outcome in seen["calls"]:
        yield from _call(outcome, seen["host"], own)


def _call(outcome: Json, host: str, own: set[str]) -> Seen:
    key = "{name}:{port}/{proto}".format(**outcome["call"])
    # Whom a name that nobody has leads to is told by `resolve`.
    yield "peer", key, sorted({"closed" if who == "unknown" else who for who in outcome["who"]})
    if not outcome["hosts"]:
        return
    yield "peer-replicas", key, len(set(outcome["hosts"]))
    callers = {"caller" if _is_own(address, own) else "another" for address in outcome["callers"]}
    if outcome["hosts"] != [host]:  # what calls itself need not know its own address
        yield "peer-sees", key, sorted(callers)


def _nameservers(addresses: list[str]) -> list[str]:
    """Those of the file by their addresses, the platform's own as what it is."""
    return sorted("platform" if _private(address) else address for address in addresses)


def _place(address: str) -> str:
    return "peer" if _private(address) else address


def _is_own(address: str, own: set[str]) -> bool:
    return address in own or ipaddress.ip_address(address).is_loopback


def _address(address: str, own: set[str]) -> str:
    return OWN if address in own else str(ipaddress.ip_address(address))


def _private(address: str) -> bool:
    """Tell whether it is an address that the engine or the cluster gave, not one of the file."""
    parsed = ipaddress.ip_address(address)
    return any(
        parsed.version == network.version and parsed in network
        for network in map(ipaddress.ip_network, PLATFORM_NETWORKS)
    )
