"""MSync, the protocol of Agora Chat's and Easemob's clients. docs/clients-agora.md says which of
their methods work.

Decided here, because the vendor's documents are silent:
* All messages of a user wait in one queue, which keeps their order over all senders. It is named
  after the user. Contact and presence notices come in a queue of their sender.
* Messages are pushed, one batch at a time: the client's key for a batch acknowledges it.
* What else the protocol has is refused with its error for rules of the app's own, with a sentence
  that says that this is not supported.
* A ban has no code of its own. A connected client is told that it was forced offline, a connecting
  one that the service is disabled for the user.
"""
