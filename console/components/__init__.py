"""The console's components: tags that draw `templates/components/<their name>.html`.

They are tags and not plain includes, so a misspelt argument is an error and nothing of the page's
own context leaks in. `templates/components/README.md` shows how to use each one; `{% load rollcall
%}` gives them all.
"""
