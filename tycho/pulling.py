"""What registries have behind the tags of images: asked by crane, which has Docker's logins and credential helpers.

    references -> crane digest -> pins: services.X.image of a release, by digest

No login is among its arguments, and none of what it says reaches a message but the known causes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tycho.chart.translate.image import is_image, split_image
from tycho.errors import OrchestratorError, TychoError, UsageError
from tycho.kube.causes import explain_pull
from tycho.model import Project
from tycho.programs import kill_group
from tycho.settings import environment
from tycho.text import printable
from tycho.time_limit import step_time

PULLED = "docker-image://"  # before an image in `builtAs` that was pinned, as BuildKit names one of a registry
AT_ONCE = 8  # registries' answers that are waited for
ANSWER = 30.0  # seconds for a registry to answer
# What crane and credential helpers need of the caller's environment.
PASSED = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|SSL_CERT_.*|(?i:https?_proxy|no_proxy)|DOCKER_CONFIG|XDG_.*|REGISTRY_AUTH_FILE"
    r"|AWS_.*|GOOGLE_.*|CLOUDSDK_.*|AZURE_.*"
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
Tell = Callable[[str], None]


class ImageRegistries:
    """The registries of images.

    Args:
        tell: Told what takes time.
    """

    def __init__(self, tell: Tell = lambda line: None) -> None:
        self._tell = tell
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._crane: asyncio.Task[Path] | None = None

    async def find_digests(self, references: Iterable[str]) -> dict[str, str | TychoError]:
        """Find the digest that each reference has now, or why that cannot be known."""
        listed = list(dict.fromkeys(references))
        return dict(zip(listed, await asyncio.gather(*map(self._find_digest, listed)), strict=True))

    async def list_contained(self, reference: str) -> frozenset[str]:
        """List the digests within what a reference names: of each platform's image, and of its configuration."""
        return frozenset(_list_digests(json.loads(await self._run("manifest", reference))))

    async def _find_digest(self, reference: str) -> str | TychoError:
        try:
            text = (await self._run("digest", reference)).strip()
        except TychoError as error:
            return error
        return (
            text
            if DIGEST.fullmatch(text)
            else OrchestratorError(f"{printable(reference)}: its registry gives no digest")
        )

    async def _run(self, verb: str, reference: str) -> str:
        """Run crane.

        Raises:
            UsageError: This is no image.
            OrchestratorError: The registry does not say; tells why.
            ToolMissing: There is no crane, and it cannot be fetched.
        """
        if not is_image(reference):
            raise UsageError(f'"{printable(reference)}" is not an image', hint="write [registry/]name[:tag]")
        crane = await self._find_program()
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                str(crane), verb, reference,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env={name: value for name, value in environment().items() if PASSED.fullmatch(name)},
                start_new_session=True,
            )  # fmt: skip
            try:
                async with asyncio.timeout(step_time(ANSWER)):
                    out, err = await process.communicate()
            except TimeoutError:
                raise OrchestratorError(f"{reference}: its registry does not answer") from None
            finally:
                if process.returncode is None:
                    kill_group(process)
                    with contextlib.suppress(ProcessLookupError):
                        await process.wait()
        if process.returncode:
            cause = explain_pull(err.decode(errors="replace")) or "its registry cannot be asked"
            host = reference.partition("/")[0] if "/" in reference else ""
            raise OrchestratorError(
                f"{reference}: {cause}", hint=f"where it takes a login: `docker login {host}`".rstrip()
            )
        return out.decode(errors="replace")

    async def _find_program(self) -> Path:
        """Find crane; it is fetched once, whoever needs it first."""
        from tycho.toolchain import programs

        if self._crane is None:
            self._crane = asyncio.ensure_future(asyncio.to_thread(programs.tool, "crane", self._tell))
        return await asyncio.shield(self._crane)


def list_tags(project: Project, built: Iterable[str] = ()) -> dict[str, str]:
    """List the images of a project whose tags can move: the reference of each service that names no digest.

    Args:
        project: The project.
        built: Services whose images are built.
    """
    from tycho.chart.services import all_services

    services = all_services(project)
    images = {name: project.image_name(name) for name in services}
    targets = {images[name] for name, service in services.items() if service.build is not None}
    return {
        name: image
        for name, image in images.items()
        if image not in targets and name not in built and not split_image(image).digest
    }


def pin_digest(reference: str, digest: str) -> dict[str, Any]:
    """Write an image by its digest as `services.X.image` of a release has it; `builtAs` tells how the file names it.

    Example:
        >>> pin_digest("nginx:1.27", "sha256:…")["digest"]
        'sha256:…'
    """
    image = split_image(reference)
    return {
        "builtAs": PULLED + reference, "digest": digest, "reference": "",
        "repository": image.repository, "tag": image.tag,
    }  # fmt: skip


def find_tag(reference: str) -> str:
    """Return an image without its digest; "" where it has no tag beside that.

    Example:
        >>> find_tag("nginx:1.27@sha256:" + "0" * 64), find_tag("nginx"), find_tag("nginx@sha256:" + "0" * 64)
        ('nginx:1.27', 'nginx', '')
    """
    image = split_image(reference)
    if image.digest and not image.tag:
        return ""
    return f"{image.repository}:{image.tag}" if image.tag else image.repository or reference


def _list_digests(manifest: Any) -> Iterable[str]:
    """Yield all that stands below a key `digest`."""
    if isinstance(manifest, Mapping):
        for key, value in manifest.items():
            if key == "digest" and isinstance(value, str):
                yield value
            else:
                yield from _list_digests(value)
    elif isinstance(manifest, list):
        for member in manifest:
            yield from _list_digests(member)
