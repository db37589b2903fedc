"""What templates ask of values, as pieces of actions: with the helper that a text with variables takes."""

from __future__ import annotations

from tycho.chart.actions import Helpers, go_dict, name_variables, reference
from tycho.chart.container import Container, Expression, Image
from tycho.chart.filters import Safe, go_string
from tycho.chart.layout import ChartLayout
from tycho.chart.workload import Checksum, Workload


class LayoutActions:
    """Writes places in the values of one chart.

    Args:
        layout: What the chart holds.
        helpers: Its helpers.
    """

    def __init__(self, layout: ChartLayout, helpers: Helpers) -> None:
        self.layout = layout
        self.helpers = helpers

    def checksum(self, checksum: Checksum) -> Safe:
        """Write what is hashed, inside an action."""
        match checksum.kind:
            case "env" | "env-file":
                name = {"env": "env", "env-file": "envFile"}[checksum.kind]
                container = self.layout.pod_by_service[checksum.key].find_container(checksum.key)
                return Safe(f"include {self.helpers.define(name, container.name)} .")
            case "secret":
                return Safe(f'{reference("secrets", checksum.key)}.value | default ""')
            case "secret-files":
                return Safe(f"{reference('secretFiles', checksum.key)} | toJson")
        configmap = next(entry for entry in self.layout.configmaps if entry.slug == checksum.key)
        if configmap.live:
            content = f"{reference('configs', configmap.name)}.content"
            return Safe(f"include {self.helpers.interpolate} {go_dict(text=content, context='.')}")
        return Safe(f"(.Files.Glob {go_string(f'files/{configmap.slug}/*')}).AsSecrets")

    def claim_size(self, name: str) -> Safe:
        """Write the size of a claim, where a template has a value."""
        claim = self.layout.claims[name]
        size = f"{reference('persistence', name)}.size"
        if not isinstance(claim.size, Expression):
            return Safe(f"{{{{ {size} | quote }}}}")
        arguments = go_dict(text=size, key=go_string(f"persistence.{name}.size"), context=".")
        return Safe(f'{{{{ include {self.helpers.memory} {arguments} | default "1Gi" | quote }}}}')

    def existing_config(self, name: str) -> Safe:
        """Write the ConfigMap that a config is, inside an action."""
        return self._existing(f"{reference('configs', name)}.existingConfigMap", self.layout.configs[name])

    def existing_secret(self, name: str) -> Safe:
        """Write the Secret that a secret is, if it exists already, inside an action."""
        secret = next(entry for entry in self.layout.secrets if entry.name == name)
        return self._existing(f"{reference('secrets', name)}.existingSecret", secret.existing)

    def _existing(self, place: str, text: str) -> Safe:
        if not isinstance(text, Expression):
            return Safe(place)
        return Safe(f"include {self.helpers.interpolate} {go_dict(text=place, context='.')}")

    def image(self, image: Image) -> Safe:
        """Write an image that no value holds, inside an action."""
        fields = {
            "repository": image.repository,
            "tag": image.tag,
            "digest": image.digest,
            "reference": image.reference,
        }
        parts = go_dict(**{name: go_string(str(text)) for name, text in fields.items() if text})
        whole = self.image_at(parts, image)
        return whole if image.is_live else Safe(f"({whole})")

    def image_at(self, place: str, image: Image) -> Safe:
        """Write an image that stands at a place of values, inside an action."""
        whole = f"include {self.helpers.image} {go_dict(image=place, context='.')}"
        if not image.is_live:
            return Safe(whole)
        return Safe(f"include {self.helpers.interpolate} {go_dict(text=f'({whole})', context='.')}")

    def own_image(self, workload: Workload, service: str, volume: str) -> tuple[str, Container, Safe]:
        """Tell a volume that is a service's own image: its name, the container, and where templates have its values."""
        container = self.layout.pod_by_service[service].find_container(service)
        if container in workload.containers:
            return volume, container, name_variables(workload)[service]
        values = f"(deepCopy .Values.defaults) {reference('services', service)}"
        return volume, container, Safe(f"(mergeOverwrite {values})")

    def replicas(self, name: str) -> Safe:
        """Write how many pods a service has, inside an action."""
        place = f"{reference('services', name)}.replicas"
        workload = self.layout.pod_by_service[name]
        if not isinstance(workload.replicas, Expression):
            return Safe(f"(toString {place})")
        arguments = go_dict(text=place, key=go_string(f"services.{name}.replicas"), context=".")
        return Safe(f"(include {self.helpers.integer} {arguments})")

    def selector(self, slug: str) -> Safe:
        """Write kubectl's selector of a workload's pods, inside an action."""
        labels = f"(include {self.helpers.selectorLabels} {go_dict(component=go_string(slug), context='.')})"
        pairs = f'(regexReplaceAll `: "([^"]*)"` {labels} "=${{1}}" | replace "\\n" ",")'
        return Safe(f"(printf {go_string('--selector=%s')} {pairs})")
