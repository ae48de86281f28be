"""Times in the console and in Django admin."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = r"j M Y, H:i:s \U\T\C"
MONTH_DAY_FORMAT = "j M"
