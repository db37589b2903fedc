"""Compose keys as fields of Kubernetes' objects, and as rows of the report: one module for each concern.

A module has functions that make fields of a service, and a table `KEYS` with an entry for each of its keys: what
becomes of it in words, the places where that is seen, and a function that judges the case. A key that sets one field
has it in its entry, too (`read`). `tables` joins them all; `container` and `assemble` call the functions.
"""
