"""A newer document of the vendor in the place of its predecessor, with all that follows from it.

Read in this order: `predecessors` (which stored document it replaces) -> `corrections` (the overlays applied to it,
action by action, and which of them lost their object) -> `interface` (what changed in the public Python API) ->
`meanings` (what each change means to a user) -> `verification` (the contract tests) -> `reports` (all of it, told) ->
`workplace` (the copy of the project in which everything happens until it is known to be right).
"""
