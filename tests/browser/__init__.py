"""The page, walked in a browser: the help article's sentences by role and name, in both roles and both languages."""
