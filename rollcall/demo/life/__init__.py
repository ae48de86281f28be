"""The demo's customers: chat clients, a webhook receiver, and staff who do small things.

One process, `python -m rollcall.demo.life`, under the demo's supervisor. It plays with the sample
application only, so it does nothing in a database that has other data.

Invariants
----------
* Clients use the gateway as any client does, over WebSockets. Staff and app servers call the verbs.
* Whatever fails, because a store or the gateway restarts or because somebody has deleted what the
  play needs, is tried again later. Nothing of it ends the process.
* What a person in the console has stopped or removed is not put back.
"""
