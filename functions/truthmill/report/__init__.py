"""The report: one self-contained page about a run, at most 2 MB however large the dataset.

The state WriteReport gathers `facts`: `measures` counts the ledger in one pass, `workers` reads a sample of
the answers. `judge` says what to think of them; `sections`, `sheets`, `charts` and `flow` draw them, and
`page` puts them together.
"""
