"""Docker Compose's words that Tycho does not have, each with one line that names Tycho's way, or says there is none."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "attach": "tycho has no attach: `tycho logs SERVICE -f` follows the output, `tycho exec SERVICE COMMAND` runs "
              "a program beside it",
    "bridge": "tycho has no bridge: `tycho compile -o DIR` makes a Helm chart of the compose file",
    "commit": "tycho has no commit: a cluster makes no images of containers; change the image's build, and run "
              "`tycho up --build`",
    "cp": "tycho has no cp: `tycho exec -T SERVICE cat PATH > FILE` reads a file, "
          "`tycho exec -T SERVICE tee PATH < FILE` writes one",
    "create": "tycho has no create: what is made starts at once; `tycho compile -o DIR` only writes the chart",
    "export": "tycho has no export: `tycho exec -T SERVICE tar -c DIR > FILE` packs a container's files",
    "images": "tycho has no images: `tycho config --images` lists the compose file's",
    "kill": "tycho has no kill: `tycho restart SERVICE` replaces its pods, `tycho down` removes the system",
    "port": "tycho has no port: `tycho ps` lists each service with its address",
    "publish": "tycho has no publish: `tycho push oci://HOST/PATH` sends the chart to a registry",
    "pull": "tycho pulls nothing: the cluster's nodes pull images when pods start; `tycho restart` pulls them again "
            "with `pull_policy: always`",
    "rm": "tycho has no rm: `tycho down` removes a whole system; take a service out of the compose file and run "
          "`tycho up` to remove it alone",
    "run": "tycho has no run: `tycho exec SERVICE COMMAND` runs a program in a container that runs, `tycho up --name "
           "NAME -c IMAGE --command CMD` starts a container of its own",
    "stats": "tycho has no stats: `kubectl top pod --containers` shows what pods use, where the cluster measures it",
    "top": "tycho has no top: `tycho exec SERVICE ps` lists the programs of a container",
    "unpause": "tycho has no unpause: `tycho resume` starts a paused system again",
    "volumes": "tycho has no volumes: `kubectl get persistentvolumeclaims -A -l executor=tycho` lists them",
    "watch": "tycho has no watch: `tycho up --build` builds what has changed, and starts it",
}  # fmt: skip

OPTIONS: Mapping[tuple[str, str], str] = {
    ("build", "--build-arg"): "build has no --build-arg: write `build: {args: …}` with a variable in the compose file",
    ("build", "--ssh"): "build has no --ssh: write `build: {ssh: [default]}` in the compose file",
    ("build", "--with-dependencies"): "build has no --with-dependencies: without SERVICE, it builds all images",
    ("up", "--abort-on-container-exit"): "up has no --abort-on-container-exit: it does not stay attached; `tycho "
                                         "logs -f` follows",
    ("up", "--attach"): "up has no --attach: it does not stay attached; `tycho logs SERVICE -f` follows",
    ("up", "--exit-code-from"): "up has no --exit-code-from: it does not stay attached; a failed job fails `tycho up`",
    ("up", "--force-recreate"): "up has no --force-recreate: `tycho restart` replaces pods that have not changed",
    ("up", "--no-deps"): "up has no --no-deps: a service starts with what it depends on",
    ("up", "--no-recreate"): "up has no --no-recreate: what has changed is rolled out; `tycho compile` shows it before",
    ("up", "--no-start"): "up has no --no-start: what is made starts at once; `tycho compile -o DIR` only writes the "
                          "chart",
    ("up", "--renew-anon-volumes"): "up has no --renew-anon-volumes: `tycho down` removes volumes, `tycho up` makes "
                                    "them anew",
    ("up", "--scale"): "up has no --scale: set `deploy: {replicas: N}` in the compose file, or run "
                       "`tycho scale` after it",
    ("up", "--wait-timeout"): "up has no --wait-timeout: write --timeout SECONDS",
    ("up", "--watch"): "up has no --watch: `tycho up --build` builds what has changed, and starts it",
    ("down", "--rmi"): "down has no --rmi: images are the nodes', which remove them themselves",
    ("exec", "--detach"): "exec has no --detach: Kubernetes ends a program with its connection",
    ("exec", "-d"): "exec has no -d: Kubernetes ends a program with its connection",
    ("exec", "--privileged"): "exec has no --privileged: a program has the container's rights",
    ("exec", "--user"): "exec has no --user: Kubernetes runs a program as the container's user; set `user:` in the"
                        " compose file",
    ("exec", "-u"): "exec has no -u: Kubernetes runs a program as the container's user; set `user:` in the compose "
                    "file",
    ("logs", "--index"): "logs has no --index: `tycho logs SERVICE` shows all its containers, each line with its pod",
    ("logs", "--until"): "logs has no --until: Kubernetes knows only --since",
    ("events", "--json"): "events has no --json: write -o json",
    ("events", "--since"): "events has no --since: a cluster keeps events for an hour, and all are shown",
    ("events", "--until"): "events has no --until: a cluster keeps events for an hour, and all are shown",
    ("ps", "--quiet"): "ps has no --quiet: write `tycho status -terse` for GUIDs, or -o json",
    ("ps", "-q"): "ps has no -q: write `tycho status -terse` for GUIDs, or -o json",
    ("ps", "--format"): "ps has no --format: write -o json or -o yaml",
    ("ps", "--services"): "ps has no --services: `tycho config --services` lists their names",
    ("ls", "--format"): "ls has no --format: write -o json or -o yaml",
    ("ls", "--quiet"): "ls has no --quiet: write -terse",
    ("ls", "-q"): "ls has no -q: write -terse",
    ("restart", "--no-deps"): "restart has no --no-deps: it restarts the services that are named, and no others",
}  # fmt: skip

GLOBAL = ("-f", "--file", "-p", "--project-name", "--project-directory", "--profile", "--env-file")
"""Options that Compose has before its command, and Tycho after it."""

PROJECT_NAME = "{command} has no {option}: write --name NAME"
MOVED = "options stand after the command: `tycho up {option} …`"


def explain_option(command: str, option: str) -> str:
    """Say Tycho's way for an option of Compose's; "" for one that Compose does not have, either.

    Args:
        command: Tycho's command; "" for an option before any.
        option: As it was written, without its value.
    """
    if not command and option in GLOBAL:
        return MOVED.format(option="--name" if option in ("-p", "--project-name") else option)
    if option == "--project-name":
        return PROJECT_NAME.format(command=command or "tycho", option=option)
    return OPTIONS.get((command, option), "")
