"""The console: the pages for staff, with one folder for each entry of the menu."""
