from pathlib import Path

import pytest

from api.config import Settings, read_settings
from recommender.errors import SettingError


def test_without_variables_the_server_binds_loopback_and_requires_keys():
    settings = read_settings({"PATH": "/bin"})
    assert settings.host == "127.0.0.1"
    assert settings.api_keys_required
    assert settings.store_url == f"sqlite:///{Path('var').absolute() / 'store.sqlite'}"


def test_settings_come_from_the_environment_and_go_back_into_it():
    settings = read_settings(
        {"REGULARS_HOME": "/data/shop", "REGULARS_PORT": "0", "REGULARS_API_KEYS_REQUIRED": "false"}
    )
    assert settings == Settings(home=Path("/data/shop"), port=0, api_keys_required=False)
    assert settings.artifacts == Path("/data/shop/artifacts")
    assert read_settings(settings.environment()) == settings


def test_an_empty_variable_counts_as_not_set():
    assert read_settings({"REGULARS_HOME": "", "REGULARS_PORT": ""}) == Settings()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"REGULARS_POTR": "1"}, "the variable REGULARS_POTR is not known; known are REGULARS_API_KEYS_REQUIRED, "),
        ({"REGULARS_PORT": "http"}, "REGULARS_PORT is 'http'; it must be a whole number"),
        ({"REGULARS_PORT": "65536"}, "REGULARS_PORT is 65536; it must be 0 to 65535"),
        ({"REGULARS_WORKERS": "0"}, "REGULARS_WORKERS is 0; it must be 1 to 256"),
        ({"REGULARS_API_KEYS_REQUIRED": "no"}, "REGULARS_API_KEYS_REQUIRED is 'no'; it must be true or false"),
        ({"REGULARS_LOG_LEVEL": "loud"}, "REGULARS_LOG_LEVEL is 'loud'; use one of debug, info, warning, error"),
        ({"REGULARS_API_KEYS_REQUIRED": "false", "REGULARS_HOST": "0.0.0.0"}, "bind 127.0.0.1 or require keys"),
        ({"REGULARS_API_KEYS_REQUIRED": "false", "REGULARS_HOST": "shop.example"}, "bind 127.0.0.1 or require keys"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(environment, message):
    with pytest.raises(SettingError) as refused:
        read_settings(environment)
    assert message in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_keys_may_be_switched_off_on_loopback(host):
    assert not Settings(host=host, api_keys_required=False).api_keys_required


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingError, match=r"REGULARS_HOME .*file/home' cannot be made: Not a directory"):
        Settings(home=tmp_path / "file" / "home").made_home()
