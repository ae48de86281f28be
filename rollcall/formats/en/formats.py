"""Times in Django admin, written as the console writes them."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = r"j M Y, H:i:s \U\T\C"
