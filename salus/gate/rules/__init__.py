"""The rules of law as data, and the pure program that applies them to frozen facts.

Read `rule` (what a rule is), `conditions` (when it applies), the rows (`care_rows`, `marketing_rows`,
`other_rows`, `overlays`, `always`, `state_rows`), then `program` (how a message is decided).
"""
