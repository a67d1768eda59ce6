"""What the streams do not report, fetched by REST."""
