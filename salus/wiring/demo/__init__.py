"""The demo: the main job of Salus, done with a synthetic clinic on real components.

Owns: the story of `./run`, its cast, its summary, how it shows on a terminal.
Never: a short cut past an API that a person would use.
Enter by: `story.tell`.
Read first: `story.py`.
"""
