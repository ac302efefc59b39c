from __future__ import annotations

from pathlib import Path

import pytest

from webapp.config import PROJECT_ROOT, Settings
from webapp.errors import SettingsError


def test_without_variables_it_serves_this_machine_alone() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.https) == ("127.0.0.1", 5000, False)
    assert settings.workers >= 1


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.from_env({"MIEN_PORT": " "}) == Settings.from_env({})


def test_values_are_typed() -> None:
    settings = Settings.from_env(
        {
            "MIEN_PORT": "5001",
            "MIEN_SMOOTHING_S": "0.5",
            "MIEN_HTTPS": "1",
            "MIEN_DATA_DIR": "/var/lib/mien",
            "MIEN_ALLOWED_ORIGINS": "https://a.example,https://b.example",
        }
    )
    assert (settings.port, settings.smoothing_s, settings.https) == (5001, 0.5, True)
    assert settings.data_dir == Path("/var/lib/mien")
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("runtime", "name"), [("litert", "expression.tflite"), ("keras", "expression.keras")]
)
def test_each_runtime_has_its_own_model_file(runtime: str, name: str) -> None:
    assert Settings.from_env({"MIEN_RUNTIME": runtime}).model_path == PROJECT_ROOT / "models" / name


def test_a_model_can_be_named() -> None:
    assert Settings.from_env({"MIEN_MODEL": "/tries/7.tflite"}).model_path == Path("/tries/7.tflite")


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


@pytest.mark.parametrize("variable", ["MIEN_TLS_CERTIFICATE", "MIEN_TLS_KEY"])
def test_a_certificate_needs_its_key_and_a_key_its_certificate(variable: str) -> None:
    with pytest.raises(SettingsError, match="together"):
        Settings.from_env({variable: "file.pem"})
