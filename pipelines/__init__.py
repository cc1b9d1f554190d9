"""How it flows: one thin module a stage, each reading its predecessors' folders and writing its own."""

from watertight.core import numerics

numerics.pin()
