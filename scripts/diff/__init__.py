"""What differs between two API descriptions, and whom it breaks.

Read in this order: `changes` (what a difference is, and what follows from several) -> `load` (a file to its
operations) -> `normalize` (a schema to the plain alternatives that it stands for, so that equal meanings look equal) ->
`schemas` (two schemas, seen from the side that sends or the side that receives) -> `events` (what streams send and no
operation refers to) -> `operations` (two whole descriptions).
"""
