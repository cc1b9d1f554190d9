"""Which number a new version gets, and why: what its callers must change, what it is made of, or neither."""

from __future__ import annotations

from watertight.registry.history import Registry, order
from watertight.registry.records import VersionFacts

FIRST = "1.0.0"
MINOR = ("service", "signature", "views", "encoders", "families", "cell", "correction")


def next_version(registry: Registry, facts: VersionFacts) -> tuple[str, tuple[str, ...]]:
    """The number of a version with these facts, and what makes it a major, minor or patch step from the highest one.

    Major: a caller gives or gets something else. Minor: another feature service, view, encoder, family, cell or correction for
    hubs. Patch: fitted again. Where a version has this very bundle it is that one, and ``registry.versions()`` has its number
    already.
    """
    versions = registry.versions()
    if not versions:
        return FIRST, ("the first version",)
    for version in reversed(versions):
        if registry.version(version).manifest == facts.manifest:
            return version, ("the same bundle",)
    latest = registry.version(versions[-1])
    major, minor, patch = order(latest.version)
    if breaking := _differing(latest.interface, facts.interface, ("inputs", "targets")):
        return f"{major + 1}.0.0", breaking
    if inside := _differing(latest, facts, MINOR):
        return f"{major}.{minor + 1}.0", inside
    return f"{major}.{minor}.{patch + 1}", ("fitted again",)


def _differing(before: object, after: object, names: tuple[str, ...]) -> tuple[str, ...]:
    told = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return tuple(_told(name, old, new) for name, old, new in told if old != new)


def _told(name: str, old: object, new: object) -> str:
    """One line on what differs; of a mapping the keys, for its values are digests or long."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        return f"{name}: {', '.join(keys)}"
    if isinstance(old, tuple) and isinstance(new, tuple):
        return f"{name}: {', '.join(map(str, old))} → {', '.join(map(str, new))}"
    return f"{name}: {_short(str(old))} → {_short(str(new))}"


def _short(text: str) -> str:
    return text[:12] if len(text) == 64 else text
