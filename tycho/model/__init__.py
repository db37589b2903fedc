"""A distributed system in Compose's own words: what `compose.load` makes, policies change, and `chart.emit` reads.

Canonical form only: every short syntax is written out, every documented default that decides anything is filled in,
every unit is a number (bytes, seconds, cores). Everything is frozen; a change is a `model_copy`. A field that the
file did not set is not in `model_fields_set`: that, with `Project.lines`, is how the report knows what was written.

Source: the Compose Specification and its schema; a field's name is its key there; extensions are gathered in `x`.
"""

from tycho.model.interpolated import (
    Expr,
    ExprFloat,
    ExprInt,
    Fixed,
    Json,
    Live,
    Reworded,
    Text,
    Words,
    bare,
    template,
)
from tycho.model.node import InvalidFieldsError, Node
from tycho.model.parts import (
    Attachment,
    Dependency,
    Deploy,
    DeployResources,
    EnvFile,
    FileRef,
    Healthcheck,
    Hook,
    Mount,
    Placement,
    Port,
    ProjectFile,
    Resource,
    RestartPolicy,
    Rollout,
)
from tycho.model.rights import PodRights, Rights, ServiceRights
from tycho.model.service import Service
from tycho.model.system import (
    Client,
    ComposeVolume,
    Config,
    DialectUse,
    EmitTemplate,
    Network,
    PolicyResult,
    Project,
    Secret,
    ServiceMetadata,
    Variable,
)

__all__ = [
    "Attachment",
    "Client",
    "ComposeVolume",
    "Config",
    "Dependency",
    "Deploy",
    "DeployResources",
    "DialectUse",
    "EmitTemplate",
    "EnvFile",
    "Expr",
    "ExprFloat",
    "ExprInt",
    "FileRef",
    "Fixed",
    "Healthcheck",
    "Hook",
    "InvalidFieldsError",
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
    "ProjectFile",
    "Resource",
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
    "Words",
    "bare",
    "template",
]
