"""Which rows say that nothing changes, and what changes with a key though its row need not name it."""

from __future__ import annotations

from typing import Any

# Targets that say themselves that the key changes nothing, each with the reason why it is translated all the same.
SAME: dict[str, str] = {
    r"nothing\b": "the row says so",
    r"no probe": "it asks for nothing, and there is none",
    r"Docker's default": "zero is the default",
    r"(its|their) own names?": "a service is called by its own name",
    r"what Kubernetes sends": "it is the signal that every container gets",
    r"the cluster's network": "every pod is in it",
    r"decided when the file is read": "the rest of the file says what was decided",
    r"names? of (the chart|objects that exist)|Chart\.yaml|resolved when": "it is about the chart, or the file itself",
    r"claims, or none": "the rows of the mounts say what they are",
    r"which names are secret": "a list of names: it changes what it names, and the row of that says so",
    r"rights that a policy granted": "a right changes nothing until a key asks for it",
    r"root owns it": "the files are root's, whoever is named",
    r"a failed rollout stops where it is": "so does every rollout",
    r"`tycho up` goes back": "it is Tycho that goes back, not the chart",
    r"the update's strategy": "a rollback follows update_config, whatever rollback_config says",
    r"claim <release>-<volume>": "the claim is called so, whatever the volume's name is",
    r"the cluster's default storage class": "it is taken, whatever the driver is",
    r"env: the path of its URL": "the operator has a template of URLs, or has none",
    r"Deployment$": "a service that others call is always restarted, whatever `restart` says",
}
# What is so without the key, too: key, the values that say so, and the reason.
ANYWAY: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("services.restart", ("always", "unless-stopped"), "a Deployment always starts its pods again"),
    ("services.deploy.restart_policy.condition", ("any",), "a Deployment always starts its pods again"),
    ("services.deploy.mode", ("replicated",), "Compose's default"),
    ("services.deploy.replicas", (1,), "Compose's default"),
    ("services.deploy.endpoint_mode", ("vip",), "Compose's default"),
    ("services.healthcheck.disable", (True,), "there is no probe where nothing is asked"),
    ("services.security_opt", ("no-new-privileges:true",), "a shipped policy says it for every service"),
    ("services.ports[].protocol", ("tcp",), "Compose's default"),
    ("services.networks", ("default",), "Compose's default"),
    ("services.x-tycho.url", ("none",), "a URL is the operator's to give"),
    ("volumes.driver", ("local",), "Docker's default"),
)
# What the values of the release decide: it is there, or it is not.
PERHAPS = {
    r"env, for variables": "an environment that only passes variables on",
    r"its URL": "the operator has a template of URLs, or has none",
}
# What follows from a key without being what it means: a pattern of fields, and the reason.
FOLLOWS: dict[str, str] = {
    r"labels\[(helm\.sh/chart|app\.kubernetes\.io/version)\]": "every chart has a version of its own",
    r"annotations[.\[]checksum/": "a pod is replaced when what it reads changes",
    r"annotations\[tycho\.dev/(order|containers|service)\]|tycho\.dev/rollout": "they tell of the system as a whole",
    r"^Pod/": "`helm test` calls every port",
    r"^Job/\S+ |\[jobName": "a job that changes is another Job",
    r"\.(volumes|volumeMounts|tolerations|sysctls)\[[^]]+\]\.(name|key|operator|effect)$": "an item is named, too",
    r"containers\[[^]]+\]\.ports\[|^Service/\S+ spec\.(ports\[|clusterIP$|publishNotReadyAddresses$)": (
        "a name leads to the ports that a service listens at"
    ),
    r"^Deployment/rel-built .*\.(volumeMounts|volumes)\[": "it has the mounts of another service",
    r"\.startupProbe\.": "a container is first asked what it is asked later",
    r"labels\[tycho\.dev/(external-)?network-": "a pod has a label of each network that it is on",
    r"^Service/\S+ (metadata\.labels|spec\.selector)\[app\.kubernetes\.io/component\]$": (
        "a service in another's pod is called there"
    ),
    r"\.volumeMounts\[[^]]+\]\.subPath$": "containers see a folder of a claim that is the chart's own",
    r"\.claimName$": "what is on no server is in a claim",
    r"\.serviceAccountName$": "who asks the API server does so as somebody",
    r"\[(fill-|image-of-)|image-of-|tycho-fill|tycho-wait": "what fills volumes follows from what is mounted",
    r"^(PodDisruptionBudget|ServiceAccount|Role|RoleBinding)/": "they are there for what has pods, or waits",
    r"^Service/\S+-awaited ": "it is there for those who wait",
    r"^NetworkPolicy/\S+-(published|wait|isolated) ": "it lets callers in, or pods that wait out",
    r"affinity\.podAffinity|labels\[tycho\.dev/(volumes|waits)\]": "pods that share a volume share its node",
    r"strategy\.|terminationGracePeriodSeconds$|\.preStop\.": "how pods are replaced follows from what they hold",
}
