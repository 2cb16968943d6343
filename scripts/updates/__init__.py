"""A newer document of the vendor in the place of its predecessor, with all that follows from it.

Read in this order: `overlay_status` (the overlays applied to its structure, action by action: which lost their
object, which facts the vendor states now itself) -> `agreements` (the overlays without these facts) -> `interface`
(what changed in the public Python API) -> `impact` (what each change means to a user) -> `decisions` (what a person
has to decide) -> `contract_run` (the contract tests) -> `reports` (all of it) -> `workspace` (the copy of the project
in which everything happens until it is known to be right).
"""
