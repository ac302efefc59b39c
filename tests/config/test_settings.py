from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from webapp.app import create_app
from webapp.config import PROJECT_ROOT, Settings, log_settings, serving_environment
from webapp.errors import SettingsError


def test_without_variables_it_serves_this_machine_alone() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.https) == ("127.0.0.1", 5000, False)
    assert settings.workers >= 1


def test_serve_serves_the_network_over_https_unless_told_otherwise() -> None:
    assert serving_environment({}) == {"MIEN_HTTPS": "1", "MIEN_HOST": "0.0.0.0", "MIEN_PORT": "8443"}
    given = {"MIEN_HTTPS": "0", "MIEN_PORT": "5001", "PATH": "/bin"}
    assert serving_environment(given) == {"MIEN_HOST": "0.0.0.0", **given}


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.from_env({"MIEN_PORT": " "}) == Settings.from_env({})


def test_values_are_typed() -> None:
    settings = Settings.from_env(
        {
            "MIEN_PORT": "5001",
            "MIEN_SMOOTHING_S": "0.5",
            "MIEN_HTTPS": "1",
            "MIEN_DATA_DIR": "/var/lib/mien",
            "MIEN_ALLOWED_ORIGINS": "https://A.example:443, http://b.example:80, https://c.example:80",
        }
    )
    assert (settings.port, settings.smoothing_s, settings.https) == (5001, 0.5, True)
    assert settings.data_dir == Path("/var/lib/mien")
    assert settings.allowed_origins == ("https://a.example", "http://b.example", "https://c.example:80")


@pytest.mark.parametrize(
    ("runtime", "name"), [("litert", "expression.tflite"), ("keras", "expression.keras")]
)
def test_each_runtime_has_its_own_model_file(runtime: str, name: str) -> None:
    assert Settings.from_env({"MIEN_RUNTIME": runtime}).model_path == PROJECT_ROOT / "models" / name


def test_a_model_can_be_named(tmp_path: Path) -> None:
    model = tmp_path / "7.tflite"
    model.touch()
    assert Settings.from_env({"MIEN_MODEL": str(model)}).model_path == model


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="MIEN_MODEL is '/nope', but must be a file"):
        Settings.from_env({"MIEN_MODEL": "/nope"})


@pytest.mark.parametrize("token", ["x", "a" * 19])
def test_a_token_that_could_be_guessed_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(SettingsError, match="MIEN_HOST_TOKEN has .* at least 20") as error:
        Settings.from_env({"MIEN_HOST_TOKEN": token})
    assert f"'{token}'" not in str(error.value)


def test_a_long_token_is_taken() -> None:
    assert Settings.from_env({"MIEN_HOST_TOKEN": "a" * 20}).host_token == "a" * 20
    assert Settings.from_env({"MIEN_HOST_TOKEN": " "}).host_token is None


def test_known_hosts_are_names_and_addresses() -> None:
    settings = Settings.from_env({"MIEN_KNOWN_HOSTS": "mien.example.org, *.lab.example,192.0.2.7, [fd00::1]"})
    assert settings.known_hosts == ("mien.example.org", "*.lab.example", "192.0.2.7", "[fd00::1]")


@pytest.mark.parametrize("origins", ["lab.example", "https://lab.example/page", "ftp://lab.example", "*"])
def test_origins_have_a_scheme_and_no_path(origins: str) -> None:
    with pytest.raises(SettingsError, match="MIEN_ALLOWED_ORIGINS .* without a path"):
        Settings.from_env({"MIEN_ALLOWED_ORIGINS": origins})


@pytest.mark.parametrize("hosts", ["https://mien.example.org", "mien.example.org:8443", "*", "a b", "a/b"])
def test_known_hosts_are_no_urls(hosts: str) -> None:
    with pytest.raises(SettingsError, match="MIEN_KNOWN_HOSTS .* without https:// and port"):
        Settings.from_env({"MIEN_KNOWN_HOSTS": hosts})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MIEN_PROT", "MIEN_PROT is not a setting: did you mean MIEN_PORT?"),
        ("MIEN_KNOWN_HOST", "did you mean MIEN_KNOWN_HOSTS?"),
        ("MIEN_QQQQQQ", "docs/settings.md lists them all"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_nearest_name(
    caplog: pytest.LogCaptureFixture, name: str, said: str
) -> None:
    Settings.from_env({name: "5001", "MIENNE": "not ours", "PATH": "/bin"})
    assert len(caplog.messages) == 1
    assert said in caplog.messages[0]


def test_what_is_set_well_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    Settings.from_env({"MIEN_PORT": "5001", "MIEN_MODEL": "", "MIEN_TLS_KEY": ""})
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MIEN_PORT", "http"),
        ("MIEN_PORT", "0"),
        ("MIEN_PORT", "65536"),
        ("MIEN_WORKERS", "0"),
        ("MIEN_WORKERS", "2.5"),
        ("MIEN_RUNTIME", "onnx"),
        ("MIEN_SMOOTHING_S", "-1"),
        ("MIEN_SMOOTHING_S", "nan"),
        ("MIEN_HTTPS", "yes"),
        ("MIEN_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_expected(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} is '{value}', but must be"):
        Settings.from_env({variable: value})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"database": "mysql://x"}, "mysql is not supported"),
        ({"database": "sqlite:////proc/none/mien.sqlite"}, "MIEN_DATABASE_URL"),
        ({"data_dir": Path("/proc/none")}, "MIEN_DATA_DIR"),
    ],
)
def test_a_database_or_a_folder_that_cannot_be_used_ends_the_start(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        create_app(Settings(**{"data_dir": tmp_path, **settings}))


@pytest.mark.parametrize("variable", ["MIEN_TLS_CERTIFICATE", "MIEN_TLS_KEY"])
def test_a_certificate_needs_its_key_and_a_key_its_certificate(variable: str) -> None:
    with pytest.raises(SettingsError, match="together"):
        Settings.from_env({variable: "file.pem"})


def test_a_node_has_the_name_that_is_set_or_one_of_the_machine_and_the_port() -> None:
    assert Settings.from_env({"MIEN_NODE": "a1"}).node == "a1"
    default = Settings.from_env({"MIEN_PORT": "5001"}).node
    assert re.fullmatch(r"[a-z0-9]{1,20}", default)
    assert default.endswith("5001")
    with pytest.raises(SettingsError, match="MIEN_NODE is 'A-1'"):
        Settings.from_env({"MIEN_NODE": "A-1"})


def test_the_key_of_sessions_is_given_itself_or_in_a_file(tmp_path: Path) -> None:
    key = "k" * 64
    (tmp_path / "key").write_text(f"{key}\n")
    assert Settings.from_env({"MIEN_SECRET_KEY": key}).secret_key == key
    assert Settings.from_env({"MIEN_SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == key
    assert key not in repr(Settings.from_env({"MIEN_SECRET_KEY": key}))


def test_settings_do_not_show_their_secrets() -> None:
    secret = "s" * 32
    for name, value in (
        ("HOST_TOKEN", secret),
        ("DATABASE_URL", f"postgresql://mien:{secret}@localhost/mien"),
        ("REDIS_URL", f"redis://:{secret}@localhost"),
    ):
        assert secret not in repr(Settings.from_env({f"MIEN_{name}": value})), name


def test_a_key_of_sessions_that_is_short_or_given_twice_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("")
    for env, complaint in (
        ({"MIEN_SECRET_KEY": "short"}, "MIEN_SECRET_KEY has 5 characters"),
        ({"MIEN_SECRET_KEY_FILE": str(tmp_path / "key")}, "has 0 characters"),
        ({"MIEN_SECRET_KEY": "k" * 64, "MIEN_SECRET_KEY_FILE": str(tmp_path / "key")}, "not both"),
        ({"MIEN_SECRET_KEY_FILE": str(tmp_path / "none")}, "a file that exists"),
    ):
        with pytest.raises(SettingsError, match=complaint):
            Settings.from_env(env)


def test_the_log_names_the_node_where_others_can_be() -> None:
    assert log_settings({"MIEN_NODE": "a"})["node"] == ""
    assert log_settings({"MIEN_NODE": "a", "MIEN_DATABASE_URL": "postgresql://h/d"})["node"] == "a"
