"""Facts that the streams do not report, fetched over REST."""
