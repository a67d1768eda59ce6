"""Keys, account and endpoints from the environment and the env file."""

from __future__ import annotations

from pathlib import Path

import pytest

from options_helper.data.settings import (
    DATA_URL,
    LIVE_URL,
    PAPER_URL,
    STREAM_URL,
    Account,
    is_loopback,
    load_risk_free_rate,
    load_settings,
    mask,
    read_environment,
)
from options_helper.errors import SettingsError

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "alpaca.env.example"
KEYS = {"APCA_API_KEY_ID": "PKMARKERKEYID0000AB", "APCA_API_SECRET_KEY": "marker-secret-0123456789"}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """Return the path of an env file that does not exist yet."""
    return tmp_path / "alpaca.env"


def refusal(env_file: Path, **changes: str) -> SettingsError:
    """Return the error that loading good keys with these changes raises."""
    with pytest.raises(SettingsError) as caught:
        load_settings(KEYS | changes, env_file=env_file)
    return caught.value


def test_keys_alone_are_enough(env_file: Path) -> None:
    """By default, the hosts are Alpaca's, and the feeds are those of the free plan."""
    settings = load_settings(KEYS, env_file=env_file)
    assert (settings.key_id, settings.secret_key) == tuple(KEYS.values())
    assert (settings.trading_url, settings.data_url, settings.stream_url) == (PAPER_URL, DATA_URL, STREAM_URL)
    assert (settings.stock_feed, settings.options_feed) == ("iex", "indicative")
    assert settings.foreign_hosts == ()


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({}, "APCA_API_KEY_ID and APCA_API_SECRET_KEY are not set. Set them"),
        ({"APCA_API_KEY_ID": "PK1"}, "APCA_API_SECRET_KEY is not set. Set it"),
        ({"APCA_API_SECRET_KEY": "s"}, "APCA_API_KEY_ID is not set. Set it"),
        ({"APCA_API_KEY_ID": "  ", "APCA_API_SECRET_KEY": "s"}, "APCA_API_KEY_ID is not set. Set it"),
    ],
)
def test_a_missing_key_is_named_with_its_place(keys: dict[str, str], named: str, env_file: Path) -> None:
    """The error names the variable to set, and the file to set it in."""
    with pytest.raises(SettingsError) as caught:
        load_settings(keys, env_file=env_file)
    assert str(caught.value).startswith(named)
    assert str(env_file) in str(caught.value)


def test_the_env_file_is_read_and_the_environment_wins(env_file: Path) -> None:
    """Comments, quotes, a byte order mark and dollar signs work; an empty variable counts as unset."""
    env_file.write_bytes(
        b"\xef\xbb\xbfAPCA_API_KEY_ID=PKFILE\n# comment\nexport APCA_API_SECRET_KEY='a${HOME}b' # mine\n"
        b"OH_ALPACA_STOCK_FEED=sip\nOH_ALPACA_OPTIONS_FEED=\nBARE\n"
    )
    env = {"OH_ALPACA_STOCK_FEED": "iex", "APCA_API_KEY_ID": ""}
    settings = load_settings(env, env_file=env_file)
    assert (settings.key_id, settings.secret_key) == ("PKFILE", "a${HOME}b")
    assert (settings.stock_feed, settings.options_feed) == ("iex", "indicative")


def test_the_processs_environment_is_the_default(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mapping, the process's environment is used."""
    monkeypatch.setenv("OH_ALPACA_STOCK_FEED", "sip")
    assert read_environment(env_file=env_file)["OH_ALPACA_STOCK_FEED"] == "sip"


def test_a_missing_env_file_is_an_empty_one(tmp_path: Path) -> None:
    """A missing file sets nothing."""
    assert read_environment({"A": "1"}, env_file=tmp_path / "missing.env") == {"A": "1"}


@pytest.mark.parametrize(("target", "words"), [("/dev/zero", "a device"), (".", "a directory")])
def test_an_env_file_is_a_regular_file(env_file: Path, target: str, words: str) -> None:
    """A link to an endless device or to a directory is refused at once with its reason."""
    env_file.symlink_to(target)
    with pytest.raises(SettingsError, match=words):
        read_environment({}, env_file=env_file)


def test_a_binary_env_file_is_refused_without_quoting_it(env_file: Path) -> None:
    """The error names the file and quotes nothing from it."""
    env_file.write_bytes(b"APCA_API_SECRET_KEY=marker\xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8") as caught:
        read_environment({}, env_file=env_file)
    assert str(env_file) in str(caught.value)
    assert "marker" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "url", "account", "host"),
    [
        ("PKX", None, Account.PAPER, PAPER_URL),
        ("AKX", None, Account.LIVE, LIVE_URL),
        ("CKX", None, Account.PAPER, PAPER_URL),
        ("AKX", "https://paper-api.alpaca.markets", Account.PAPER, PAPER_URL),
        ("PKX", "https://api.alpaca.markets/v2/", Account.LIVE, LIVE_URL),
        ("PKX", "https://paper-api.alpaca.markets/v2", Account.PAPER, PAPER_URL),
        ("AKX", "http://127.0.0.1:9999", Account.DEMO, "http://127.0.0.1:9999"),
        ("AKX", "http://[::1]:9999", Account.DEMO, "http://[::1]:9999"),
        ("PKX", "http://localhost:9999/paper", Account.DEMO, "http://localhost:9999/paper"),
        ("PKX", "https://relay.example", Account.LIVE, "https://relay.example"),
        ("AKX", "https://Paper-API.alpaca.markets", Account.PAPER, "https://Paper-API.alpaca.markets"),
        ("AKX", "https://paper.relay.example", Account.PAPER, "https://paper.relay.example"),
    ],
)
def test_the_account_is_found_from_url_or_key(
    key: str, url: str | None, account: Account, host: str, env_file: Path
) -> None:
    """The URL decides, or the key's prefix if there is no URL; a loopback host is a demo."""
    env = KEYS | {"APCA_API_KEY_ID": key} | ({"APCA_API_BASE_URL": url} if url else {})
    settings = load_settings(env, env_file=env_file)
    assert (settings.account, settings.trading_url) == (account, host)
    assert settings.demo == (account is Account.DEMO)


@pytest.mark.parametrize(
    ("url", "stream"),
    [
        ("https://paper-api.alpaca.markets", "wss://paper-api.alpaca.markets/stream"),
        ("http://127.0.0.1:9999/", "ws://127.0.0.1:9999/stream"),
        ("https://relay.example/alpaca/", "wss://relay.example/alpaca/stream"),
    ],
)
def test_the_trading_stream_is_beside_the_trading_host(url: str, stream: str, env_file: Path) -> None:
    """The trading stream is the host's `/stream`, encrypted if the host is."""
    assert load_settings(KEYS | {"APCA_API_BASE_URL": url}, env_file=env_file).trading_stream_url == stream


def test_market_data_streams_carry_their_feed(env_file: Path) -> None:
    """Stocks are at `/v2/{feed}`, options at `/v1beta1/{feed}`, on the configured host."""
    settings = load_settings(KEYS | {"APCA_API_STREAM_URL": "ws://127.0.0.1:7/"}, env_file=env_file)
    assert settings.stock_stream_url("sip") == "ws://127.0.0.1:7/v2/sip"
    assert settings.stock_stream_url("delayed_sip") == "ws://127.0.0.1:7/v2/delayed_sip"
    assert settings.stock_stream_url("boats") == "ws://127.0.0.1:7/v1beta1/boats"
    assert settings.option_stream_url("opra") == "ws://127.0.0.1:7/v1beta1/opra"


def test_foreign_hosts_are_named(env_file: Path) -> None:
    """A host that is neither Alpaca's nor this machine is named once; a look-alike is foreign."""
    settings = load_settings(
        KEYS
        | {
            "APCA_API_BASE_URL": "https://notalpaca.markets",
            "APCA_API_DATA_URL": "https://notalpaca.markets/data",
            "APCA_API_STREAM_URL": "wss://alpaca.markets.example",
        },
        env_file=env_file,
    )
    assert settings.foreign_hosts == ("notalpaca.markets", "alpaca.markets.example")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("APCA_API_BASE_URL", "http://paper-api.alpaca.markets/v2"),
        ("APCA_API_DATA_URL", "http://Data.Alpaca.Markets:80"),
        ("APCA_API_STREAM_URL", "ws://stream.data.alpaca.markets"),
    ],
)
def test_keys_go_to_alpaca_only_over_tls(name: str, url: str, env_file: Path) -> None:
    """An Alpaca URL without encryption is refused, because it would reveal the keys."""
    with pytest.raises(SettingsError, match=r"must begin with (https|wss)://") as caught:
        load_settings(KEYS | {name: url}, env_file=env_file)
    assert caught.value.variable == name


def test_a_host_without_encryption_is_named(env_file: Path) -> None:
    """A foreign host without encryption is named, but this machine is not."""
    urls = {"APCA_API_DATA_URL": "http://relay.example", "APCA_API_STREAM_URL": "ws://127.0.0.1:7"}
    settings = load_settings(KEYS | urls, env_file=env_file)
    assert settings.unencrypted_hosts == ("relay.example",)
    assert load_settings(KEYS, env_file=env_file).unencrypted_hosts == ()


def test_the_page_chooses_only_between_alpacas_two_hosts(env_file: Path) -> None:
    """Paper and live change the trading host; auto changes nothing, and neither does any other host."""
    settings = load_settings(KEYS, env_file=env_file)
    live = settings.with_account("live")
    assert (live.account, live.trading_url) == (Account.LIVE, LIVE_URL)
    assert live.with_account("paper") == settings
    assert settings.with_account("auto") is settings
    demo = load_settings(KEYS | {"APCA_API_BASE_URL": "http://127.0.0.1:1"}, env_file=env_file)
    assert not demo.can_override_account
    assert demo.with_account("live") is demo


@pytest.mark.parametrize("name", ["APCA_API_BASE_URL", "APCA_API_DATA_URL", "APCA_API_STREAM_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "paper-api.alpaca.markets",
        "ftp://host",
        "https://",
        "wss://",
        "https://user:marker@host",
        "wss://@host",
        "https://host?key=marker",
        "wss://host#marker",
        "https://[::1",
        "wss://host:port",
        "https://host:99999999",
        "https://host:0",
        "https://ho st",
        "https://ho\tst",
        "https://host\\marker",
        "https://host/\u0000",
        "https://\u0430lpaca.markets",
        "https://host\uff0f.alpaca.markets",
        "https://xn--a",
        "https://256.1.1.1",
        "https://" + 70 * "a" + ".example",
        "wss://[::1]marker",
        "wss://\ud800",
    ],
)
def test_anything_but_a_plain_url_is_refused(name: str, url: str, env_file: Path) -> None:
    """The error names the variable and a correct value, and does not repeat what may hold a password."""
    error = refusal(env_file, **{name: url})
    assert error.variable == name
    assert "://host" in str(error)
    assert "marker" not in str(error)


@pytest.mark.parametrize(
    ("name", "feed"), [("OH_ALPACA_STOCK_FEED", "otc"), ("OH_ALPACA_OPTIONS_FEED", "sip")]
)
def test_an_unknown_feed_is_refused(name: str, feed: str, env_file: Path) -> None:
    """The error lists the valid feeds."""
    error = refusal(env_file, **{name: feed})
    assert error.variable == name
    assert "must be one of" in str(error)


def test_feeds_take_any_case(env_file: Path) -> None:
    """Feeds may be written in capitals."""
    settings = load_settings(
        KEYS | {"OH_ALPACA_STOCK_FEED": " SIP ", "OH_ALPACA_OPTIONS_FEED": "OPRA"}, env_file=env_file
    )
    assert (settings.stock_feed, settings.options_feed) == ("sip", "opra")


@pytest.mark.parametrize("name", list(KEYS))
@pytest.mark.parametrize("key", ["with space", "line\nbreak", "ünicode", "nul\0"])
def test_a_key_that_fits_no_header_is_refused_and_not_shown(name: str, key: str, env_file: Path) -> None:
    """A key with spaces or control characters is refused by name and not repeated."""
    error = refusal(env_file, **{name: key})
    assert error.variable == name
    assert key not in str(error)


def test_keys_never_show(env_file: Path) -> None:
    """Neither the settings' repr nor their text shows a key; the masked key shows its ends."""
    settings = load_settings(KEYS, env_file=env_file)
    for key in KEYS.values():
        assert key not in f"{settings!r} {settings}"
    assert settings.masked_key == "PK…AB"
    assert mask("short") == "…"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 - asked about, not bound
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_means_this_machine(host: str, loopback: bool) -> None:
    """Only this machine's own names and addresses are loopback."""
    assert is_loopback(host) is loopback


def test_the_example_has_every_variable_and_no_key(env_file: Path) -> None:
    """The example file sets nothing, and each of its settings is valid once uncommented."""
    example = EXAMPLE.read_text()
    assert read_environment({}, env_file=EXAMPLE) == {}
    env_file.write_text(example.replace("\n#APCA_", "\nAPCA_").replace("\n#OH_", "\nOH_"))
    values = read_environment(KEYS, env_file=env_file)
    assert set(values) == {
        *KEYS,
        "APCA_API_BASE_URL",
        "APCA_API_DATA_URL",
        "APCA_API_STREAM_URL",
        "OH_ALPACA_STOCK_FEED",
        "OH_ALPACA_OPTIONS_FEED",
        "OH_RISK_FREE_RATE",
    }
    assert load_settings(values, env_file=env_file) == load_settings(
        KEYS, env_file=env_file.with_name("missing")
    )


def test_the_interest_rate_is_a_fraction(env_file: Path) -> None:
    """A rate is a fraction from 0 to below 1; anything else is refused with an example."""
    assert load_risk_free_rate({}, env_file=env_file) is None
    assert load_risk_free_rate({"OH_RISK_FREE_RATE": " 0.04 "}, env_file=env_file) == 0.04
    assert load_risk_free_rate({"OH_RISK_FREE_RATE": "0"}, env_file=env_file) == 0.0
    for wrong in ("4", "4 %", "-0.01", "nan", "inf"):
        with pytest.raises(SettingsError, match=r"0\.04 for 4 %"):
            load_risk_free_rate({"OH_RISK_FREE_RATE": wrong}, env_file=env_file)
