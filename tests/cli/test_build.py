"""`tycho build` and `tycho up --build`: what Docker is asked for, and what a release gets of it.

A script stands in for Docker here: it says the digests that it is told to. `tests/e2e/scenarios/building` has a real
engine, a registry and a node.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.conftest import serving
from tests.cli.conftest import Run
from tests.cli.docker import FILE, NETRC, PREFIX, TOKEN, Fake

pytestmark = pytest.mark.xdist_group("cluster")


def image(run: Run, service: str = "web") -> Any:
    """The image of a service in the values of the release."""
    services = yaml.safe_load(run("values", "shop").stdout).get("services", {})
    return services.get(service, {}).get("image")


def revisions(run: Run) -> int:
    return len(json.loads(run("history", "shop", "-o", "json").stdout))


def pinned(digest: str) -> dict[str, str]:
    where = {"repository": f"{PREFIX}/shop-web", "tag": "latest", "digest": f"sha256:{digest}"}
    return {"reference": "", **where, "builtAs": "shop-web"}


def test_build_pushes_and_says_what(apart: Run, docker: Fake, folder: Path) -> None:
    done = apart("build", "--push", f"{PREFIX}/")
    reference = f"{PREFIX}/shop-web:latest"
    compose = f"compose -f - --project-directory {folder} -p shop --progress plain build"
    assert docker.asked == [
        "version --format {{.Server.Version}}", "compose version", compose, f"tag shop-web {reference}",
        f"push {reference}",
    ]  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows == [["SERVICE", "IMAGE"], ["web", f"{reference}@sha256:{'a' * 64}"],
                    ["worker", f"{reference}@sha256:{'a' * 64}"]]  # fmt: skip
    document = json.loads((docker.here / "document").read_text())
    build = document["services"]["web"]
    assert (build["image"], build["build"]["args"]) == ("shop-web", {"TOKEN": TOKEN})
    assert NETRC not in str(document)
    assert (docker.here / "netrc").read_text() == f"{NETRC}\n"
    assert "#5 RUN curl -u ${NETRC} ${BUILD_TOKEN}" in done.stderr
    assert docker.asked == []
    apart("build", "-q", "--no-cache", "--pull")
    assert docker.asked[-1] == f"{compose} --no-cache --pull"


def test_a_push_that_says_no_digest(apart: Run, docker: Fake) -> None:
    docker.has("silent")
    assert apart("build", "-q", "--push", PREFIX).stdout.count(f"{PREFIX}/shop-web:latest@sha256:{'a' * 64}\n") == 2


def test_what_was_built_is_service_metadata(shop: Run, docker: Fake, folder: Path) -> None:
    """`tycho build` and `tycho up` may be two steps, of two machines."""
    written = shop("build", "-q", "-o", "yaml", TYCHO_PUSH_PREFIX=PREFIX).stdout
    (folder / "images.yaml").write_text(written)
    docker.has("down")
    shop("up", "--metadata", "images.yaml")
    assert image(shop) == image(shop, "worker") == pinned("a" * 64)


def test_up_build_pins_what_it_pushed(shop: Run, docker: Fake, tool: Run) -> None:
    first = shop("up", "--build", "--push", PREFIX)
    assert image(shop) == image(shop, "worker") == pinned("a" * 64)
    assert image(shop, "db") is None
    space = json.loads(shop("status", "-o", "json").stdout)[0]["namespace"]
    template = "jsonpath={range .items[*]}{.spec.template.spec.containers[0].image}{'\\n'}{end}"
    images = tool("kubectl", "-n", space, "get", "deployments", "-o", template).stdout.split()
    built = f"{PREFIX}/shop-web:latest@sha256:{'a' * 64}"
    assert sorted(images) == [built, built, "postgres:15"]
    pods = tool("kubectl", "-n", space, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").stdout
    assert "shop is up to date (revision 1)" in shop("up", "--build", "--push", PREFIX).stderr
    assert tool("kubectl", "-n", space, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").stdout == pods
    docker.builds("b" * 64)
    assert shop("up", "--build", TYCHO_PUSH_PREFIX=PREFIX).stdout.split()[8:10] == first.stdout.split()[8:10]
    assert (image(shop), revisions(shop)) == (pinned("b" * 64), 2)
    assert f"sha256:{'b' * 64}" in shop("history", "shop").stdout


def test_up_without_build_keeps_what_was_built(shop: Run, docker: Fake, folder: Path) -> None:
    shop("up", "--build", "--push", PREFIX)
    docker.has("down")
    assert "shop is up to date (revision 1)" in shop("up").stderr
    assert "shop is up to date (revision 1)" in shop("up", "db").stderr
    file = folder / "compose.yaml"
    file.write_text(FILE.replace("postgres:15", "postgres:16"))
    shop("up")
    assert (image(shop), revisions(shop)) == (pinned("a" * 64), 2)
    file.write_text(FILE.replace("build: {", "image: acme/web:2\n    build: {"))
    shop("up")
    assert image(shop) is None
    assert image(shop, "worker") is None  # nobody builds shop-web any more


def test_an_image_that_was_modified_is_not_what_was_built(shop: Run) -> None:
    shop("up", "--build", "--push", PREFIX)
    shop("modify", "--image", "web=nginx:1.27")
    assert image(shop)["repository"] == "nginx"
    assert "builtAs" not in image(shop)
    shop("up")
    assert (image(shop), image(shop, "worker")) == (None, pinned("a" * 64))


def test_one_service_is_built_with_what_it_needs(shop: Run, docker: Fake, folder: Path) -> None:
    (folder / "compose.yaml").write_text(
        "name: shop\nservices:\n  web: {build: web, depends_on: [api]}\n  api: {build: api}\n  other: {build: other}\n"
    )
    shop("up", "web", "--build", "--push", PREFIX)
    assert [line for line in docker.asked if line.startswith("push")] == [
        f"push {PREFIX}/shop-web:latest", f"push {PREFIX}/shop-api:latest",
    ]  # fmt: skip
    shop("build", "api", "--push", PREFIX)
    assert [line for line in docker.asked if line.startswith("push")] == [f"push {PREFIX}/shop-api:latest"]
    assert list(json.loads((docker.here / "document").read_text())["services"]) == ["api"]
    assert "shop has no service nosuch" in shop("build", "nosuch", rc=2).stderr


def test_a_live_image_is_replaced_whole(shop: Run, docker: Fake, folder: Path) -> None:
    file = "name: shop\nservices: {web: {image: '${IMAGE:-acme/web:1}', build: web, pull_policy: always}}\n"
    (folder / "compose.yaml").write_text(file)
    shop("up", "--build", "--push", PREFIX)
    assert docker.asked[-1] == f"push {PREFIX}/web:1"
    manifest = json.loads(shop("values", "shop", "--all", "-o", "json").stdout)["services"]["web"]["image"]
    assert (manifest["repository"], manifest["reference"]) == (f"{PREFIX}/web", "")
    shop("up", IMAGE="acme/web:2")
    assert image(shop) is None


def test_a_local_cluster_needs_no_registry(shop: Run, docker: Fake, kubeconfig: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "tycho").mkdir(parents=True)
    (state / "tycho/clusters").symlink_to(kubeconfig.parents[1])
    shop("up", "--build", XDG_STATE_HOME=str(state), TYCHO_PUSH_PREFIX=PREFIX)
    reference = f"shop-web:{'a' * 16}"
    assert docker.asked[3:] == [
        "image inspect --format {{.Id}} shop-web", f"tag shop-web {reference}", f"image rm --no-prune {reference}",
    ]  # fmt: skip
    assert image(shop) == {"reference": "", "repository": "shop-web", "tag": "a" * 16, "digest": "",
                           "builtAs": "shop-web", "pullPolicy": "IfNotPresent"}  # fmt: skip
    assert "up to date" in shop("up", "--build", XDG_STATE_HOME=str(state)).stderr


def test_a_service_starts_what_was_built_here(apart: Run) -> None:
    with serving("-b", "memory") as service:
        where = {"TYCHO_SERVICE": service.url}
        assert "nothing says where to push shop-web" in apart("up", "--build", rc=2, **where).stderr
        apart("up", "--build", "--push", PREFIX, **where)
        again = apart("up", "--build", "--push", PREFIX, **where)
        assert again.stderr.count("up to date (revision 1)") == 1
        chart = yaml.safe_load(apart("values", "shop", "--all", **where).stdout)["services"]
        assert {chart[name]["image"]["digest"] for name in ("web", "worker")} == {f"sha256:{'a' * 64}"}
