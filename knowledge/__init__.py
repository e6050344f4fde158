"""What Frontdesk can answer in words: articles and facts, how they are found, and how they are published.

Read in this order: `article` and `facts` (what editors write), `source` (reading and checking a folder),
`encoder` and `index` (finding the article for a question), `confidence` (may it be answered?), `publish`
and `published` (from a folder to every responder), `exchange` and `commands` (in and out, by command line).
"""
