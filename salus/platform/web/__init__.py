"""The web shell: what every page stands in.

Owns: base templates, the stylesheet, template tags, security headers, error pages, static files.
Never: a word about patients, messages or law; who may do what (that is `identity`).
Enter by: the templates `salus/base.html`, `salus/bare.html`, `salus/portal_base.html`; `{% load salus %}`; `shell`, `foreign`.
Read first: `docs/pages.md`.
"""
