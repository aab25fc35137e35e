"""Journeys that come with Salus: drawn, written in English and Spanish, and classified.

Owns: the data of ready journeys and how it is read. Each is a folder of `data`: `about.json` (what it is
for, what it needs, its segments and templates), `graph.json` (the journey; ids stand as
"template:welcome", "segment:new", "journey:screening_recall"), and a letter a template and language.
Never: ids, people, or a database; `journeys.installing` makes a journey of it.
"""
