"""The user's files: how they are read, their problems in words, and the portfolio's JSON Schema."""
