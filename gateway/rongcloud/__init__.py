"""The protocol of RongCloud's web SDKs, for one-to-one text messages, blocklists and online status.
docs/clients-rongcloud.md lists what works, by the SDK's methods and codes.

Decided here, because the SDKs leave it open:
* Messages are not pushed: the gateway says that something waits, and the client asks for it. That
  is the way in which every version gets a message once and in order.
* A client that got messages is told to ask again at once. What it has by then is its
  acknowledgement, so "delivered" is true without delay.
* The cursor with which SDK 5 asks is the key of the last message. SDK 2 asks with that message's
  time, which two messages may share; so its time acknowledges nothing of an earlier connection, and
  a message whose acknowledgement was lost with the line comes again.
* A query or message that is not served gets code 20606, the SDK's own "not supported".
"""
