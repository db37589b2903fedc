"""An account with the cluster's role `edit` in one namespace, and nothing else, runs the example of the README."""

import json
from http.client import OK

from tests.e2e.system import ROOT, Json, System, eventually

SHOWS = ("depends_on", "healthcheck.test", "deploy.replicas")
SECONDS = 60
SPACE = "editors"
SHOP = str(ROOT / "examples/shop/compose.yaml")
TAGS = {"NGINX_TAG": "1", "POSTGREST_TAG": "1", "POSTGRES_TAG": "15"}  # what the node has


def verify(system: System) -> None:
    node = system.node
    node.kubectl("create", "namespace", SPACE)
    node.kubectl("-n", SPACE, "create", "serviceaccount", "ed")
    node.kubectl("-n", SPACE, "create", "rolebinding", "ed", "--clusterrole=edit", f"--serviceaccount={SPACE}:ed")
    config = json.loads(node.kubectl("config", "view", "--raw", "-o", "json"))
    token = node.kubectl("-n", SPACE, "create", "token", "ed").strip()
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    kubeconfig = system.folder / "editor.json"
    kubeconfig.write_text(json.dumps(config))
    shop = system.beside("shop", SPACE)
    env = {"KUBECONFIG": str(kubeconfig), **TAGS}

    shop.up("-f", SHOP, env=env)
    assert shop.release["revision"] == 1
    in_order(shop)
    sells(shop)
    shop.up("-f", SHOP, env={**env, "API_REPLICAS": "1"})
    eventually(lambda: len(shop.names("api")) == 1)
    # In a shared namespace a name leads to the containers themselves, as in Compose, and nginx looks it up once.
    shop.tycho("restart", shop.guid, "web", env=env)
    sells(shop)
    shop.tycho("rollback", shop.guid, env=env)
    eventually(lambda: len(shop.names("api")) == 2 and shop.ready("api"))
    sells(shop)
    roles = node.kubectl("-n", SPACE, "get", "roles,serviceaccounts", "-o", "name").split()
    assert {name.partition("/")[2] for name in roles} == {"default", "ed"}, "it made somebody who may more"
    shop.tycho("down", shop.guid, env=env)
    left = node.kubectl("-n", SPACE, "get", "all,secrets,networkpolicies,persistentvolumeclaims", "-o", "name").split()
    assert left == []
    shop.release = {}
    node.kubectl("delete", "namespace", SPACE)


def in_order(shop: System) -> None:
    """No container of the API started before the database was ready."""
    [database] = shop.pods("db")
    ready = next(
        condition["lastTransitionTime"]
        for condition in database["status"]["conditions"]
        if condition["type"] == "Ready"
    )
    started = [container["state"]["running"]["startedAt"] for pod in shop.pods("api") for container in status(pod)]
    assert len(started) == 2
    assert all(moment >= ready for moment in started), (ready, started)


def status(pod: Json) -> list[Json]:
    listed: list[Json] = pod["status"]["containerStatuses"]
    return listed


def sells(shop: System) -> None:
    """The proxy leads to the API, and that to the database."""
    eventually(lambda: shop.http("web", "/api/goods")[0] == OK)
    assert [goods["name"] for goods in json.loads(shop.page("web", "/api/goods"))] == ["tea", "cup", "kettle"]
