"""What the domain says in English, because it is stored, or because doors that speak English use it
too. Pages translate it when they show it (`console.templatetags.words.said`); the modules here list
it for the catalogues.
"""
