"""RongCloud's and Nexconn's calls, in nobody's words: both have the same ones.

One module per subject. A call takes its caller and plain arguments, and answers with a dict, or
with nothing. A vendor's folder says where each call lies, and spells arguments and answers: see
`api.tables`.
"""
