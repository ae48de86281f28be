"""The console's components: template tags that render `templates/components/<name>.html`.

They are tags instead of plain includes so that a misspelt argument is an error and the page's
context does not leak in. `templates/components/README.md` shows how to use each one. `{% load
rollcall %}` loads them all.
"""
