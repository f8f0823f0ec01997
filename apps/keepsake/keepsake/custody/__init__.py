"""What happened to a person's data, so that it can be proved: records, a Merkle log, checkpoints, grants, anchors."""

from keepsake.custody.grant import Grant, Scope
from keepsake.custody.log import Log
from keepsake.custody.permission import Given, Permission
from keepsake.custody.record import Action, Record

__all__ = ["Action", "Given", "Grant", "Log", "Permission", "Record", "Scope"]
