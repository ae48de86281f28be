"""`make faults`: everything is killed, stopped and starved in turn, under load of all kinds.

The product runs as `make serve` runs it, on PostgreSQL and Valkey from wheels. 64 app servers
register users at a full quota through the three APIs, while others ban, lift and kick, staff delete
and import through the console, and 500 clients of three protocols write to each other. What was
acknowledged is noted, and compared in the end with what the database and the other side have.

Environment variables: FAULTS, words of which the name of a fault must have one (all are done),
CLIENTS (500), RATE of their messages (50 a second), PAUSE of a registrar (1 second), CALM, the
seconds between the end of a fault and the next one (3), SECONDS after which no further fault begins
(600), and KEEP, which keeps the files and logs.
"""
