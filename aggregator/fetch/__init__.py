"""One polite conditional GET: validators, limits, redirects, the address guard, manners towards hosts.

client      `Fetcher.get`: the chain of hops, one deadline, and every failure as one of the three fetch errors
addresses   what goes on the wire for an address, and where a Location leads
hosts       how many requests a host gets at once, and how close together
guard       which IP addresses may be connected to, and the lookup of names
connections those that are open, each with one exchange at a time
wire        one exchange as bytes: the request written, the answer read
answers     validators, freshness and Retry-After of an answer
decoding    content codings, with a limit on what comes out
"""

from aggregator.fetch.client import Fetched, Fetcher, NotModified, Request, user_agent

__all__ = ["Fetched", "Fetcher", "NotModified", "Request", "user_agent"]
