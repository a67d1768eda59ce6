"""An account's holdings and activities over REST; every row that cannot be read is reported."""
