"""HTML out of feeds: made safe, made plain, and asked for what it names.

Nothing here follows an address: the caller passes the functions that make references absolute (`urls.link`,
`urls.join` with their base). Whatever comes in, each function takes time in proportion to its length.

- `tokens` cuts markup into texts and tags; everything else is built on it
- `tidy` recognises the ordinary markup that `safe` need not write anew
- `safe` writes well-formed, allowed HTML from them
- `words` makes plain text of them
- `pages` finds the feeds and images that markup names
"""

from aggregator.html.pages import feeds, first_image
from aggregator.html.safe import sanitize
from aggregator.html.words import beginning, excerpt, plain, title

__all__ = ["beginning", "excerpt", "feeds", "first_image", "plain", "sanitize", "title"]
