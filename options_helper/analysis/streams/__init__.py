"""Facts about streams: ages, lags, silence and the clock offset."""
