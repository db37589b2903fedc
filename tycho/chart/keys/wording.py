"""What becomes of keys that hold one of a few words, or a text of a certain form; each judge yields rows."""

from __future__ import annotations

import ipaddress
import re
from typing import cast

from tycho.chart.keys.key import Case, Rows, approximated, ignored, rejected, translated
from tycho.chart.names import DNS_NAME, LABEL_VALUE
from tycho.chart.outcomes import decide_mode
from tycho.chart.translate.security import group_of
from tycho.model import FileRef, Live
from tycho.model.numbers import parse_id

RESTART = re.compile(r"no|none|any|always|unless-stopped|on-failure(:[0-9]{1,9})?")
SEARCHED = re.compile(r"(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]*[a-z0-9])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9])?)*\.?")
LEAVE_OUT = "leave it out"
EXPOSED = re.compile(r"(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?(/(tcp|udp|sctp))?")


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def user(case: Case) -> Rows:
    """Kubernetes does not read /etc/passwd of an image."""
    parts = str(case.value).split(":")
    names = [part for part in parts if part and parse_id(part) is None]
    if len(parts) > 2:
        yield "", rejected(f'"{case.value}" is not USER:GROUP', 'write two numbers: "1000:1000"')
    elif names:
        yield (
            "",
            rejected(f'"{names[0]}" is a name, and Kubernetes takes numbers', 'write the number, as `id` prints it'
                     ' in the image: "1000:1000"'),
        )  # fmt: skip
    elif len(parts) > 1:
        yield "", translated("runAsUser, runAsGroup", but="its groups in the image's /etc/group count, too")
    elif _gives_claims(case):
        why = "its number is also a group of the process, which the volumes of its pod are given to"
        yield "", translated("runAsUser, fsGroup", but=why, remedy=f'write its group, too: "{parts[0]}:{parts[0]}"')


def _gives_claims(case: Case) -> bool:
    """Tell whether the claims of a pod belong to this service's user."""
    mounts_claims = any(volume.kind == "claim" for volume in case.pod.volumes)
    return mounts_claims and case.pod.fs_group == group_of(case.service) != ""


def dns_opt(case: Case) -> Rows:
    """Options of a resolver; what a variable makes of one is seen when the release is installed."""
    for index, option in enumerate(case.value):
        if not isinstance(option, Live) and not option.partition(":")[0].strip():
            yield f"[{index}]", rejected(f'"{option}" names no option', 'write for example "ndots:2"')
    if case.value:
        yield "", translated("dnsConfig.options (live)")


def dns_search(case: Case) -> Rows:
    """Domains that are tried; "." asks for none."""
    for index, domain in enumerate(case.value):
        if isinstance(domain, Live):
            continue
        if not domain:
            yield f"[{index}]", ignored("it is empty", LEAVE_OUT)
        elif domain != "." and not SEARCHED.fullmatch(domain):
            yield f"[{index}]", rejected(f'"{domain}" is not a domain', "corp.example.org, for example")
    if case.value:
        yield "", translated("dnsConfig.searches (live)")


def extra_hosts(case: Case) -> Rows:
    """Lines of /etc/hosts."""
    for host, addresses in case.value.items():
        if "host-gateway" in addresses:
            reason = "a pod has no host of its own to call: the name leads nowhere"
            yield f".{host}", ignored(reason, "give the address of the machine that is meant")
        if wrong := [text for text in addresses if text != "host-gateway" and not is_address(text.strip("[]"))]:
            yield f".{host}", rejected(f'"{wrong[0]}" is not an address', "192.0.2.7, for example")
        elif not DNS_NAME.fullmatch(host):
            yield (
                f".{host}",
                rejected("it is not a DNS name", "use lower-case letters, digits, dashes and dots"),
            )


def restart_word(case: Case) -> Rows:
    """One of Docker's policies."""
    if not RESTART.fullmatch(str(case.value)):
        yield "", rejected(f'"{case.value}" is not a restart policy', "no, always, unless-stopped or on-failure")


def platform(case: Case) -> Rows:
    """Labels of nodes."""
    if not all(part and LABEL_VALUE.fullmatch(part) for part in str(case.value).split("/")):
        yield "", rejected(f'"{case.value}" is not a platform', "linux/amd64, for example")


def expose(case: Case) -> Rows:
    """Ports, each alone or as a range."""
    for index, text in enumerate(case.value):
        match = EXPOSED.fullmatch(str(text).lower())
        if not match or not 1 <= int(match["first"]) <= int(match["last"] or match["first"]) <= 65535:
            yield f"[{index}]", rejected(f'"{text}" is not a port', '"80", "53/udp" or "8000-8010"')


def seccomp_path(option: str) -> bool:
    """Tell whether a profile lies below the kubelet's folder of profiles."""
    return not option.startswith("/") and ".." not in option.split("/")


def group_add(case: Case) -> Rows:
    """Groups are numbers."""
    for index, group in enumerate(case.value):
        if parse_id(str(group)) is None:
            yield (
                f"[{index}]",
                rejected(f'"{group}" is a name, and Kubernetes takes numbers', "write the group's number"),
            )


FOR_ALL = "the file is root's: whoever is in the container may read what this one may"
ALONE = "mode: 0400 without uid, gid and user keeps it for root"


def file_mode(case: Case) -> Rows:
    """A mounted file has the nine bits of its permissions, and all may read what its owner or group is to read."""
    given, ref = case.value & 0o777, cast("FileRef", case.entry)
    mode = decide_mode(ref, case.service)
    if case.value > 0o777:
        yield "", approximated(f"mode {given:04o}", "a mounted file has no setuid, setgid or sticky bit",
                               "copy it in the image's entrypoint, where it needs one")  # fmt: skip
    elif mode == decide_mode(ref.model_copy(update={"mode": None}), case.service):
        yield "", translated("nothing: every mounted file may be read by all")
    elif mode != given:
        yield "", approximated(f"mode {mode:04o}", FOR_ALL, ALONE)


def file_user(case: Case) -> Rows:
    """Root owns a mounted file: another owner makes it readable for all."""
    yield from _file_owner(case, "uid")


def file_group(case: Case) -> Rows:
    """So does another group."""
    yield from _file_owner(case, "gid")


def _file_owner(case: Case, field: str) -> Rows:
    ref = cast("FileRef", case.entry)
    if decide_mode(ref, case.service) != decide_mode(ref.model_copy(update={field: None}), case.service):
        yield "", approximated("mode", FOR_ALL, ALONE)
