"""Sources as an editor deals with them: lists from elsewhere, sources.yaml, and what an address has to offer.

opml      subscription lists, read however broken, written valid
intake    what of a list is new, a duplicate or invalid, and in which category
listing   new blocks in sources.yaml, nothing rewritten
probe     one reading of a source, beside the store
"""
