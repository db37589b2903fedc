"""A distributed system in Compose's own words: what `compose.load` makes, policies change, and `chart.emit` reads.

Canonical form only: every short syntax is written out, every documented default that decides anything is filled in,
every unit is a number (bytes, seconds, cores). Everything is frozen; a change is a `model_copy`. A field that the
file did not set is not in `model_fields_set`: that, with `Project.lines`, is how the report knows what was written.

Source: the Compose Specification and its schema; a field's name is its key there; extensions are gathered in `x`.
"""

from tycho.model.live import Expr, ExprFloat, ExprInt, Fixed, Json, Live, Node, Reworded, Text, Words, bare, template
from tycho.model.parts import (
    Attachment,
    Dependency,
    Deploy,
    EnvFile,
    File,
    FileRef,
    Healthcheck,
    Hook,
    Mount,
    Placement,
    Port,
    Resource,
    Resources,
    RestartPolicy,
    Rollout,
)
from tycho.model.rights import PodRights, Rights, ServiceRights
from tycho.model.service import Service
from tycho.model.system import (
    Client,
    Config,
    DialectUse,
    EmitTemplate,
    Network,
    PolicyResult,
    Project,
    Secret,
    ServiceMetadata,
    Variable,
    Volume,
)

__all__ = [
    "Attachment",
    "Client",
    "Config",
    "Dependency",
    "Deploy",
    "DialectUse",
    "EmitTemplate",
    "EnvFile",
    "Expr",
    "ExprFloat",
    "ExprInt",
    "File",
    "FileRef",
    "Fixed",
    "Healthcheck",
    "Hook",
    "Json",
    "Live",
    "Mount",
    "Network",
    "Node",
    "Placement",
    "PodRights",
    "PolicyResult",
    "Port",
    "Project",
    "Resource",
    "Resources",
    "RestartPolicy",
    "Reworded",
    "Rights",
    "Rollout",
    "Secret",
    "Service",
    "ServiceMetadata",
    "ServiceRights",
    "Text",
    "Variable",
    "Volume",
    "Words",
    "bare",
    "template",
]
