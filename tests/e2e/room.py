"""A room of its own for the node: namespaces for its network, its mounts and its processes.

What is started in there ends with it, and no address, rule, mount or socket of it is seen outside. Only control groups
know no such walls: they lie below one of the room's own, and are removed when it is left.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOM = Path("/run/tycho-node")  # a file system in memory, which this side of the wall never sees
CGROUP = f"tycho-node-{os.getpid()}"
CGROUPS = Path("/sys/fs/cgroup")
NODE = "10.89.0.1"
OUTSIDE = ("192.0.2.10", "198.51.100.10")  # the addresses of a machine that is no node
COVERED = ("/run", "/var/log", "/var/lib", "/tmp/hostpath_pv")  # noqa: S108 - where node programs write whatever they are told
NEEDS = {
    "unshare": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    "iptables": "iptables",
    "runc": "runc",
    "conntrack": "conntrack",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}
SETUP = f"""
set -e
for folder in {" ".join(COVERED)}; do mount -t tmpfs -o mode=0755 tycho "$folder"; done
mkdir -p {ROOM}
echo {CGROUP} > {ROOM}/cgroup
ip link set lo up
ip link add tycho-node type bridge
ip address add {NODE}/32 dev tycho-node
ip link set tycho-node up
ip route add default dev tycho-node
ip netns add outside
ip link add tycho-outside type veth peer name eth0 netns outside
ip address add 192.0.2.1/24 dev tycho-outside
ip link set tycho-outside up
ip route add 198.51.100.0/24 via {OUTSIDE[0]}
ip -n outside link set lo up
ip -n outside link set eth0 up
for address in {" ".join(OUTSIDE)}; do ip -n outside address add "$address/24" dev eth0; done
ip -n outside route add default via 192.0.2.1
echo 1 > /proc/sys/net/ipv4/ip_forward
set +e
"$@"
exit $?
"""  # the shell stays: as the first process it buries what loses its parent


def lacking() -> str:
    """Why no node can run here; "" when one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a node takes root on Linux"
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", str(2**32 - 1)]:
        return "a node takes the root of the whole machine, not that of a user namespace"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    absent = sorted(package for name, package in NEEDS.items() if not shutil.which(name, path=path))
    if not Path("/usr/lib/cni/ptp").exists():
        absent.append("containernetworking-plugins")
    if absent:
        return f"a node takes the packages {', '.join(absent)}"
    tried = subprocess.run(
        [*_unshare(), "sh", "-c", "mount -t tmpfs tycho /run && ip link add tycho type bridge && nft add table ip t"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if tried.returncode:
        return f"this machine lets nobody make namespaces, bridges and rules: {tried.stderr.strip()[-200:]}"
    try:
        _groups(make=True)
    except OSError as error:
        return f"this machine lets nobody make control groups: {error}"
    finally:
        _groups(make=False)
    return ""


def enter(argv: Sequence[str]) -> int:
    """Run a program in a new room, and leave nothing of it; the program's exit code."""
    made = [folder for folder in map(Path, COVERED) if not folder.exists()]
    for folder in made:
        folder.mkdir(parents=True)
    _groups(make=True)
    # Where a folder is removed, whatever another room has mounted on it goes: the last of them removes it.
    rooms = os.open("/run", os.O_RDONLY)
    try:
        fcntl.flock(rooms, fcntl.LOCK_SH)
        return subprocess.run([*_unshare(), "sh", "-c", SETUP, "sh", *argv], check=False).returncode
    finally:
        _groups(make=False)
        with suppress(OSError):
            fcntl.flock(rooms, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for folder in made:
                folder.rmdir()
        os.close(rooms)


def group() -> str:
    """The control group of the room that this process is in."""
    return (ROOM / "cgroup").read_text().strip()


def inside() -> bool:
    """Whether this process is in the room."""
    return ROOM.is_dir() and os.path.ismount("/run") and "10.89.0.1" in _addresses()


def _addresses() -> str:
    return Path("/proc/self/net/fib_trie").read_text()


def _unshare() -> list[str]:
    return ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


def _groups(*, make: bool) -> None:
    """Make the room's control groups, or remove them with what is below: one tree each, or one for all (version 2)."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    trees = [CGROUPS] if unified else [path for path in CGROUPS.glob("*/") if not path.is_symlink()]
    if make and not trees:
        raise OSError(f"{CGROUPS} is empty")
    for tree in trees:
        group = tree / CGROUP
        if make:
            group.mkdir(exist_ok=True)
            continue
        ended = [node for node in tree.glob("tycho-node-*") if not Path("/proc", node.name.rpartition("-")[2]).exists()]
        for mine in (group, *ended):  # a run that was killed could not remove its own
            for folder, _, _ in os.walk(mine, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()


if __name__ == "__main__":  # `python -m tests.e2e.room PROGRAM ...`: a program in a room of its own
    sys.exit(enter(sys.argv[1:]))
