"""Times in the console and in Django admin."""

DATE_FORMAT = "Y年n月j日"
DATETIME_FORMAT = r"Y年n月j日 H:i:s \U\T\C"
MONTH_DAY_FORMAT = "n月j日"
