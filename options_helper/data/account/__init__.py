"""The holdings and activities of an account, read strictly over REST."""
