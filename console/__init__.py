"""The door of staff: the pages of the console, one folder for each noun of the menu."""
