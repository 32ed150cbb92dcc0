"""A stage is read from the context, or refused with a text that says what to do."""

from __future__ import annotations

import json
import sys

import pytest

from infra.settings import LAMBDA_PYTHON, SettingsError, Stage, stage_from_context


def stage(**context: object) -> Stage:
    return stage_from_context(context.get)


LOCAL_AWS = "http://127.0.0.1:4566"


def test_a_stage_without_context_is_the_local_one() -> None:
    made = stage(aws_endpoint=LOCAL_AWS)
    assert (made.name, made.is_local, made.is_stable) == ("local", True, False)
    assert made.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert json.loads(made.venues_json) == {"binance": {"endpoint": "http://127.0.0.1:9100", "hosts": ["127.0.0.1"]}}


def test_a_stable_stage_runs_on_lambda_and_on_the_venues_own_hosts() -> None:
    made = stage(stage="prod", venues="binance,kraken")
    assert (made.is_stable, made.architecture, made.python) == (True, "arm64", LAMBDA_PYTHON)
    assert json.loads(made.venues_json) == {
        "binance": {"endpoint": None, "hosts": ["api.binance.com"]},
        "kraken": {"endpoint": None, "hosts": ["api.kraken.com"]},
    }
    assert made.resource("evaluations") == "surefill-prod-evaluations"
    assert made.stack("Data") == "Surefill-prod-Data"
    assert made.secret_prefix == "surefill/prod/"


def test_a_test_stage_may_use_a_testnet() -> None:
    made = stage(stage="dev", exchange_url="https://testnet.example.com/")
    assert json.loads(made.venues_json) == {
        "binance": {"endpoint": "https://testnet.example.com", "hosts": ["testnet.example.com"]}
    }


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ({}, "stage 'local' needs -c aws_endpoint"),
        ({"stage": "Prod"}, "stage must be"),
        ({"stage": "a-very-long-stage"}, "stage must be"),
        ({"stage": "dev", "venues": "binance,mtgox"}, "was 'binance,mtgox'"),
        ({"stage": "dev", "venues": ","}, "venues must be"),
        ({"exchange_url": "127.0.0.1:9100"}, "exchange_url must be an http"),
        ({"stage": "dev", "exchange_url": "http://testnet.example.com"}, "must be https"),
        ({"stage": "prod", "exchange_url": "https://testnet.example.com"}, "venues' own hosts"),
        ({"stage": "dev", "clock_url": "http://127.0.0.1:9100"}, "clock_url is for the stage 'local'"),
        ({"stage": "prod", "aws_endpoint": "http://127.0.0.1:4566"}, "aws_endpoint is for the stage 'local'"),
        ({"stage": "dev", "alarm_email": "nobody"}, "alarm_email must look like"),
        ({"stage": "dev", "adviser_model": "nova"}, "adviser_model must be a Bedrock model id .*, was 'nova'"),
        ({"stage": "dev", "notify": "webhook,pigeon"}, "notify must be a comma separated list of .*, was 'pigeon'"),
        ({"stage": "dev", "log_retention_days": "8"}, "log_retention_days must be one of"),
        ({"stage": "dev", "reserved_concurrency": "maybe"}, "reserved_concurrency must be true or false, was 'maybe'"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_it_was(context: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        stage(**context)
