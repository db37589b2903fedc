"""`image`, `pull_policy`."""

from __future__ import annotations

import re

from tycho.chart.container import Expression, Image, Text
from tycho.chart.expressions import to_text
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, per_pod, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, container, pod
from tycho.model import Service, template

PULL = {
    "always": "Always", "build": "IfNotPresent", "never": "Never", "missing": "IfNotPresent",
    "if_not_present": "IfNotPresent",
}  # fmt: skip
BUILD = "`tycho build --push PREFIX` builds and pushes it"
_REFERENCE = re.compile(r"(?P<repository>[^@]+?)(?::(?P<tag>[^/:@]+))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]+))?")


# As github.com/distribution/reference has it: a registry, names in lower case, a tag, a digest.
REGISTRY = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?"
NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_VALID = re.compile(
    rf"(?:{REGISTRY}/)?{NAME}(?:/{NAME})*(?::[A-Za-z0-9_][\w.-]{{0,127}})?"
    r"(?:@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
NO_IMAGE = '"{}" is not a valid image: write [registry/]name[:tag], with a lower-case name'
_LONGEST = 1024  # characters: names have 255 at most, and a tag and a digest come after


def is_image(text: str) -> bool:
    """Tell whether a text is an image's reference, as Docker and Kubernetes take one.

    Example:
        >>> is_image("ghcr.io/a/b:1"), is_image("Nginx"), is_image("--privileged")
        (True, False, False)
    """
    return len(text) <= _LONGEST and bool(_VALID.fullmatch(text))


def translate_image(service: Service, built: str) -> Image:
    """Translate a service's image.

    Args:
        service: The service.
        built: What Compose calls an image that the file only builds.
    """
    policy = PULL.get(service.pull_policy, "Always") if service.pull_policy else ""
    return split_image(to_text(service.image) or built, policy)


def split_image(text: Text, pull_policy: str = "") -> Image:
    """Split an image into repository, tag and digest, as far as its variables leave these apart.

    Example:
        >>> split_image("docker.io/library/nginx:1.27")
        Image(repository='docker.io/library/nginx', tag='1.27', digest='', reference='', pull_policy='')
    """
    live = isinstance(text, Expression)
    position = _find_tag(text) if live else -1
    if live and (position < 0 or "@" in text):
        return Image(reference=text, pull_policy=pull_policy)
    if live:
        parts = (text[:position], text[position + 1 :])
        repository, tag = (Expression(part) if "$" in part else part for part in parts)
        return Image(repository, tag, pull_policy=pull_policy)
    if not (match := _REFERENCE.fullmatch(text)) or ":" in match["repository"].rpartition("/")[2]:
        return Image(reference=text, pull_policy=pull_policy)
    return Image(match["repository"], match["tag"] or "", match["digest"] or "", "", pull_policy)


def _find_tag(text: str) -> int:
    """Find the colon before the tag, outside of braces; -1 where a variable may bring one, or brings all of it."""
    depth, slash, colon = 0, -1, -1
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0 and character == "/":
            slash = position
        elif depth == 0 and character == ":":
            colon = position
    return colon if colon > slash else -1


def assess_image(use: KeyUse) -> Rows:
    """Assess `image`: a container of what is no reference never starts. What variables bring is known at the start."""
    text = to_text(use.service.image)
    if text and not isinstance(text, Expression) and not is_image(text):
        yield "", rejected(NO_IMAGE.format(text), "write for example image: nginx:1.27")


def assess_build(use: KeyUse) -> Rows:
    """Assess `build`: an image has to come from somewhere."""
    why = "a chart does not build images"
    if use.service.image:
        yield "", ignored(why, f"{BUILD}, or push {template(use.service.image)} before it is installed")
    else:
        image = use.layout.system.image_name(use.name)
        remedy = f"{BUILD}, or push it before it is installed and set services.{use.name}.image"
        yield "", approximated(f"image {image}", why, remedy, IMAGE)


def assess_pull_policy(use: KeyUse) -> Rows:
    """Assess `pull_policy`: Kubernetes does not check the age of an image."""
    if use.value == "build":
        why, remedy = "a cluster does not build", f"{BUILD}; `tycho up --build` does before it starts"
        yield "", approximated("imagePullPolicy: IfNotPresent", why, remedy, POLICY)
    elif use.value not in PULL:
        why, remedy = "Kubernetes does not check the age of an image", "use a new tag for each build"
        yield "", approximated("imagePullPolicy: Always", why, remedy, POLICY)


IMAGE, POLICY = container("image"), container("imagePullPolicy")
KEYS: Table = {
    "image": translated("image (live)", IMAGE, assess=assess_image),
    "build": whole(
        approximated(
            "image <project>-<service>",
            "a chart does not build images",
            f"{BUILD}, or push it before it is installed and set services.X.image",
            IMAGE,
            assess=assess_build,
        )
    ),
    "provider": whole(
        rejected(
            "a provider is a program of Docker Compose",
            "run the service elsewhere, and set its address in environment",
        )
    ),
    "pull_policy": translated("imagePullPolicy", POLICY, assess=assess_pull_policy),
    "pull_refresh_after": ignored("Kubernetes does not check the age of an image", "use a new tag for each build"),
    "runtime": per_pod(translated("runtimeClassName", pod("runtimeClassName"), read=lambda service: service.runtime)),
}
