"""A local X: the API that tweepy talks to, and a page on which to play the customers.

Reading order: `records` (the values), `world` (everything that exists), `app` (the server), `api` (what a client
sees under /2), `control` (the control plane under /_sim), `page` (the timeline in the browser).
"""
