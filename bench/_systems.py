"""Systems of a given size, as people write their services: ports, variables, a volume, a healthcheck, limits."""

from __future__ import annotations

from pathlib import Path

SERVICE = """
  s{n}:
    image: registry.example/app-{n}:${{TAG:-1}}
    ports: ["{port}:8080"]
    environment: {{MODE: plain, NAME: s{n}, LEVEL: "${{LEVEL:-info}}", PEER: "http://s{peer}:8080"}}
    volumes: ["data{n}:/data"]
    healthcheck: {{test: [CMD, curl, -f, "http://localhost:8080"], interval: 10s}}
    deploy: {{resources: {{limits: {{cpus: "0.5", memory: 128M}}}}}}
"""


def system(folder: str, count: int) -> str:
    """Write a compose file.

    Args:
        folder: Where to.
        count: How many services.

    Returns:
        The file's path.
    """
    path = Path(folder, f"compose-{count}.yaml")
    services = "".join(SERVICE.format(n=n, port=10_000 + n, peer=(n + 1) % count) for n in range(count))
    volumes = "".join(f"  data{n}:\n" for n in range(count))
    path.write_text(f"services:{services}volumes:\n{volumes}", encoding="utf-8")
    return str(path)
