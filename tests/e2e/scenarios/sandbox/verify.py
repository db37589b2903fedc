"""Users, groups, capabilities, read-only roots, memory file systems, sysctls and limits are those of the container."""

from tests.e2e.system import System

SHOWS = (
    "cap_add",
    "cap_drop",
    "deploy.resources.limits.cpus",
    "deploy.resources.limits.memory",
    "group_add",
    "read_only",
    "security_opt",
    "shm_size",
    "sysctls",
    "tmpfs",
    "user",
    "working_dir",
)
NET_BIND_SERVICE = 1 << 10


def status(system: System, service: str, field: str) -> str:
    return system.sh(service, f"grep ^{field}: /proc/1/status | cut -f2")


def verify(system: System) -> None:
    system.up()
    assert system.sh("app", "id -u; id -g; id -G") == "1234\n2345\n2345 3456"
    assert system.sh("app", "pwd; touch here && echo written") == "/scratch\nwritten"
    assert "Read-only" in system.sh("app", "touch /tmp/x 2>&1 || true")
    assert system.sh("app", "df -m /scratch | tail -1").split()[1] == "2"
    assert system.sh("app", "df -m /dev/shm | tail -1").split()[1] == "8"
    assert int(status(system, "app", "CapBnd"), 16) == NET_BIND_SERVICE
    assert status(system, "app", "NoNewPrivs") == "1"
    assert status(system, "free", "NoNewPrivs") == "0"
    assert system.sh("app", "cat /proc/sys/kernel/shm_rmid_forced") == "1"
    limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"
    assert system.sh("app", limit) == str(64 << 20)
    quota = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max"
    assert system.sh("app", quota) == "25000"
    assert system.sh("free", "id -u; touch /tmp/x && echo written") == "0\nwritten"
