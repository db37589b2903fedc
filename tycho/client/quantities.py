"""Kubernetes' quantities, added up for people: `500m`, `64Mi`, `1G`, `128974848`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

UNITS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
GPU = "/gpu"  # ends the name of such a resource: nvidia.com/gpu


def count_total(utilization: Mapping[str, Mapping[str, str]]) -> Mapping[str, int | str]:
    """Add up what containers ask for; one that does not say counts for nothing.

    Args:
        utilization: Container to resource to quantity.

    Example:
        >>> count_total({"web": {"cpu": "500m", "memory": "512Mi"}, "db": {"cpu": "1", "memory": "1G"}})
        {'cpu': 1500, 'gpu': 0, 'memory': '1.54', 'ephemeralStorage': '0.00'}
    """
    total = dict.fromkeys(("cpu", "gpu", "memory", "ephemeralStorage"), Decimal(0))
    for resources in utilization.values():
        for resource, quantity in resources.items():
            name = "gpu" if resource.endswith(GPU) else resource.replace("ephemeral-storage", "ephemeralStorage")
            if name in total:
                total[name] += read_quantity(quantity)
    return {
        **{name: int(total[name] * 1000) for name in ("cpu", "gpu")},
        **{name: f"{total[name] / 10**9:.2f}" for name in ("memory", "ephemeralStorage")},
    }


def read_quantity(text: str | float) -> Decimal:
    """Read a quantity; 0 where it is none.

    Example:
        >>> read_quantity("64Mi"), read_quantity("250m"), read_quantity(2)
        (Decimal('67108864'), Decimal('0.250'), Decimal('2'))
    """
    number = str(text).strip()
    unit = next((unit for unit in sorted(UNITS, key=len, reverse=True) if number.endswith(unit)), "")
    try:
        value = Decimal(number.removesuffix(unit)) * UNITS.get(unit, Decimal(1))
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)
